use crate::figures::JobFigures;
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Shutdown, Step, Task, Worker, WorkerHandle, spawn};
use cofre_settings::JobName;
use std::time::Duration;

/// How long a paused job rests; a change of the settings ends it.
const PAUSED_REST: Duration = Duration::from_secs(3_600);

/// A job under its pause and pace of the dynamic settings.
pub(crate) struct Steered<W> {
    pub job: W,
    pub name: JobName,
    pub ground: Ground,
    pub figures: JobFigures,
}

impl<W: Worker<Error = JobError>> Worker for Steered<W> {
    type Error = JobError;

    fn name(&self) -> &'static str {
        self.name.as_str()
    }

    fn pace(&self) -> Pace {
        let own = self.ground.settings.current().jobs.of(self.name).busy_share;
        own.map_or_else(|| self.job.pace(), Pace::share)
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let paused = self.ground.settings.current().jobs.of(self.name).paused;
        self.figures.set_paused(paused);
        if paused {
            return Ok(Step::Idle(PAUSED_REST));
        }
        self.figures.begin_step();
        let outcome = self.job.step().await;
        self.figures.end_step(matches!(outcome, Ok(Step::More)), outcome.is_err());
        outcome
    }
}

/// Ends the rest of each job whose settings change, so that pause, end of pause and pace hold at once.
pub(crate) fn follow_settings(
    ground: &Ground,
    jobs: Vec<(JobName, WorkerHandle, JobFigures)>,
    shutdown: Shutdown,
) -> Task<()> {
    let mut changes = ground.settings.subscribe();
    spawn(async move {
        let mut before = changes.borrow_and_update().settings.jobs;
        loop {
            tokio::select! {
                () = shutdown.begun() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
            let now = changes.borrow_and_update().settings.jobs;
            for (name, handle, figures) in &jobs {
                if now.of(*name) != before.of(*name) {
                    figures.set_paused(now.of(*name).paused);
                    handle.wake();
                }
            }
            before = now;
        }
    })
}
