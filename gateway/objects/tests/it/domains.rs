//! No two copies or pieces of a blob stand on one failure domain, whichever shards are away.

use crate::bed::{Bed, PATHS};
use cofre_blobs::{NewShard, Reconciling, ShardChange};
use cofre_catalog::keys::family;
use cofre_catalog::records::{BlobRecord, Record};
use cofre_catalog::{ReadExt, Scan};
use cofre_shards::{Backend, Trouble, Troubles};
use cofre_types::ShardId;
use std::collections::HashMap;

const BLOBS: usize = 12;

/// A bed with a shard in each of these racks, and some blobs.
async fn bed(scheme: &str, racks: &[&str], size: usize) -> Bed {
    let bed = Bed::with_shards(scheme, 0).await;
    for rack in racks {
        add(&bed, rack).await;
    }
    bed.make_bucket("b").await;
    for number in 0..BLOBS {
        bed.put(&format!("k{number}"), &content(number, size)).await;
    }
    bed
}

fn content(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8 ^ number as u8).collect()
}

async fn add(bed: &Bed, rack: &str) {
    let path = PATHS[bed.topology.list().await.unwrap().len()].to_owned();
    let shard = NewShard { failure_domain: Some(rack.to_owned()), ..NewShard::at_path(path) };
    bed.topology.register(shard, "test").await.unwrap();
}

/// Lets a shard take nothing more, or something again.
fn set_full(bed: &Bed, path: &str, full: bool) {
    bed.backends.faulty(path).set(Troubles { put: full.then_some(Trouble::Full), ..Troubles::default() });
}

async fn lose(bed: &Bed, path: &str) {
    let (listed, _) = bed.backends.at(path).list(None).await.unwrap();
    let lost = listed.into_iter().map(|copy| (copy.blob, copy.locator)).collect();
    bed.backends.at(path).delete(lost).await.unwrap();
}

async fn scrub(bed: &Bed) {
    let mut scrubbed = bed.blobs.scrub(None).await.unwrap();
    while scrubbed.next.is_some() {
        scrubbed = bed.blobs.scrub(scrubbed.next).await.unwrap();
    }
}

async fn heal(bed: &Bed) -> u64 {
    let (mut healed, mut after) = (0, None);
    loop {
        let step = bed.blobs.heal(after).await.unwrap();
        healed += step.blobs;
        after = step.next;
        if after.is_none() {
            return healed;
        }
    }
}

/// Fails if two copies of a blob are named on one rack; else how many copies there are.
async fn copies_apart(bed: &Bed) -> usize {
    let shards = bed.topology.list().await.unwrap();
    let racks: HashMap<_, _> = shards.into_iter().map(|view| (view.record.id, view.record.failure_domain)).collect();
    let blobs = bed.store.page(Scan::prefix(&[family::BLOB]), 1000).await.unwrap();
    let mut count = 0;
    for (_, entry) in blobs {
        let record = BlobRecord::decode(&entry.value).unwrap();
        let mut on: Vec<_> = record.copies.iter().map(|copy| &racks[&copy.shard]).collect();
        count += on.len();
        on.sort();
        on.dedup();
        assert_eq!(on.len(), record.copies.len(), "{record:?}");
    }
    count
}

#[tokio::test]
async fn a_shard_that_could_not_be_opened_keeps_its_failure_domain() {
    for (scheme, racks, size) in [
        ("replicas:3", &["a", "b", "c"][..], 100),
        ("ec:2+1", &["a", "b", "c"], 400_000),
        ("replicas:2", &["a", "b"], 9),
    ] {
        let bed = bed(scheme, racks, size).await;
        bed.backends.set_away("/one", true);
        let bed = bed.restarted(scheme).await;
        add(&bed, "a").await;
        lose(&bed, "/two").await;
        scrub(&bed).await;
        assert_eq!(bed.count(family::HEAL).await, BLOBS);
        heal(&bed).await;
        assert_eq!(copies_apart(&bed).await, racks.len() * BLOBS, "{scheme}");
        bed.backends.set_away("/one", false);
        bed.topology.attach_missing().await.unwrap();
        assert_eq!(heal(&bed).await, BLOBS as u64);
        for number in 0..BLOBS {
            assert!(bed.get(&format!("k{number}")).await.unwrap() == content(number, size));
        }
    }
}

