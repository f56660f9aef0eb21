use crate::figures::{JobFigures, Left};
use crate::{Asking, Ground, JobError};
use cofre_blobs::{Blobs, HealCursor, WAITING_COUNTED_MAX};
use cofre_runtime::{Pace, Shutdown, Step, Task, Worker, WorkerHandle, spawn};
use cofre_settings::JobName;
use std::time::Duration;

/// How often to walk the queue. A report of a bad copy ends the rest.
const WALK_EVERY: Duration = Duration::from_secs(15);

/// How long after the search for a blob that cannot be read the next one may begin.
const SEARCH_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Makes redundancy whole again: walks the queue of blobs that are below it, and reads back what it wrote.
pub(crate) struct Heal {
    ground: Ground,
    figures: JobFigures,
    after: Option<HealCursor>,
    left: Left,
    /// The search for copies that no record names.
    search: Option<Asking>,
    /// When that may be asked again, by the clock's `elapsed`.
    search_again_at: Duration,
}

impl Heal {
    pub(crate) fn new(ground: Ground, figures: JobFigures, search: Option<Asking>) -> Self {
        Self { ground, figures, after: None, left: Left::default(), search, search_again_at: Duration::ZERO }
    }

    /// Has the shards searched for what no record names: what cannot be read may stand elsewhere.
    fn search(&mut self) {
        let now = self.ground.clock.elapsed();
        if let Some(search) = self.search.as_ref().filter(|_| now >= self.search_again_at) {
            search.ask();
            self.search_again_at = now + SEARCH_AGAIN_AFTER;
        }
    }
}

impl Worker for Heal {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Heal.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        if self.after.is_none() {
            self.figures.begin_pass();
        }
        let healed = self.ground.blobs.heal(self.after.take()).await?;
        // What was written counts once it was read back from the shards.
        for (blob, why) in self.ground.blobs.confirm(healed.healed).await? {
            match why {
                None => self.figures.done(1, 0),
                Some(why) => {
                    self.left.waiting += 1;
                    self.left.problem(format!("blob {blob}"), why);
                }
            }
        }
        self.figures.done(0, healed.bytes);
        self.left.waiting += healed.waiting;
        for why in healed.waits_for {
            self.left.problem("blobs that wait", why);
        }
        if !healed.damaged.is_empty() {
            self.search();
        }
        for damaged in healed.damaged {
            self.left.waiting += 1;
            if self.left.unreadable.len() < WAITING_COUNTED_MAX as usize {
                // The walk of a long queue may come upon one twice.
                self.left.unreadable.insert(damaged.blob);
            }
            self.left.problem(damaged.subject, damaged.why);
        }
        self.figures.note_unreadable(&self.left);
        self.after = healed.next;
        if self.after.is_some() {
            return Ok(Step::More);
        }
        let nothing_left = self.left.waiting == 0 && self.ground.topology.is_healed().await?;
        self.figures.end_pass(std::mem::take(&mut self.left));
        self.figures.finish(nothing_left);
        Ok(Step::Idle(WALK_EVERY))
    }
}

/// Queues blobs whose reads came upon a bad copy.
pub(crate) fn queue_reports(blobs: Blobs, heal: WorkerHandle, shutdown: Shutdown) -> Task<()> {
    spawn(async move {
        loop {
            let queued = tokio::select! {
                () = shutdown.begun() => return,
                queued = blobs.queue_reported() => queued,
            };
            match queued {
                Ok(true) => heal.wake(),
                Ok(false) => return,
                // Scrubbing finds it again.
                Err(error) => tracing::warn!(%error, "a bad copy was not queued to be healed"),
            }
        }
    })
}
