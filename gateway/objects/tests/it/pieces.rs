//! Pieces under an erasure code whose shards fail, take nothing more, or come back.

use crate::bed::PATHS;
use crate::erasure::{bed, content, heal, lose, records, scrub};
use cofre_catalog::records::Record;
use cofre_catalog::{Batch, Scan, SnapshotExt, Store, keys};
use cofre_objects::{NewShard, ShardChange};
use cofre_types::ShardId;
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
        bed.objects.queue_given_up(shard, None).await.unwrap();
    }
    bed.topology.register(NewShard::at_path(PATHS[6].to_owned()), "test").await.unwrap();
    let topology = bed.topology.clone();
    bed.rival.before_next_commit(move || async move { topology.take_back(back, "test").await.unwrap() });
    assert_eq!(heal(&bed).await.blobs, 0, "it was decided on what was not so any more");
    let doomed = bed.store.snapshot().await.unwrap().page(Scan::prefix(&keys::doomed_on(back)), 10).await.unwrap();
    assert!(doomed.is_empty(), "nothing lets it go while it is held against the catalog");
    assert_eq!(heal(&bed).await.blobs, 1);
    bed.note_reconciled(back).await;
    assert_eq!(records(&bed).await[0].1.copies.iter().filter(|copy| copy.shard == back).count(), 1);
}
