//! Which shards take the copies of a new blob. Pure: the randomness is handed in.
//!
//! # Choice
//! Failure domains are drawn by systematic sampling (Madow 1949): the chance of a domain to be among
//! the `count` drawn is exactly proportional to its weight, and certain where its weight exceeds its
//! share. So unequal disks fill in proportion and can be used in full, which independent weighted
//! draws do not reach for more than one copy. Within a domain a shard is drawn by weight.
//!
//! Two such draws are made and the one with fewer writes in flight is taken (the power of two
//! choices), so that a shard that is slow for a while gets less. The weight is *free* room, so what
//! this skews is corrected by later draws.
//!
//! # Invariants
//! Never two of one failure domain; never one of weight zero.

use cofre_runtime::Random;
use cofre_types::ShardId;

/// Things that fail together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain<'a> {
    /// A shard by itself.
    Shard(ShardId),
    /// Whatever carries this label.
    Named(&'a str),
    /// What stands on this device and carries no label.
    Device(u64),
}

/// A shard that can take a copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// What it fails with.
    pub domain: Domain<'a>,
    /// How much it takes: free bytes times its weight. Not negative.
    pub weight: f64,
    /// Writes in flight.
    pub load: u64,
}

/// Chooses up to `count` candidates on different failure domains, by index; fewer if there are fewer
/// domains.
pub fn choose(candidates: &[Candidate<'_>], count: usize, random: &Random) -> Vec<usize> {
    let domains = group(candidates);
    let one = draw(candidates, &domains, count, random);
    let load = |chosen: &[usize]| chosen.iter().map(|i| candidates[*i].load).sum::<u64>();
    if load(&one) == 0 {
        return one;
    }
    let other = draw(candidates, &domains, count, random);
    if load(&other) < load(&one) { other } else { one }
}

/// One failure domain: its weight, and its candidates by index.
struct Group {
    weight: f64,
    members: Vec<usize>,
}

fn group(candidates: &[Candidate<'_>]) -> Vec<Group> {
    let mut order: Vec<usize> = (0..candidates.len()).filter(|i| candidates[*i].weight > 0.0).collect();
    order.sort_by_key(|i| candidates[*i].domain);
    order
        .chunk_by(|a, b| candidates[*a].domain == candidates[*b].domain)
        .map(|members| Group { weight: members.iter().map(|i| candidates[*i].weight).sum(), members: members.to_vec() })
        .collect()
}

fn draw(candidates: &[Candidate<'_>], domains: &[Group], count: usize, random: &Random) -> Vec<usize> {
    let mut left: Vec<&Group> = domains.iter().collect();
    // A random order: else some pairs of domains would never meet.
    for i in (1..left.len()).rev() {
        left.swap(i, below(random, i + 1));
    }
    let mut chosen = Vec::with_capacity(count);
    take_certain(&mut left, &mut chosen, count);
    let open = count - chosen.len();
    let step = left.iter().map(|group| group.weight).sum::<f64>() / open as f64;
    let mut mark = step * fraction(random);
    let mut passed = 0.0;
    for group in left {
        passed += group.weight;
        if passed > mark && chosen.len() < count {
            chosen.push(group);
            mark += step;
        }
    }
    chosen.into_iter().map(|group| draw_member(candidates, &group.members, random)).collect()
}

/// Takes the domains whose weight is at least their share of what is left, heaviest first.
fn take_certain<'a>(left: &mut Vec<&'a Group>, chosen: &mut Vec<&'a Group>, count: usize) {
    while chosen.len() < count && !left.is_empty() {
        let total: f64 = left.iter().map(|group| group.weight).sum();
        let Some(heaviest) = (0..left.len()).max_by(|a, b| left[*a].weight.total_cmp(&left[*b].weight)) else {
            return;
        };
        let open = count - chosen.len();
        if left.len() > open && left[heaviest].weight * (open as f64) < total {
            return;
        }
        chosen.push(left.remove(heaviest));
    }
}

fn draw_member(candidates: &[Candidate<'_>], members: &[usize], random: &Random) -> usize {
    let total: f64 = members.iter().map(|i| candidates[*i].weight).sum();
    let mark = total * fraction(random);
    let mut passed = 0.0;
    for member in members {
        passed += candidates[*member].weight;
        if passed > mark {
            return *member;
        }
    }
    members[members.len() - 1]
}

fn below(random: &Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).unwrap_or(0)
}

/// A random number of at least 0 and below 1.
fn fraction(random: &Random) -> f64 {
    (random.u64() >> 11) as f64 / (1u64 << 53) as f64
}
