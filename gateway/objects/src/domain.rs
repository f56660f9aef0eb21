//! The domain object: what every operation stands on.

use crate::access_log::{LoggedBucket, Outbox};
use crate::account::AccountQuotas;
use crate::buckets::Buckets;
use crate::change::{Change, failed_for_good};
use crate::encryption::KeyPolicies;
use crate::room::InFlight;
use crate::versions::{Held, KeyState};
use crate::{Cors, Error, Lifecycle, Website, cors, lifecycle, payment, website};
use cofre_catalog::records::{BucketRecord, Durability, Record, VersionRecord, Versioning};
use cofre_catalog::{Check, CommitError, Entry, Revision, Scan, Snapshot, SnapshotExt, Store, keys};
use cofre_iam::{BucketAccess, Caller};
use cofre_keys::KeyRing;
use cofre_runtime::{Clock, Random};
use cofre_settings::DynamicSettings;
use cofre_shards::{BadCopies, Redundancy, Shards};
use cofre_types::{AccountId, BucketName, ObjectKey, Scheme, Timestamp, VersionId};
use parking_lot::RwLock;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How often a change is tried anew on what another left, before the caller is told to try again.
const TRIES_MAX: usize = 64;

/// Writers of one key queue here rather than fail each other's checks. Two keys that share a lock
/// only wait for each other.
const KEY_LOCKS: usize = 1024;

/// What an object store means: every operation that a door or a job asks for. Cloning is cheap.
///
/// Each operation takes the [`Caller`] and decides first whether it may. All state is in the catalog
/// and on the shards; what is kept here is a cache or a queue.
#[derive(Clone)]
pub struct Objects(pub(crate) Arc<Inner>);

/// What the domain stands on.
pub struct Parts {
    /// The catalog.
    pub store: Arc<dyn Store>,
    /// The shards.
    pub shards: Shards,
    /// Who seals the keys of encrypted objects.
    pub keys: KeyRing,
    /// The dynamic settings.
    pub settings: DynamicSettings,
    /// The clock.
    pub clock: Clock,
    /// Randomness for ids.
    pub random: Random,
    /// Region of buckets that ask for none.
    pub region: String,
    /// Redundancy of new blobs, unless bucket or settings say another.
    pub scheme: Scheme,
}

pub(crate) struct Inner {
    pub parts: Parts,
    buckets: RwLock<Buckets>,
    pub account_quotas: RwLock<AccountQuotas>,
    /// Who may use which named key.
    pub key_policies: RwLock<Option<Arc<KeyPolicies>>>,
    key_locks: Vec<Arc<Mutex<()>>>,
    key_hasher: RandomState,
    /// Lines of access logs on their way to the catalog.
    pub outbox: Outbox,
    /// Bodies on their way to the shards.
    pub in_flight: InFlight,
    /// Reports of bad copies, read by one job.
    pub reports: Mutex<Option<BadCopies>>,
}

/// A bucket as it was read: every commit to it checks that it still is.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub name: BucketName,
    pub revision: Revision,
    pub record: BucketRecord,
    /// What the record says about who may reach it: its policy is parsed once, here.
    pub access: BucketAccess,
    /// Its lifecycle rules, read once.
    pub lifecycle: Option<Arc<Lifecycle>>,
    /// Its CORS rules, read once.
    pub cors: Option<Arc<Cors>>,
    /// Its website, read once.
    pub website: Option<Arc<Website>>,
    /// Whether who makes a request to it pays for that.
    pub requester_pays: bool,
    /// Where its access log goes.
    pub logging: Option<Arc<LoggedBucket>>,
}

impl Bucket {
    pub(crate) fn of(name: &BucketName, entry: &Entry) -> Result<Self, Error> {
        let record = BucketRecord::decode(&entry.value)?;
        let access = BucketAccess::of(name, &record);
        Ok(Self {
            name: name.clone(),
            revision: entry.revision,
            access,
            lifecycle: lifecycle::parse(&record.config).map(Arc::new),
            cors: cors::parse(&record.config).map(Arc::new),
            website: website::parse(&record.config).map(Arc::new),
            requester_pays: payment::requester_pays(&record.config),
            logging: LoggedBucket::of(name, &record),
            record,
        })
    }

    /// Who owns a version: under ownership controls that disable lists, the bucket's owner.
    pub fn owner_of(&self, record: &VersionRecord) -> AccountId {
        self.access.object_owner(record.owner)
    }

    /// Whether its versions have ids of their own, so that answers name them.
    pub fn names_versions(&self) -> bool {
        self.record.versioning != Versioning::Unversioned
    }

