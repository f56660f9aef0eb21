//! A catalog that was restored from a backup, over shards that went on since: nothing is lost that it names, and nothing
//! is deleted that it does not know before an operator says so.

use crate::bed::{Bed, PATHS};
use crate::erasure::{heal, records};
use cofre_blobs::{Compared, Reconciling, Restore, TopologyError, Unknown};
use cofre_catalog::keys;
use cofre_catalog::records::{IncarnationRecord, Record};
use cofre_catalog::{Batch, Entry, ReadExt, Scan, Store};
use cofre_objects::Error;
use cofre_shards::Backend;
use cofre_types::{ShardId, Timestamp};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(86_400);
const SHARDS: [ShardId; 3] = [ShardId(1), ShardId(2), ShardId(3)];

/// All records, and when they were read.
struct Backup {
    records: Vec<(Vec<u8>, Entry)>,
    taken: Timestamp,
}

fn now(bed: &Bed) -> Timestamp {
    Timestamp(bed.clock.clock().now_nanos())
}

async fn backup(bed: &Bed) -> Backup {
    let records = bed.store.page(Scan::prefix(&[]), 100_000).await.unwrap();
    let backup = Backup { records, taken: now(bed) };
    bed.clock.advance(Duration::from_secs(1));
    backup
}

/// Makes the catalog that of a backup, as a new incarnation.
async fn restore(bed: &Bed, backup: Backup) {
    bed.clock.advance(Duration::from_secs(1));
    let mut batch = Batch::new();
    for (key, _) in bed.store.page(Scan::prefix(&[]), 100_000).await.unwrap() {
        batch.delete(key);
    }
    for (key, entry) in backup.records {
        batch.put(key, entry.value);
    }
    let (begun, backup_taken) = (now(bed), Some(backup.taken));
    let incarnation = IncarnationRecord { id: [7; 16], begun, backup_taken, found_behind: false };
    batch.put(keys::incarnation(), incarnation.encode());
    bed.store.commit(batch).await.unwrap();
    bed.clock.advance(Duration::from_secs(1));
}

/// Compares every shard to its end; the sums.
async fn compare(bed: &Bed) -> Compared {
    let mut all = Compared::default();
    for shard in SHARDS {
        loop {
            let step = bed.blobs.compare(shard).await.unwrap();
            all.seen += step.seen;
            all.named += step.named;
            all.unknown += step.unknown;
            if step.ended {
                break;
            }
        }
        assert!(!bed.blobs.is_uncompared(shard).await.unwrap());
    }
    all
}

/// Searches every shard for what no record names; how many copies are doomed.
async fn search(bed: &Bed) -> u64 {
    let mut doomed = 0;
    for shard in SHARDS {
        doomed += bed.blobs.find_orphans(shard, None, GRACE).await.unwrap().doomed;
    }
    doomed
}

async fn told(bed: &Bed) -> Restore {
    bed.topology.restore().await.unwrap().unwrap()
}

async fn bed(scheme: &str) -> Bed {
    let bed = Bed::new(scheme).await;
    bed.make_bucket("b").await;
    bed
}

#[tokio::test]
async fn what_is_newer_than_the_backup_stays_until_it_is_discarded() {
    for (scheme, size, width) in [("replicas:1", 100, 1), ("replicas:2", 100, 2), ("ec:2+1", 600_000, 3)] {
        let bed = bed(scheme).await;
        for i in 0..4 {
            bed.put(&format!("old{i}"), &vec![i; size]).await;
        }
        let backup = backup(&bed).await;
        for i in 0..15 {
            bed.put(&format!("new{i}"), &vec![i; size]).await;
        }
        assert_eq!(bed.topology.restore().await.unwrap(), None);
        restore(&bed, backup).await;
        let standing = bed.stored().await as u64;

        // Nothing goes before the shards were compared.
        bed.clock.advance(2 * GRACE);
        let told_now = told(&bed).await;
        assert_eq!((told_now.shards, told_now.compared, told_now.waiting), (3, 0, false));
        assert_eq!(search(&bed).await, 0);
        assert!(matches!(
            bed.topology.discard_unknown("test").await,
            Err(TopologyError::NotCompared { compared: 0, shards: 3 })
        ));
        let compared = compare(&bed).await;
        assert_eq!((compared.seen, compared.named, compared.unknown), (standing, 0, 15 * width));

        // Nor before the word.
        assert_eq!(search(&bed).await, 0);
        bed.reclaim().await;
        assert_eq!(bed.stored().await as u64, standing);
        let told_now = told(&bed).await;
        assert_eq!((told_now.compared, told_now.waiting), (3, true));
        assert_eq!((told_now.newer.objects, told_now.newer.copies), (15, 15 * width), "{scheme}");
        assert_eq!(told_now.older, Unknown::default());
        bed.topology.discard_unknown("test").await.unwrap();
        let told_now = told(&bed).await;
        assert_eq!((told_now.newer, told_now.waiting), (Unknown::default(), false));
        assert_eq!(search(&bed).await, 15 * width);
        bed.reclaim().await;
        assert_eq!(bed.stored().await as u64, 4 * width);
        for i in 0..4 {
            assert_eq!(bed.get(&format!("old{i}")).await.unwrap(), vec![i; size]);
        }
    }
}

