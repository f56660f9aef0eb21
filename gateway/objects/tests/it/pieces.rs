//! Pieces under an erasure code whose shards fail, take nothing more, or come back.

use crate::bed::{Bed, PATHS};
use crate::erasure::{bed, content, heal, lose, records, scrub};
use cofre_blobs::{NewShard, ShardChange};
use cofre_catalog::records::{CopyRecord, Record};
use cofre_catalog::{Batch, ReadExt, Scan, Store, keys};
use cofre_shards::{Backend, Body, Locator};
use cofre_types::{ResolvedRange, ShardId};
use futures_util::StreamExt;
use std::collections::HashSet;

#[tokio::test]
async fn a_good_piece_outlives_a_corrupt_one_on_its_shard() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    let (blob, mut record) = records(&bed).await.remove(0);
    let shard_of = |piece: u8| record.copies.iter().find(|copy| copy.piece == piece).unwrap().shard;
    let (corrupt, gone) = (shard_of(5), shard_of(0));
    // One piece leads nowhere, another is gone, and its shard takes nothing any more.
    let copy = record.copies.iter_mut().find(|copy| copy.shard == corrupt).unwrap();
    copy.locator = vec![0];
    let mut batch = Batch::new();
    batch.put(keys::blob(blob), record.encode());
    bed.store.commit(batch).await.unwrap();
    lose(&bed, PATHS[gone.0 as usize - 1]).await;
    let change = ShardChange { read_only: Some(true), ..ShardChange::default() };
    bed.topology.change(gone, &change, None, "test").await.unwrap();
    scrub(&bed).await;
    assert_eq!(heal(&bed).await.waiting, 1);
    let on: HashSet<_> = records(&bed).await[0].1.copies.iter().map(|copy| copy.shard).collect();
    assert_eq!(on.len(), records(&bed).await[0].1.copies.len(), "no two pieces stand on one shard");
    bed.topology.register(NewShard::at_path(PATHS[6].to_owned()), "test").await.unwrap();
    assert_eq!(heal(&bed).await.blobs, 1);
    for (_, record) in records(&bed).await {
        let pieces: HashSet<_> = record.copies.iter().map(|copy| copy.piece).collect();
        assert_eq!(pieces.len(), 6, "{record:?}");
    }
    assert!(bed.get("k").await.unwrap() == content(1));
}

#[tokio::test]
async fn a_piece_on_a_shard_that_comes_back_while_its_blob_is_healed_stays_named() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    let back = ShardId(2);
    for shard in [ShardId(1), back] {
        bed.topology.give_up(shard, false, "test").await.unwrap();
        bed.blobs.queue_given_up(shard, None).await.unwrap();
    }
    bed.topology.register(NewShard::at_path(PATHS[6].to_owned()), "test").await.unwrap();
    let topology = bed.topology.clone();
    bed.rival.before_next_commit(move || async move { topology.take_back(back, "test").await.unwrap() });
    assert_eq!(heal(&bed).await.blobs, 0, "it was decided on what was not so any more");
    let doomed = bed.store.page(Scan::prefix(&keys::doomed_on(back)), 10).await.unwrap();
    assert!(doomed.is_empty(), "nothing lets it go while it is held against the catalog");
    assert_eq!(heal(&bed).await.blobs, 1);
    bed.note_reconciled(back).await;
    assert_eq!(records(&bed).await[0].1.copies.iter().filter(|copy| copy.shard == back).count(), 1);
}

#[tokio::test]
async fn a_piece_that_stands_twice_does_not_keep_another_off_where_shards_are_few() {
    for domains in [false, true] {
        let bed = Bed::with_shards("ec:2+1", 3).await;
        bed.make_bucket("b").await;
        bed.put("k", &content(1)).await;
        if domains {
            for shard in [1, 2, 3].map(ShardId) {
                let change =
                    ShardChange { failure_domain: Some(Some(format!("host-{shard}"))), ..ShardChange::default() };
                bed.topology.change(shard, &change, None, "test").await.unwrap();
            }
        }
        // Piece 1 stands where piece 2 did.
        let (blob, mut record) = records(&bed).await.remove(0);
        let at = |piece: u8| record.copies.iter().position(|copy| copy.piece == piece).unwrap();
        let (one, two) = (at(1), at(2));
        let place = |copy: &CopyRecord| bed.backends.at(PATHS[copy.shard.0 as usize - 1]);
        let locator = Locator(record.copies[one].locator.clone());
        let from = place(&record.copies[one]);
        let header = from.header(blob, &locator).await.unwrap();
        let size = from.list(None).await.unwrap().0[0].size;
        let mut stream = from.get(blob, &locator, ResolvedRange { start: 0, end: size }).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece.unwrap());
        }
        lose(&bed, PATHS[record.copies[two].shard.0 as usize - 1]).await;
        let body = Body::Whole(bytes.into());
        let stored = place(&record.copies[two]).put(blob, &header, body).await.unwrap();
        record.copies[two].locator = stored.locator.0;
        record.copies[two].piece = 1;
        let mut batch = Batch::new();
        batch.put(keys::blob(blob), record.encode());
        bed.store.commit(batch).await.unwrap();
        bed.blobs.queue_heal(blob, record.copies[two].shard).await.unwrap();

        let healed = heal(&bed).await;
        assert_eq!((healed.blobs, healed.waiting), (1, 0), "{:?}", healed.waits_for);
        let (_, record) = records(&bed).await.remove(0);
        let pieces: HashSet<_> = record.copies.iter().map(|copy| copy.piece).collect();
        let on: HashSet<_> = record.copies.iter().map(|copy| copy.shard).collect();
        assert_eq!((pieces.len(), on.len(), record.copies.len()), (3, 3, 3), "{record:?}");
        bed.reclaim().await;
        assert_eq!(bed.stored().await, 3, "the twin is gone");
        for path in &PATHS[..3] {
            bed.backends.set_away(path, true);
            assert!(bed.get("k").await.unwrap() == content(1));
            bed.backends.set_away(path, false);
        }
    }
}

#[tokio::test]
async fn a_blob_that_waits_says_why() {
    let bed = bed(6).await;
    bed.put("k", &content(1)).await;
    lose(&bed, PATHS[0]).await;
    let change = ShardChange { read_only: Some(true), ..ShardChange::default() };
    bed.topology.change(ShardId(1), &change, None, "test").await.unwrap();
    scrub(&bed).await;
    let healed = heal(&bed).await;
    assert_eq!((healed.waiting, healed.waits_for.len()), (1, 1));
    assert!(healed.waits_for[0].contains("too few shards"), "{:?}", healed.waits_for);
}
