//! Background jobs: they iterate and pace; what a step means is `objects`'.
//!
//! Each job is a [`Worker`] of short steps that can end anywhere. How busy a
//! job may be is a dynamic setting, asked before each step.

mod access_logs;
mod events;
mod figures;
mod heal;
mod lifecycle;
mod orphans;
mod reclaim;
mod relocate;
mod scrub;
mod topology;
mod uploads;

pub use figures::{Figures, JobStatus};

use cofre_events::EventLog;
use cofre_objects::{Error, Objects, Topology};
use cofre_runtime::{Clock, Pace, Shutdown, Task, Worker, WorkerHandle, run_worker};
use cofre_settings::DynamicSettings;
use figures::Shared;
use std::sync::Arc;
use std::time::Duration;

/// Why a step of a job failed. It is tried again after a rest.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The domain could not do it.
    #[error(transparent)]
    Domain(#[from] Error),
    /// The topology could not be read.
    #[error(transparent)]
    Topology(#[from] cofre_objects::TopologyError),
    /// The event log could not be trimmed.
    #[error(transparent)]
    Events(#[from] cofre_events::EventsError),
}

/// What jobs stand on. Cloning is cheap.
#[derive(Clone)]
pub struct Ground {
    /// The domain.
    pub objects: Objects,
    /// The shards there are.
    pub topology: Topology,
    /// The event log.
    pub events: EventLog,
    /// The dynamic settings.
    pub settings: DynamicSettings,
    /// The clock.
    pub clock: Clock,
}

impl Ground {
    fn pace(&self) -> Pace {
        Pace::share(self.settings.current().timers.job_busy_share)
    }
}

/// The running jobs.
pub struct Jobs {
    control: JobsControl,
    tasks: Vec<Task<()>>,
}

/// What can be asked of the running jobs. Cloning is cheap.
#[derive(Clone, Default)]
pub struct JobsControl(Arc<Vec<(WorkerHandle, Shared)>>);

impl Jobs {
    /// Starts every job. They end with `shutdown`, each after the step that is under way.
    pub fn start(ground: &Ground, shutdown: &Shutdown) -> Self {
        let mut jobs = Starting { jobs: Vec::new(), tasks: Vec::new() };
        jobs.run(ground, shutdown, |figures| reclaim::Reclaim::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| relocate::Relocate::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| scrub::Scrub::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| orphans::FindOrphans::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| uploads::StaleUploads::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| lifecycle::ApplyLifecycle::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| events::TrimEvents::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| topology::AttachMissing::new(ground.clone(), figures));
        jobs.run(ground, shutdown, |figures| access_logs::DeliverAccessLogs::new(ground.clone(), figures));
        let lines = access_logs::write_lines(ground.objects.clone(), ground.clock.clone(), shutdown.clone());
        jobs.tasks.push(cofre_runtime::spawn(lines));
        let heal = jobs.run(ground, shutdown, |figures| heal::Heal::new(ground.clone(), figures));
        jobs.tasks.push(heal::queue_reports(ground.objects.clone(), heal, shutdown.clone()));
        Self { control: JobsControl(Arc::new(jobs.jobs)), tasks: jobs.tasks }
    }

    /// What can be asked of them.
    pub fn control(&self) -> JobsControl {
        self.control.clone()
    }

    /// Waits until every job has ended, after shutdown has begun; at most `grace`.
    pub async fn ended(self, grace: Duration) {
        let all = async {
            for task in self.tasks {
                if task.await.is_err() {
                    tracing::error!("a job panicked");
                }
            }
        };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("a job did not end in time; its step is left, and done anew at the next start");
        }
    }
}

/// Jobs that are being started.
struct Starting {
    jobs: Vec<(WorkerHandle, Shared)>,
    tasks: Vec<Task<()>>,
}

impl Starting {
    fn run<W: Worker>(&mut self, ground: &Ground, shutdown: &Shutdown, make: impl FnOnce(Shared) -> W) -> WorkerHandle {
        let figures = Shared::default();
        let worker = make(figures.clone());
        let (handle, task) = run_worker(worker, ground.clock.clone(), shutdown.clone());
        self.jobs.push((handle.clone(), figures));
        self.tasks.push(task);
        handle
    }
}

impl JobsControl {
    /// What each job is doing.
    pub fn status(&self) -> Vec<JobStatus> {
        let status = |(handle, figures): &(WorkerHandle, Shared)| JobStatus {
            name: handle.name(),
            worker: handle.status(),
            figures: figures.get(),
        };
        self.0.iter().map(status).collect()
    }

    /// Ends a job's rest; false if there is no such job.
    pub fn wake(&self, name: &str) -> bool {
        let found = self.0.iter().find(|(handle, _)| handle.name() == name);
        found.inspect(|(handle, _)| handle.wake()).is_some()
    }
}
