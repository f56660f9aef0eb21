use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_catalog::records::JobRecord;
use cofre_types::Timestamp;

/// Steps between two notes of how far a pass is: what a restart does anew at the most.
const STEPS_PER_NOTE: u64 = 64;

/// The passes of a job over everything, kept in the catalog so that a restart goes on.
pub(crate) struct Passes {
    name: &'static str,
    record: Option<JobRecord>,
    steps: u64,
    left: Left,
}

impl Passes {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, record: None, steps: 0, left: Left::default() }
    }

    /// How far the pass is; read from the catalog the first time.
    pub(crate) async fn record(&mut self, ground: &Ground, figures: &JobFigures) -> Result<&mut JobRecord, JobError> {
        let record = match self.record.take() {
            Some(record) => record,
            None => {
                let record = ground.job_progress(self.name).await?;
                figures.show(&record);
                record
            }
        };
        Ok(self.record.insert(record))
    }

    /// Begins a pass, unless one is under way. Gives where it goes on.
    pub(crate) fn begin(&mut self, figures: &JobFigures, now: Timestamp, goal: &[u8]) -> Vec<u8> {
        let record = self.record.get_or_insert_default();
        if record.cursor.is_empty() {
            let ended = record.ended;
            *record = JobRecord { began: now, ended, goal: goal.to_vec(), ..JobRecord::default() };
            self.left = Left::default();
            figures.show(record);
        }
        record.cursor.clone()
    }

    /// What the pass leaves over.
    pub(crate) const fn left(&mut self) -> &mut Left {
        &mut self.left
    }

    /// Ends a step: the pass goes on at `next`, or has ended if that is absent. Gives what it left over then.
    pub(crate) async fn advance(
        &mut self,
        ground: &Ground,
        figures: &JobFigures,
        next: Option<Vec<u8>>,
    ) -> Result<Option<u64>, JobError> {
        let record = self.record.get_or_insert_default();
        let ended = next.is_none();
        record.cursor = next.unwrap_or_default();
        if ended {
            record.ended = Timestamp(ground.clock.now_nanos());
        }
        figures.show(record);
        self.steps += 1;
        let noted = if ended || self.steps.is_multiple_of(STEPS_PER_NOTE) {
            ground.note_job_progress(self.name, record).await
        } else {
            Ok(())
        };
        if !ended {
            noted?;
            return Ok(None);
        }
        let waiting = self.left.waiting;
        figures.end_pass(std::mem::take(&mut self.left));
        noted?;
        Ok(Some(waiting))
    }
}

/// Whether a pass is under way, or none has ended yet.
pub(crate) fn is_due(record: &JobRecord) -> bool {
    !record.cursor.is_empty() || record.ended == Timestamp::default()
}
