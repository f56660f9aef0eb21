//! Background jobs: they iterate and pace; what a step means is `objects`'.
//!
//! Each job is a [`Worker`] of short steps that can end anywhere. Whether it is paused and how busy it
//! may be are dynamic settings, asked before each step and followed at once.
//!
//! # Truth
//! What a status says is left is read when it is asked for, from what the catalog counts; what is not counted is not
//! known, and is not guessed. A job has finished only once it has proved that nothing is left.

mod access_logs;
mod attach_shards;
mod backlog;
mod catalog_backup;
mod compact;
mod convert;
mod drain;
mod figures;
mod heal;
mod lifecycle;
mod orphans;
mod passes;
mod progress;
mod rebalance;
mod rebuild;
mod reclaim;
mod reconcile;
mod scrub;
mod stale_uploads;
mod steered;
mod trim_events;
mod work;

pub use figures::{Figures, JobProblem, JobState, JobStatus, Remaining, Speed};

use cofre_blobs::{Blobs, BlobsError, Topology};
use cofre_catalog::records::RecordError;
use cofre_catalog::{Store, StoreError};
use cofre_events::EventLog;
use cofre_objects::{Error, Upkeep};
use cofre_runtime::{Clock, Pace, Shutdown, Task, Worker, WorkerHandle, run_worker};
use cofre_settings::{DynamicSettings, JobName};
use figures::JobFigures;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use steered::Steered;

