use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_catalog::records::ShardMode;
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::BlobId;
use std::time::Duration;

/// How often to look whether the fill of shards is too far apart.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long to wait after a pass in which no copy could move.
const AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Moves copies from fuller shards to emptier ones, once their fill is further apart than the settings say and until it
/// is half as far: when a shard is added, say.
pub(crate) struct Rebalance {
    ground: Ground,
    figures: JobFigures,
    /// Where the pass under way is.
    pass: Option<Option<BlobId>>,
    /// Copies that the pass has moved.
    moved: u64,
    left: Left,
}

impl Rebalance {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, pass: None, moved: 0, left: Left::default() }
    }

    /// Whether a shard is to be emptied or made anew first: what moves to and fro meanwhile would move twice.
    async fn others_move(&self) -> Result<bool, JobError> {
        for shard in self.ground.topology.list().await? {
            let moves = shard.record.mode == ShardMode::Draining || shard.record.mode.is_given_up();
            if moves && self.ground.topology.holdings(shard.record.id).await?.blobs > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Worker for Rebalance {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::Rebalance.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let band = self.ground.settings.current().repair.rebalance_spread;
        let spread = self.ground.blobs.imbalance().await?.spread;
        let asked = self.figures.take_asked();
        if self.pass.is_none() {
            self.figures.finish(spread <= band);
            let begins = spread > band || (asked && spread > band / 2.0);
            if !begins || self.others_move().await? {
                return Ok(Step::Idle(LOOK_EVERY));
            }
            self.figures.begin_pass();
            self.moved = 0;
        }
        let after = self.pass.take().flatten();
        let step = self.ground.blobs.rebalance(after).await?;
        self.figures.done(step.moved.blobs, step.moved.bytes);
        self.moved += step.moved.blobs;
        self.left.waiting += step.moved.failed;
        if let Some(why) = step.moved.last_error {
            self.left.problem("a copy", why);
        }
        let spread = self.ground.blobs.imbalance().await?.spread;
        let enough = spread <= band / 2.0;
        if let Some(next) = step.moved.next.filter(|_| !enough) {
            self.pass = Some(Some(next));
            return Ok(Step::More);
        }
        if !enough && self.moved == 0 {
            let why = format!("a spread of {spread:.4} stays: no copy may move without sharing a failure domain");
            self.left.problem("shards", why);
        }
        self.figures.end_pass(std::mem::take(&mut self.left));
        self.figures.finish(spread <= band);
        Ok(match (enough, self.moved) {
            (true, _) => Step::Idle(LOOK_EVERY),
            (false, 0) => Step::Idle(AGAIN_AFTER),
            (false, _) => Step::More,
        })
    }
}
