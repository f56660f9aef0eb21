use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_blobs::Holdings;
use cofre_runtime::{Pace, Step, Worker, WorkerHandle};
use cofre_settings::JobName;
use cofre_types::{BlobId, ShardId};
use std::time::Duration;

/// How often to look for shards that were given up, and how far they are.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long after a pass the next one may begin, for what was named or taken off the queue meanwhile.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Has blobs healed that have copies on shards which were given up. What leaves those shards' records counts as done.
pub(crate) struct Rebuild {
    ground: Ground,
    figures: JobFigures,
    heal: WorkerHandle,
    pass: Option<(ShardId, Option<BlobId>)>,
    /// What records named on those shards when that was last counted.
    before: Option<Holdings>,
    /// When the next pass may begin, by the clock's `elapsed`.
    again_at: Duration,
}

impl Rebuild {
    pub(crate) fn new(ground: Ground, figures: JobFigures, heal: WorkerHandle) -> Self {
        Self { ground, figures, heal, pass: None, before: None, again_at: Duration::ZERO }
    }

    /// The shards that were given up and that records still name, with what they hold together.
    async fn left(&self) -> Result<(Vec<ShardId>, Holdings), JobError> {
        let (mut shards, mut sum) = (Vec::new(), Holdings::default());
        for shard in self.ground.topology.list().await? {
            if shard.record.mode.is_given_up() {
                let held = self.ground.topology.holdings(shard.record.id).await?;
                sum.blobs += held.blobs;
                sum.bytes += held.bytes;
                if held.blobs > 0 {
                    shards.push(shard.record.id);
                }
            }
        }
        Ok((shards, sum))
    }
}

impl Worker for Rebuild {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Rebuild.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let (shards, held) = self.left().await?;
        if let Some(before) = self.before.replace(held) {
            self.figures.done(before.blobs.saturating_sub(held.blobs), before.bytes.saturating_sub(held.bytes));
        }
        self.figures.finish(shards.is_empty());
        let (shard, after) = match self.pass.take() {
            Some((shard, after)) if shards.contains(&shard) => (shard, after),
            _ => {
                let now = self.ground.clock.elapsed();
                let Some(shard) = shards.first().copied().filter(|_| now >= self.again_at) else {
                    return Ok(Step::Idle(LOOK_EVERY));
                };
                self.figures.begin_pass();
                (shard, None)
            }
        };
        let queued = self.ground.blobs.queue_given_up(shard, after).await?;
        self.figures.acted([("queued", queued.blobs)]);
        if let Some(next) = queued.next {
            self.pass = Some((shard, Some(next)));
            return Ok(Step::More);
        }
        // The next shard, in their order; at the end all of them once more, if they still hold anything.
        self.pass = shards.iter().copied().find(|id| *id > shard).map(|id| (id, None));
        if self.pass.is_none() {
            self.again_at = self.ground.clock.elapsed() + AGAIN_AFTER;
            self.figures.end_pass(Left::default());
        }
        self.heal.wake();
        Ok(if self.pass.is_some() { Step::More } else { Step::Idle(LOOK_EVERY) })
    }
}
