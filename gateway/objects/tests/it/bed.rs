//! The test bed: a domain over memory, with three shards, a clock that stands and two accounts.

use crate::backends::{Backends, Opener};
use crate::rival::Rival;
use cofre_blobs::{Blobs, BlobsParts, NewShard, Topology};
use cofre_catalog::records::{AccountRecord, EventRecord, Record};
use cofre_catalog::{Batch, Memory, MemoryStream, ReadExt, Scan, Store, keys};
use cofre_iam::{AccountIdentity, Caller, Origin, Principal, RequestId};
use cofre_keys::{DEFAULT_KEY, KeyRing, MemoryKeys};
use cofre_objects::{
    CreateBucket, DeleteConditions, DeleteObject, DeleteOutcome, Error, GetObject, ListObjects, ListVersions, Objects,
    Parts, PutObject, PutOutcome, Upkeep,
};
use cofre_runtime::{ManualClock, Random};
use cofre_settings::{DynamicSettings, Patch};
use cofre_shards::{Backend, Shards, ShardsOptions};
use cofre_types::{AccountId, ResolvedRange, Scheme, ShardId, Timestamp, VersionId};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;

pub use crate::requests::{ARN_NAME, bucket, get, key, put, upload};

pub struct Bed {
    pub objects: Objects,
    /// The same catalog and shards through another process, which knows nothing of the locks on keys, and has a handle of
    /// the catalog of its own.
    pub twin: Objects,
    /// By what the twin hears of the commits of others.
    pub twin_stream: MemoryStream,
    pub upkeep: Upkeep,
    pub blobs: Blobs,
    pub twin_upkeep: Upkeep,
    pub topology: Topology,
    pub store: Arc<Memory>,
    pub settings: DynamicSettings,
    pub clock: ManualClock,
    pub backends: Arc<Backends>,
    pub rival: Arc<Rival>,
    pub alice: Caller,
    pub bob: Caller,
}

/// Paths of the shards of a bed, in the order of their numbers from 1.
pub const PATHS: [&str; 8] = ["/one", "/two", "/three", "/four", "/five", "/six", "/seven", "/eight"];

impl Bed {
    pub async fn new(scheme: &str) -> Self {
        Self::with_shards(scheme, 3).await
    }

    /// A bed with so many shards.
    pub async fn with_shards(scheme: &str, count: usize) -> Self {
        let store = Arc::new(Memory::new());
        let manual = ManualClock::at(1_700_000_000_000_000_000);
        let clock = manual.clock();
        let random = Random::seeded(7);
        let settings = DynamicSettings::open(store.clone(), clock.clone()).await.unwrap();
        let shards = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
        let backends = Arc::new(Backends::default());
        let opener = Arc::new(Opener { backends: Arc::clone(&backends), store: store.clone() });
        let topology = Topology::new(store.clone(), shards.clone(), opener, clock, random.clone());
        for path in &PATHS[..count] {
            topology.register(NewShard::at_path((*path).to_owned()), "test").await.unwrap();
        }
        topology.count_waiting().await.unwrap();
        let rival = Arc::new(Rival::new(store.clone()));
        let over = |store, random| over(store, &shards, &settings, &manual, random, scheme);
        let (upkeep, blobs) = over(rival.clone(), random);
        let (twin_store, twin_stream) = store.twin(manual.clock());
        let (twin_upkeep, _) = over(Arc::new(twin_store), Random::seeded(8));
        let (objects, twin) = (upkeep.objects().clone(), twin_upkeep.objects().clone());
        let alice = account(store.as_ref(), 1, "alice").await;
        let bob = account(store.as_ref(), 2, "bob").await;
        Self {
            objects,
            upkeep,
            blobs,
            twin,
            twin_stream,
            twin_upkeep,
            topology,
            store,
            settings,
            clock: manual,
            backends,
            rival,
            alice,
            bob,
        }
    }