#[tokio::test]
async fn what_the_catalog_has_deleted_goes_once_its_shard_was_compared() {
    let bed = bed("replicas:2").await;
    for i in 0..6 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    for i in 0..3 {
        bed.delete(&format!("k{i}"), None).await.unwrap();
    }
    let backup = backup(&bed).await;
    restore(&bed, backup).await;
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 12, "no shard was compared yet");
    for shard in SHARDS {
        assert_eq!(bed.blobs.compact(shard).await.unwrap(), None);
    }
    let compared = compare(&bed).await;
    assert_eq!((compared.seen, compared.unknown), (12, 0));
    let told = told(&bed).await;
    assert_eq!((told.compared, told.waiting), (3, false), "nothing waits for a word");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 6);
}

#[tokio::test]
async fn what_moved_since_the_backup_is_named_at_once() {
    for (scheme, size) in [("replicas:1", 100), ("ec:2+1", 600_000)] {
        let bed = Bed::with_shards(scheme, 4).await;
        bed.make_bucket("b").await;
        for i in 0..12 {
            bed.put(&format!("k{i}"), &vec![i; size]).await;
        }
        let backup = backup(&bed).await;
        let change = cofre_blobs::ShardChange { draining: Some(true), ..Default::default() };
        bed.topology.change(ShardId(1), &change, None, "test").await.unwrap();
        bed.relocate_all(ShardId(1)).await;
        for (blob, copy) in
            bed.backends.at(PATHS[0]).list(None).await.unwrap().0.into_iter().map(|c| (c.blob, c.locator))
        {
            bed.backends.at(PATHS[0]).delete(vec![(blob, copy)]).await.unwrap();
        }
        restore(&bed, backup).await;
        let lost = |error: Error| matches!(error, Error::Unreadable(_));
        if scheme == "replicas:1" {
            let mut failed = 0;
            for i in 0..12 {
                failed += u32::from(bed.get(&format!("k{i}")).await.is_err_and(lost));
            }
            assert!(failed > 0, "that the shards may hold it elsewhere is no proof that it is lost");
        }
        for shard in [4, 3, 2, 1].map(ShardId) {
            while !bed.blobs.compare(shard).await.unwrap().ended {}
        }
        for i in 0..12 {
            assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), vec![i; size], "{scheme}");
        }
        let told = told(&bed).await;
        assert!(told.named > 0 && !told.waiting, "{told:?}");
    }
}

#[tokio::test]
async fn a_copy_for_an_object_that_lacks_it_needs_no_grace() {
    let bed = bed("replicas:1").await;
    for i in 0..8 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    let backup = backup(&bed).await;
    let change = cofre_blobs::ShardChange { draining: Some(true), ..Default::default() };
    bed.topology.change(ShardId(1), &change, None, "test").await.unwrap();
    bed.relocate_all(ShardId(1)).await;
    bed.reclaim().await;
    // Put back without a word: no incarnation tells that the catalog is older than the shards.
    let mut batch = Batch::new();
    for (key, entry) in backup.records.into_iter().filter(|(key, _)| matches!(key[0], b'b' | b's')) {
        batch.put(key, entry.value);
    }
    bed.store.commit(batch).await.unwrap();
    for shard in SHARDS {
        bed.blobs.find_orphans(shard, None, Duration::MAX).await.unwrap();
    }
    for i in 0..8 {
        assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), [i; 100]);
    }
}

