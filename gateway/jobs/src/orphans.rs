use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::ShardId;
use std::time::Duration;

/// How often each shard is searched. Only a crash makes orphans.
const SEARCH_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// How long after the start the first search begins: a restart has other work first.
const FIRST_SEARCH_AFTER: Duration = Duration::from_secs(60);

/// Finds copies that no record names: what a crash between a blob and its commit left.
pub(crate) struct FindOrphans {
    ground: Ground,
    figures: Shared,
    /// When the next search begins, by the clock's `elapsed`.
    due_at: Duration,
    todo: Vec<ShardId>,
    cursor: Option<Vec<u8>>,
    left: Left,
}

impl FindOrphans {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        let due_at = ground.clock.elapsed() + FIRST_SEARCH_AFTER;
        Self { ground, figures, due_at, todo: Vec::new(), cursor: None, left: Left::default() }
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
        if self.todo.is_empty() {
            let rest = self.due_at.saturating_sub(self.ground.clock.elapsed());
            if !self.figures.take_asked() && !rest.is_zero() {
                return Ok(Step::Idle(rest));
            }
            self.todo = self.ground.topology.statuses().iter().map(|status| status.id).collect();
            self.due_at = self.ground.clock.elapsed() + SEARCH_EVERY;
            self.figures.begin_pass();
        }
        let Some(shard) = self.todo.last().copied() else { return Ok(Step::Idle(SEARCH_EVERY)) };
        let grace = Duration::from_secs(self.ground.settings.current().timers.orphan_grace_secs);
        match self.ground.objects.find_orphans(shard, self.cursor.take(), grace).await {
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
