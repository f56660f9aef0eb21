use crate::figures::JobFigures;
use crate::passes::{Passes, is_due};
use crate::{Ground, JobError};
use cofre_blobs::CatalogBackup;
use cofre_catalog::records::EventRecord;
use cofre_runtime::{Pace, Step, Worker};
use cofre_settings::JobName;
use cofre_types::Timestamp;
use std::time::Duration;

/// The name, in status and in the catalog.
const NAME: JobName = JobName::CatalogBackup;

/// Who events name.
const ACTOR: &str = "internal:catalog-backup";

/// How long after the start the first backup of all is taken: a first start has other work first.
const FIRST_AFTER: Duration = Duration::from_secs(600);

/// Longest rest between two looks whether a backup is due.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// How long after a backup that failed the next one is tried.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);

/// Checks every file of the catalog and takes a backup of it, once in an interval.
pub(crate) struct BackUpCatalog {
    ground: Ground,
    figures: JobFigures,
    passes: Passes,
    /// Where the look at the files goes on, while one is under way.
    files: Option<Vec<u8>>,
    /// When the next backup may be tried, by the clock's `elapsed`.
    not_before: Duration,
    /// What the last event said of places that failed: the same is not said again while no backup is taken.
    told: Vec<(String, String)>,
}

impl BackUpCatalog {
    pub(crate) fn new(ground: Ground, figures: JobFigures) -> Self {
        let not_before = ground.clock.elapsed() + FIRST_AFTER;
        Self { ground, figures, passes: Passes::new(NAME.as_str()), files: None, not_before, told: Vec::new() }
    }

    /// How long it may rest; nothing if a backup is due.
    async fn rest(&mut self) -> Result<Duration, JobError> {
        let interval = Duration::from_secs(self.ground.settings.current().timers.catalog_backup_secs);
        let now = Timestamp(self.ground.clock.now_nanos());
        let record = self.passes.record(&self.ground, &self.figures).await?;
        if self.figures.take_asked() {
            return Ok(Duration::ZERO);
        }
        if interval.is_zero() {
            return Ok(LOOK_EVERY);
        }
        let since_last = if is_due(record) { Duration::ZERO } else { interval.saturating_sub(now.since(record.ended)) };
        Ok(since_last.max(self.not_before.saturating_sub(self.ground.clock.elapsed())).min(LOOK_EVERY))
    }

    async fn back_up(&mut self) -> Result<(), JobError> {
        let keep = self.ground.settings.current().timers.catalog_backups_keep;
        let taken = self.ground.blobs.back_up_catalog(&self.ground.topology, keep).await?;
        let whole = !taken.places.is_empty();
        if whole {
            self.figures.done(taken.records, taken.bytes);
        }
        for (place, why) in &taken.failed {
            self.passes.left().waiting += 1;
            self.passes.left().problem(place.clone(), why);
        }
        if whole || self.told != taken.failed {
            if let Err(error) = self.ground.events.record(&event(&taken, &self.ground)).await {
                tracing::warn!(%error, "a backup of the catalog ended and its event was not recorded");
            }
            self.told.clone_from(&taken.failed);
        }
        if !whole {
            self.not_before = self.ground.clock.elapsed() + AGAIN_AFTER;
            self.figures.end_pass(std::mem::take(self.passes.left()));
            // It is no backup: the last one stays the last.
            let record = self.passes.record(&self.ground, &self.figures).await?.clone();
            self.figures.show(&record);
            return Ok(());
        }
        self.passes.advance(&self.ground, &self.figures, None).await?;
        self.figures.finish(taken.failed.is_empty());
        Ok(())
    }
}

impl Worker for BackUpCatalog {
    type Error = JobError;

    fn name(&self) -> &'static str {
        NAME.as_str()
    }

    fn pace(&self) -> Pace {
        self.ground.pace()
    }

    async fn step(&mut self) -> Result<Step, JobError> {
        let Some(after) = self.files.take() else {
            let rest = self.rest().await?;
            if !rest.is_zero() {
                return Ok(Step::Idle(rest));
            }
            self.passes.begin(&self.figures, Timestamp(self.ground.clock.now_nanos()), &[]);
            self.files = Some(Vec::new());
            return Ok(Step::More);
        };
        // What is found reaches health by the catalog's state; a backup of what reads is wanted all the more.
        let checked = self.ground.blobs.check_catalog(after).await?;
        self.files = checked.next;
        if self.files.is_none() {
            self.back_up().await?;
        }
        Ok(Step::More)
    }
}

/// The event of the end of a backup.
fn event(taken: &CatalogBackup, ground: &Ground) -> EventRecord {
    let kind = if taken.places.is_empty() { "catalog.backup_failed" } else { "catalog.backed_up" };
    let mut details: Vec<_> = taken.places.iter().map(|place| ("directory".to_owned(), place.clone())).collect();
    details.extend(taken.failed.iter().map(|(place, why)| ("failed".to_owned(), format!("{place}: {why}"))));
    details.push(("records".to_owned(), taken.records.to_string()));
    details.push(("bytes".to_owned(), taken.bytes.to_string()));
    EventRecord {
        at: Timestamp(ground.clock.now_nanos()),
        kind: kind.to_owned(),
        subject: "catalog".to_owned(),
        actor: ACTOR.to_owned(),
        details,
    }
}
