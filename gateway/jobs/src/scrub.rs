use crate::figures::JobFigures;
use crate::passes::{Passes, is_due};
use crate::{Ground, JobError};
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::{BlobId, Timestamp};
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: JobName = JobName::Scrub;

/// How busy scrubbing may be at the most, unless its own settings say otherwise: it reads everything,
/// and is never urgent.
const SHARE_MAX: f64 = 0.05;

/// Longest rest between two looks whether the next pass is due.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Reads every file of the catalog and every copy of every blob once in an interval, so that damage is found while
/// another copy, or a backup, is whole.
pub(crate) struct Scrub {
    ground: Ground,
    figures: JobFigures,
    passes: Passes,
    /// Where the look at the catalog's files goes on, while one is under way.
    files: Option<Vec<u8>>,
    /// Whether the pass that begins has been through them.
    catalog_checked: bool,
}

impl Scrub {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        Self { ground, figures, passes: Passes::new(NAME.as_str()), files: None, catalog_checked: false }
    }
}

impl Scrub {
    /// Checks one more file of the catalog, before the pass goes over the blobs. What is damaged reaches health by the
    /// catalog's state.
    async fn check_catalog(&mut self, after: Vec<u8>) -> Result<Step, JobError> {
        let checked = self.ground.blobs.check_catalog(after).await?;
        if let Some(what) = &checked.damage {
            self.passes.left().problem("catalog".to_owned(), what);
        }
        self.catalog_checked = checked.next.is_none();
        self.files = checked.next;
        Ok(Step::More)
    }
}

impl Worker for Scrub {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME.as_str()
    }

    fn pace(&self) -> Pace {
        Pace::share(self.ground.settings.current().timers.job_busy_share.min(SHARE_MAX))
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        if let Some(after) = self.files.take() {
            return self.check_catalog(after).await;
        }
        let now = Timestamp(self.ground.clock.now_nanos());
        let interval = Duration::from_secs(self.ground.settings.current().timers.scrub_interval_secs);
        let record = self.passes.record(&self.ground, &self.figures).await?;
        let rest = if is_due(record) { Duration::ZERO } else { interval.saturating_sub(now.since(record.began)) };
        // The look at the catalog's files began the pass.
        if !self.catalog_checked && !self.figures.take_asked() && !rest.is_zero() {
            return Ok(Step::Idle(rest.min(LOOK_EVERY)));
        }
        let begins = record.cursor.is_empty();
        let cursor = self.passes.begin(&self.figures, now, &[]);
        if begins && !self.catalog_checked {
            self.files = Some(Vec::new());
            return Ok(Step::More);
        }
        self.catalog_checked = false;
        let after = cursor.as_slice().try_into().ok().map(BlobId::from_bytes);
        let scrubbed = self.ground.blobs.scrub(after).await?;
        let record = self.passes.record(&self.ground, &self.figures).await?;
        let (mut copies, mut bytes, mut unreachable) = (0, 0, 0);
        for seen in &scrubbed.shards {
            let pass = record.on_shard(seen.shard);
            pass.copies += seen.copies;
            pass.bytes += seen.bytes;
            pass.bad += seen.bad;
            pass.unreachable += seen.unreachable;
            copies += seen.copies;
            bytes += seen.bytes;
            unreachable += seen.unreachable;
        }
        self.figures.done(copies, bytes);
        // As the record has it: what was unreachable before a restart is as unknown as what is now.
        let unknown: u64 = record.shards.iter().map(|pass| pass.unreachable).sum();
        self.passes.left().waiting += unreachable;
        let next = scrubbed.next.map(|id| id.as_bytes().to_vec());
        if self.passes.advance(&self.ground, &self.figures, next).await?.is_some() {
            self.figures.finish(unknown == 0);
        }
        Ok(Step::More)
    }
}
