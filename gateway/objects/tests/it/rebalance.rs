//! Copies that move from fuller shards to emptier ones.

use crate::bed::Bed;
use cofre_blobs::NewShard;
use cofre_shards::Backend;
use cofre_types::{BlobId, ShardId};
use std::collections::HashMap;

/// Moves until a whole pass moves nothing; how many moved.
async fn rebalance(bed: &Bed) -> u64 {
    let mut moved = 0;
    loop {
        let before = moved;
        let mut after = None;
        loop {
            let step = bed.blobs.rebalance(after).await.unwrap();
            assert_eq!(step.moved.failed, 0, "{:?}", step.moved.last_error);
            moved += step.moved.blobs;
            after = step.moved.next;
            if after.is_none() {
                break;
            }
        }
        if moved == before {
            return moved;
        }
    }
}

/// The shards that list a copy of each blob.
async fn holders(bed: &Bed, paths: &[&str]) -> HashMap<BlobId, Vec<usize>> {
    let mut holders: HashMap<_, Vec<_>> = HashMap::new();
    for (index, path) in paths.iter().enumerate() {
        for copy in bed.backends.at(path).list(None).await.unwrap().0 {
            holders.entry(copy.blob).or_default().push(index);
        }
    }
    holders
}

#[tokio::test]
async fn a_shard_that_is_added_gets_its_share_and_nothing_moves_twice() {
    let bed = Bed::with_bucket().await;
    for i in 0..120 {
        bed.put(&format!("k{i}"), &[i; 10_000]).await;
    }
    bed.set(serde_json::json!({"repair": {"rebalance_spread": 0.0001}})).await;
    bed.topology.register(NewShard::at_path("/four".to_owned()), "test").await.unwrap();
    let before = bed.blobs.imbalance().await.unwrap();
    assert!(before.bytes_to_move > 0 && before.shards == 4, "{before:?}");
    let moved = rebalance(&bed).await;
    let after = bed.blobs.imbalance().await.unwrap();
    assert!(after.spread < 0.0001 && after.bytes_to_move == 0, "{after:?}");
    let held = bed.topology.holdings(ShardId(4)).await.unwrap().blobs;
    assert!((25..=35).contains(&held), "{held}");
    assert!(moved >= held && moved <= held + 60, "{moved} moves for {held} copies");
    assert_eq!(rebalance(&bed).await, 0);
    bed.reclaim().await;
    let everywhere = holders(&bed, &["/one", "/two", "/three", "/four"]).await;
    assert!(everywhere.len() == 120 && everywhere.values().all(|shards| shards.len() == 1));
    for i in 0..120 {
        assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), [i; 10_000]);
    }
}

#[tokio::test]
async fn two_copies_never_come_to_share_a_failure_domain() {
    let bed = Bed::new("replicas:2").await;
    bed.make_bucket("b").await;
    let domain =
        |path: &str| NewShard { failure_domain: Some("room".to_owned()), ..NewShard::at_path(path.to_owned()) };
    bed.topology.register(domain("/four"), "test").await.unwrap();
    for i in 0..60 {
        bed.put(&format!("k{i}"), &[i; 10_000]).await;
    }
    bed.set(serde_json::json!({"repair": {"rebalance_spread": 0.0001}})).await;
    bed.topology.register(domain("/five"), "test").await.unwrap();
    assert!(rebalance(&bed).await > 0);
    bed.reclaim().await;
    let everywhere = holders(&bed, &["/one", "/two", "/three", "/four", "/five"]).await;
    assert_eq!(everywhere.len(), 60);
    for shards in everywhere.values() {
        assert!(shards.len() == 2 && !(shards.contains(&3) && shards.contains(&4)), "{shards:?}");
    }
}
