use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_blobs::DrainState;
use cofre_catalog::records::ShardMode;
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::{BlobId, ShardId};
use std::time::Duration;

/// How often to look for shards that drain.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long to wait before a pass over what could not be moved.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Drains shards: moves their copies elsewhere, pass after pass, until nothing is on them.
pub(crate) struct Relocate {
    ground: Ground,
    figures: JobFigures,
    pass: Option<(ShardId, Option<BlobId>)>,
    left: Left,
}

impl Relocate {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, pass: None, left: Left::default() }
    }

    /// The next shard that drains and still holds copies, after the one that was last. Those that hold none are
    /// proved empty on the way.
    async fn next_shard(&mut self, last: Option<ShardId>) -> Result<Option<ShardId>, JobError> {
        let shards = self.ground.topology.list().await?;
        let draining = shards.into_iter().filter(|shard| shard.record.mode == ShardMode::Draining);
        let mut draining: Vec<_> = draining.map(|shard| shard.record.id).collect();
        draining.sort_by_key(|id| (Some(*id) <= last, *id));
        for id in draining {
            let progress = self.ground.topology.drain_progress(id).await?;
            if progress.remaining.blobs > 0 {
                return Ok(Some(id));
            }
            if progress.state != DrainState::Drained {
                self.prove_empty(id).await?;
            }
        }
        Ok(None)
    }

    /// Deletes what waits to be deleted on a shard that no record names, and looks whether it lists anything.
    async fn prove_empty(&mut self, shard: ShardId) -> Result<(), JobError> {
        match self.ground.blobs.is_empty(shard).await {
            Ok(true) => self.ground.topology.note_lists_none(shard).await?,
            Ok(false) => self.left.problem(format!("shard {shard}"), "no record names what it still lists"),
            Err(error) => self.left.problem(format!("shard {shard}"), error),
        }
        Ok(())
    }
}

impl Worker for Relocate {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Drain.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        // A drain that was cancelled, or whose shard is gone, ends in the middle of its pass.
        let shards = self.ground.topology.list().await?;
        let drains = |shard: ShardId| {
            shards.iter().any(|view| view.record.id == shard && view.record.mode == ShardMode::Draining)
        };
        let (shard, after) = match self.pass.take().filter(|(shard, _)| drains(*shard)) {
            Some(pass) => pass,
            None => match self.next_shard(None).await? {
                Some(shard) => {
                    self.figures.begin_pass();
                    (shard, None)
                }
                None => {
                    self.figures.finish(self.left.problems.is_empty());
                    self.left = Left::default();
                    return Ok(Step::Idle(LOOK_EVERY));
                }
            },
        };
        self.figures.finish(false);
        let moved = self.ground.blobs.relocate(shard, after).await?;
        self.figures.done(moved.blobs, moved.bytes);
        self.left.waiting += moved.failed;
        if let Some(why) = moved.last_error {
            self.left.problem(format!("shard {shard}"), why);
        }
        if moved.next.is_some() {
            self.pass = Some((shard, moved.next));
            return Ok(Step::More);
        }
        let stuck = self.left.waiting > 0;
        self.figures.end_pass(std::mem::take(&mut self.left));
        self.pass = self.next_shard(Some(shard)).await?.map(|next| (next, None));
        Ok(match (self.pass, stuck) {
            (None, _) => Step::Idle(LOOK_EVERY),
            (Some((next, _)), true) if next == shard => Step::Idle(AGAIN_AFTER),
            (Some(_), _) => Step::Idle(LOOK_EVERY),
        })
    }
}
