use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use std::time::Duration;

/// How often to try shards that could not be opened: a disk that comes back is taken in by itself.
const TRY_EVERY: Duration = Duration::from_secs(10);

/// Opens shards that were away.
pub(crate) struct AttachMissing {
    ground: Ground,
    figures: Shared,
}

impl AttachMissing {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        Self { ground, figures }
    }
}

impl Worker for AttachMissing {
    type Error = JobError;

    fn name(&self) -> &'static str {
        "attach-shards"
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let waiting = self.ground.topology.attach_missing().await?;
        self.figures.end_pass(Left { waiting: waiting as u64, ..Left::default() });
        Ok(Step::Idle(TRY_EVERY))
    }
}
