//! Shards that are away, given up, and back.

use crate::bed::Bed;
use cofre_blobs::{Reconciling, ShardChange, ShardMode, TopologyError};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{BlobRecord, Record};
use cofre_catalog::{ReadExt, Scan};
use cofre_shards::Backend;
use cofre_types::{BlobId, ShardId};
use std::time::Duration;

const ONE: ShardId = ShardId(1);

/// Twenty objects of two copies each, on three shards of which the first is away.
async fn bed() -> Bed {
    let bed = Bed::new("replicas:2").await;
    bed.make_bucket("b").await;
    for i in 0..20 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    bed.backends.set_away("/one", true);
    bed.topology.look().await;
    bed
}

async fn all_read(bed: &Bed) {
    for i in 0..20 {
        assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), [i; 100]);
    }
}

async fn listed(bed: &Bed, path: &str) -> usize {
    bed.backends.at(path).list(None).await.unwrap().0.len()
}

async fn rebuild(bed: &Bed) {
    let mut after = None;
    loop {
        let queued = bed.blobs.queue_given_up(ONE, after).await.unwrap();
        after = queued.next;
        if after.is_none() {
            break;
        }
    }
    heal(bed).await;
}

async fn heal(bed: &Bed) {
    let mut after = None;
    loop {
        let healed = bed.blobs.heal(after).await.unwrap();
        let read_back = bed.blobs.confirm(healed.healed).await.unwrap();
        assert!(read_back.iter().all(|(_, why)| why.is_none()), "{read_back:?}");
        after = healed.next;
        if after.is_none() {
            return;
        }
    }
}

/// Holds the first shard against the catalog to the end; how many copies were good, and taken back.
async fn reconcile(bed: &Bed) -> (u64, u64) {
    let (mut good, mut taken_back) = (0, 0);
    let mut at = Reconciling::LetGo(None);
    loop {
        let step = bed.blobs.reconcile(ONE, at).await.unwrap();
        assert_eq!((step.unreachable, step.bad), (0, 0));
        good += step.good;
        taken_back += step.taken_back;
        let Some(next) = step.next else { return (good, taken_back) };
        assert_eq!(Reconciling::decode(&next.encode()), next);
        at = next;
    }
}

async fn mode(bed: &Bed) -> ShardMode {
    bed.topology.get(ONE).await.unwrap().record.mode
}

#[tokio::test]
async fn a_shard_that_is_away_is_never_taken_for_empty() {
    let bed = bed().await;
    let held = bed.topology.holdings(ONE).await.unwrap().blobs;
    assert!(held > 0);
    let scrubbed = bed.blobs.scrub(None).await.unwrap();
    let seen = scrubbed.shards.iter().find(|seen| seen.shard == ONE).unwrap();
    assert!(scrubbed.bad == 0 && seen.unreachable > 0 && seen.copies == 0);
    all_read(&bed).await;
    assert_eq!((bed.count(family::HEAL).await, bed.topology.holdings(ONE).await.unwrap().blobs), (0, held));
}

#[tokio::test]
async fn what_was_on_a_shard_that_is_given_up_is_whole_elsewhere_and_nothing_on_it_is_lost() {
    let bed = bed().await;
    let held = listed(&bed, "/one").await;
    bed.topology.give_up(ONE, false, "test").await.unwrap();
    rebuild(&bed).await;
    assert_eq!((bed.topology.holdings(ONE).await.unwrap().blobs, bed.count(family::HEAL).await), (0, 0));
    assert_eq!(listed(&bed, "/two").await + listed(&bed, "/three").await, 40, "two copies of each, elsewhere");

    // It is not trusted: what it still holds waits, whether it answers or not.
    assert!(matches!(bed.topology.take_back(ONE, "test").await, Err(TopologyError::Away(_))));
    bed.backends.set_away("/one", false);
    bed.reclaim().await;
    bed.blobs.find_orphans(ONE, None, Duration::ZERO).await.unwrap();
    bed.blobs.compact(ONE).await.unwrap();
    bed.reclaim().await;
    assert_eq!(listed(&bed, "/one").await, held);

    bed.topology.take_back(ONE, "test").await.unwrap();
    assert_eq!(mode(&bed).await, ShardMode::Returning);
    assert_eq!(reconcile(&bed).await, (0, 0), "every blob is whole without it");
    assert_eq!(bed.blobs.delete_doomed(ONE, None).await.unwrap().copies, 0, "not before that was noted");
    bed.note_reconciled(ONE).await;
    assert_eq!(mode(&bed).await, ShardMode::Active);
    bed.reclaim().await;
    assert_eq!((listed(&bed, "/one").await, bed.stored().await), (0, 40));
    all_read(&bed).await;
}

