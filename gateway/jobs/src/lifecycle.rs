use crate::figures::JobFigures;
use crate::passes::{Passes, is_due};
use crate::{Ground, JobError};
use cofre_catalog::records::JobRecord;
use cofre_objects::{LifecycleCounts, LifecycleStep};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::Timestamp;
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: JobName = JobName::Lifecycle;

/// Passes in a day: AWS makes one.
const PASSES_PER_DAY: u32 = 24;

/// Shortest rest between two passes, where a day is short.
const REST_MIN: Duration = Duration::from_millis(500);

/// Does what the lifecycle rules of all buckets ask for, pass after pass.
pub(crate) struct ApplyLifecycle {
    ground: Ground,
    figures: JobFigures,
    passes: Passes,
}

impl ApplyLifecycle {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, passes: Passes::new(NAME.as_str()) }
    }

    /// How long to rest until the next pass is due. A pass that a restart interrupted goes on.
    fn due_in(ground: &Ground, progress: &JobRecord, now: Timestamp) -> Duration {
        if is_due(progress) {
            return Duration::ZERO;
        }
        let day = Duration::from_secs(ground.settings.current().timers.lifecycle_day_secs);
        (day / PASSES_PER_DAY).max(REST_MIN).saturating_sub(now.since(progress.ended))
    }

    fn report(&mut self, step: LifecycleStep) {
        let LifecycleCounts {
            expired,
            noncurrent_expired,
            markers_removed,
            uploads_aborted,
            transitioned,
            transitioned_bytes,
            locked,
            changed,
        } = step.counts;
        let done = expired + noncurrent_expired + markers_removed + uploads_aborted + transitioned;
        self.figures.done(done, transitioned_bytes);
        self.figures.acted([
            ("looked_at", step.looked_at),
            ("expired", expired),
            ("noncurrent_expired", noncurrent_expired),
            ("markers_removed", markers_removed),
            ("uploads_aborted", uploads_aborted),
            ("transitioned", transitioned),
            ("locked", locked),
            ("changed_meanwhile", changed),
        ]);
        self.passes.left().waiting += changed;
        for (subject, why) in step.problems {
            self.passes.left().waiting += 1;
            self.passes.left().problem(subject, why);
        }
    }
}

impl Worker for ApplyLifecycle {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let now = Timestamp(self.ground.clock.now_nanos());
        let record = self.passes.record(&self.ground, &self.figures).await?;
        let rest = Self::due_in(&self.ground, record, now);
        if !self.figures.take_asked() && !rest.is_zero() {
            // The length of a day may change meanwhile.
            return Ok(Step::Idle(rest.min(Duration::from_secs(5))));
        }
        let cursor = self.passes.begin(&self.figures, now, &[]);
        let mut step = self.ground.upkeep.apply_lifecycle(&cursor).await?;
        let next = step.next.take();
        self.report(step);
        // Most of what it looks at is not due.
        self.figures.got_on();
        if let Some(waiting) = self.passes.advance(&self.ground, &self.figures, next).await? {
            self.figures.finish(waiting == 0);
        }
        Ok(Step::More)
    }
}
