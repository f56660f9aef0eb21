use crate::figures::{Left, Shared};
use crate::{Ground, JobError};
use cofre_catalog::records::ShardMode;
use cofre_runtime::{Pace, Step, Worker};
use cofre_types::{BlobId, ShardId};
use std::time::Duration;

/// How often to look for shards that drain.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long to wait before a pass over what could not be moved.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Drains shards: moves their copies elsewhere, pass after pass, until nothing is on them.
pub(crate) struct Relocate {
    ground: Ground,
    figures: Shared,
    pass: Option<(ShardId, Option<BlobId>)>,
    left: Left,
}

impl Relocate {
    pub(crate) fn new(ground: Ground, figures: Shared) -> Self {
        Self { ground, figures, pass: None, left: Left::default() }
    }

    /// The next shard that drains and still holds copies, after the one that was last.
    async fn next_shard(&self, last: Option<ShardId>) -> Result<Option<ShardId>, JobError> {
        let shards = self.ground.topology.list().await?;
        let draining = shards.into_iter().filter(|shard| shard.record.mode == ShardMode::Draining);
        let mut draining: Vec<_> = draining.map(|shard| shard.record.id).collect();
        draining.sort_by_key(|id| (Some(*id) <= last, *id));
        for id in draining {
            if self.ground.topology.holdings(id).await?.blobs > 0 {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

impl Worker for Relocate {
    type Error = JobError;

    fn name(&self) -> &'static str {
        "drain"
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let (shard, after) = match self.pass {
            Some(pass) => pass,
            None => match self.next_shard(None).await? {
                Some(shard) => (shard, None),
                None => return Ok(Step::Idle(LOOK_EVERY)),
            },
        };
        let moved = self.ground.objects.relocate(shard, after).await?;
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
            // Copies that wait to be deleted count as held: reclaiming takes them.
            (Some(_), _) => Step::Idle(LOOK_EVERY),
        })
    }
}