/// Why a step of a job failed. It is tried again after a rest.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The blobs could not be kept.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// The catalog failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record does not decode.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The domain could not do it.
    #[error(transparent)]
    Domain(#[from] Error),
    /// The topology could not be read.
    #[error(transparent)]
    Topology(#[from] cofre_blobs::TopologyError),
    /// The event log could not be trimmed.
    #[error(transparent)]
    Events(#[from] cofre_events::EventsError),
}

/// What jobs stand on. Cloning is cheap.
#[derive(Clone)]
pub struct Ground {
    /// The upkeep of the domain.
    pub upkeep: Upkeep,
    /// The blobs.
    pub blobs: Blobs,
    /// The shards there are.
    pub topology: Topology,
    /// The catalog.
    pub store: Arc<dyn Store>,
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
pub struct JobsControl(Arc<Running>);

#[derive(Default)]
struct Running {
    jobs: Vec<(JobName, WorkerHandle, JobFigures)>,
    ground: OnceLock<Ground>,
}

impl Jobs {
    /// Starts every job. They end with `shutdown`, each after the step that is under way.
    pub fn start(ground: &Ground, shutdown: &Shutdown) -> Self {
        let mut jobs =
            Starting { ground: ground.clone(), shutdown: shutdown.clone(), jobs: Vec::new(), tasks: Vec::new() };
        jobs.run(JobName::Orphans, orphans::FindOrphans::new);
        let search = jobs.asking(JobName::Orphans);
        let heal = jobs.run(JobName::Heal, |ground, figures| heal::Heal::new(ground, figures, search));
        jobs.run(JobName::Rebuild, |ground, figures| rebuild::Rebuild::new(ground, figures, heal.clone()));
        jobs.run(JobName::Reconcile, |ground, figures| reconcile::Reconcile::new(ground, figures, heal.clone()));
        jobs.run(JobName::Reclaim, reclaim::Reclaim::new);
        jobs.run(JobName::Compact, compact::Compact::new);
        jobs.run(JobName::Convert, convert::Convert::new);
        jobs.run(JobName::Drain, drain::Relocate::new);
        jobs.run(JobName::Rebalance, rebalance::Rebalance::new);
        jobs.run(JobName::Scrub, scrub::Scrub::new);
        jobs.run(JobName::StaleUploads, stale_uploads::StaleUploads::new);
        jobs.run(JobName::Lifecycle, lifecycle::ApplyLifecycle::new);
        jobs.run(JobName::TrimEvents, trim_events::TrimEvents::new);
        jobs.run(JobName::AttachShards, attach_shards::AttachMissing::new);
        jobs.run(JobName::CatalogBackup, catalog_backup::BackUpCatalog::new);
        jobs.run(JobName::AccessLogs, access_logs::DeliverAccessLogs::new);
        let Starting { jobs, mut tasks, .. } = jobs;
        tasks.push(heal::queue_reports(ground.blobs.clone(), heal, shutdown.clone()));
        let lines = access_logs::write_lines(ground.upkeep.clone(), ground.clock.clone(), shutdown.clone());
        tasks.push(cofre_runtime::spawn(lines));
        tasks.push(steered::follow_settings(ground, jobs.clone(), shutdown.clone()));
        Self { control: JobsControl(Arc::new(Running { jobs, ground: ground.clone().into() })), tasks }
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
    ground: Ground,
    shutdown: Shutdown,
    jobs: Vec<(JobName, WorkerHandle, JobFigures)>,
    tasks: Vec<Task<()>>,
}

impl Starting {
    /// A way to have a job that was started begin a pass.
    fn asking(&self, name: JobName) -> Option<Asking> {
        let (_, handle, figures) = self.jobs.iter().find(|(job, ..)| *job == name)?;
        Some(Asking { handle: handle.clone(), figures: figures.clone() })
    }

    fn run<W: Worker<Error = JobError>>(
        &mut self,
        name: JobName,
        make: impl FnOnce(Ground, JobFigures) -> W,
    ) -> WorkerHandle {
        let rest = match name {
            JobName::Convert => convert::AGAIN_AFTER,
            JobName::StaleUploads => stale_uploads::LOOK_EVERY,
            _ => Duration::ZERO,
        };
        let figures = JobFigures::new(self.ground.clock.clone(), rest);
        let job = make(self.ground.clone(), figures.clone());
        let worker = Steered { job, name, ground: self.ground.clone(), figures: figures.clone() };
        let (handle, task) = run_worker(worker, self.ground.clock.clone(), self.shutdown.clone());
        self.jobs.push((name, handle.clone(), figures));
        self.tasks.push(task);
        handle
    }
}

/// A way to have another job begin a pass now.
pub(crate) struct Asking {
    handle: WorkerHandle,
    figures: JobFigures,
}

impl Asking {
    pub(crate) fn ask(&self) {
        self.figures.ask();
        self.handle.wake();
    }
}

impl JobsControl {
    /// What each job is doing, with what is left as it was last read: for metrics and what must not wait.
    pub fn status(&self) -> Vec<JobStatus> {
        self.0.jobs.iter().map(|(name, handle, figures)| self.status_of(*name, handle, figures)).collect()
    }

    /// What each job is doing, with what is left as it is now. What cannot be read is not known.
    pub async fn report(&self) -> Vec<JobStatus> {
        let mut reports = Vec::with_capacity(self.0.jobs.len());
        for (name, _, _) in &self.0.jobs {
            reports.extend(self.report_of(*name).await);
        }
        reports
    }

    /// As [`JobsControl::report`], for one job; `None` if there is no such job.
    pub async fn report_of(&self, name: JobName) -> Option<JobStatus> {
        let (_, handle, figures) = self.0.jobs.iter().find(|(job, ..)| *job == name)?;
        let ground = self.0.ground.get()?;
        let remaining = backlog::remaining(name, ground, &figures.get()).await.unwrap_or_else(|error| {
            tracing::warn!(job = name.as_str(), %error, "what is left for a job to do could not be read");
            Remaining::default()
        });
        figures.note_remaining(remaining);
        Some(self.status_of(name, handle, figures))
    }

    /// A pause holds from the moment that the settings say so, not from the job's next step.
    fn status_of(&self, name: JobName, handle: &WorkerHandle, figures: &JobFigures) -> JobStatus {
        if let Some(ground) = self.0.ground.get() {
            figures.set_paused(ground.settings.current().jobs.of(name).paused);
        }
        figures.status(name.as_str(), handle.status())
    }

    /// Ends a job's rest: it looks for work at once.
    pub fn wake(&self, name: JobName) {
        if let Some((_, handle, _)) = self.0.jobs.iter().find(|(job, ..)| *job == name) {
            handle.wake();
        }
    }

    /// Ends a job's rest, and has one that makes passes begin the next one at once though it is not due. A job that
    /// is paused begins once it is no longer.
    pub fn run(&self, name: JobName) {
        if let Some((_, handle, figures)) = self.0.jobs.iter().find(|(job, ..)| *job == name) {
            figures.ask();
            handle.wake();
        }
    }
}
