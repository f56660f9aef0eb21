//! The pool: all shards of one Cofre, read and written through schemes.
//!
//! # Invariants
//! - A write is acknowledged once its quorum of copies or pieces is durable, on as many failure domains.
//! - A read yields only bytes that passed their checksums, and goes over to another copy when one
//!   fails, also in mid-stream.
//! - No two copies or pieces of a blob are put on one failure domain, also while a shard of it is away. Shards without
//!   a label that stand on one device are taken for one where there are enough others.
//! - The room of a device counts once, in equal shares for the shards on it.
//! - Missing is a proof and is reported for repair; unreachable proves nothing and is not.
//!
//! # Failure and retry
//! A shard that fails three times in a row takes no new blobs; a write probes it every five seconds, and
//! a probe that succeeds brings it back. So does any other call. A dropped call leaves nothing behind: no task
//! outlives the future that it works for, but such a probe, for ten seconds at most.

mod bad_copies;
mod health;
mod naming;
mod read_budget;
mod repair;
mod target;
mod types;

pub use bad_copies::BadCopies;
pub use naming::NamingTurn;
pub use types::{
    AddError, BadCopy, BlobRef, Copy, CopyState, Fault, ReadError, Redundancy, ShardInfo, ShardMode, ShardState,
    ShardStatus, ShardsOptions, WriteError, Written,
};

use crate::backend::{
    Backend, BackendError, Capacity, Compacted, ListPage, Listed, Locator, NotDeleted, Probe, Relocate,
};
use crate::decorators::Meter;
use bad_copies::BadCopyQueue;
use cofre_runtime::{Clock, Random};
use cofre_types::{BlobId, ShardId};
use health::Health;
use naming::{InTurn, Naming};
use parking_lot::RwLock;
pub(crate) use read_budget::{ReadBudget, ReadShare};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
pub(crate) use target::{Excluded, Shortage};

/// All shards of one Cofre. Cloning is cheap, and every clone is the same pool.
#[derive(Clone)]
pub struct Shards(Arc<Inner>);

struct Inner {
    clock: Clock,
    random: Random,
    options: ShardsOptions,
    shards: RwLock<BTreeMap<ShardId, Arc<Shard>>>,
    /// Failure domains of shards that are away and not attached: copies may stand on them.
    unattached: RwLock<BTreeMap<ShardId, Option<String>>>,
    /// Shards that are attached on each device.
    devices: RwLock<HashMap<u64, u64>>,
    bad_copies: BadCopyQueue,
    read_budget: ReadBudget,
}

/// A shard of the pool.
pub(crate) struct Shard {
    pub(crate) info: ShardInfo,
    /// The device that it is on, if that can be told.
    device: Option<u64>,
    backend: Arc<Meter>,
    health: Arc<Health>,
    naming: Arc<Naming>,
}

impl Shards {
    /// A pool without shards.
    pub fn new(clock: Clock, random: Random, options: ShardsOptions) -> Self {
        let bad_copies = BadCopyQueue::new(options.bad_copies_max);
        let (shards, unattached, devices) = Default::default();
        let read_budget = ReadBudget::default();
        Self(Arc::new(Inner { clock, random, options, shards, unattached, devices, bad_copies, read_budget }))
    }

    /// The memory of long reads.
    pub(crate) fn read_budget(&self) -> &ReadBudget {
        &self.0.read_budget
    }

    /// Adds a shard, or puts another backend behind one.
    pub fn attach(&self, info: ShardInfo, backend: Arc<dyn Backend>) {
        let shard = Shard {
            naming: self.shard(info.id).map(|before| before.naming.clone()).unwrap_or_default(),
            device: backend.device(),
            backend: Arc::new(Meter::new(backend, self.0.clock.clone())),
            health: Arc::new(Health::new(self.0.clock.clone())),
            info,
        };
        let id = shard.info.id;
        let mut shards = self.0.shards.write();
        shards.insert(id, Arc::new(shard));
        self.count_devices(&shards);
        drop(shards);
        self.0.unattached.write().remove(&id);
    }

    /// Notes a shard that could not be opened: its copies are unreachable, and still keep others off its failure
    /// domain. Nothing if it is attached.
    pub fn note_unattached(&self, info: ShardInfo) {
        let shards = self.0.shards.read();
        if !shards.contains_key(&info.id) {
            self.0.unattached.write().insert(info.id, info.failure_domain);
        }
    }

    /// Changes what a shard may take, and what it fails with.
    pub fn update(&self, info: ShardInfo) {
        match self.0.shards.write().get_mut(&info.id) {
            Some(entry) => {
                let (device, backend) = (entry.device, entry.backend.clone());
                let (health, naming) = (entry.health.clone(), entry.naming.clone());
                *entry = Arc::new(Shard { info, device, backend, health, naming });
            }
            None => _ = self.0.unattached.write().insert(info.id, info.failure_domain),
        }
    }

    /// Forgets a shard. Its copies count as unreachable from now on; calls under way go on.
    pub fn detach(&self, id: ShardId) {
        let mut shards = self.0.shards.write();
        shards.remove(&id);
        self.count_devices(&shards);
        drop(shards);
        self.0.unattached.write().remove(&id);
    }

