//! Shards that are away for good, and their return.

use super::{TRIES_MAX, Topology, TopologyError, info};
use cofre_catalog::records::ShardMode;
use cofre_catalog::{Batch, CommitError, keys};
use cofre_types::ShardId;

impl Topology {
    /// Gives a shard up: its copies stop counting, what had some is made whole elsewhere, and nothing on it is deleted.
    /// With `by_itself` it comes back by itself when it answers again; else at an operator's word. A shard that
    /// was given up by itself may be given up by an operator too; otherwise again is fine.
    ///
    /// # Errors
    /// [`TopologyError::NoSuchShard`].
    pub async fn give_up(&self, id: ShardId, by_itself: bool, actor: &str) -> Result<(), TopologyError> {
        let mode = if by_itself { ShardMode::Lost } else { ShardMode::Dead };
        self.set_mode(id, "shard.given_up", actor, |before, _| match before {
            ShardMode::Dead => None,
            ShardMode::Lost if by_itself => None,
            ShardMode::Active | ShardMode::ReadOnly | ShardMode::Draining | ShardMode::Lost | ShardMode::Returning => {
                Some(mode)
            }
        })
        .await
    }

    /// Takes a shard back that was given up and answers again: its copies count once more as far as records name them,
    /// and it is held against the catalog before it takes anything.
    ///
    /// # Errors
    /// [`TopologyError::NotGivenUp`], or [`TopologyError::Away`] if it does not answer.
    pub async fn take_back(&self, id: ShardId, actor: &str) -> Result<(), TopologyError> {
        if !self.found(id).await?.record.mode.is_given_up() {
            return Err(TopologyError::NotGivenUp);
        }
        if let Err(error) = self.probe(id).await? {
            return Err(TopologyError::Away(error.to_string()));
        }
        let returning = |before: ShardMode, _| before.is_given_up().then_some(ShardMode::Returning);
        self.set_mode(id, "shard.returned", actor, returning).await
    }

    /// Notes that a shard that came back was held against the catalog: it takes new blobs again. Nothing is noted if its
    /// record is no longer at the revision that it was held under: it may have been given up again since.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read or written.
    pub async fn note_reconciled(&self, id: ShardId, revision: u64, actor: &str) -> Result<(), TopologyError> {
        let active = |before, now| (before == ShardMode::Returning && now == revision).then_some(ShardMode::Active);
        self.set_mode(id, "shard.reconciled", actor, active).await
    }

    /// Commits another mode, if `change` gives one for the mode and the revision that are there, with its event.
    async fn set_mode(
        &self,
        id: ShardId,
        kind: &str,
        actor: &str,
        change: impl Fn(ShardMode, u64) -> Option<ShardMode>,
    ) -> Result<(), TopologyError> {
        for _ in 0..TRIES_MAX {
            let found = self.found(id).await?;
            let before = found.record.mode;
            let Some(mode) = change(before, found.entry.revision.0) else { return Ok(()) };
            let mut record = found.record;
            record.mode = mode;
            let details = vec![("mode".to_owned(), format!("{before:?} -> {mode:?}"))];
            let mut batch = Batch::new();
            batch.unchanged(keys::shard(id), Some(found.entry.revision));
            batch.put(keys::shard(id), self.encoded(&record));
            batch.writes.push(self.event(kind, id, actor, details).append(0));
            match self.0.store.commit(batch).await {
                Ok(_) => {
                    self.0.shards.update(info(&record));
                    self.0.drains.forget(id);
                    return Ok(());
                }
                Err(CommitError::Failed(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(TopologyError::Conflict)
    }
}
