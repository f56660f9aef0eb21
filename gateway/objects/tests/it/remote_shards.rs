use crate::bed::Bed;
use cofre_blobs::{
    NewPlace, NewS3Place, NewShard, REMOTE_CAPACITY_BYTES, S3Change, S3Key, ShardChange, ShardPlace, ShardSight,
    ShardView, TopologyError,
};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{ClusterRecord, Record};
use cofre_catalog::{Batch, Store};
use cofre_iam::Secret;
use cofre_types::{ShardId, Timestamp};

/// Bytes of an identity object.
const IDENTITY_BYTES: usize = 113;

fn s3_key(id: &str, secret: &str) -> S3Key {
    S3Key { access_key_id: id.to_owned(), secret_access_key: Secret::new(secret.to_owned()) }
}

fn remote(bucket: &str, prefix: &str) -> NewShard {
    NewShard::at(NewPlace::S3(NewS3Place {
        endpoint: "http://node:9000/".to_owned(),
        region: "us-east-1".to_owned(),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        key: s3_key("key", "good"),
        ca_pem: None,
        capacity_bytes: Some(1_000_000),
    }))
}

fn place(view: &ShardView) -> &cofre_blobs::S3Place {
    let ShardPlace::S3(place) = &view.record.place else { panic!("{:?}", view.record.place) };
    place
}

#[tokio::test]
async fn the_catalog_tells_what_is_taken_of_a_remote_shards_size() {
    let bed = Bed::with_bucket().await;
    let id = bed.topology.register(remote("far", "node/"), "test").await.unwrap().record.id;
    for local in 1..=3 {
        let change = ShardChange { read_only: Some(true), ..ShardChange::default() };
        bed.topology.change(ShardId(local), &change, None, "test").await.unwrap();
    }
    let room = async || {
        bed.topology.probe(id).await.unwrap().unwrap();
        let ShardSight::Attached(status) = bed.topology.get(id).await.unwrap().sight else { panic!("it is open") };
        status.capacity.unwrap()
    };
    let empty = room().await;
    bed.put("k", &[7; 10_000]).await;
    assert_eq!(bed.topology.holdings(id).await.unwrap().bytes, 10_000);
    let filled = room().await;
    // The memory behind it has 1 GiB, and what was told as its size is the backend's own affair.
    assert_eq!((filled.total_bytes, empty.free_bytes - filled.free_bytes), (empty.total_bytes, 10_000));
}

#[tokio::test]
async fn another_key_counts_once_the_shard_opened_with_it() {
    let bed = Bed::with_bucket().await;
    let made = bed.topology.register(remote("far", "node/"), "test").await.unwrap();
    assert_eq!(place(&made).endpoint, "http://node:9000");
    let id = made.record.id;
    let change = |s3| ShardChange { s3: Some(s3), ..ShardChange::default() };
    let bad = change(S3Change { key: Some(s3_key("other", "bad")), ..S3Change::default() });
    let refused = bed.topology.change(id, &bad, None, "test").await;
    assert!(matches!(refused, Err(TopologyError::Unusable(_))), "{refused:?}");
    assert_eq!(bed.topology.get(id).await.unwrap().revision, made.revision);

    let good = S3Change {
        endpoint: Some("https://node.example.com".to_owned()),
        key: Some(s3_key("other", "good")),
        capacity_bytes: Some(5),
        ca_pem: None,
    };
    let changed = bed.topology.change(id, &change(good), None, "test").await.unwrap();
    let place = place(&changed);
    assert_eq!((place.endpoint.as_str(), place.access_key_id.as_str()), ("https://node.example.com", "other"));
    assert_eq!(place.capacity_bytes, 5);
    assert!(matches!(changed.sight, ShardSight::Attached(_)));
    let local = bed.topology.change(ShardId(1), &change(S3Change::default()), None, "test").await;
    assert!(matches!(local, Err(TopologyError::Invalid { field: "s3", .. })), "{local:?}");
}

#[tokio::test]
async fn a_place_is_one_shard_whatever_its_key() {
    let bed = Bed::with_bucket().await;
    let first = bed.topology.register(remote("far", "node/"), "test").await.unwrap().record.id;
    let again = bed.topology.register(remote("far", "node/"), "test").await;
    assert!(matches!(again, Err(TopologyError::Taken { id, .. }) if id == first), "{again:?}");
    let mut default = remote("far", "other/");
    if let NewPlace::S3(place) = &mut default.place {
        place.capacity_bytes = None;
    }
    let other = bed.topology.register(default, "test").await.unwrap();
    assert_eq!(place(&other).capacity_bytes, REMOTE_CAPACITY_BYTES);
}

#[tokio::test]
async fn a_shard_that_leads_back_here_is_refused() {
    let bed = Bed::with_bucket().await;
    let mut batch = Batch::new();
    batch.put(keys::cluster(), ClusterRecord { id: [7; 16], created: Timestamp(1) }.encode());
    bed.store.commit(batch).await.unwrap();
    // The clock stands: what is there came while the shard was registered.
    bed.put("node/cofre-shard", &[b'x'; IDENTITY_BYTES]).await;
    let refused = bed.topology.register(remote("bucket-b", "node/"), "test").await;
    assert!(matches!(&refused, Err(TopologyError::Unusable(why)) if why.contains("itself")), "{refused:?}");
    assert_eq!(bed.count(family::SHARD).await, 3);
    bed.put("other/cofre-shard", b"something else").await;
    bed.topology.register(remote("bucket-b", "other/"), "test").await.unwrap();
    bed.topology.register(remote("bucket-c", "node/"), "test").await.unwrap();
}
