//! Objects as pieces under an erasure code: kept, healed, drained, and told truthfully.

use crate::bed::{Bed, PATHS, get, put};
use cofre_blobs::{Healed, NewShard, ShardChange};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{BlobRecord, Record};
use cofre_catalog::{Batch, ReadExt, Scan, Store};
use cofre_objects::{EncryptAs, Error, PutObject};
use cofre_shards::{Backend, StreamTrouble, Trouble, Troubles};
use cofre_types::{BlobId, ByteRange, Scheme, ShardId};
use std::collections::{BTreeMap, HashSet};

const SIZE: usize = 1_500_001;

pub fn content(seed: u8) -> Vec<u8> {
    (0..SIZE).map(|i| (i % 251) as u8 ^ (i / 1021) as u8 ^ seed).collect()
}

/// A bed with a bucket `b` under 4+2.
pub async fn bed(shards: usize) -> Bed {
    let bed = Bed::with_shards("ec:4+2", shards).await;
    bed.make_bucket("b").await;
    bed
}

pub async fn records(bed: &Bed) -> Vec<(BlobId, BlobRecord)> {
    let page = bed.store.page(Scan::prefix(&[family::BLOB]), 1000).await.unwrap();
    let read = |(key, entry): (Vec<u8>, cofre_catalog::Entry)| {
        (keys::blob_of(&key).unwrap(), BlobRecord::decode(&entry.value).unwrap())
    };
    page.into_iter().map(read).collect()
}

/// Every blob has each of its pieces once, on as many shards, and the counters are what stands on the shards.
async fn assert_whole(bed: &Bed, shards: usize) {
    for (blob, record) in records(bed).await {
        let pieces: Vec<_> = record.copies.iter().map(|copy| copy.piece).collect();
        let on: HashSet<_> = record.copies.iter().map(|copy| copy.shard).collect();
        assert_eq!(on.len(), record.scheme.width(), "{blob}: {record:?}");
        if let Scheme::Erasure { .. } = record.scheme {
            assert_eq!(pieces.iter().collect::<HashSet<_>>().len(), record.scheme.width(), "{blob}: {record:?}");
        }
    }
    assert_counted(bed, shards).await;
}

async fn assert_counted(bed: &Bed, shards: usize) {
    for number in 1..=shards {
        let (listed, _) = bed.backends.at(PATHS[number - 1]).list(None).await.unwrap();
        let held = bed.topology.holdings(ShardId(number as u32)).await.unwrap();
        let stood = (listed.len() as u64, listed.iter().map(|copy| copy.size).sum::<u64>());
        assert_eq!((held.blobs, held.bytes), stood, "shard {number}");
    }
}

pub async fn lose(bed: &Bed, path: &str) -> usize {
    let backend = bed.backends.at(path);
    let (listed, _) = backend.list(None).await.unwrap();
    let lost: Vec<_> = listed.into_iter().map(|copy| (copy.blob, copy.locator)).collect();
    let count = lost.len();
    backend.delete(lost).await.unwrap();
    count
}

pub async fn scrub(bed: &Bed) -> u64 {
    let (mut after, mut bad) = (None, 0);
    loop {
        let scrubbed = bed.blobs.scrub(after).await.unwrap();
        bad += scrubbed.bad;
        after = scrubbed.next;
        if after.is_none() {
            return bad;
        }
    }
}

