use super::{Topology, TopologyError, place_text};
use cofre_catalog::records::ShardMode;
use cofre_catalog::{Batch, Check, CommitError, Scan, SnapshotExt, keys};
use cofre_types::ShardId;

/// Place of the first check that fails while the shard holds copies; the one before is its record.
const FIRST_EMPTY_CHECK: usize = 1;

/// Records of doomed copies that one commit forgets.
const FORGET_BATCH: usize = 500;

impl Topology {
    /// Removes a shard that has drained or was given up, and lets go of it. What is on its disk is not touched.
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
        let mut batch = Batch::new();
        batch.unchanged(keys::shard(id), Some(found.entry.revision));
        batch.checks.push(Check::CounterAtMost { key: keys::shard_usage(id), index: 0, adding: 0, max: 0 });
        batch.checks.push(Check::NoneWithPrefix(keys::doomed_on(id)));
        batch.delete(keys::shard(id));
        batch.delete(keys::shard_usage(id));
        batch.writes.push(self.event("shard.removed", id, actor, place).append(0));
        match self.0.store.commit(batch).await {
            Ok(_) => {}
            Err(CommitError::Failed(failed)) if failed.0 >= FIRST_EMPTY_CHECK => {
                return Err(TopologyError::HoldsCopies(self.holdings(id).await?));
            }
            Err(error) => return Err(error.into()),
        }
        self.0.shards.detach(id);
        self.0.unopened.lock().remove(&id);
        self.0.drains.forget(id);
        Ok(())
    }

    /// Forgets copies that wait to be deleted: nothing refers to them, and the shard may be dead, so
    /// that they would wait for ever.
    async fn forget_doomed(&self, id: ShardId) -> Result<(), TopologyError> {
        loop {
            let snapshot = self.0.store.snapshot().await?;
            let page = snapshot.page(Scan::prefix(&keys::doomed_on(id)), FORGET_BATCH).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for (key, _) in page {
                batch.delete(key);
            }
            self.0.store.commit(batch).await?;
        }
    }
}
