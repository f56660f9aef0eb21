use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::ShardId;
use std::time::Duration;

/// How often each shard is searched. Only a crash makes orphans.
const SEARCH_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// How often to look for shards that have yet to be compared with a catalog that was restored.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How long after the start the first search begins: a restart has other work first.
const FIRST_SEARCH_AFTER: Duration = Duration::from_secs(60);

/// Finds copies that no record names: what a crash between a blob and its commit left, or what a catalog does not know
/// that was restored from a backup.
pub(crate) struct FindOrphans {
    ground: Ground,
    figures: JobFigures,
    /// When the next search begins, by the clock's `elapsed`.
    due_at: Duration,
    /// No look for shards that are to be compared before this, by the clock's `elapsed`.
    compared_until: Option<Duration>,
    todo: Vec<ShardId>,
    cursor: Option<Vec<u8>>,
    left: Left,
}

impl FindOrphans {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        let due_at = ground.clock.elapsed() + FIRST_SEARCH_AFTER;
        let (compared_until, todo, cursor) = Default::default();
        Self { ground, figures, due_at, compared_until, todo, cursor, left: Left::default() }
    }
}

impl FindOrphans {
    /// Does a step with a shard that has yet to be compared with a catalog that was restored; `None` if there is none that
    /// answers. That goes first: until then nothing is deleted from the shard, and what moved may be out of reach.
    async fn compare(&mut self) -> Result<Option<Step>, JobError> {
        if self.compared_until.is_some_and(|until| self.ground.clock.elapsed() < until) {
            return Ok(None);
        }
        for status in self.ground.topology.statuses() {
            if !self.ground.blobs.is_uncompared(status.id).await? {
                continue;
            }
            match self.ground.blobs.compare(status.id).await {
                Ok(step) => {
                    self.figures.passed(step.seen);
                    let (named, unknown) = (("named", step.named), ("unknown", step.unknown));
                    self.figures.acted([("compared", step.seen), named, unknown]);
                    return Ok(Some(Step::More));
                }
                Err(error) => tracing::debug!(shard = %status.id, %error, "a shard could not be compared now"),
            }
        }
        self.compared_until = Some(self.ground.clock.elapsed() + LOOK_EVERY);
        Ok(None)
    }
}

impl Worker for FindOrphans {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Orphans.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        if let Some(step) = self.compare().await? {
            return Ok(step);
        }
        if self.todo.is_empty() {
            let rest = self.due_at.saturating_sub(self.ground.clock.elapsed());
            if !self.figures.take_asked() && !rest.is_zero() {
                return Ok(Step::Idle(rest.min(LOOK_EVERY)));
            }
            self.todo = self.ground.topology.statuses().iter().map(|status| status.id).collect();
            self.due_at = self.ground.clock.elapsed() + SEARCH_EVERY;
            self.figures.begin_pass();
            for shard in &self.todo {
                // Its disk may give by now what it did not.
                self.ground.blobs.compare_anew(*shard).await?;
            }
            self.compared_until = None;
            return Ok(Step::More);
        }
        let Some(shard) = self.todo.last().copied() else { return Ok(Step::Idle(SEARCH_EVERY)) };
        let grace = Duration::from_secs(self.ground.settings.current().timers.orphan_grace_secs);
        match self.ground.blobs.find_orphans(shard, self.cursor.take(), grace).await {
            Ok(found) => {
                self.figures.done(found.doomed, found.bytes);
                self.figures.passed(found.seen.saturating_sub(found.doomed));
                self.figures.acted([("looked_at", found.seen), ("doomed", found.doomed), ("named", found.named)]);
                self.cursor = found.next;
            }
            Err(error) => {
                self.left.waiting += 1;
                self.left.problem(format!("shard {shard}"), error);
            }
        }
        if self.cursor.is_none() {
            self.todo.pop();
        }
        if self.todo.is_empty() {
            self.figures.finish(self.left.waiting == 0);
            self.figures.end_pass(std::mem::take(&mut self.left));
        }
        Ok(Step::More)
    }
}
