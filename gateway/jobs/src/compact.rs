use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use std::time::Duration;

/// How often to look when nothing was worth doing.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Lets shards move what is left in packs together, so that the space of deleted blobs comes back.
pub(crate) struct Compact {
    ground: Ground,
    figures: JobFigures,
}

impl Compact {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures }
    }
}

impl Worker for Compact {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Compact.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        self.figures.begin_pass();
        let mut left = Left::default();
        let mut more = false;
        for shard in self.ground.topology.statuses() {
            match self.ground.blobs.compact(shard.id).await {
                Ok(Some(compacted)) => {
                    more = true;
                    self.figures.done(compacted.moved_blobs, 0);
                    // A step that only goes through what is dead moves nothing.
                    self.figures.got_on();
                    self.figures.acted([("freed_bytes", compacted.freed_bytes)]);
                }
                Ok(None) => {}
                Err(error) => {
                    left.waiting += 1;
                    left.problem(format!("shard {}", shard.id), error);
                }
            }
        }
        let nothing_left = !more && left.waiting == 0;
        self.figures.end_pass(left);
        self.figures.finish(nothing_left);
        Ok(if more { Step::More } else { Step::Idle(LOOK_EVERY) })
    }
}
