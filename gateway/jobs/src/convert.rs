use crate::figures::JobFigures;
use crate::passes::Passes;
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::Timestamp;
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: JobName = JobName::Convert;

/// How often to look whether the redundancy of anything changed.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How long to wait before a pass over what failed or changed meanwhile.
pub(crate) const AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Between two passes though nothing changed: an upload whose parts were there before the last one, say, may have been
/// completed since.
const LOOK_THROUGH_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Writes objects anew that stand under another redundancy than their bucket, class and the settings ask for. A pass
/// begins when any of these changes. One that converted something is followed by another: what was written, copied or
/// brought back behind it stands as it did before. So it has ended once a pass found nothing.
pub(crate) struct Convert {
    ground: Ground,
    figures: JobFigures,
    passes: Passes,
    /// What the last pass left over; none is known of one before this process.
    left: u64,
    /// What the pass has converted.
    converted: u64,
    /// Whether the last pass converted anything.
    again: bool,
    again_at: Duration,
}

impl Convert {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self {
            ground,
            figures,
            passes: Passes::new(NAME.as_str()),
            left: 0,
            converted: 0,
            again: false,
            again_at: Duration::ZERO,
        }
    }
}

impl Worker for Convert {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let goal = self.ground.upkeep.redundancy_goal().await?;
        let asked = self.figures.take_asked();
        let now = Timestamp(self.ground.clock.now_nanos());
        let retry = self.left > 0 && self.ground.clock.elapsed() >= self.again_at;
        let record = self.passes.record(&self.ground, &self.figures).await?;
        let changed = record.goal != goal;
        let due = self.again || retry || now.since(record.ended) >= LOOK_THROUGH_EVERY;
        if record.cursor.is_empty() && !changed && !asked && !due {
            return Ok(Step::Idle(LOOK_EVERY));
        }
        if changed {
            // What was passed may stand wrong by now.
            record.cursor.clear();
        }
        self.figures.finish(false);
        let cursor = self.passes.begin(&self.figures, now, &goal);
        let step = self.ground.upkeep.convert(&cursor).await?;
        self.figures.done(step.versions, step.bytes);
        self.figures.passed(step.looked_at.saturating_sub(step.versions));
        self.figures.acted([
            ("looked_at", step.looked_at),
            ("converted", step.versions),
            ("changed_meanwhile", step.changed),
        ]);
        self.passes.left().waiting += step.problems.len() as u64 + step.changed;
        self.converted += step.versions;
        for (about, why) in step.problems {
            self.passes.left().problem(about, why);
        }
        if let Some(left) = self.passes.advance(&self.ground, &self.figures, step.next).await? {
            self.left = left;
            self.again = std::mem::take(&mut self.converted) > 0;
            self.again_at = self.ground.clock.elapsed() + AGAIN_AFTER;
            self.figures.finish(left == 0 && !self.again);
        }
        Ok(Step::More)
    }
}
