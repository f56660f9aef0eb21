use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_objects::Upkeep;
use cofre_runtime::{Clock, Pace, Shutdown, Step, Worker};
use cofre_settings::JobName;
use std::time::Duration;

/// Rest between two passes.
const REST: Duration = Duration::from_secs(1);

/// How long lines of requests that nobody waits for are gathered before they are written: what a crash
/// loses at the most.
const GATHER: Duration = Duration::from_millis(100);

/// Makes objects of the lines of server access logs that wait in the catalog, pass after pass.
pub(crate) struct DeliverAccessLogs {
    ground: Ground,
    figures: JobFigures,
    from: Vec<u8>,
    left: Left,
}

impl DeliverAccessLogs {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, from: Vec::new(), left: Left::default() }
    }
}

impl Worker for DeliverAccessLogs {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::AccessLogs.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let step = self.ground.upkeep.deliver_access_log(&self.from).await?;
        self.figures.done(step.objects, step.bytes);
        self.figures.acted([("lines_delivered", step.lines), ("lines_given_up", step.dropped)]);
        if let Some((bucket, why)) = step.problem {
            self.left.waiting += 1;
            self.left.problem(bucket, why);
        }
        self.from = step.next.unwrap_or_default();
        if self.from.is_empty() {
            self.figures.end_pass(std::mem::take(&mut self.left));
            self.figures.finish(self.ground.upkeep.access_log_backlog().await?.lines == 0);
            return Ok(Step::Idle(REST));
        }
        Ok(Step::More)
    }
}

/// Writes lines to the catalog a moment after they come, until shutdown begins. What comes later is for
/// who closes the domain.
pub(crate) async fn write_lines(upkeep: Upkeep, clock: Clock, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = upkeep.access_log().came() => {}
            () = shutdown.begun() => return,
        }
        tokio::select! {
            () = clock.sleep(GATHER) => {}
            () = shutdown.begun() => {}
        }
        upkeep.access_log().write().await;
    }
}