    fn count_devices(&self, shards: &BTreeMap<ShardId, Arc<Shard>>) {
        let mut devices = HashMap::new();
        for device in shards.values().filter_map(|shard| shard.device) {
            *devices.entry(device).or_default() += 1;
        }
        *self.0.devices.write() = devices;
    }

    /// The reports of bad copies that reads find, for the repair queue. `None` from the second call on.
    pub fn bad_copies(&self) -> Option<BadCopies> {
        self.0.bad_copies.take()
    }

    /// Reports of bad copies that were dropped because nobody took them in time.
    pub fn bad_copies_dropped(&self) -> u64 {
        self.0.bad_copies.dropped()
    }

    /// Deletes copies from a shard, best in bulk. A copy that is not there is fine. Answers with those that
    /// could not be deleted.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`]; some may be gone.
    pub async fn delete(&self, shard: ShardId, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        let shard = self.attached(shard)?;
        let outcome = shard.backend.delete(blobs).await;
        shard.health.record(&outcome);
        outcome
    }

    /// Some of the blobs of a shard after a cursor, and the next cursor; `None` at the end.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    pub async fn list(
        &self,
        shard: ShardId,
        after: Option<Vec<u8>>,
    ) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        let shard = self.attached(shard)?;
        let outcome = shard.backend.list(after).await;
        shard.health.record(&outcome);
        outcome
    }

    /// As [`Shards::list`], and whether the page lacks something that the shard's disk did not give.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    pub async fn list_page(&self, shard: ShardId, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
        let shard = self.attached(shard)?;
        let outcome = shard.backend.list_page(after).await;
        shard.health.record(&outcome);
        outcome
    }

    /// Proves that a shard takes, gives and deletes a blob, and refreshes what is known of its room.
    ///
    /// # Errors
    /// [`BackendError`] with what went wrong.
    pub async fn probe(&self, shard: ShardId) -> Result<Probe, BackendError> {
        let shard = self.attached(shard)?;
        let outcome = shard.backend.probe().await;
        shard.health.record(&outcome);
        shard.health.refresh(&*shard.backend).await;
        outcome
    }

    /// Looks whether a shard answers, by asking for its room, and notes it if it does not. A shard that failed before
    /// comes back only by a probe or another call.
    pub async fn look(&self, shard: ShardId) {
        if let Ok(shard) = self.attached(shard) {
            shard.health.look(&*shard.backend).await;
        }
    }

    /// Notes that a look at a shard got no answer in time.
    pub fn look_hung(&self, shard: ShardId) {
        if let Ok(shard) = self.attached(shard) {
            shard.health.failed(&BackendError::Unreachable("no answer to a look".into()));
        }
    }

    /// Tells every shard a commit of the catalog that is durable, so that it shows an older copy of the catalog at a later
    /// start. One that cannot note it notes a later one.
    pub async fn note_commit(&self, revision: u64) {
        let shards: Vec<_> = self.0.shards.read().values().cloned().collect();
        futures_util::future::join_all(shards.iter().map(|shard| async {
            if let Err(error) = shard.backend.note_commit(revision).await {
                tracing::debug!(shard = %shard.info.id, %error, "a shard could not note a commit");
            }
        }))
        .await;
    }

    /// Lets a shard do one bounded step of giving space back; `None` if there is nothing worth doing.
    ///
    /// # Errors
    /// [`BackendError`] from the shard or from `relocate`; nothing is lost.
    pub async fn compact(&self, shard: ShardId, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        let shard = self.attached(shard)?;
        shard.backend.compact(&InTurn { owner: relocate, naming: &shard.naming }).await
    }

    /// Waits for a turn to name a copy that stands on a shard already: until its end compaction removes nothing there.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] if the shard is not attached.
    pub async fn naming(&self, shard: ShardId) -> Result<NamingTurn, BackendError> {
        let shard = self.attached(shard)?;
        Ok(shard.naming.turn().await)
    }

    /// What is known of each shard, by number.
    pub fn status(&self) -> Vec<ShardStatus> {
        let shards: Vec<_> = self.0.shards.read().values().cloned().collect();
        let share = |shard: &Shard, bytes: u64| bytes / self.sharers(shard);
        shards
            .iter()
            .map(|shard| ShardStatus {
                id: shard.info.id,
                mode: shard.info.mode,
                state: shard.health.state(),
                last_error: shard.health.last_error(),
                capacity: shard.health.capacity().map(|capacity| Capacity {
                    total_bytes: share(shard, capacity.total_bytes),
                    free_bytes: share(shard, capacity.free_bytes),
                }),
                device: shard.device,
                damage: shard.backend.damage(),
                figures: shard.backend.figures(),
            })
            .collect()
    }

    pub(crate) fn now_nanos(&self) -> u64 {
        self.0.clock.now_nanos()
    }

    pub(crate) fn options(&self) -> &ShardsOptions {
        &self.0.options
    }

    fn attached(&self, shard: ShardId) -> Result<Arc<Shard>, BackendError> {
        self.shard(shard).ok_or_else(|| BackendError::Unreachable(format!("shard {shard} is not attached")))
    }

    pub(crate) fn shard(&self, shard: ShardId) -> Option<Arc<Shard>> {
        self.0.shards.read().get(&shard).cloned()
    }
}
