use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_events::Retention;
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::Timestamp;
use std::time::Duration;

/// How often to look for events past their time.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Trims the event log to what the settings keep.
pub(crate) struct TrimEvents {
    ground: Ground,
    figures: JobFigures,
}

impl TrimEvents {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures }
    }
}

impl Worker for TrimEvents {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::TrimEvents.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let timers = self.ground.settings.current().timers;
        let retention = Retention {
            of_accounts_max: timers.events_keep_max,
            others_max: timers.operator_events_keep_max,
            age_max: Duration::from_secs(timers.events_keep_secs),
        };
        let trimmed = self.ground.events.trim(retention, Timestamp(self.ground.clock.now_nanos())).await?;
        self.figures.done(trimmed.events as u64, 0);
        if trimmed.more {
            return Ok(Step::More);
        }
        self.figures.end_pass(Left::default());
        self.figures.finish(true);
        Ok(Step::Idle(LOOK_EVERY))
    }
}