pub async fn heal(bed: &Bed) -> Healed {
    let mut all = Healed::default();
    let mut after = None;
    loop {
        let step = bed.blobs.heal(after).await.unwrap();
        all.blobs += step.blobs;
        all.bytes += step.bytes;
        all.waiting += step.waiting;
        all.waits_for.extend(step.waits_for);
        all.damaged.extend(step.damaged);
        after = step.next;
        if after.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn any_two_shards_lost_are_healed_and_every_figure_is_that_of_the_shards() {
    for (one, other) in [(0, 1), (2, 5), (4, 3)] {
        let bed = bed(6).await;
        for i in 0..3 {
            bed.put(&format!("k{i}"), &content(i)).await;
        }
        assert_whole(&bed, 6).await;
        let lost = lose(&bed, PATHS[one]).await + lose(&bed, PATHS[other]).await;
        assert_eq!(lost, 6);
        for i in 0..3 {
            assert!(bed.get(&format!("k{i}")).await.unwrap() == content(i));
        }
        assert_eq!(scrub(&bed).await, 6);
        let healed = heal(&bed).await;
        assert_eq!((healed.blobs, healed.waiting, healed.damaged.len()), (3, 0, 0));
        assert_eq!(bed.count(family::HEAL).await, 0);
        bed.reclaim().await;
        assert_whole(&bed, 6).await;
        // The pieces that were made are as good as those that were lost.
        lose(&bed, PATHS[(one + 1) % 6]).await;
        for i in 0..3 {
            assert!(bed.get(&format!("k{i}")).await.unwrap() == content(i));
        }
    }
}

#[tokio::test]
async fn healing_writes_only_the_pieces_that_are_missing() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    let before: BTreeMap<_, _> =
        records(&bed).await[0].1.copies.iter().map(|copy| (copy.piece, copy.clone())).collect();
    lose(&bed, "/three").await;
    scrub(&bed).await;
    let piece = before.values().find(|copy| copy.shard == ShardId(3)).unwrap().piece;
    let bytes = cofre_shards::copy_bytes("ec:4+2".parse().unwrap(), SIZE as u64, piece);
    assert_eq!(heal(&bed).await.bytes, bytes);
    let after = records(&bed).await.remove(0).1;
    for copy in after.copies.iter().filter(|copy| copy.piece != piece) {
        assert_eq!(before[&copy.piece], *copy);
    }
}

#[tokio::test]
async fn too_few_pieces_are_reported_as_damaged_and_nothing_of_them_is_deleted() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    for path in &PATHS[..3] {
        lose(&bed, path).await;
    }
    assert_eq!(scrub(&bed).await, 3);
    let healed = heal(&bed).await;
    assert_eq!((healed.blobs, healed.waiting, healed.damaged.len()), (0, 0, 1));
    let subject = &healed.damaged[0].subject;
    assert!(subject.ends_with("(bucket-b/k)"), "the pieces that are left tell the object: {subject}");
    assert!(matches!(bed.get("k").await, Err(Error::Lost(_))));
    bed.reclaim().await;
    assert_eq!((bed.stored().await, records(&bed).await[0].1.copies.len()), (3, 6));
    assert_eq!((bed.count(family::HEAL).await, bed.count(family::DOOMED).await), (1, 0));
}

#[tokio::test]
async fn pieces_out_of_reach_prove_nothing() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    lose(&bed, "/one").await;
    let away = Troubles { get: Some(Trouble::Unreachable), other: Some(Trouble::Unreachable), ..Troubles::default() };
    for path in &PATHS[1..3] {
        bed.backends.faulty(path).set(away);
    }
    scrub(&bed).await;
    // Three good, one gone, two unknown: too few to rebuild from, and too many to give up.
    let healed = heal(&bed).await;
    assert_eq!((healed.blobs, healed.waiting, healed.damaged.len()), (0, 1, 0));
    assert_eq!(records(&bed).await[0].1.copies.len(), 6);
    // One comes back: the piece that is gone is made; the one out of reach stays its shard's.
    bed.backends.faulty("/two").set(Troubles::default());
    let healed = heal(&bed).await;
    assert_eq!((healed.blobs, healed.waiting), (0, 1));
    let copies = records(&bed).await.remove(0).1.copies;
    assert_eq!((copies.len(), copies.iter().any(|copy| copy.shard == ShardId(3))), (6, true));
    bed.backends.faulty("/three").set(Troubles::default());
    assert_eq!(heal(&bed).await.blobs, 1);
    bed.reclaim().await;
    assert_whole(&bed, 6).await;
}

#[tokio::test]
async fn a_corrupt_piece_is_read_around_and_replaced() {
    let bed = bed(7).await;
    bed.put("k", &content(1)).await;
    let bad = records(&bed).await[0].1.copies.iter().find(|copy| copy.piece == 1).unwrap().shard;
    let path = PATHS[bad.0 as usize - 1];
    bed.backends.faulty(path).set(Troubles { stream: Some((1000, StreamTrouble::Corrupt)), ..Troubles::default() });
    assert!(bed.get("k").await.unwrap() == content(1));
    assert!(bed.blobs.queue_reported().await.unwrap());
    let healed = heal(&bed).await;
    assert_eq!((healed.blobs, healed.damaged.len()), (1, 0));
    bed.backends.faulty(path).set(Troubles::default());
    bed.reclaim().await;
    assert_whole(&bed, 7).await;
    assert!(records(&bed).await[0].1.copies.iter().all(|copy| copy.shard != bad), "another shard was there");
}

