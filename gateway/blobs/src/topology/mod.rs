//! Which shards there are: their records in the catalog, and the pool that follows them.
//!
//! # Invariants
//! - A record and its event are committed together; the pool changes only after the commit.
//! - A shard's number and identity are never given again.
//! - A shard is removed only while it drains and no record names a copy on it.
//!
//! # Crash recovery
//! Registering writes the identity file before the record. A crash between the two leaves a shard
//! that holds nothing and that no record knows; registering the same place again takes it over.
//!
//! # Failure and retry
//! That a shard went away or is back is an event of its own, once for each change, and so is that something on it cannot
//! be read; a start begins with all of them there and whole.
//! A shard that cannot be opened stays registered and out of the pool; its copies count as
//! unreachable. [`Topology::attach_missing`] tries again.
//! A shard that is given up keeps its record and what is on it; only once it is back and was held against the
//! catalog is anything on it deleted.

mod change;
mod count;
mod drain;
mod error;
mod give_up;
mod look;
mod places;
mod register;
mod remote;
mod remove;
mod restore;
mod view;
mod waiting;

pub use change::ShardChange;
pub use count::Holdings;
pub use drain::{DrainProgress, DrainState};
pub use error::TopologyError;
pub use places::{Candidates, ShardPresence};
pub use register::{LABEL_BYTES_MAX, LABELS_MAX, NewShard, WEIGHT_PERCENT_MAX};
pub use remote::{NewPlace, NewS3Place, REMOTE_CAPACITY_BYTES, S3Change, S3Key};
pub use restore::{Restore, Unknown};
pub use view::{BACKUPS_OF_REMOTE, ShardSight, ShardView, all_remote, domains, out_of_reach, shared_devices};
pub use waiting::{AGES_LOOKED_AT_MAX, Doomed, WAITING_COUNTED_MAX, Waiting};

pub use cofre_catalog::records::{RemovedShardRecord, S3Place, ShardMode, ShardPlace, ShardRecord};
pub use cofre_shards::{LATENCY_BOUNDS_MICROS, Latency, ShardState, ShardStatus};

use async_trait::async_trait;
use cofre_catalog::records::EventRecord;
use cofre_catalog::{Entry, ReadExt, Scan, Store, keys};
use cofre_iam::Secret;
use cofre_runtime::{Clock, Random};
use cofre_shards::{Backend, BackendError, Probe, ShardInfo, Shards};
use cofre_types::{ShardId, Timestamp};
use drain::Drains;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Most shards of one Cofre.
pub const SHARDS_MAX: usize = 10_000;

/// Shards that are opened at once.
const ATTACH_AT_ONCE: usize = 16;

/// How often a change is tried anew on what another left.
const TRIES_MAX: usize = 16;