    /// What another process makes of the catalog and the shards as they are: it opens those that answer.
    pub async fn restarted(self, scheme: &str) -> Self {
        let (clock, random) = (self.clock.clock(), Random::seeded(9));
        let shards = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
        let opener = Arc::new(Opener { backends: Arc::clone(&self.backends), store: self.store.clone() });
        let topology = Topology::new(self.store.clone(), shards.clone(), opener, clock, random.clone());
        topology.attach_missing().await.unwrap();
        let (upkeep, blobs) = over(self.rival.clone(), &shards, &self.settings, &self.clock, random, scheme);
        let (twin_store, twin_stream) = self.store.twin(self.clock.clock());
        let (twin_upkeep, _) =
            over(Arc::new(twin_store), &shards, &self.settings, &self.clock, Random::seeded(10), scheme);
        {
            let (objects, twin) = (upkeep.objects().clone(), twin_upkeep.objects().clone());
            Self { objects, upkeep, blobs, twin, twin_stream, twin_upkeep, topology, ..self }
        }
    }

    /// The versions of a key, newest first.
    pub async fn versions(&self, name: &str) -> Vec<VersionId> {
        let request = ListVersions {
            bucket: bucket("b"),
            prefix: name.to_owned(),
            delimiter: String::new(),
            key_after: None,
            version_after: None,
            max: 10,
        };
        let page = self.objects.list_versions(&self.alice, request).await.unwrap();
        page.versions.into_iter().map(|version| version.version).collect()
    }

    /// A part of Cofre itself, as the admin API asks.
    pub fn operator(&self) -> Caller {
        Caller { principal: Principal::Internal("admin"), ..self.alice.clone() }
    }

    /// Kind and actor of the last event.
    pub async fn last_event(&self) -> (String, String) {
        let events = self.store.page(Scan::prefix(&keys::events()), 1_000).await.unwrap();
        let last = EventRecord::decode(&events.last().unwrap().1.value).unwrap();
        (last.kind, last.actor)
    }

    /// A bed with the bucket `b`, which alice owns.
    pub async fn with_bucket() -> Self {
        let bed = Self::new("replicas:1").await;
        bed.make_bucket("b").await;
        bed
    }

    pub async fn make_bucket(&self, name: &str) {
        self.objects
            .create_bucket(
                &self.alice,
                CreateBucket {
                    name: bucket(name),
                    region: String::new(),
                    object_lock: false,
                    acl: None,
                    ownership: None,
                },
            )
            .await
            .unwrap();
    }

    pub async fn put(&self, name: &str, body: &[u8]) -> PutOutcome {
        self.try_put(put(name, body)).await.unwrap()
    }

    pub async fn try_put(&self, request: PutObject) -> Result<PutOutcome, Error> {
        self.objects.put_object(&self.alice, request).await
    }

    pub async fn get(&self, name: &str) -> Result<Vec<u8>, Error> {
        self.get_request(get(name)).await
    }

    pub async fn get_version(&self, name: &str, version: VersionId) -> Result<Vec<u8>, Error> {
        self.get_request(GetObject { version: Some(version), ..get(name) }).await
    }

    pub async fn get_request(&self, request: GetObject) -> Result<Vec<u8>, Error> {
        let mut outcome = self.objects.get_object(&self.alice, request).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = outcome.body.next().await {
            bytes.extend_from_slice(&piece.expect("the body is read to its end"));
        }
        Ok(bytes)
    }

    pub async fn delete(&self, name: &str, version: Option<VersionId>) -> Result<DeleteOutcome, Error> {
        let request =
            DeleteObject { key: key(name), version, conditions: DeleteConditions::default(), bypass_governance: false };
        self.objects.delete_object(&self.alice, &bucket("b"), request).await
    }

    pub async fn list(&self, prefix: &str, delimiter: &str) -> (Vec<String>, Vec<String>) {
        let request = ListObjects {
            bucket: bucket("b"),
            prefix: prefix.to_owned(),
            delimiter: delimiter.to_owned(),
            after: None,
            max: 1000,
        };
        let page = self.objects.list_objects(&self.alice, request).await.unwrap();
        assert_eq!(page.next, None);
        (page.objects.into_iter().map(|object| object.key).collect(), page.common_prefixes)
    }

    pub async fn set(&self, merge: serde_json::Value) {
        let expected = self.settings.revised().revision;
        let patch = Patch { expected, merge, author: "test".to_owned(), note: String::new() };
        self.settings.patch(patch).await.unwrap();
    }

