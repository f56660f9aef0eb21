use super::{SHARDS_MAX, Topology, TopologyError, place_text};
use cofre_catalog::records::{RemovedShardRecord, ShardMode, ShardPlace};
use cofre_catalog::{Batch, Check, Committed, GuardedBatch, ReadExt, Scan, keys};
use cofre_types::{ShardId, Timestamp};

/// Records of doomed copies that one commit forgets.
const FORGET_BATCH: usize = 500;

/// Why a shard cannot be removed now.
struct HoldsCopies;

impl Topology {
    /// Removes a shard that has drained or was given up, and lets go of it. What is on its disk is not touched. A
    /// directory is remembered ([`Topology::removed`]) until it is registered again.
    ///
    /// That nothing is on it is checked by the commit itself. A write whose copy is already on the
    /// shard and that commits later fails, for its commit checks that the shard is there.
    ///
    /// # Errors
    /// [`TopologyError::NotDraining`], or [`TopologyError::HoldsCopies`] with how many; the shard then
    /// stays as it is.
    pub async fn remove(&self, id: ShardId, actor: &str) -> Result<(), TopologyError> {
        let found = self.found(id).await?;
        if found.record.mode != ShardMode::Draining && !found.record.mode.is_given_up() {
            return Err(TopologyError::NotDraining);
        }
        if self.holdings(id).await?.blobs == 0 {
            self.forget_doomed(id).await?;
        }
        let place = vec![("place".to_owned(), place_text(&found.record.place))];
        let mut batch = GuardedBatch::new();
        batch.unchanged(keys::shard(id), Some(found.entry.revision));
        let named = Check::CounterAtMost { key: keys::shard_usage(id), index: 0, adding: 0, max: 0 };
        batch.require(named, HoldsCopies).require(Check::NoneWithPrefix(keys::doomed_on(id)), HoldsCopies);
        batch.delete(keys::shard(id));
        batch.delete(keys::shard_usage(id));
        batch.delete(keys::comparison(id));
        if let ShardPlace::Filesystem { path } = found.record.place {
            for older in self.removed().await?.iter().filter(|removed| removed.path == path) {
                batch.delete(keys::removed_shard(older.id));
            }
            let (identity, removed) = (found.record.identity, Timestamp(self.0.clock.now_nanos()));
            let record = RemovedShardRecord { id, identity, path, removed };
            batch.put(keys::removed_shard(id), self.encoded_removed(&record));
        }
        batch.writes.push(self.event("shard.removed", id, actor, place).append(0));
        match batch.commit(&*self.0.store).await? {
            Committed::Done(_) => {}
            Committed::Refused(HoldsCopies) => return Err(TopologyError::HoldsCopies(self.holdings(id).await?)),
            Committed::Changed => return Err(TopologyError::Conflict),
        }
        self.0.shards.detach(id);
        self.0.unopened.lock().remove(&id);
        self.0.drains.forget(id);
        Ok(())
    }

    /// The directories of shards that were removed and not registered since, at most [`SHARDS_MAX`].
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn removed(&self) -> Result<Vec<RemovedShardRecord>, TopologyError> {
        let page = self.0.store.page(Scan::prefix(&[keys::family::REMOVED_SHARD]), SHARDS_MAX).await?;
        page.iter().map(|(_, entry)| self.read_removed(entry)).collect()
    }

    /// Forgets copies that wait to be deleted: nothing refers to them, and the shard may be dead, so
    /// that they would wait for ever.
    async fn forget_doomed(&self, id: ShardId) -> Result<(), TopologyError> {
        loop {
            let doomed = self.0.store.keys(Scan::prefix(&keys::doomed_on(id)), FORGET_BATCH).await?;
            if doomed.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for key in doomed {
                batch.delete(key);
            }
            self.0.store.commit(batch).await?;
        }
    }
}
