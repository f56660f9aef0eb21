//! The domain object: what every operation stands on.

use crate::bucket::cached::Bucket;
use crate::buckets::Buckets;
use crate::caches::{AccountQuotas, KeyPolicies};
use crate::change::{Change, Refusal};
use crate::error::Error;
use crate::in_flight::InFlight;
use crate::versions::{Held, KeyState};
use cofre_access_log::AccessLog;
use cofre_blobs::{BlobRefusal, Blobs};
use cofre_catalog::records::{Record, VersionRecord};
use cofre_catalog::{Batch, CommitError, Committed, Entry, Mark, ReadExt, Revision, Scan, Snapshot, Store, keys};
use cofre_keys::KeyRing;
use cofre_runtime::{Clock, Random};
use cofre_settings::DynamicSettings;
use cofre_types::{BucketName, ObjectKey, Scheme, Timestamp};
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
/// Each operation takes the [`cofre_iam::Caller`] and decides first whether it may. All state is in the catalog
/// and on the shards; what is kept here is a cache or a queue.
#[derive(Clone)]
pub struct Objects(pub(crate) Arc<Inner>);

/// What the domain stands on.
pub struct Parts {
    /// The catalog.
    pub store: Arc<dyn Store>,
    /// The blobs and their shards.
    pub blobs: Blobs,
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
    pub access_log: AccessLog,
    /// Bodies on their way to the shards.
    pub in_flight: InFlight,
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
    pub(crate) fn new(parts: Parts) -> Self {
        let access_log = AccessLog::new(Arc::clone(&parts.store), parts.clock.clone());
        Self(Arc::new(Inner {
            parts,
            buckets: RwLock::default(),
            account_quotas: RwLock::default(),
            key_policies: RwLock::default(),
            key_locks: (0..KEY_LOCKS).map(|_| Arc::default()).collect(),
            key_hasher: RandomState::new(),
            access_log,
            in_flight: InFlight::default(),
        }))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.0.parts.store.as_ref()
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.parts.blobs
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

    /// A bucket by name, from the cache while it has not changed.
    pub(crate) async fn bucket(&self, name: &BucketName) -> Result<Arc<Bucket>, Error> {
        if let Some(bucket) = self.0.buckets.read().get(name, self.store()) {
            return Ok(bucket);
        }
        let at = keys::bucket(name);
        let mark = Mark::of_key(self.store(), &at);
        let entry = self.get(at).await?.ok_or(Error::NoSuchBucket)?;
        let bucket = Arc::new(Bucket::of(name, &entry)?);
        if let Some(mark) = mark {
            self.0.buckets.write().insert(mark, Arc::clone(&bucket), entry.value.len());
        }
        Ok(bucket)
    }

    pub(crate) async fn get(&self, key: Vec<u8>) -> Result<Option<Entry>, Error> {
        Ok(ReadExt::get(self.store(), key).await?)
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
            Committed::Done(_) => Ok(Tried::Done),
            Committed::Changed => Ok(Tried::Again),
            Committed::Refused(refusal) => Err(self.refused(bucket, refusal).await?),
        }
    }

    /// The error of a change that cannot be made as things stand.
    pub(crate) async fn refused(&self, bucket: &Bucket, refusal: Refusal) -> Result<Error, Error> {
        Ok(match refusal {
            Refusal::Bound(bound) => self.excess(bucket, bound).await?,
            Refusal::Blob(BlobRefusal::ShardRemoved) => {
                Error::Refused("a shard was removed during the upload".to_owned())
            }
            Refusal::Blob(BlobRefusal::GivenUp) => {
                Error::Refused("the upload took so long that its bytes were given up".to_owned())
            }
            Refusal::Delivered | Refusal::Backlog => Error::Conflict,
        })
    }

    /// As [`Objects::try_commit`], but gives the refusal.
    pub(crate) async fn commit_change(&self, bucket: &Bucket, change: Change) -> Result<Committed<Refusal>, Error> {
        let due = self.now().after(self.garbage_grace());
        let random = self.random();
        let quotas = self.quotas(bucket).await?;
        let mut batch = change.finish(&bucket.record, quotas, due, || random.bytes());
        batch.unchanged(keys::bucket(&bucket.name), Some(bucket.revision));
        Ok(batch.commit(self.store()).await?)
    }

    /// Commits what is no request's; false if a check failed, so that the step is done anew.
    pub(crate) async fn maintain(&self, mut batch: Batch) -> Result<bool, Error> {
        // On a full disk it is what leads to room.
        batch.frees = true;
        match self.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Failed(_)) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// How long a reference that was let go keeps its blob: for readers that have begun.
    pub(crate) fn garbage_grace(&self) -> Duration {
        Duration::from_secs(self.0.parts.settings.current().timers.garbage_grace_secs)
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

    /// Whether there is a storage class of this name; the empty text is `STANDARD`.
    pub(crate) fn is_class(&self, class: &str) -> bool {
        class.is_empty() || self.0.parts.settings.current().storage_classes.contains_key(class)
    }

    /// Refuses a storage class that there is not.
    pub(crate) fn check_class(&self, class: &str) -> Result<(), Error> {
        if self.is_class(class) { Ok(()) } else { Err(Error::InvalidStorageClass) }
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
