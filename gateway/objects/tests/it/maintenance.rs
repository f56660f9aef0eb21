use crate::bed::{Bed, bucket, key, put};
use cofre_blobs::{DrainState, ShardChange, TopologyError};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{DoomedRecord, Record};
use cofre_catalog::{Batch, Store};
use cofre_objects::Error;
use cofre_shards::{Backend, Locator};
use cofre_types::{BlobId, ShardId};
use std::time::Duration;

async fn everything_on(bed: &Bed, path: &str) -> Vec<(BlobId, Locator)> {
    let (listed, _) = bed.backends.at(path).list(None).await.unwrap();
    listed.into_iter().map(|listed| (listed.blob, listed.locator)).collect()
}

#[tokio::test]
async fn lost_copies_are_healed_and_the_queue_ends_empty() {
    let bed = Bed::new("replicas:2").await;
    bed.make_bucket("b").await;
    for i in 0..20 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    assert_eq!(bed.stored().await, 40);
    let lost = everything_on(&bed, "/one").await;
    assert!(!lost.is_empty());
    bed.backends.at("/one").delete(lost.clone()).await.unwrap();
    // Reads do not notice, but for the reports that they make.
    for i in 0..20 {
        assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), [i; 100]);
    }
    let mut after = None;
    let mut bad = 0;
    loop {
        let scrubbed = bed.blobs.scrub(after).await.unwrap();
        bad += scrubbed.bad;
        after = scrubbed.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(bad, lost.len() as u64);
    let mut after = None;
    let mut healed = 0;
    loop {
        let step = bed.blobs.heal(after).await.unwrap();
        healed += step.blobs;
        assert_eq!((step.waiting, step.damaged.len()), (0, 0));
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(healed, lost.len() as u64);
    assert_eq!(bed.count(family::HEAL).await, 0);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 40);
}

#[tokio::test]
async fn the_last_copy_is_never_destroyed_by_healing() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let mut on = None;
    for (number, path) in [(1, "/one"), (2, "/two"), (3, "/three")] {
        let copies = everything_on(&bed, path).await;
        if let Some((blob, _)) = copies.first() {
            on = Some((ShardId(number), *blob));
            bed.backends.at(path).delete(copies).await.unwrap();
        }
    }
    let (shard, blob) = on.unwrap();
    bed.blobs.queue_heal(blob, shard).await.unwrap();
    let healed = bed.blobs.heal(None).await.unwrap();
    assert_eq!((healed.blobs, healed.damaged.len()), (0, 1));
    assert!(healed.damaged[0].why.contains("no copy is there to tell which object"), "{:?}", healed.damaged);
    assert_eq!(
        (bed.count(family::HEAL).await, bed.count(family::BLOB).await, bed.count(family::DOOMED).await),
        (1, 1, 0)
    );
    assert!(matches!(bed.get("k").await, Err(Error::Lost(_))));
}

#[tokio::test]
async fn a_shard_is_drained_and_removed_only_when_empty() {
    let bed = Bed::with_bucket().await;
    for i in 0..30 {
        bed.put(&format!("k{i}"), &[i; 10]).await;
    }
    let shard = ShardId(1);
    assert!(matches!(bed.topology.remove(shard, "test").await, Err(TopologyError::NotDraining)));
    let revision = bed.topology.get(shard).await.unwrap().revision;
    let change = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(shard, &change, Some(revision), "test").await.unwrap();
    assert!(matches!(bed.topology.remove(shard, "test").await, Err(TopologyError::HoldsCopies(_))));
    let before = bed.topology.drain_progress(shard).await.unwrap();
    assert!(before.state == DrainState::Moving && before.remaining.blobs > 0);
    bed.relocate_all(shard).await;
    // The end is reported once it was seen, and no sooner.
    bed.clock.advance(Duration::from_secs(2));
    assert_eq!(bed.topology.drain_progress(shard).await.unwrap().state, DrainState::Emptied);
    assert!(!everything_on(&bed, "/one").await.is_empty());
    assert!(bed.blobs.is_empty(shard).await.unwrap());
    bed.topology.note_lists_none(shard).await.unwrap();
    let drained = bed.topology.drain_progress(shard).await.unwrap();
    assert_eq!((drained.state, drained.remaining.blobs), (DrainState::Drained, 0));
    bed.topology.remove(shard, "test").await.unwrap();
    assert!(everything_on(&bed, "/one").await.is_empty());
    for i in 0..30 {
        assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), [i; 10]);
    }
    assert_eq!(bed.stored().await, 30);
}

#[tokio::test]
async fn orphans_go_after_their_grace_and_what_is_named_stays() {
    let bed = Bed::with_bucket().await;
    bed.put("kept", b"v").await;
    let header = cofre_shards::BlobHeader {
        bucket: bucket("b").to_string(),
        key: key("lost").to_string(),
        version: "null".to_owned(),
        part: None,
        written_nanos: bed.clock.clock().now_nanos(),
        scheme: None,
        piece: 0,
    };
    let body = cofre_shards::Body::Whole(bytes::Bytes::from_static(b"never committed"));
    bed.backends.at("/one").put(BlobId::from_bytes([9; 16]), &header, body).await.unwrap();
    let grace = Duration::from_secs(3600);
    let find = || async {
        let mut doomed = 0;
        for shard in 1..=3 {
            doomed += bed.blobs.find_orphans(ShardId(shard), None, grace).await.unwrap().doomed;
        }
        doomed
    };
    assert_eq!(find().await, 0, "it may still be committed");
    bed.clock.advance(Duration::from_secs(3601));
    assert_eq!(find().await, 1);
    assert_eq!(find().await, 0, "it is doomed already");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 1);
    assert_eq!(bed.get("kept").await.unwrap(), b"v");
}

#[tokio::test]
async fn a_write_that_misses_a_copy_is_queued_and_healed_when_a_shard_comes() {
    let bed = Bed::new("replicas:3").await;
    bed.make_bucket("b").await;
    let change = ShardChange { read_only: Some(true), ..ShardChange::default() };
    bed.topology.change(ShardId(3), &change, None, "test").await.unwrap();
    bed.put("k", b"v").await;
    assert_eq!((bed.stored().await, bed.count(family::HEAL).await), (2, 1));
    assert_eq!(bed.blobs.heal(None).await.unwrap().waiting, 1);
    let change = ShardChange { read_only: Some(false), ..ShardChange::default() };
    bed.topology.change(ShardId(3), &change, None, "test").await.unwrap();
    assert_eq!(bed.blobs.heal(None).await.unwrap().blobs, 1);
    assert_eq!((bed.stored().await, bed.count(family::HEAL).await), (3, 0));
}

#[tokio::test]
async fn a_read_that_began_before_the_deletion_goes_on() {
    let bed = Bed::with_bucket().await;
    bed.try_put(put("k", b"v")).await.unwrap();
    bed.delete("k", None).await.unwrap();
    // The grace is not over: the blob is there for who has its record.
    bed.upkeep.reclaim_garbage(&mut None).await.unwrap();
    assert_eq!((bed.stored().await, bed.count(family::BLOB).await), (1, 1));
}

#[tokio::test]
async fn a_doomed_copy_that_cannot_be_deleted_does_not_keep_the_others() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let mut batch = Batch::new();
    let doomed = DoomedRecord { locator: b"foreign".to_vec(), size: 1 };
    batch.put(keys::doomed(ShardId(1), BlobId::from_bytes([0; 16])), doomed.encode());
    bed.store.commit(batch).await.unwrap();
    bed.delete("k", None).await.unwrap();
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.count(family::DOOMED).await), (0, 1));
}
