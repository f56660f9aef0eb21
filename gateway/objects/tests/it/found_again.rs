//! Copies that records do not name, of blobs that are there: a catalog from a backup may be older than where they stand.

use crate::bed::{Bed, PATHS};
use async_trait::async_trait;
use cofre_blobs::{Blobs, BlobsParts, ShardChange};
use cofre_catalog::keys::{self, family};
use cofre_catalog::{Batch, Entry, ReadExt, Scan, Store};
use cofre_runtime::Random;
use cofre_shards::{
    Backend, BackendError, BlobHeader, Body, ByteStream, Capacity, Compacted, Listed, Liveness, Locator, MemoryBackend,
    NotDeleted, Probe, Relocate, ShardInfo, ShardMode, Shards, ShardsOptions, Stored,
};
use cofre_types::{BlobId, ResolvedRange, ShardId};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(86_400);

/// The records of blobs, and the counters of shards.
async fn records(bed: &Bed) -> Vec<(Vec<u8>, Entry)> {
    let snapshot = bed.store.snapshot().await.unwrap();
    let mut all = Vec::new();
    for family in [family::BLOB, family::SHARD_USAGE] {
        all.extend(snapshot.page(Scan::prefix(&[family]), 1000).await.unwrap());
    }
    all
}

/// Puts records back as they were, as restoring a backup would.
async fn restore(bed: &Bed, records: Vec<(Vec<u8>, Entry)>) {
    let mut batch = Batch::new();
    for (key, entry) in records {
        batch.put(key, entry.value);
    }
    bed.store.commit(batch).await.unwrap();
}

/// Moves everything off a shard, and deletes it there.
async fn drain(bed: &Bed, shard: ShardId) {
    let change = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(shard, &change, None, "test").await.unwrap();
    bed.relocate_all(shard).await;
    bed.reclaim().await;
}

/// Searches every shard; how many copies were named, and doomed.
async fn search(bed: &Bed, shards: u32) -> (u64, u64) {
    let (mut named, mut doomed) = (0, 0);
    for shard in (1..=shards).map(ShardId) {
        let found = bed.blobs.find_orphans(shard, None, GRACE).await.unwrap();
        named += found.named;
        doomed += found.doomed;
    }
    (named, doomed)
}

async fn heal(bed: &Bed) {
    let mut after = None;
    loop {
        after = bed.blobs.heal(after).await.unwrap().next;
        if after.is_none() {
            return;
        }
    }
}

#[tokio::test]
async fn copies_that_moved_since_the_backup_are_named_and_not_deleted() {
    for (scheme, shards, size) in [("replicas:1", 3, 100), ("ec:2+1", 4, 600_000)] {
        let bed = Bed::with_shards(scheme, shards).await;
        bed.make_bucket("b").await;
        for i in 0..24 {
            bed.put(&format!("k{i}"), &vec![i; size]).await;
        }
        let backup = records(&bed).await;
        let held = bed.topology.holdings(ShardId(1)).await.unwrap().blobs;
        assert!(held > 0);
        drain(&bed, ShardId(1)).await;
        restore(&bed, backup).await;
        bed.clock.advance(2 * GRACE);
        assert_eq!(search(&bed, shards as u32).await, (held, 0), "{scheme}");
        heal(&bed).await;
        assert_eq!(search(&bed, shards as u32).await, (0, 0), "{scheme}");
        bed.reclaim().await;
        for i in 0..24 {
            assert_eq!(bed.get(&format!("k{i}")).await.unwrap(), vec![i; size], "{scheme}");
        }
        assert_eq!(bed.topology.holdings(ShardId(1)).await.unwrap().blobs, 0);
    }
}

