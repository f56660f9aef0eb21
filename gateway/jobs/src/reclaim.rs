use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::{BlobId, ShardId};
use std::collections::HashMap;
use std::time::Duration;

/// How often to look when nothing is due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Steps that drop references before a round goes on to delete. Deleting walks over what the catalog's engine still
/// holds of copies that were deleted before, so that many share one walk.
const DROPS_PER_ROUND_MAX: u32 = 8;

/// Gives the space of what was deleted back, in rounds: drops references whose grace is over, then deletes copies
/// that nothing names.
pub(crate) struct Reclaim {
    ground: Ground,
    figures: JobFigures,
    /// Where reclaiming is in the garbage.
    done: Option<Vec<u8>>,
    round: Option<Round>,
}

/// A round under way.
#[derive(Default)]
struct Round {
    /// Steps that dropped references.
    drops: u32,
    /// Where deleting is on each shard that has not ended; absent while references are dropped.
    deleting: Option<HashMap<ShardId, Option<BlobId>>>,
    /// Whether there may be more when it ends.
    more: bool,
    left: Left,
}

impl Reclaim {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, done: None, round: None }
    }

    /// Drops references. True once none is due, or enough are dropped, so that the round goes on to delete.
    async fn drop_references(&mut self, round: &mut Round) -> Result<bool, JobError> {
        let reclaimed = self.ground.upkeep.reclaim_garbage(&mut self.done).await?;
        self.figures.done(reclaimed.blobs, reclaimed.bytes);
        round.drops += 1;
        round.more = reclaimed.more;
        if reclaimed.more && round.drops < DROPS_PER_ROUND_MAX {
            return Ok(false);
        }
        let shards = self.ground.topology.statuses();
        round.deleting = Some(shards.into_iter().map(|shard| (shard.id, None)).collect());
        Ok(true)
    }

    /// Deletes a page of each shard that has not ended. One that is away must not keep the space of the others.
    async fn delete(&self, round: &mut Round) {
        for (shard, after) in round.deleting.take().unwrap_or_default() {
            match self.ground.blobs.delete_doomed(shard, after).await {
                Ok(deleted) => {
                    round.more |= deleted.copies > 0;
                    if let Some(next) = deleted.next {
                        round.deleting.get_or_insert_default().insert(shard, Some(next));
                    }
                }
                Err(error) => {
                    round.left.waiting += 1;
                    round.left.problem(format!("shard {shard}"), error);
                }
            }
        }
    }
}

impl Worker for Reclaim {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Reclaim.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let mut round = match self.round.take() {
            Some(round) => round,
            None => {
                self.figures.begin_pass();
                Round::default()
            }
        };
        let deletes = round.deleting.is_some() || self.drop_references(&mut round).await?;
        if deletes {
            self.delete(&mut round).await;
        }
        if !deletes || round.deleting.is_some() {
            self.round = Some(round);
            self.figures.finish(false);
            return Ok(Step::More);
        }
        let more = round.more;
        self.figures.end_pass(round.left);
        let finished = !more && self.ground.topology.is_rid_of_doomed().await?;
        self.figures.finish(finished);
        Ok(if more { Step::More } else { Step::Idle(LOOK_EVERY) })
    }
}
