use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_catalog::records::JobRecord;
use cofre_runtime::{Pace, Step, Worker};
use cofre_types::{BlobId, Timestamp};
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: &str = "scrub";

/// How busy scrubbing may be at the most: it reads everything, and is never urgent.
const SHARE_MAX: f64 = 0.05;

/// Steps between two notes of how far it is: what a restart does anew at the most.
const STEPS_PER_NOTE: u64 = 64;

/// Longest rest between two looks whether the next pass is due.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Reads every copy of every blob once in an interval, so that damage is found while another copy is
/// whole.
pub(crate) struct Scrub {
    ground: Ground,
    figures: Shared,
    progress: Option<JobRecord>,
    steps: u64,
    left: Left,
}

impl Scrub {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        Self { ground, figures, progress: None, steps: 0, left: Left::default() }
    }

    fn due_in(&self, progress: &JobRecord, now: Timestamp) -> Duration {
        let interval = Duration::from_secs(self.ground.settings.current().timers.scrub_interval_secs);
        let under_way = !progress.cursor.is_empty();
        if under_way || progress.ended == Timestamp::default() {
            return Duration::ZERO;
        }
        interval.saturating_sub(now.since(progress.began))
    }
}

impl Worker for Scrub {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME
    }

    fn pace(&self) -> Pace {
        Pace::share(self.ground.settings.current().timers.job_busy_share.min(SHARE_MAX))
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
            return Ok(Step::Idle(rest.min(LOOK_EVERY)));
        }
        if progress.cursor.is_empty() {
            progress.began = now;
        }
        let after = progress.cursor.as_slice().try_into().ok().map(BlobId::from_bytes);
        let scrubbed = self.ground.objects.scrub(after).await?;
        self.figures.done(scrubbed.copies, scrubbed.bytes);
        self.left.waiting += scrubbed.unreachable;
        progress.cursor = scrubbed.next.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let ended = scrubbed.next.is_none();
        if ended {
            progress.ended = now;
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
