use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::{BlobId, ShardId};
use std::collections::HashMap;
use std::time::Duration;

/// How often to look when nothing is due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Gives the space of what was deleted back: drops references whose grace is over, and deletes copies
/// that nothing names.
pub(crate) struct Reclaim {
    ground: Ground,
    figures: Shared,
    /// Where reclaiming is in the garbage, and deleting on each shard.
    done: Option<Vec<u8>>,
    deleted: HashMap<ShardId, BlobId>,
}

impl Reclaim {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        Self { ground, figures, done: None, deleted: HashMap::new() }
    }
}

impl Worker for Reclaim {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Reclaim.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        self.figures.begin_pass();
        let reclaimed = self.ground.objects.reclaim_garbage(&mut self.done).await?;
        self.figures.done(reclaimed.blobs, reclaimed.bytes);
        let mut more = reclaimed.more;
        let mut left = Left::default();
        for shard in self.ground.topology.statuses() {
            // One shard that is away must not keep the space of the others.
            let after = self.deleted.remove(&shard.id);
            match self.ground.objects.delete_doomed(shard.id, after).await {
                Ok(deleted) => {
                    more |= deleted.copies > 0;
                    self.deleted.extend(deleted.next.map(|next| (shard.id, next)));
                }
                Err(error) => {
                    left.waiting += 1;
                    left.problem(format!("shard {}", shard.id), error);
                }
            }
        }
        self.figures.end_pass(left);
        let doomed = self.ground.topology.waiting_to_be_deleted().await?;
        self.figures.finish(!more && doomed.copies == 0);
        Ok(if more { Step::More } else { Step::Idle(LOOK_EVERY) })
    }
}