    /// A version's id where answers name it.
    pub fn shown(&self, version: VersionId) -> Option<VersionId> {
        self.names_versions().then_some(version)
    }
}

/// What came of one try to commit.
pub(crate) enum Tried {
    /// It is done.
    Done,
    /// Something changed meanwhile: read again and decide anew.
    Again,
}

impl Objects {
    /// The domain over its parts.
    pub fn new(parts: Parts) -> Self {
        let reports = Mutex::new(parts.shards.bad_copies());
        Self(Arc::new(Inner {
            parts,
            buckets: RwLock::default(),
            account_quotas: RwLock::default(),
            key_policies: RwLock::default(),
            key_locks: (0..KEY_LOCKS).map(|_| Arc::default()).collect(),
            key_hasher: RandomState::new(),
            outbox: Outbox::default(),
            in_flight: InFlight::default(),
            reports,
        }))
    }

    /// A part of Cofre itself as the caller: a job.
    pub fn internal_caller(&self, name: &'static str) -> Caller {
        Caller::internal(name, &self.0.parts.random)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.0.parts.store.as_ref()
    }

    pub(crate) fn shards(&self) -> &Shards {
        &self.0.parts.shards
    }

    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.0.parts.keys
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.0.parts.clock.now_nanos())
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.parts.random
    }

    pub(crate) fn tries() -> std::ops::Range<usize> {
        0..TRIES_MAX
    }

    /// A bucket by name, from the cache while no bucket has changed.
    pub(crate) async fn bucket(&self, name: &BucketName) -> Result<Arc<Bucket>, Error> {
        let touched = self.store().touched(keys::family::BUCKET);
        if let Some(bucket) = self.0.buckets.read().get(name, touched) {
            return Ok(bucket);
        }
        let entry = self.get(keys::bucket(name)).await?.ok_or(Error::NoSuchBucket)?;
        let bucket = Arc::new(Bucket::of(name, &entry)?);
        self.0.buckets.write().insert(touched, Arc::clone(&bucket), entry.value.len());
        Ok(bucket)
    }

    pub(crate) async fn get(&self, key: Vec<u8>) -> Result<Option<Entry>, Error> {
        Ok(self.store().get_many(vec![key]).await?.pop().flatten())
    }

    /// Waits until no other writer of this process is between reading and committing this key. Whoever
    /// holds the lock runs [`cofre_runtime::uncancelled`]: a commit that is queued when its client goes away still
    /// happens, so the lock must not be let go before it has.
    pub(crate) async fn lock_key(&self, bucket: &Bucket, key: &ObjectKey) -> OwnedMutexGuard<()> {
        let hash = self.0.key_hasher.hash_one((bucket.record.id, key));
        Arc::clone(&self.0.key_locks[(hash % KEY_LOCKS as u64) as usize]).lock_owned().await
    }

    /// What stands at a key.
    pub(crate) async fn key_state(&self, bucket: &Bucket, key: &ObjectKey) -> Result<KeyState, Error> {
        let id = bucket.record.id;
        if !bucket.names_versions() {
            let current = self.get(keys::current(id, key)).await?.map(held_current).transpose()?;
            return Ok(KeyState { bucket: id, key: key.clone(), current, older: Vec::new(), null: None });
        }
        let snapshot = self.store().snapshot().await?;
        let mut found = snapshot.get_many(vec![keys::current(id, key), keys::null_version(id, key)]).await?;
        let pointer = found.pop().flatten();
        let current = found.pop().flatten().map(held_current).transpose()?;
        let prefix = keys::object(keys::family::VERSION, id, key);
        let older = snapshot.page(Scan::prefix(&prefix), 2).await?;
        let older = older.into_iter().map(|(_, entry)| held(entry)).collect::<Result<_, _>>()?;
        let null = match pointer {
            Some(pointer) => self.null_version(snapshot.as_ref(), bucket, key, pointer).await?,
            None => None,
        };
        Ok(KeyState { bucket: id, key: key.clone(), current, older, null })
    }

    async fn null_version(
        &self,
        snapshot: &dyn Snapshot,
        bucket: &Bucket,
        key: &ObjectKey,
        pointer: Entry,
    ) -> Result<Option<(Revision, Held)>, Error> {
        let place = pointer.value.as_slice().try_into().map(u64::from_be_bytes);
        let place = place.map_err(|_| Error::Internal("a null version's place has not 8 bytes".to_owned()))?;
        let entry = snapshot.get(keys::version(bucket.record.id, key, place)).await?;
        Ok(entry.map(held).transpose()?.map(|held| (pointer.revision, held)))
    }

    /// Commits a change to a bucket, with the check that the bucket is as it was read.
    pub(crate) async fn try_commit(&self, bucket: &Bucket, change: Change) -> Result<Tried, Error> {
        match self.commit_change(bucket, change).await? {
            None => Ok(Tried::Done),
            Some(failed) => self.again_unless_refused(bucket, &failed).await,
        }
    }

    /// What a check that did not hold says: to try again, or why that is of no use.
    pub(crate) async fn again_unless_refused(&self, bucket: &Bucket, failed: &Check) -> Result<Tried, Error> {
        match self.excess(bucket, failed).await?.or_else(|| failed_for_good(failed)) {
            Some(error) => Err(error),
            None => Ok(Tried::Again),
        }
    }

    /// As [`Objects::try_commit`], but gives the check that did not hold.
    pub(crate) async fn commit_change(&self, bucket: &Bucket, change: Change) -> Result<Option<Check>, Error> {
        let due = self.now().after(self.garbage_grace());
        let random = self.random();
        let quotas = self.quotas(bucket).await?;
        let mut batch = change.finish(&bucket.record, quotas, due, || random.bytes());
        batch.unchanged(keys::bucket(&bucket.name), Some(bucket.revision));
        let mut checks = batch.checks.clone();
        match self.store().commit(batch).await {
            Ok(_) => Ok(None),
            Err(CommitError::Failed(failed)) if failed.0 < checks.len() => Ok(Some(checks.swap_remove(failed.0))),
            Err(CommitError::Failed(_)) => Err(Error::Internal("a check failed that was not asked for".to_owned())),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// How long a reference that was let go keeps its blob: for readers that have begun.
    pub(crate) fn garbage_grace(&self) -> Duration {
        Duration::from_secs(self.0.parts.settings.current().timers.garbage_grace_secs)
    }

    /// Refuses to name a copy that was begun too long ago: the search for orphans may have taken it for
    /// one, and even have deleted it. Half its grace leaves the other half for the commit.
    pub(crate) fn refuse_stale(&self, begun: Timestamp) -> Result<(), Error> {
        let grace = Duration::from_secs(self.0.parts.settings.current().timers.orphan_grace_secs);
        if self.now().since(begun) > grace / 2 {
            return Err(Error::Refused("the write took longer than half of timers.orphan_grace_secs".to_owned()));
        }
        Ok(())
    }

    /// Redundancy of new blobs of a storage class in a bucket.
    pub(crate) fn scheme_of(&self, bucket: &Bucket, class: &str) -> Scheme {
        let settings = self.0.parts.settings.current();
        let default = || bucket.record.scheme.or(settings.redundancy).unwrap_or(self.0.parts.scheme);
        if class.is_empty() {
            return default();
        }
        settings.storage_classes.get(class).and_then(|class| class.scheme()).unwrap_or_else(default)
    }

    /// What writing a blob under a scheme means by the settings of now.
    pub(crate) fn redundancy(&self, scheme: Scheme) -> Redundancy {
        let writes = self.0.parts.settings.current().writes;
        Redundancy { scheme, replicate_bytes_max: writes.replicate_bytes_max, spares_min: writes.spares_min }
    }

    /// Whether there is a storage class of this name; the empty text is `STANDARD`.
    pub(crate) fn is_class(&self, class: &str) -> bool {
        class.is_empty() || self.0.parts.settings.current().storage_classes.contains_key(class)
    }

    /// Refuses a storage class that there is not.
    pub(crate) fn check_class(&self, class: &str) -> Result<(), Error> {
        if self.is_class(class) { Ok(()) } else { Err(Error::InvalidStorageClass) }
    }
}

/// When the shards acknowledge a write to a bucket.
pub(crate) fn durability(bucket: &Bucket) -> cofre_shards::Durability {
    match bucket.record.durability {
        Durability::Durable => cofre_shards::Durability::Durable,
        Durability::Relaxed => cofre_shards::Durability::Relaxed,
    }
}

/// Decodes a version record that does not stand as the current one.
pub(crate) fn held(entry: Entry) -> Result<Held, Error> {
    Ok(Held { revision: entry.revision, record: VersionRecord::decode(&entry.value)?, current: false })
}

/// Decodes the record of a current version.
pub(crate) fn held_current(entry: Entry) -> Result<Held, Error> {
    Ok(Held { current: true, ..held(entry)? })
}