#[tokio::test]
async fn a_shard_given_up_after_a_deletion_and_taken_back_gives_nothing_that_was_deleted() {
    let bed = bed("replicas:2").await;
    bed.put("k", &[7; 100]).await;
    let (blob, record) = records(&bed).await.remove(0);
    let on = record.copies[0].clone();
    let backend = bed.backends.at(PATHS[on.shard.0 as usize - 1]);
    backend.linger();
    // The shard deletes what is doomed, and goes away before that is noted.
    let locator = cofre_shards::Locator(on.locator.clone());
    let mut batch = Batch::new();
    let doomed = cofre_catalog::records::DoomedRecord { locator: on.locator.clone(), size: 100 };
    batch.put(keys::doomed(on.shard, blob), doomed.encode());
    let mut left = record.clone();
    left.copies.remove(0);
    batch.put(keys::blob(blob), left.encode());
    batch.add(keys::shard_usage(on.shard), vec![-1, -100]);
    bed.store.commit(batch).await.unwrap();
    backend.delete(vec![(blob, locator.clone())]).await.unwrap();
    bed.topology.give_up(on.shard, false, "test").await.unwrap();
    bed.topology.take_back(on.shard, "test").await.unwrap();
    let mut at = Some(Reconciling::LetGo(None));
    while let Some(next) = at {
        let step = bed.blobs.reconcile(on.shard, next).await.unwrap();
        assert_eq!(step.taken_back, 0, "it is read, and deleted all the same");
        at = step.next;
    }
    bed.note_reconciled(on.shard).await;
    assert!(records(&bed).await[0].1.copies.iter().all(|copy| copy.shard != on.shard));

    // Where it is all that is left, it is named again, and healing makes another of it.
    let mut batch = Batch::new();
    let mut bare = record.clone();
    bare.copies.clear();
    for copy in &left.copies {
        batch.add(keys::shard_usage(copy.shard), vec![-1, -100]);
    }
    batch.put(keys::blob(blob), bare.encode());
    batch.put(keys::doomed(on.shard, blob), doomed.encode());
    bed.store.commit(batch).await.unwrap();
    bed.topology.give_up(on.shard, false, "test").await.unwrap();
    bed.topology.take_back(on.shard, "test").await.unwrap();
    assert_eq!(bed.blobs.reconcile(on.shard, Reconciling::LetGo(None)).await.unwrap().taken_back, 1);
    assert_eq!(bed.blobs.reconcile(on.shard, Reconciling::Named(None)).await.unwrap().bad, 1);
    bed.note_reconciled(on.shard).await;
    assert_eq!(heal(&bed).await.blobs, 1);
    backend.reuse_room();
    assert_eq!(bed.get("k").await.unwrap(), [7; 100]);
    assert_eq!(records(&bed).await[0].1.copies.len(), 2);
}

#[tokio::test]
async fn verify_tells_a_copy_that_was_deleted_and_can_still_be_read() {
    let bed = bed("replicas:1").await;
    bed.put("k", &[7; 100]).await;
    let (blob, record) = records(&bed).await.remove(0);
    let backend = bed.backends.at(PATHS[record.copies[0].shard.0 as usize - 1]);
    backend.linger();
    backend.delete(vec![(blob, cofre_shards::Locator(record.copies[0].locator.clone()))]).await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), [7; 100]);
    for deep in [false, true] {
        let mut verify = bed.upkeep.verify(deep);
        let mut wrong = Vec::new();
        while let Some(step) = verify.step().await.unwrap() {
            wrong.extend(step.wrong);
        }
        assert!(wrong.len() == 1 && wrong[0].why.contains("deleted"), "{wrong:?}");
    }
    assert_eq!(heal(&bed).await.blobs, 1);
    backend.reuse_room();
    assert_eq!(bed.get("k").await.unwrap(), [7; 100]);
}

#[tokio::test]
async fn a_copy_that_waits_to_be_deleted_hides_no_other_of_its_blob() {
    for restored in [false, true] {
        let bed = bed("replicas:1").await;
        bed.put("k", &[7; 100]).await;
        let (blob, mut record) = records(&bed).await.remove(0);
        let shard = record.copies[0].shard;
        // The record says where it stood before it moved, and what it left behind another time is not deleted yet.
        record.copies[0].locator = b"gone".to_vec();
        let doomed = cofre_catalog::records::DoomedRecord { locator: b"left".to_vec(), size: 100 };
        let mut batch = Batch::new();
        batch.put(keys::blob(blob), record.encode()).put(keys::doomed(shard, blob), doomed.encode());
        bed.store.commit(batch).await.unwrap();
        if restored {
            let backup = backup(&bed).await;
            restore(&bed, backup).await;
            assert_eq!(compare(&bed).await.named, 1);
        } else {
            assert_eq!(bed.blobs.find_orphans(shard, None, Duration::MAX).await.unwrap().named, 1);
        }
        assert_eq!(bed.get("k").await.unwrap(), [7; 100]);
        bed.reclaim().await;
        assert_eq!(bed.get("k").await.unwrap(), [7; 100], "what is deleted is not what is named");
    }
}

#[tokio::test]
async fn an_object_that_stands_in_several_places_is_one_that_is_newer() {
    let bed = bed("replicas:1").await;
    let backup = backup(&bed).await;
    bed.put("new", &[7; 100]).await;
    let (_, record) = records(&bed).await.remove(0);
    let change = cofre_blobs::ShardChange { draining: Some(true), ..Default::default() };
    bed.topology.change(record.copies[0].shard, &change, None, "test").await.unwrap();
    bed.relocate_all(record.copies[0].shard).await;
    restore(&bed, backup).await;
    assert_eq!(compare(&bed).await.unknown, 2, "it left a copy behind");
    let told = told(&bed).await;
    assert_eq!((told.newer.objects, told.newer.copies), (1, 2));
}
