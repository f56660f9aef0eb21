use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use std::time::Duration;

/// How often to look for stale uploads.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(300);

/// Aborts multipart uploads that were neither completed nor aborted for too long, if the settings
/// say so.
pub(crate) struct StaleUploads {
    ground: Ground,
    figures: JobFigures,
    cursor: Option<Vec<u8>>,
}

impl StaleUploads {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, cursor: None }
    }
}

impl Worker for StaleUploads {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::StaleUploads.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let age = self.ground.settings.current().timers.stale_upload_secs;
        if age == 0 {
            return Ok(Step::Idle(LOOK_EVERY));
        }
        let age = Duration::from_secs(age);
        let stale = self.ground.upkeep.abort_stale_uploads(self.cursor.take(), age).await?;
        self.figures.done(stale.aborted, 0);
        self.figures.passed(stale.looked_at.saturating_sub(stale.aborted));
        self.cursor = stale.next;
        if self.cursor.is_some() {
            return Ok(Step::More);
        }
        self.figures.end_pass(Left::default());
        self.figures.finish(true);
        Ok(Step::Idle(LOOK_EVERY))
    }
}