#[tokio::test]
async fn a_copy_that_its_blob_does_not_lack_goes_once_that_is_known() {
    let bed = Bed::new("replicas:2").await;
    bed.make_bucket("b").await;
    bed.put("k", &[7; 100]).await;
    let mut on = Vec::new();
    for path in &PATHS[..3] {
        on.push((*path, bed.backends.at(path).list(None).await.unwrap().0.pop()));
    }
    let (spare, _) = on.iter().find(|(_, copy)| copy.is_none()).unwrap();
    let (away, copy) = on.iter().find(|(_, copy)| copy.is_some()).unwrap();
    // What a heal left that ended before its commit.
    let copy = copy.as_ref().unwrap();
    let header = bed.backends.at(away).header(copy.blob, &copy.locator).await.unwrap();
    let body = Body::Whole(bytes::Bytes::from_static(&[7; 100]));
    bed.backends.at(spare).put(copy.blob, &header, body).await.unwrap();
    bed.clock.advance(2 * GRACE);
    bed.backends.set_away(away, true);
    let shard = ShardId(PATHS.iter().position(|path| path == spare).unwrap() as u32 + 1);
    let found = bed.blobs.find_orphans(shard, None, GRACE).await.unwrap();
    assert_eq!((found.named, found.doomed), (0, 0), "a copy out of reach proves nothing");
    bed.backends.set_away(away, false);
    let found = bed.blobs.find_orphans(shard, None, GRACE).await.unwrap();
    assert_eq!((found.named, found.doomed), (0, 1));
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.get("k").await.unwrap()), (2, vec![7; 100]));
}

/// A backend that asks its owner about all its copies when it is to compact itself.
struct Asking {
    inner: Arc<MemoryBackend>,
    told: Mutex<Vec<Liveness>>,
}

#[async_trait]
impl Backend for Asking {
    async fn put(&self, _: BlobId, _: &BlobHeader, _: Body) -> Result<Stored, BackendError> {
        Err(BackendError::Full)
    }

    async fn get(&self, blob: BlobId, at: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        self.inner.get(blob, at, range).await
    }

    async fn header(&self, blob: BlobId, at: &Locator) -> Result<BlobHeader, BackendError> {
        self.inner.header(blob, at).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        self.inner.delete(blobs).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        self.inner.list(after).await
    }

    async fn compact(&self, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        let all: Vec<_> = self.list(None).await?.0.into_iter().map(|copy| (copy.blob, copy.locator)).collect();
        *self.told.lock().unwrap() = relocate.live(&all).await?;
        Ok(None)
    }

    async fn capacity(&self) -> Result<Capacity, BackendError> {
        self.inner.capacity().await
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        self.inner.probe().await
    }
}

#[tokio::test]
async fn compaction_leaves_a_copy_that_a_record_may_come_to_name() {
    let bed = Bed::with_bucket().await;
    let read_only = ShardChange { read_only: Some(true), ..ShardChange::default() };
    bed.topology.change(ShardId(3), &read_only, None, "test").await.unwrap();
    for i in 0..16 {
        bed.put(&format!("k{i}"), &[i; 100]).await;
    }
    assert!(bed.topology.holdings(ShardId(1)).await.unwrap().blobs > 0);
    let backup = records(&bed).await;
    drain(&bed, ShardId(1)).await;
    let asking = Arc::new(Asking { inner: bed.backends.at("/two"), told: Mutex::default() });
    let clock = bed.clock.clock();
    let shards = Shards::new(clock.clone(), Random::seeded(9), ShardsOptions::default());
    let two = ShardId(2);
    let info =
        ShardInfo { id: two, identity: [2; 16], mode: ShardMode::Active, failure_domain: None, weight_percent: 100 };
    shards.attach(info, asking.clone());
    let blobs = Blobs::new(BlobsParts { store: bed.store.clone(), shards, settings: bed.settings.clone(), clock });
    let ask = || async {
        assert_eq!(blobs.compact(two).await.unwrap(), None);
        let told = asking.told.lock().unwrap().clone();
        let count = |wanted| told.iter().filter(|told| **told == wanted).count();
        (count(Liveness::Live), count(Liveness::Unknown), count(Liveness::Dead))
    };
    let standing = bed.backends.at("/two").list(None).await.unwrap().0.len();
    assert_eq!(ask().await, (standing, 0, 0));
    restore(&bed, backup).await;
    let (live, unknown, dead) = ask().await;
    assert!(unknown > 0 && dead == 0 && live + unknown == standing, "{live} {unknown} {dead}");
    // What was let go is dead.
    let blob = bed.backends.at("/two").list(None).await.unwrap().0.remove(0);
    let mut batch = Batch::new();
    let record = cofre_catalog::records::DoomedRecord { locator: blob.locator.0, size: 100 };
    batch.put(keys::doomed(two, blob.blob), cofre_catalog::records::Record::encode(&record));
    batch.delete(keys::blob(blob.blob));
    bed.store.commit(batch).await.unwrap();
    assert_eq!(ask().await.2, 1);
}