#[tokio::test]
async fn a_corrupt_piece_stays_until_the_same_piece_stands_elsewhere() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    bed.backends.faulty("/one").set(Troubles {
        stream: Some((1000, StreamTrouble::Corrupt)),
        put: Some(Trouble::Full),
        ..Troubles::default()
    });
    assert_eq!(scrub(&bed).await, 1);
    let healed = heal(&bed).await;
    assert_eq!((healed.blobs, healed.waiting), (0, 1));
    assert_eq!((records(&bed).await[0].1.copies.len(), bed.count(family::DOOMED).await), (6, 0));
}

#[tokio::test]
async fn a_shard_is_drained_piece_by_piece() {
    let bed = bed(7).await;
    for i in 0..6 {
        bed.put(&format!("k{i}"), &content(i)).await;
    }
    bed.put("small", b"a few bytes").await;
    let shard = ShardId(2);
    let before = bed.topology.holdings(shard).await.unwrap();
    assert!(before.blobs > 0);
    // A piece on the shard that cannot be read is rebuilt from the others.
    bed.backends.faulty("/two").set(Troubles { stream: Some((0, StreamTrouble::Corrupt)), ..Troubles::default() });
    let change = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(shard, &change, None, "test").await.unwrap();
    assert_eq!(bed.relocate_all(shard).await, before.bytes);
    bed.reclaim().await;
    assert_eq!(bed.topology.holdings(shard).await.unwrap().blobs, 0);
    bed.topology.remove(shard, "test").await.unwrap();
    for (_, record) in records(&bed).await {
        assert!(record.copies.iter().all(|copy| copy.shard != shard));
    }
    for i in 0..6 {
        assert!(bed.get(&format!("k{i}")).await.unwrap() == content(i));
    }
}

#[tokio::test]
async fn a_drain_without_another_shard_moves_nothing_and_says_so() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    let change = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(ShardId(1), &change, None, "test").await.unwrap();
    let moved = bed.blobs.relocate(ShardId(1), None).await.unwrap();
    assert_eq!((moved.blobs, moved.failed), (0, 1));
    assert_whole(&bed, 6).await;
    bed.topology.register(NewShard::at_path(PATHS[6].to_owned()), "test").await.unwrap();
    assert_eq!(bed.blobs.relocate(ShardId(1), None).await.unwrap().blobs, 1);
    bed.reclaim().await;
    assert_whole(&bed, 7).await;
}

#[tokio::test]
async fn blobs_nearest_loss_are_healed_first() {
    let bed = bed(6).await;
    let mut blobs = Vec::new();
    for i in 0..100 {
        bed.put(&format!("k{i}"), &content(i)).await;
        let known: HashSet<_> = blobs.iter().copied().collect();
        blobs.extend(records(&bed).await.into_iter().map(|(id, _)| id).filter(|id| !known.contains(id)));
    }
    // All lost one piece, and three of them another: they have nothing to spare.
    for blob in &blobs {
        bed.blobs.queue_heal(*blob, ShardId(1)).await.unwrap();
    }
    assert_eq!(bed.count(family::HEAL).await, 100);
    let first = bed.blobs.heal(None).await.unwrap();
    assert_eq!(first.blobs, 64);
    assert!(first.next.is_some());
    for blob in &blobs {
        bed.blobs.queue_heal(*blob, ShardId(1)).await.unwrap();
    }
    let urgent: Vec<_> = blobs.iter().rev().take(3).collect();
    for blob in &urgent {
        bed.blobs.queue_heal(**blob, ShardId(2)).await.unwrap();
    }
    assert_eq!(bed.count(family::HEAL).await, 100, "a blob stands in the queue once");
    // The walk is beyond them, and still takes them along.
    let second = bed.blobs.heal(first.next).await.unwrap();
    assert!(second.blobs > 0);
    let left = bed.store.page(Scan::prefix(&[family::HEAL]), 200).await.unwrap();
    let left: HashSet<_> = left.iter().filter_map(|(key, _)| keys::blob_of(key)).collect();
    assert!(urgent.iter().all(|blob| !left.contains(blob)), "{urgent:?} of {left:?}");
    assert!(!left.is_empty());
}