/// Opens what is behind a place.
#[async_trait]
pub trait OpenBackend: Send + Sync + 'static {
    /// Makes an empty shard with this identity, and answers with the identity that stands there: a
    /// shard of this Cofre that was made before keeps its own.
    ///
    /// # Errors
    /// [`BackendError`] if the place holds anything else, or cannot be written.
    async fn create(&self, place: &ShardPlace, identity: [u8; 16]) -> Result<[u8; 16], BackendError>;

    /// Opens the shard that was made with this identity.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] if it is not there, or another is.
    async fn open(&self, place: &ShardPlace, identity: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError>;

    /// Whether a place that was just made a shard with this identity is a bucket of this Cofre itself: blobs know no
    /// buckets. Nothing before `began` counts.
    ///
    /// # Errors
    /// [`TopologyError`] if that cannot be told.
    async fn leads_back(&self, place: &ShardPlace, identity: [u8; 16], began: Timestamp)
    -> Result<bool, TopologyError>;

    /// The shard of this Cofre that stands in a directory, without opening it; `None` if there is none.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] if the directory cannot be looked at.
    async fn standing(&self, _path: &str) -> Result<Option<ShardPresence>, BackendError> {
        Ok(None)
    }

    /// How records name a directory: relative to what moves with the catalog, if it is below it.
    fn kept(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The absolute path of a directory that [`OpenBackend::kept`] named.
    fn absolute(&self, kept: &str) -> String {
        kept.to_owned()
    }

    /// Checks the fields of a remote place, and seals the secret of its key for its record. Only
    /// [`OpenBackend::create`] and [`OpenBackend::open`] ever read it again. The place's own sealed secret counts for
    /// nothing.
    ///
    /// # Errors
    /// [`TopologyError::Invalid`] names the field of [`S3Place`], or `secret_access_key`; or `place.kind`, where no remote
    /// shards are opened.
    fn seal(&self, _place: &S3Place, _secret: &Secret) -> Result<Vec<u8>, TopologyError> {
        Err(register::invalid("place.kind", "remote shards cannot be opened here"))
    }
}

/// The shards of a Cofre. Cloning is cheap.
#[derive(Clone)]
pub struct Topology(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    shards: Shards,
    opener: Arc<dyn OpenBackend>,
    clock: Clock,
    random: Random,
    /// Why a shard could not be opened, until it is.
    unopened: Mutex<HashMap<ShardId, String>>,
    /// The shards that events last said are away.
    told_away: Mutex<HashSet<ShardId>>,
    /// The shards of which events last said that something cannot be read.
    told_damaged: Mutex<HashSet<ShardId>>,
    drains: Drains,
}

/// A shard's record and the commit that wrote it.
pub(crate) struct Found {
    record: ShardRecord,
    entry: Entry,
}

impl Topology {
    /// The topology over a catalog and a pool.
    pub fn new(
        store: Arc<dyn Store>,
        shards: Shards,
        opener: Arc<dyn OpenBackend>,
        clock: Clock,
        random: Random,
    ) -> Self {
        let drains = Drains::new(clock.clone());
        Self(Arc::new(Inner {
            store,
            shards,
            opener,
            clock,
            random,
            unopened: Mutex::default(),
            told_away: Mutex::default(),
            told_damaged: Mutex::default(),
            drains,
        }))
    }

    /// Proves that a shard takes, gives and deletes a blob; opens it first if it is not in the pool.
    ///
    /// # Errors
    /// [`TopologyError::NoSuchShard`]. What the probe itself saw is the inner result.
    pub async fn probe(&self, id: ShardId) -> Result<Result<Probe, BackendError>, TopologyError> {
        let record = self.found(id).await?.record;
        if self.0.shards.status().iter().all(|status| status.id != id) {
            self.attach(&record).await;
        }
        let unopened = self.0.unopened.lock().get(&id).cloned();
        Ok(match unopened {
            Some(reason) => Err(BackendError::Unreachable(reason)),
            None => self.0.shards.probe(id).await,
        })
    }

    /// Opens a shard once more that is in the pool and does not answer; it stays as it is unless what was opened
    /// passes a probe.
    async fn attach_anew(&self, record: &ShardRecord) {
        let Ok(backend) = self.open(record).await else { return };
        if backend.probe().await.is_ok() {
            self.0.shards.attach(info(record), backend);
            // Its room is not known yet.
            self.0.shards.look(record.id).await;
        }
    }

    /// Opens what a record says.
    async fn open(&self, record: &ShardRecord) -> Result<Arc<dyn Backend>, BackendError> {
        let backend = self.0.opener.open(&record.place, record.identity).await?;
        Ok(self.with_room(record.id, &record.place, backend))
    }

    async fn attach(&self, record: &ShardRecord) {
        self.0.shards.note_unattached(info(record));
        match self.open(record).await {
            Ok(backend) => self.attached(record, backend).await,
            Err(error) => {
                let known = self.0.unopened.lock().insert(record.id, error.to_string());
                if known.as_deref() != Some(error.to_string().as_str()) {
                    tracing::warn!(shard = %record.id, place = %place_text(&record.place), %error, "a shard is away");
                }
            }
        }
    }

    /// Puts an open shard into the pool.
    async fn attached(&self, record: &ShardRecord, backend: Arc<dyn Backend>) {
        self.0.shards.attach(info(record), backend);
        self.0.unopened.lock().remove(&record.id);
        // The first probe tells how much room there is; a shard that fails it says so in its status.
        if let Err(error) = self.0.shards.probe(record.id).await {
            tracing::warn!(shard = %record.id, %error, "a shard was opened and fails its probe");
        }
    }

    async fn records(&self) -> Result<Vec<Found>, TopologyError> {
        let page = self.0.store.page(Scan::prefix(&[keys::family::SHARD]), SHARDS_MAX).await?;
        page.into_iter().map(|(_, entry)| self.read(entry)).collect()
    }

    async fn found(&self, id: ShardId) -> Result<Found, TopologyError> {
        let entry = self.0.store.get(keys::shard(id)).await?;
        self.read(entry.ok_or(TopologyError::NoSuchShard(id))?)
    }

    fn event(&self, kind: &str, id: ShardId, actor: &str, details: Vec<(String, String)>) -> EventRecord {
        EventRecord {
            at: Timestamp(self.0.clock.now_nanos()),
            kind: kind.to_owned(),
            subject: id.to_string(),
            actor: actor.to_owned(),
            details,
        }
    }
}

impl std::fmt::Debug for Topology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Topology")
    }
}

/// What the pool knows of a record.
fn info(record: &ShardRecord) -> ShardInfo {
    ShardInfo {
        id: record.id,
        identity: record.identity,
        mode: match record.mode {
            ShardMode::Active => cofre_shards::ShardMode::Active,
            ShardMode::ReadOnly => cofre_shards::ShardMode::ReadOnly,
            ShardMode::Draining => cofre_shards::ShardMode::Draining,
            // Every block that is read passes its checksum, so reads may go where nothing else is left.
            ShardMode::Dead | ShardMode::Lost | ShardMode::Returning => cofre_shards::ShardMode::ReadOnly,
        },
        failure_domain: record.failure_domain.clone(),
        weight_percent: record.weight_percent,
    }
}

/// A place as events and messages write it.
pub(crate) fn place_text(place: &ShardPlace) -> String {
    match place {
        ShardPlace::Filesystem { path } => path.clone(),
        ShardPlace::S3(S3Place { endpoint, bucket, prefix, .. }) => format!("{endpoint}/{bucket}/{prefix}"),
    }
}