#[tokio::test]
async fn a_drain_moves_nothing_beside_a_copy_on_a_shard_that_could_not_be_opened() {
    let bed = bed("replicas:2", &["a", "b"], 100).await;
    bed.backends.set_away("/one", true);
    let bed = bed.restarted("replicas:2").await;
    add(&bed, "a").await;
    let draining = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(ShardId(2), &draining, None, "test").await.unwrap();
    assert_eq!(bed.blobs.relocate(ShardId(2), None).await.unwrap().blobs, 0);
    assert_eq!(copies_apart(&bed).await, 2 * BLOBS);
}

#[tokio::test]
async fn a_drain_that_cannot_end_leaves_no_copy_beside_the_one_that_stays() {
    // The other copy is out of reach; then there is none; then a piece lacks that cannot be made.
    for (scheme, size, lost) in [("replicas:2", 100, false), ("replicas:2", 100, true), ("ec:2+1", 400_000, false)] {
        let racks: &[_] = if scheme == "ec:2+1" { &["a", "b", "c"] } else { &["a", "b"] };
        let bed = bed(scheme, racks, size).await;
        add(&bed, "a").await;
        let read_only = ShardChange { read_only: Some(true), ..ShardChange::default() };
        bed.topology.change(ShardId(2), &read_only, None, "test").await.unwrap();
        if lost {
            lose(&bed, "/two").await;
            scrub(&bed).await;
            set_full(&bed, "/one", true);
            set_full(&bed, "/three", true);
            heal(&bed).await;
            set_full(&bed, "/three", false);
        } else {
            bed.backends.set_away("/two", true);
            bed.topology.look().await;
        }
        let draining = ShardChange { draining: Some(true), ..ShardChange::default() };
        bed.topology.change(ShardId(1), &draining, None, "test").await.unwrap();
        let moved = bed.blobs.relocate(ShardId(1), None).await.unwrap();
        if scheme == "ec:2+1" {
            assert_eq!((moved.blobs, moved.failed), (BLOBS as u64, 0), "the piece itself moves");
        } else {
            assert_eq!((moved.blobs, moved.failed), (0, BLOBS as u64));
        }
        copies_apart(&bed).await;
        bed.reclaim().await;
        for number in 0..BLOBS {
            assert!(bed.get(&format!("k{number}")).await.unwrap() == content(number, size));
        }
    }
}

#[tokio::test]
async fn a_shard_that_comes_back_gives_no_copy_beside_the_one_that_was_made_on_its_failure_domain() {
    for (scheme, size) in [("replicas:3", 100), ("ec:2+1", 400_000)] {
        let bed = bed(scheme, &["a", "b", "c"], size).await;
        add(&bed, "a").await;
        bed.backends.set_away("/one", true);
        bed.topology.look().await;
        bed.topology.give_up(ShardId(1), true, "test").await.unwrap();
        bed.blobs.queue_given_up(ShardId(1), None).await.unwrap();
        assert_eq!(heal(&bed).await, BLOBS as u64, "made anew on the other shard of the rack");
        assert_eq!(copies_apart(&bed).await, 3 * BLOBS);

        // Each blob loses a copy, and there is no other rack.
        lose(&bed, "/two").await;
        let read_only = |read_only| ShardChange { read_only: Some(read_only), ..ShardChange::default() };
        bed.topology.change(ShardId(2), &read_only(true), None, "test").await.unwrap();
        scrub(&bed).await;
        assert_eq!(heal(&bed).await, 0);
        bed.backends.set_away("/one", false);
        bed.topology.take_back(ShardId(1), "test").await.unwrap();
        let mut at = Some(Reconciling::LetGo(None));
        while let Some(now) = at {
            let step = bed.blobs.reconcile(ShardId(1), now).await.unwrap();
            assert_eq!(step.taken_back, 0, "{scheme}");
            at = step.next;
        }
        copies_apart(&bed).await;
        let revision = bed.topology.get(ShardId(1)).await.unwrap().revision;
        bed.topology.note_reconciled(ShardId(1), revision, "test").await.unwrap();
        bed.topology.change(ShardId(2), &read_only(false), None, "test").await.unwrap();
        assert_eq!(heal(&bed).await, BLOBS as u64);
        assert_eq!(copies_apart(&bed).await, 3 * BLOBS);
    }
}
