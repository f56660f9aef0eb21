use crate::figures::JobFigures;
use crate::passes::Passes;
use crate::{Ground, JobError};
use cofre_blobs::Reconciling;
use cofre_catalog::records::ShardMode;
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
    figures: JobFigures,
    heal: WorkerHandle,
    passes: Passes,
}

impl Reconcile {
    pub(crate) fn new(ground: Ground, figures: JobFigures, heal: WorkerHandle) -> Self {
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
        let Some(view) = views.iter().find(|view| view.record.mode == ShardMode::Returning) else {
            self.figures.finish(true);
            return Ok(Step::Idle(LOOK_EVERY));
        };
        self.figures.finish(false);
        let (shard, revision) = (view.record.id, view.revision);
        // One that was given up again meanwhile has let go of more since: a pass counts for one return.
        let goal = [&shard.0.to_be_bytes()[..], &revision.to_be_bytes()].concat();
        let record = self.passes.record(&self.ground, &self.figures).await?;
        if record.goal != goal {
            record.cursor.clear();
        }
        let cursor = self.passes.begin(&self.figures, Timestamp(self.ground.clock.now_nanos()), &goal);
        let step = self.ground.blobs.reconcile(shard, Reconciling::decode(&cursor)).await?;
        self.figures.done(step.good, step.bytes);
        self.figures.acted([("good", step.good), ("taken_back", step.taken_back), ("bad", step.bad)]);
        let seen = self.passes.record(&self.ground, &self.figures).await?.on_shard(shard);
        seen.copies += step.good;
        seen.bytes += step.bytes;
        seen.bad += step.bad;
        seen.unreachable += step.unreachable;
        // As the record has it: what was unreachable before a restart is as unknown as what is now.
        let unknown = seen.unreachable;
        self.passes.left().waiting += step.unreachable;
        if step.unreachable > 0 {
            self.passes.left().problem(format!("shard {shard}"), "some of its copies could not be read");
        }
        let next = step.next.map(Reconciling::encode);
        match self.passes.advance(&self.ground, &self.figures, next).await? {
            None => Ok(Step::More),
            Some(0) if unknown == 0 => self.end(shard, revision).await,
            Some(_) => Ok(Step::Idle(AGAIN_AFTER)),
        }
    }
}

impl Reconcile {
    async fn end(&self, shard: ShardId, revision: u64) -> Result<Step, JobError> {
        self.ground.topology.note_reconciled(shard, revision, "job reconcile").await?;
        self.heal.wake();
        Ok(Step::More)
    }
}