#[tokio::test]
async fn a_queue_that_does_not_tell_the_spares_is_still_healed() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    lose(&bed, "/one").await;
    scrub(&bed).await;
    let blob = records(&bed).await[0].0;
    let snapshot = bed.store.snapshot().await.unwrap();
    let (key, entry) = snapshot.page(Scan::prefix(&[family::HEAL]), 2).await.unwrap().remove(0);
    let plain = keys::heals(blob).last().unwrap();
    assert!(plain.len() < key.len());
    let mut batch = Batch::new();
    batch.put(plain, entry.value.to_vec());
    batch.delete(key);
    bed.store.commit(batch).await.unwrap();
    bed.blobs.queue_heal(blob, ShardId(1)).await.unwrap();
    assert_eq!(bed.count(family::HEAL).await, 1, "it is the same entry");
    bed.blobs.queue_heal(blob, ShardId(2)).await.unwrap();
    let waiting = bed.topology.waiting_for_heal().await.unwrap();
    assert_eq!((waiting.blobs, waiting.without_spare), (1, 1), "it moved to where it belongs");
    assert_eq!((heal(&bed).await.blobs, bed.count(family::HEAL).await), (1, 0));
}

#[tokio::test]
async fn small_objects_are_whole_copies_and_the_size_is_a_setting() {
    let bed = bed(6).await;
    bed.put("small", &[1; 1000]).await;
    let scheme = |records: &[(BlobId, BlobRecord)]| records.iter().map(|(_, r)| r.scheme).collect::<Vec<_>>();
    assert_eq!(scheme(&records(&bed).await), [Scheme::replicas(3).unwrap()]);
    assert_whole(&bed, 6).await;
    for path in &PATHS[..2] {
        lose(&bed, path).await;
    }
    assert_eq!(bed.get("small").await.unwrap(), [1; 1000], "as safe as its pieces would be");
    bed.delete("small", None).await.unwrap();
    bed.reclaim().await;
    bed.set(serde_json::json!({"writes": {"replicate_bytes_max": 0}})).await;
    bed.put("small", &[2; 1000]).await;
    assert_eq!(scheme(&records(&bed).await), ["ec:4+2".parse().unwrap()]);
    assert_eq!(bed.get("small").await.unwrap(), [2; 1000]);
}

#[tokio::test]
async fn a_write_below_its_quorum_is_refused_unless_the_settings_allow_it() {
    let bed = bed(6).await;
    let change = ShardChange { read_only: Some(true), ..ShardChange::default() };
    for shard in [1, 2] {
        bed.topology.change(ShardId(shard), &change, None, "test").await.unwrap();
    }
    assert!(matches!(bed.try_put(put("k", &content(1))).await, Err(Error::Unavailable(_))));
    assert_eq!((bed.stored().await, bed.count(family::BLOB).await), (0, 0));
    bed.set(serde_json::json!({"writes": {"spares_min": 0}})).await;
    bed.put("k", &content(1)).await;
    assert_eq!((bed.stored().await, bed.count(family::HEAL).await), (4, 1));
    let change = ShardChange { read_only: Some(false), ..ShardChange::default() };
    for shard in [1, 2] {
        bed.topology.change(ShardId(shard), &change, None, "test").await.unwrap();
    }
    assert_eq!(heal(&bed).await.blobs, 1);
    assert_whole(&bed, 6).await;
}

#[tokio::test]
async fn encrypted_ranges_come_from_pieces_also_when_some_are_lost() {
    let bed = bed(6).await;
    let request = PutObject { encryption: EncryptAs::S3, ..put("k", &content(1)) };
    bed.try_put(request).await.unwrap();
    assert!(!bed.shards_hold(&content(1)[..64]).await);
    for lost in [None, Some("/one"), Some("/four")] {
        if let Some(path) = lost {
            lose(&bed, path).await;
        }
        for (first, last) in [(0, 0), (65_535, 65_537), (262_143, 700_000), (1_400_000, 1_500_000)] {
            let request =
                cofre_objects::GetObject { range: Some(ByteRange::From { first, last: Some(last) }), ..get("k") };
            let read = bed.get_request(request).await.unwrap();
            assert!(read == content(1)[first as usize..=last as usize], "{first}..={last} without {lost:?}");
        }
    }
}
