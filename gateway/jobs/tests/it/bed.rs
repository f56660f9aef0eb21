//! The test bed: running jobs over a catalog and shards in memory that can be taken away.

use async_trait::async_trait;
use bytes::Bytes;
use cofre_blobs::{Blobs, BlobsParts, NewShard, OpenBackend, ShardPlace, Topology, TopologyError};
use cofre_catalog::records::{AccountRecord, BlobRecord, JobRecord, Record};
use cofre_catalog::{Batch, Memory, ReadExt, Scan, Store, keys};
use cofre_events::EventLog;
use cofre_iam::{AccountIdentity, Caller, Origin, Principal, RequestId};
use cofre_jobs::{Ground, JobStatus, Jobs};
use cofre_objects::{
    CopyObject, CreateBucket, DeclaredChecksum, Expiration, Inspect, Lifecycle, Objects, Parts, PutObject, Rule, Scope,
    Upkeep, Upload, When, WriteConditions,
};
use cofre_runtime::{Clock, Random, Shutdown};
use cofre_settings::{DynamicSettings, JobName, Patch};
use cofre_shards::{Backend, BackendError, Body, Faulty, MemoryBackend, Shards, ShardsOptions, Trouble, Troubles};
use cofre_types::{AccountId, BlobId, BucketName, ObjectKey, Scheme, ShardId, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Bed {
    pub objects: Objects,
    pub topology: Topology,
    pub settings: DynamicSettings,
    pub jobs: Jobs,
    pub shutdown: Shutdown,
    store: Arc<Memory>,
    backends: Arc<Backends>,
    alice: Caller,
}

/// A shard in memory, and what it is reached through.
type Made = (Arc<MemoryBackend>, Arc<Faulty>);

#[derive(Default)]
struct Backends(Mutex<HashMap<String, Made>>);

impl Backends {
    fn made(&self, path: &str) -> Made {
        let make = || {
            let memory = Arc::new(MemoryBackend::new(1 << 30));
            (Arc::clone(&memory), Arc::new(Faulty::new(memory)))
        };
        self.0.lock().unwrap().entry(path.to_owned()).or_insert_with(make).clone()
    }
}

struct Opener(Arc<Backends>);

#[async_trait]
impl OpenBackend for Opener {
    async fn create(&self, _place: &ShardPlace, identity: [u8; 16]) -> Result<[u8; 16], BackendError> {
        Ok(identity)
    }

    async fn leads_back(
        &self,
        _place: &ShardPlace,
        _identity: [u8; 16],
        _began: Timestamp,
    ) -> Result<bool, TopologyError> {
        Ok(false)
    }

    async fn open(&self, place: &ShardPlace, _identity: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        let ShardPlace::Filesystem { path } = place else { panic!("these shards are directories") };
        Ok(self.0.made(path).1)
    }
}

fn path(number: u32) -> String {
    format!("/shard-{number}")
}

impl Bed {
    /// So many shards, numbered from 1, a bucket, and every job busy as it likes.
    pub async fn new(scheme: &str, shards: u32) -> Self {
        Self::on_clock(scheme, shards, Clock::system()).await
    }

    /// As [`Bed::new`], by this clock.
    pub async fn on_clock(scheme: &str, shards: u32, clock: Clock) -> Self {
        let store = Arc::new(Memory::new());
        let random = Random::seeded(7);
        let settings = DynamicSettings::open(store.clone(), clock.clone()).await.unwrap();
        let pool = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
        let backends = Arc::new(Backends::default());
        let opener = Arc::new(Opener(Arc::clone(&backends)));
        let topology = Topology::new(store.clone(), pool.clone(), opener, clock.clone(), random.clone());
        for number in 1..=shards {
            topology.register(NewShard::at_path(path(number)), "test").await.unwrap();
        }
        let keys = cofre_keys::KeyRing::new(Arc::new(cofre_keys::MemoryKeys::new(&[], random.clone())), Vec::new());
        let blobs = Blobs::new(BlobsParts {
            store: store.clone(),
            shards: pool,
            settings: settings.clone(),
            clock: clock.clone(),
        });
        let upkeep = Upkeep::new(Parts {
            store: store.clone(),
            blobs: blobs.clone(),
            keys,
            settings: settings.clone(),
            clock: clock.clone(),
            random,
            region: "us-east-1".to_owned(),
            scheme: scheme.parse::<Scheme>().unwrap(),
        });
        let objects = upkeep.objects().clone();
        let events = EventLog::new(store.clone());
        let ground = Ground {
            upkeep,
            blobs,
            topology: topology.clone(),
            store: store.clone(),
            events,
            settings: settings.clone(),
            clock,
        };
        let shutdown = Shutdown::default();
        let jobs = Jobs::start(&ground, &shutdown);
        let alice = account(store.as_ref()).await;
        let bed = Self { objects, topology, settings, jobs, shutdown, store, backends, alice };
        bed.set(serde_json::json!({"timers": {"job_busy_share": 1.0}})).await;
        let bucket =
            CreateBucket { name: bucket(), region: String::new(), object_lock: false, acl: None, ownership: None };
        bed.objects.create_bucket(&bed.alice, bucket).await.unwrap();
        bed
    }

    pub async fn add_shard(&self, number: u32) {
        self.topology.register(NewShard::at_path(path(number)), "test").await.unwrap();
    }

    pub async fn put(&self, key: &str, content: &'static [u8]) {
        let upload = Upload {
            body: Body::Whole(Bytes::from_static(content)),
            content_md5: None,
            checksum: DeclaredChecksum::None,
        };
        let request = PutObject {
            bucket: bucket(),
            key: ObjectKey::parse(key).unwrap(),
            upload,
            headers: Default::default(),
            tags: Default::default(),
            storage_class: String::new(),
            lock: Default::default(),
            acl: None,
            encryption: Default::default(),
            conditions: WriteConditions::default(),
        };
        self.objects.put_object(&self.alice, request).await.unwrap();
    }

    /// Leaves the progress of a job as an earlier process would have.
    pub async fn note_progress(&self, job: JobName, progress: &JobRecord) {
        let mut batch = Batch::new();
        batch.put(keys::job(job.as_str()), progress.encode());
        self.store.commit(batch).await.unwrap();
    }

    /// Ends objects after a day.
    pub async fn end_after_a_day(&self) {
        let rule = Rule {
            id: "r".to_owned(),
            enabled: true,
            scope: Scope::Prefix(String::new()),
            expiration: Some(Expiration { when: Some(When::Days(1)), lone_markers: None }),
            noncurrent_expiration: None,
            transitions: Vec::new(),
            noncurrent_transitions: Vec::new(),
            abort_upload_days: None,
        };
        self.objects.put_lifecycle(&self.alice, &bucket(), Lifecycle::of(vec![rule])).await.unwrap();
    }

    pub async fn copy(&self, from: &str, to: &str) {
        let request = CopyObject {
            source_bucket: bucket(),
            source_key: ObjectKey::parse(from).unwrap(),
            source_version: None,
            source_conditions: Default::default(),
            source_customer_key: None,
            bucket: bucket(),
            key: ObjectKey::parse(to).unwrap(),
            headers: None,
            website_redirect: None,
            tags: None,
            storage_class: String::new(),
            checksum: None,
            lock: Default::default(),
            acl: None,
            conditions: WriteConditions::default(),
            encryption: Default::default(),
        };
        self.objects.copy_object(&self.alice, request).await.unwrap();
    }

    /// Whether an object stands under the redundancy that is wanted for it.
    pub async fn stands_as_wanted(&self, key: &str) -> bool {
        let caller = Caller::internal("test", &Random::seeded(3));
        let key = ObjectKey::parse(key).unwrap();
        let request = Inspect { bucket: bucket(), key, version: None, check: false };
        let version = self.objects.inspect(&caller, request).await.unwrap().remove(0);
        version.blobs.iter().all(|blob| blob.record.as_ref().unwrap().scheme == version.wanted)
    }

    pub fn set_away(&self, number: u32, away: bool) {
        let trouble = away.then_some(Trouble::Unreachable);
        let troubles = Troubles { put: trouble, get: trouble, other: trouble, ..Troubles::default() };
        self.backends.made(&path(number)).1.set(troubles);
    }

    /// Loses everything on a shard that answers.
    pub async fn wipe(&self, number: u32) {
        let memory = self.backends.made(&path(number)).0;
        let lost = memory.list(None).await.unwrap().0;
        memory.delete(lost.into_iter().map(|copy| (copy.blob, copy.locator)).collect()).await.unwrap();
    }

    pub async fn set(&self, merge: serde_json::Value) {
        let expected = self.settings.revised().revision;
        let patch = Patch { expected, merge, author: "test".to_owned(), note: String::new() };
        self.settings.patch(patch).await.unwrap();
    }

    pub async fn job(&self, name: JobName) -> JobStatus {
        self.jobs.control().report_of(name).await.unwrap()
    }

    /// Waits until a job tells what is waited for; wakes it meanwhile.
    pub async fn until(&self, name: JobName, what: &str, is: impl Fn(&JobStatus) -> bool) -> JobStatus {
        let mut last = self.job(name).await;
        for _ in 0..2_000 {
            if is(&last) {
                return last;
            }
            self.jobs.control().wake(name);
            tokio::time::sleep(Duration::from_millis(5)).await;
            last = self.job(name).await;
        }
        panic!("{what} did not happen: {last:?}");
    }

    /// Holds a job after its first step: it is slow, woken once, and paused as soon as it has done something.
    pub async fn hold_after_first_step(&self, name: JobName) {
        self.set(serde_json::json!({"jobs": {name.as_str(): {"busy_share": 0.01}}})).await;
        self.jobs.control().wake(name);
        while self.job(name).await.figures.done == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.set(serde_json::json!({"jobs": {name.as_str(): {"paused": true}}})).await;
    }

    /// Lets a job go on that was held.
    pub async fn go_on(&self, name: JobName) {
        self.set(serde_json::json!({"jobs": {name.as_str(): {"paused": null, "busy_share": null}}})).await;
    }

    /// Copies that stand on shards which answer and are named by records, by shard.
    pub async fn named(&self) -> BTreeMap<BlobId, BTreeSet<ShardId>> {
        let page = self.store.page(Scan::prefix(&[keys::family::BLOB]), 100_000).await.unwrap();
        let blobs = page.into_iter().map(|(key, entry)| {
            let record = BlobRecord::decode(&entry.value).unwrap();
            (keys::blob_of(&key).unwrap(), record.copies.into_iter().map(|copy| copy.shard).collect())
        });
        blobs.collect()
    }

    /// Copies that really stand on each shard, whether it answers or not.
    pub async fn standing(&self, number: u32) -> BTreeSet<BlobId> {
        let memory = self.backends.made(&path(number)).0;
        memory.list(None).await.unwrap().0.into_iter().map(|copy| copy.blob).collect()
    }
}

async fn account(store: &Memory) -> Caller {
    let id = AccountId::from_bytes([1; 32]);
    let record = AccountRecord {
        id,
        name: "alice".to_owned(),
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
        name: "alice".to_owned(),
        email: String::new(),
        root: false,
        buckets_max: None,
        access_key: None,
    };
    Caller::new(Principal::Account(Arc::new(identity)), Origin::default(), RequestId::new(&Random::seeded(1)))
}

fn bucket() -> BucketName {
    BucketName::parse("bucket").unwrap()
}
