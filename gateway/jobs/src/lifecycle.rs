use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_catalog::records::JobRecord;
use cofre_objects::{LifecycleCounts, LifecycleStep};
use cofre_runtime::{Pace, Step, Worker};
use cofre_types::Timestamp;
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: &str = "lifecycle";

/// Steps between two notes of how far it is: what a restart does anew at the most, which is only read
/// anew, as what was done is no longer due.
const STEPS_PER_NOTE: u64 = 64;

/// Passes in a day: AWS makes one.
const PASSES_PER_DAY: u32 = 24;

/// Shortest rest between two passes, where a day is short.
const REST_MIN: Duration = Duration::from_millis(500);

/// Does what the lifecycle rules of all buckets ask for, pass after pass.
pub(crate) struct ApplyLifecycle {
    ground: Ground,
    figures: Shared,
    progress: Option<JobRecord>,
    steps: u64,
    left: Left,
}

impl ApplyLifecycle {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        Self { ground, figures, progress: None, steps: 0, left: Left::default() }
    }

    /// How long to rest until the next pass is due. A pass that a restart interrupted goes on.
    fn due_in(&self, progress: &JobRecord, now: Timestamp) -> Duration {
        if !progress.cursor.is_empty() || progress.ended == Timestamp::default() {
            return Duration::ZERO;
        }
        let day = Duration::from_secs(self.ground.settings.current().timers.lifecycle_day_secs);
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
            ("expired", expired),
            ("noncurrent_expired", noncurrent_expired),
            ("markers_removed", markers_removed),
            ("uploads_aborted", uploads_aborted),
            ("transitioned", transitioned),
            ("locked", locked),
            ("changed_meanwhile", changed),
        ]);
        self.left.waiting += changed;
        for (subject, why) in step.problems {
            self.left.waiting += 1;
            self.left.problem(subject, why);
        }
    }
}

impl Worker for ApplyLifecycle {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let mut progress = match self.progress.take() {
            Some(progress) => progress,
            None => self.ground.objects.job_progress(NAME).await?,
        };
        let now = Timestamp(self.ground.clock.now_nanos());
        let rest = self.due_in(&progress, now);
        if !rest.is_zero() {
            self.progress = Some(progress);
            // The length of a day may change meanwhile.
            return Ok(Step::Idle(rest.min(Duration::from_secs(5))));
        }
        if progress.cursor.is_empty() {
            progress.began = now;
        }
        let step = self.ground.objects.apply_lifecycle(&progress.cursor).await?;
        let ended = step.next.is_none();
        progress.cursor = step.next.clone().unwrap_or_default();
        self.report(step);
        if ended {
            progress.ended = Timestamp(self.ground.clock.now_nanos());
            self.figures.end_pass(std::mem::take(&mut self.left));
        }
        self.steps += 1;
        if ended || self.steps.is_multiple_of(STEPS_PER_NOTE) {
            self.ground.objects.note_job_progress(NAME, &progress).await?;
        }
        self.progress = Some(progress);
        Ok(Step::More)
    }
}
