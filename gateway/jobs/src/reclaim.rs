use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use std::time::Duration;

/// How often to look when nothing is due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Gives the space of what was deleted back: drops references whose grace is over, deletes copies
/// that nothing names, and lets shards compact themselves.
pub(crate) struct Reclaim {
    ground: Ground,
    figures: Shared,
}

impl Reclaim {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        Self { ground, figures }
    }
}

impl Worker for Reclaim {
    type Error = JobError;

    fn name(&self) -> &'static str {
        "reclaim"
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let reclaimed = self.ground.objects.reclaim_garbage().await?;
        self.figures.done(reclaimed.blobs, reclaimed.bytes);
        let mut more = reclaimed.more;
        let mut left = Left::default();
        for shard in self.ground.topology.statuses() {
            // One shard that is away must not keep the space of the others.
            match self.ground.objects.delete_doomed(shard.id).await {
                Ok(deleted) => more |= deleted > 0,
                Err(error) => left.problem(format!("shard {}", shard.id), error),
            }
            match self.ground.objects.compact(shard.id).await {
                Ok(compacted) => more |= compacted.is_some(),
                Err(error) => left.problem(format!("shard {}", shard.id), error),
            }
        }
        self.figures.end_pass(left);
        Ok(if more { Step::More } else { Step::Idle(LOOK_EVERY) })
    }
}
