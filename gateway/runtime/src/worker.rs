//! Background work as a small trait; the runner owns pacing, back-off, status and shutdown.

use crate::clock::Clock;
use crate::pace::Pace;
use crate::shutdown::Shutdown;
use crate::spawn;
use crate::spawn::Task;
use parking_lot::Mutex;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Longest rest between tries of a step that fails.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more: go on, as the pace allows.
    More,
    /// Nothing to do for this long, unless woken.
    Idle(Duration),
}

/// One background job, cut into short steps.
pub trait Worker: Send + 'static {
    /// Why a step failed.
    type Error: Display + Send;

    /// Name in logs, metrics and status: a few lower-case words with hyphens.
    fn name(&self) -> &'static str;

    /// How much of the time it may be busy, asked before each step.
    fn pace(&self) -> Pace;

    /// Does a little work. A step that fails is tried again after a rest that doubles.
    fn step(&mut self) -> impl Future<Output = Result<Step, Self::Error>> + Send;
}

/// What a worker is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Whether its last step found more to do.
    pub busy: bool,
    /// Steps that succeeded since the start.
    pub steps: u64,
    /// Steps that failed since the start.
    pub errors: u64,
    /// The last failure, until a step succeeds.
    pub last_error: Option<String>,
}

/// A running worker. Cloning is cheap; dropping it does not stop the worker.
#[derive(Debug, Clone)]
pub struct WorkerHandle {
    name: &'static str,
    status: Arc<Mutex<WorkerStatus>>,
    wake: Arc<Notify>,
}

impl WorkerHandle {
    /// The worker's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is doing now.
    pub fn status(&self) -> WorkerStatus {
        self.status.lock().clone()
    }

    /// Ends its rest.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Runs a worker until shutdown begins. The task ends after the step that is under way.
pub fn run_worker<W: Worker>(mut worker: W, clock: Clock, shutdown: Shutdown) -> (WorkerHandle, Task<()>) {
    let handle = WorkerHandle { name: worker.name(), status: Arc::default(), wake: Arc::new(Notify::new()) };
    let ours = handle.clone();
    let task = spawn(async move {
        let mut failures_in_a_row = 0;
        while !shutdown.has_begun() {
            let began = clock.elapsed();
            let outcome = worker.step().await;
            let busy = clock.elapsed().saturating_sub(began);
            let rest = ours.record(outcome, &mut failures_in_a_row, || worker.pace().rest_after(busy));
            tokio::select! {
                () = clock.sleep(rest), if !rest.is_zero() => {}
                () = ours.wake.notified(), if !rest.is_zero() => {}
                () = shutdown.begun() => {}
                () = std::future::ready(()), if rest.is_zero() => {}
            }
        }
    });
    (handle, task)
}

impl WorkerHandle {
    fn record<E: Display>(
        &self,
        outcome: Result<Step, E>,
        failures_in_a_row: &mut u32,
        rest_between: impl FnOnce() -> Duration,
    ) -> Duration {
        let mut status = self.status.lock();
        match outcome {
            Ok(step) => {
                *failures_in_a_row = 0;
                status.steps += 1;
                status.last_error = None;
                status.busy = step == Step::More;
                match step {
                    Step::More => rest_between(),
                    Step::Idle(rest) => rest,
                }
            }
            Err(error) => {
                *failures_in_a_row += 1;
                status.errors += 1;
                status.last_error = Some(error.to_string());
                tracing::warn!(worker = self.name, %error, "a step failed; it is tried again");
                Duration::from_secs(1 << (*failures_in_a_row).min(6)).min(BACKOFF_MAX)
            }
        }
    }
}