    /// Moves everything off a shard that drains; nothing may fail. Gives the bytes that were moved.
    pub async fn relocate_all(&self, shard: ShardId) -> u64 {
        let (mut after, mut bytes) = (None, 0);
        loop {
            let moved = self.blobs.relocate(shard, after).await.unwrap();
            assert_eq!(moved.failed, 0, "{:?}", moved.last_error);
            bytes += moved.bytes;
            after = moved.next;
            if after.is_none() {
                return bytes;
            }
        }
    }

    /// Lets the grace pass and reclaims until nothing is left to do.
    pub async fn reclaim(&self) {
        self.clock.advance(Duration::from_secs(100_000));
        let mut done = None;
        while self.upkeep.reclaim_garbage(&mut done).await.unwrap().more {}
        for shard in self.topology.list().await.unwrap() {
            while self.blobs.delete_doomed(shard.record.id, None).await.unwrap().copies > 0 {}
        }
    }

    /// Notes that a shard that came back was held against the catalog.
    pub async fn note_reconciled(&self, shard: ShardId) {
        let revision = self.topology.get(shard).await.unwrap().revision;
        self.topology.note_reconciled(shard, revision, "test").await.unwrap();
    }

    /// Keys of a family that are left in the catalog.
    pub async fn count(&self, family: u8) -> usize {
        self.store.page(Scan::prefix(&[family]), 100_000).await.unwrap().len()
    }

    /// Whether some blob on a shard holds these bytes in one run.
    pub async fn shards_hold(&self, bytes: &[u8]) -> bool {
        for path in PATHS {
            let backend = self.backends.at(path);
            for blob in backend.list(None).await.unwrap().0 {
                let range = ResolvedRange { start: 0, end: blob.size };
                let mut pieces = backend.get(blob.blob, &blob.locator, range).await.unwrap();
                let mut stored = Vec::new();
                while let Some(piece) = pieces.next().await {
                    stored.extend_from_slice(&piece.unwrap());
                }
                if stored.windows(bytes.len()).any(|run| run == bytes) {
                    return true;
                }
            }
        }
        false
    }

    /// Blobs that stand on all shards together.
    pub async fn stored(&self) -> usize {
        let mut stored = 0;
        for path in PATHS {
            let (listed, next) = self.backends.at(path).list(None).await.unwrap();
            assert_eq!(next, None, "one page holds all of a test's blobs");
            stored += listed.len();
        }
        stored
    }
}

fn over(
    store: Arc<dyn Store>,
    shards: &Shards,
    settings: &DynamicSettings,
    clock: &ManualClock,
    random: Random,
    scheme: &str,
) -> (Upkeep, Blobs) {
    let blobs = Blobs::new(BlobsParts {
        store: Arc::clone(&store),
        shards: shards.clone(),
        settings: settings.clone(),
        clock: clock.clock(),
    });
    let keys = Arc::new(MemoryKeys::new(&[DEFAULT_KEY, "one", "two", ARN_NAME], Random::seeded(7)));
    let upkeep = Upkeep::new(Parts {
        store,
        blobs: blobs.clone(),
        keys: KeyRing::new(keys, Vec::new()),
        settings: settings.clone(),
        clock: clock.clock(),
        random,
        region: "us-east-1".to_owned(),
        scheme: scheme.parse::<Scheme>().unwrap(),
    });
    (upkeep, blobs)
}

async fn account(store: &Memory, number: u8, name: &str) -> Caller {
    let id = AccountId::from_bytes([number; 32]);
    let record = AccountRecord {
        id,
        name: name.to_owned(),
        email: String::new(),
        root: false,
        disabled: false,
        created: Timestamp(1),
        buckets_max: None,
        bytes_max: None,
        objects_max: None,
    };
    let mut batch = Batch::new();
    batch.put(keys::account(id), record.encode());
    store.commit(batch).await.unwrap();
    let identity = AccountIdentity {
        id,
        name: name.to_owned(),
        email: String::new(),
        root: false,
        buckets_max: None,
        access_key: None,
    };
    Caller::new(Principal::Account(Arc::new(identity)), Origin::default(), RequestId::new(&Random::seeded(1)))
}
