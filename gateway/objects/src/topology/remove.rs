use super::{Topology, TopologyError, info, place_text};
use cofre_catalog::records::ShardMode;
use cofre_catalog::{Batch, keys};
use cofre_types::ShardId;
use std::time::Duration;

/// From the moment a shard leaves the pool to the count that decides: a write whose copy is already
/// on the shard commits within this time. It is the pool's grace for stragglers, and more.
const COMMITS_SETTLE: Duration = Duration::from_secs(5);

impl Topology {
    /// Removes a shard that has drained, and lets go of it. What is on its disk is not touched.
    ///
    /// # Errors
    /// [`TopologyError::NotDraining`], or [`TopologyError::HoldsCopies`] with how many; the shard then
    /// stays as it is.
    pub async fn remove(&self, id: ShardId, actor: &str) -> Result<(), TopologyError> {
        let found = self.found(id).await?;
        if found.record.mode != ShardMode::Draining {
            return Err(TopologyError::NotDraining);
        }
        self.check_empty(id).await?;
        self.0.shards.detach(id);
        self.0.clock.sleep(COMMITS_SETTLE).await;
        let removed = self.commit_removal(id, &found, actor).await;
        if removed.is_err() {
            self.attach(&found.record).await;
            self.0.shards.update(info(&found.record));
            return removed;
        }
        self.0.unopened.lock().remove(&id);
        self.0.drains.forget(id);
        Ok(())
    }

    async fn commit_removal(&self, id: ShardId, found: &super::Found, actor: &str) -> Result<(), TopologyError> {
        self.check_empty(id).await?;
        let place = vec![("place".to_owned(), place_text(&found.record.place).to_owned())];
        let mut batch = Batch::new();
        batch.unchanged(keys::shard(id), Some(found.entry.revision));
        batch.delete(keys::shard(id));
        batch.writes.push(self.event("shard.removed", id, actor, place).append(0));
        self.0.store.commit(batch).await?;
        Ok(())
    }

    async fn check_empty(&self, id: ShardId) -> Result<(), TopologyError> {
        let held = self.holdings(id).await?;
        if held.blobs > 0 { Err(TopologyError::HoldsCopies(held)) } else { Ok(()) }
    }
}
