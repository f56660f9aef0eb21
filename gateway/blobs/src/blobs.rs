use crate::error::BlobsError;
use cofre_catalog::{Batch, CommitError, Entry, ReadExt, Store};
use cofre_runtime::Clock;
use cofre_settings::DynamicSettings;
use cofre_shards::{BadCopies, Redundancy, ShardStatus, Shards};
use cofre_types::{Scheme, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How often a change is tried anew on what another left.
pub(crate) const TRIES_MAX: usize = 64;

/// The blobs of a Cofre. Cloning is cheap.
///
/// Whoever holds this can repair, move and delete what stands on the shards: no door of clients does.
#[derive(Clone)]
pub struct Blobs(pub(crate) Arc<Inner>);

/// What blobs stand on.
pub struct BlobsParts {
    /// The catalog.
    pub store: Arc<dyn Store>,
    /// The shards.
    pub shards: Shards,
    /// The dynamic settings.
    pub settings: DynamicSettings,
    /// The clock.
    pub clock: Clock,
}

pub(crate) struct Inner {
    store: Arc<dyn Store>,
    shards: Shards,
    pub(crate) settings: DynamicSettings,
    clock: Clock,
    /// Reports of bad copies, read by one job.
    pub(crate) reports: Mutex<Option<BadCopies>>,
}

impl Blobs {
    /// The blobs over their parts.
    pub fn new(parts: BlobsParts) -> Self {
        let BlobsParts { store, shards, settings, clock } = parts;
        let reports = Mutex::new(shards.bad_copies());
        Self(Arc::new(Inner { store, shards, settings, clock, reports }))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    pub(crate) fn shards(&self) -> &Shards {
        &self.0.shards
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.0.clock.now_nanos())
    }

    pub(crate) fn tries() -> std::ops::Range<usize> {
        0..TRIES_MAX
    }

    /// What the pool sees of each shard in it, without asking the catalog.
    pub fn statuses(&self) -> Vec<ShardStatus> {
        self.0.shards.status()
    }

    /// What writing a blob under a scheme means by the settings of now.
    pub fn redundancy(&self, scheme: Scheme) -> Redundancy {
        let writes = self.0.settings.current().writes;
        Redundancy { scheme, replicate_bytes_max: writes.replicate_bytes_max, spares_min: writes.spares_min }
    }

    /// Refuses to name a copy that was begun too long ago: the search for orphans may have taken it for
    /// one, and even have deleted it. Half its grace leaves the other half for the commit.
    ///
    /// # Errors
    /// [`BlobsError::Refused`] if it was.
    pub fn refuse_stale(&self, begun: Timestamp) -> Result<(), BlobsError> {
        let grace = Duration::from_secs(self.0.settings.current().timers.orphan_grace_secs);
        if self.now().since(begun) > grace / 2 {
            return Err(BlobsError::Refused("the write took longer than half of timers.orphan_grace_secs".to_owned()));
        }
        Ok(())
    }

    pub(crate) async fn get(&self, key: Vec<u8>) -> Result<Option<Entry>, BlobsError> {
        Ok(self.store().get(key).await?)
    }

    /// Commits a batch of maintenance; false if a check failed, so that the step is done anew.
    pub(crate) async fn maintain(&self, mut batch: Batch) -> Result<bool, BlobsError> {
        // On a full disk it is what leads to room.
        batch.frees = true;
        match self.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Failed(_)) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blobs")
    }
}
