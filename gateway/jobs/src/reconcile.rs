use crate::figures::Shared;
use crate::passes::Passes;
use crate::{Ground, JobError};
use cofre_catalog::records::ShardMode;
use cofre_objects::Reconciling;
use cofre_runtime::{Pace, Step, Worker, WorkerHandle};
use cofre_settings::JobName;
use cofre_types::{ShardId, Timestamp};
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: JobName = JobName::Reconcile;

/// How often to look for shards that came back.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long to wait before another pass over a shard of which not everything could be read.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Holds shards that came back against the catalog: what is on them is read before it counts, and before anything
/// on them is deleted.
pub(crate) struct Reconcile {
    ground: Ground,
    figures: Shared,
    heal: WorkerHandle,
    passes: Passes,
}

impl Reconcile {
    pub(crate) fn new(ground: Ground, figures: Shared, heal: WorkerHandle) -> Self {
        Self { ground, figures, heal, passes: Passes::new(NAME.as_str()) }
    }
}

impl Worker for Reconcile {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let views = self.ground.topology.list().await?;
        let mut returning = views.iter().map(|view| &view.record).filter(|record| record.mode == ShardMode::Returning);
        let Some(shard) = returning.next().map(|record| record.id) else {
            self.figures.finish(true);
            return Ok(Step::Idle(LOOK_EVERY));
        };
        self.figures.finish(false);
        let goal = shard.0.to_be_bytes();
        let record = self.passes.record(&self.ground, &self.figures).await?;
        if record.goal != goal {
            record.cursor.clear();
        }
        let cursor = self.passes.begin(&self.figures, Timestamp(self.ground.clock.now_nanos()), &goal);
        let step = self.ground.objects.reconcile(shard, Reconciling::decode(&cursor)).await?;
        self.figures.done(step.good, step.bytes);
        self.figures.acted([("good", step.good), ("taken_back", step.taken_back), ("bad", step.bad)]);
        let seen = self.passes.record(&self.ground, &self.figures).await?.on_shard(shard);
        seen.copies += step.good;
        seen.bytes += step.bytes;
        seen.bad += step.bad;
        seen.unreachable += step.unreachable;
        self.passes.left().waiting += step.unreachable;
        if step.unreachable > 0 {
            self.passes.left().problem(format!("shard {shard}"), "some of its copies could not be read");
        }
        let next = step.next.map(Reconciling::encode);
        match self.passes.advance(&self.ground, &self.figures, next).await? {
            None => Ok(Step::More),
            Some(0) => self.end(shard).await,
            Some(_) => Ok(Step::Idle(AGAIN_AFTER)),
        }
    }
}

impl Reconcile {
    async fn end(&self, shard: ShardId) -> Result<Step, JobError> {
        self.ground.topology.note_reconciled(shard, "job reconcile").await?;
        self.heal.wake();
        Ok(Step::More)
    }
}