#[tokio::test]
async fn a_shard_that_comes_back_with_the_last_good_copies_gives_them_back() {
    let bed = bed().await;
    bed.topology.give_up(ONE, true, "test").await.unwrap();
    let held = bed.topology.holdings(ONE).await.unwrap().blobs;
    rebuild(&bed).await;
    // Both others lose everything.
    for path in ["/two", "/three"] {
        let lost: Vec<_> = bed.backends.at(path).list(None).await.unwrap().0;
        let lost = lost.into_iter().map(|copy| (copy.blob, copy.locator)).collect();
        bed.backends.at(path).delete(lost).await.unwrap();
    }
    let scrubbed = bed.blobs.scrub(None).await.unwrap();
    let scrubbed_on = bed.blobs.scrub(scrubbed.next).await.unwrap();
    assert_eq!(scrubbed.bad + scrubbed_on.bad, 40);
    heal(&bed).await;
    bed.backends.set_away("/one", false);
    bed.topology.take_back(ONE, "test").await.unwrap();
    assert_eq!(reconcile(&bed).await.1, held);
    bed.note_reconciled(ONE).await;
    heal(&bed).await;
    bed.reclaim().await;
    let mut read = 0;
    for i in 0..20 {
        read += u64::from(bed.get(&format!("k{i}")).await.is_ok_and(|bytes| bytes == [i; 100]));
    }
    assert_eq!(read, held, "what only stood on the two that were lost is lost, and nothing else");
    assert_eq!(bed.stored().await as u64, held * 2);
}

#[tokio::test]
async fn the_only_copies_on_a_shard_that_is_given_up_stay_named() {
    let bed = Bed::with_bucket().await;
    for i in 0..20 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    let held = bed.topology.holdings(ONE).await.unwrap().blobs;
    bed.backends.set_away("/one", true);
    bed.topology.look().await;
    bed.topology.give_up(ONE, true, "test").await.unwrap();
    rebuild(&bed).await;
    assert_eq!(bed.topology.holdings(ONE).await.unwrap().blobs, held);
    assert!(matches!(bed.topology.remove(ONE, "test").await, Err(TopologyError::HoldsCopies(_))));
    bed.backends.set_away("/one", false);
    bed.topology.take_back(ONE, "test").await.unwrap();
    assert_eq!(reconcile(&bed).await, (held, 0));
    bed.note_reconciled(ONE).await;
    heal(&bed).await;
    all_read(&bed).await;
    assert_eq!(bed.count(family::HEAL).await, 0);
}

#[tokio::test]
async fn a_read_of_a_blob_below_its_redundancy_goes_on_and_queues_it() {
    let bed = Bed::new("replicas:2").await;
    bed.make_bucket("b").await;
    for i in 0..20 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    let lost = bed.backends.at("/one").list(None).await.unwrap().0;
    let lost = lost.into_iter().map(|copy| (copy.blob, copy.locator)).collect();
    bed.backends.at("/one").delete(lost).await.unwrap();
    all_read(&bed).await;
    let queued = tokio::time::timeout(Duration::from_secs(10), bed.blobs.queue_reported()).await;
    assert!(queued.expect("a read came upon a copy that is gone").unwrap());
    assert_eq!(bed.topology.waiting_for_heal().await.unwrap().blobs, 1);
}

#[tokio::test]
async fn a_drain_does_not_count_copies_on_a_shard_that_was_given_up() {
    let bed = Bed::with_shards("replicas:2", 4).await;
    bed.make_bucket("b").await;
    for i in 0..20 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    let two = ShardId(2);
    let on = |record: &BlobRecord, shard| record.copies.iter().any(|copy| copy.shard == shard);
    let leaving: Vec<_> = records(&bed).await.into_iter().filter(|(_, record)| on(record, two)).collect();
    // It answers, and is not to be relied on any more.
    bed.topology.give_up(ONE, false, "test").await.unwrap();
    let change = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(two, &change, None, "test").await.unwrap();
    bed.relocate_all(two).await;
    assert_eq!(bed.topology.holdings(two).await.unwrap().blobs, 0);
    assert!(leaving.iter().any(|(_, record)| on(record, ONE)));
    for (blob, record) in records(&bed).await {
        if leaving.iter().any(|(id, _)| *id == blob) {
            let counts = record.copies.iter().filter(|copy| copy.shard != ONE).count();
            assert_eq!(counts, 2, "{record:?}");
        }
    }
}

async fn records(bed: &Bed) -> Vec<(BlobId, BlobRecord)> {
    let page = bed.store.page(Scan::prefix(&[family::BLOB]), 1000).await.unwrap();
    let read = |(key, entry): (Vec<u8>, cofre_catalog::Entry)| {
        (keys::blob_of(&key).unwrap(), BlobRecord::decode(&entry.value).unwrap())
    };
    page.into_iter().map(read).collect()
}

#[tokio::test]
async fn what_still_reads_on_a_shard_that_was_given_up_is_made_anew_elsewhere() {
    for (scheme, shards, given_up) in [("replicas:1", 3, 1), ("ec:2+1", 5, 2)] {
        let bed = Bed::with_shards(scheme, shards).await;
        bed.make_bucket("b").await;
        let content = |i: u8| vec![i; 600_000];
        for i in 0..10 {
            bed.put(&format!("k{i}"), &content(i)).await;
        }
        // They answer, and are not to be relied on any more: some blobs have too few copies elsewhere.
        for shard in (1..=given_up).map(ShardId) {
            bed.topology.give_up(shard, false, "test").await.unwrap();
        }
        for shard in (1..=given_up).map(ShardId) {
            bed.blobs.queue_given_up(shard, None).await.unwrap();
        }
        heal(&bed).await;
        assert_eq!(bed.count(family::HEAL).await, 0, "{scheme}");
        for (shard, path) in (1..=given_up).map(ShardId).zip(["/one", "/two"]) {
            assert_eq!(bed.topology.holdings(shard).await.unwrap().blobs, 0, "{scheme}");
            bed.backends.set_away(path, true);
        }
        for i in 0..10 {
            assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), content(i), "{scheme}");
        }
    }
}
