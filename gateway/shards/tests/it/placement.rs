use cofre_runtime::Random;
use cofre_shards::placement::{Candidate, Domain, choose};
use cofre_types::ShardId;
use proptest::prelude::*;
use std::collections::HashSet;

fn candidate(domain: u32, weight: f64) -> Candidate<'static> {
    Candidate { domain: Domain::Shard(ShardId(domain)), weight, load: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn copies_never_share_a_domain_and_are_as_many_as_can_be(
        shards in prop::collection::vec((0u32..8, 0u64..1_000_000, 0u64..5), 0..20),
        count in 0usize..6,
        seed: u64,
    ) {
        let candidates: Vec<_> = shards
            .iter()
            .map(|(domain, weight, load)| Candidate { load: *load, ..candidate(*domain, *weight as f64) })
            .collect();
        let chosen = choose(&candidates, count, &Random::seeded(seed));
        let open: HashSet<_> = candidates.iter().filter(|c| c.weight > 0.0).map(|c| c.domain).collect();
        let domains: HashSet<_> = chosen.iter().map(|i| candidates[*i].domain).collect();
        prop_assert_eq!(domains.len(), chosen.len());
        prop_assert_eq!(chosen.len(), count.min(open.len()));
        prop_assert!(chosen.iter().all(|i| candidates[*i].weight > 0.0));
    }
}

/// Fills disks of these sizes with copies of one unit until some write finds no place; returns what is left.
fn fill(sizes: &[u64], copies: usize) -> Vec<u64> {
    let random = Random::seeded(3);
    let mut free = sizes.to_vec();
    loop {
        let candidates: Vec<_> = free.iter().enumerate().map(|(i, free)| candidate(i as u32, *free as f64)).collect();
        let chosen = choose(&candidates, copies, &random);
        if chosen.len() < copies {
            return free;
        }
        chosen.into_iter().for_each(|i| free[i] -= 1);
    }
}

#[test]
fn unequal_disks_are_used_in_full() {
    // Sizes, copies, and what cannot be used at best: whatever exceeds all others together.
    let cases: [(&[u64], usize, u64); 6] = [
        (&[1000], 1, 0),
        (&[100, 1000, 5000], 1, 0),
        (&[1000, 1000, 2000], 2, 0),
        (&[500, 1000, 1500, 3000], 2, 0),
        (&[1000, 1000, 5000], 2, 3000),
        (&[1000, 1000, 1000, 3000], 3, 2000),
    ];
    for (sizes, copies, unusable) in cases {
        let left: u64 = fill(sizes, copies).iter().sum();
        let all: u64 = sizes.iter().sum();
        assert!(left <= unusable + all / 50, "{left} of {all} left with {sizes:?} x {copies}");
    }
}

#[test]
fn disks_fill_in_proportion() {
    let random = Random::seeded(5);
    let weights = [100.0, 200.0, 300.0, 400.0];
    let candidates: Vec<_> = weights.iter().enumerate().map(|(i, weight)| candidate(i as u32, *weight)).collect();
    let mut taken = [0; 4];
    for _ in 0..20_000 {
        choose(&candidates, 2, &random).into_iter().for_each(|i| taken[i] += 1);
    }
    for (taken, weight) in taken.into_iter().zip(weights) {
        let expected = 40_000.0 * weight / 1000.0;
        assert!((f64::from(taken) - expected).abs() < expected * 0.05, "{taken} for a weight of {weight}");
    }
}

#[test]
fn a_busy_shard_gets_less() {
    let random = Random::seeded(5);
    let candidates = [Candidate { load: 10, ..candidate(0, 1.0) }, candidate(1, 1.0)];
    let busy = (0..1000).filter(|_| choose(&candidates, 1, &random) == [0]).count();
    assert!((200..300).contains(&busy), "the busy one was taken {busy} times of 1000");
}

#[test]
fn shards_of_one_domain_share_what_it_takes() {
    let random = Random::seeded(5);
    let rack = |name, weight| Candidate { domain: Domain::Named(name), weight, load: 0 };
    let candidates = [rack("a", 1.0), rack("a", 3.0), rack("b", 4.0)];
    let mut taken = [0; 3];
    for _ in 0..4000 {
        let chosen = choose(&candidates, 2, &random);
        assert!(chosen.contains(&2));
        chosen.into_iter().for_each(|i| taken[i] += 1);
    }
    assert!((900..1100).contains(&taken[0]), "{taken:?}");
}
