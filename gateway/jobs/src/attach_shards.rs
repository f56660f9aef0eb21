use crate::figures::{JobFigures, Left};
use crate::{Ground, JobError};
use cofre_blobs::ShardView;
use cofre_catalog::records::ShardMode;
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::ShardId;
use std::collections::HashMap;
use std::time::Duration;

/// How often to look at shards: a disk that comes back is taken in by itself.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Who gives shards up and takes them back, in events.
const ACTOR: &str = "job attach-shards";

/// Opens shards that were away, looks whether the others answer, and gives up those that are away too long.
pub(crate) struct AttachMissing {
    ground: Ground,
    figures: JobFigures,
    /// Since when shards are away, by the clock's `elapsed`. A restart begins anew: rather too late than too soon.
    away: HashMap<ShardId, Duration>,
}

impl AttachMissing {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, away: HashMap::new() }
    }

    /// Gives up what is away too long, unless so much is away that it cannot be single disks that died.
    async fn give_up(&mut self, views: &[ShardView], left: &mut Left) -> Result<(), JobError> {
        let after = Duration::from_secs(self.ground.settings.current().repair.dead_after_secs);
        let now = self.ground.clock.elapsed();
        self.away.retain(|id, _| views.iter().any(|view| view.record.id == *id && !view.readable()));
        let counts = || views.iter().filter(|view| !view.record.mode.is_given_up());
        let many = counts().filter(|view| !view.readable()).count() * 2 >= counts().count();
        for view in counts().filter(|view| !view.readable()) {
            let id = view.record.id;
            let since = *self.away.entry(id).or_insert(now);
            left.waiting += 1;
            left.problem(format!("shard {id}"), format!("away for {} s", now.saturating_sub(since).as_secs()));
            if after.is_zero() || now.saturating_sub(since) < after {
                continue;
            }
            if many {
                left.problem(format!("shard {id}"), "not given up by itself: half of the shards or more are away");
                continue;
            }
            tracing::warn!(shard = %id, "a shard was away for too long: what it held is made anew elsewhere");
            self.ground.topology.give_up(id, true, ACTOR).await?;
            self.figures.acted([("given_up", 1)]);
        }
        Ok(())
    }

    /// Takes back what was given up by itself and answers.
    async fn take_back(&self, views: &[ShardView], left: &mut Left) -> Result<(), JobError> {
        let back = views.iter().filter(|view| view.record.mode == ShardMode::Lost && view.readable());
        for id in back.map(|view| view.record.id) {
            match self.ground.topology.take_back(id, ACTOR).await {
                Ok(()) => self.figures.acted([("taken_back", 1)]),
                Err(error) => left.problem(format!("shard {id}"), error),
            }
        }
        Ok(())
    }
}

impl Worker for AttachMissing {
    type Error = JobError;

    fn name(&self) -> &'static str {
        JobName::AttachShards.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        self.figures.begin_pass();
        self.ground.topology.attach_missing().await?;
        let views = self.ground.topology.list().await?;
        let mut left = Left::default();
        self.give_up(&views, &mut left).await?;
        self.take_back(&views, &mut left).await?;
        self.figures.finish(left.waiting == 0);
        self.figures.end_pass(left);
        Ok(Step::Idle(LOOK_EVERY))
    }
}
