//! A step of the job: one page of one phase of one bucket.

use super::cursor::{Cursor, Phase};
use crate::bucket::cached::Bucket;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::upkeep::Upkeep;
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_rules::{Calendar, Lifecycle};
use cofre_types::{BucketId, BucketName, ObjectKey, Timestamp};
use std::sync::Arc;

/// Most bucket names that one step reads in search of one with rules.
const BUCKETS_PER_STEP_MAX: usize = 256;

/// Most commits about one version each that are under way at once: enough to share a sync, few enough to leave
/// requests their turn.
pub(super) const COMMITS_AT_ONCE_MAX: usize = 16;

/// What a step did, by action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LifecycleCounts {
    /// Current objects that ended: deleted, or hidden by a delete marker.
    pub expired: u64,
    /// Versions that were not current and ended.
    pub noncurrent_expired: u64,
    /// Delete markers that hid nothing and went.
    pub markers_removed: u64,
    /// Uploads that were aborted.
    pub uploads_aborted: u64,
    /// Versions that moved to another storage class.
    pub transitioned: u64,
    /// Their bytes.
    pub transitioned_bytes: u64,
    /// Versions that were due and are locked: left.
    pub locked: u64,
    /// What changed between its being read and its commit: left to the next pass.
    pub changed: u64,
}

/// What a step did, and where to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifecycleStep {
    /// What it did.
    pub counts: LifecycleCounts,
    /// Objects, versions and uploads that it held against the rules.
    pub looked_at: u64,
    /// What could not be done, by object, and why.
    pub problems: Vec<(String, String)>,
    /// Where to go on; absent at the end of a pass.
    pub next: Option<Vec<u8>>,
}

/// What came of one thing that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Moved(u64),
    Locked,
    Changed,
    Failed(String),
}

impl From<Tried> for Outcome {
    fn from(tried: Tried) -> Self {
        match tried {
            Tried::Done => Self::Done,
            Tried::Again => Self::Changed,
        }
    }
}

/// A bucket with rules, and the moment that a step holds against them.
#[derive(Clone)]
pub(super) struct Walk {
    pub objects: Objects,
    pub bucket: Arc<Bucket>,
    pub rules: Arc<Lifecycle>,
    pub now: Timestamp,
    pub calendar: Calendar,
}

impl Upkeep {
    /// Does what the rules of all buckets ask for, one bounded page at a time. `cursor` is what the last
    /// step gave; empty to begin a pass.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read or written; the step can be done again.
    pub async fn apply_lifecycle(&self, cursor: &[u8]) -> Result<LifecycleStep, Error> {
        let mut step = LifecycleStep::default();
        let (bucket, rules, cursor) = match self.objects.seek(Cursor::decode(cursor)).await? {
            Sought::Found(bucket, rules, cursor) => (bucket, rules, cursor),
            Sought::Onward(last) => {
                step.next = Some(Cursor::begin(last, Phase::Done).encode());
                return Ok(step);
            }
            Sought::End => return Ok(step),
        };
        let day_secs = self.objects.0.parts.settings.current().timers.lifecycle_day_secs;
        let calendar = Calendar::with_day(day_secs);
        let walk = Walk { objects: self.objects.clone(), bucket, rules, now: self.objects.now(), calendar };
        let next = match cursor.phase {
            Phase::Current if walk.rules.acts_on_current() => walk.current(&cursor, &mut step).await?,
            Phase::Versions if walk.keeps_versions() => walk.versions(&cursor, &mut step).await?,
            Phase::Uploads if walk.rules.acts_on_uploads() => walk.uploads(&cursor, &mut step).await?,
            Phase::Current | Phase::Versions | Phase::Uploads | Phase::Done => None,
        };
        let phase = match cursor.phase {
            Phase::Current => Phase::Versions,
            Phase::Versions => Phase::Uploads,
            Phase::Uploads | Phase::Done => Phase::Done,
        };
        step.next = Some(next.unwrap_or_else(|| Cursor::begin(cursor.bucket, phase)).encode());
        Ok(step)
    }
}

impl Objects {
    async fn seek(&self, cursor: Option<Cursor>) -> Result<Sought, Error> {
        if let Some(cursor) = &cursor
            && cursor.phase != Phase::Done
            && let Some(entry) = self.get(keys::bucket_id(cursor.bucket)).await?
            && let Some((bucket, rules)) = self.with_rules(cursor.bucket, &entry.value).await?
        {
            return Ok(Sought::Found(bucket, rules, cursor.clone()));
        }
        let mut scan = Scan::prefix(&[keys::family::BUCKET_ID]);
        if let Some(cursor) = cursor {
            scan = scan.after(keys::bucket_id(cursor.bucket));
        }
        let entries = self.store().page(scan, BUCKETS_PER_STEP_MAX).await?;
        let full = entries.len() == BUCKETS_PER_STEP_MAX;
        let mut last = None;
        for (key, entry) in entries {
            let Some(id) = key.last_chunk().map(|bytes| BucketId(u64::from_be_bytes(*bytes))) else { continue };
            last = Some(id);
            if let Some((bucket, rules)) = self.with_rules(id, &entry.value).await? {
                return Ok(Sought::Found(bucket, rules, Cursor::at(id)));
            }
        }
        Ok(last.filter(|_| full).map_or(Sought::End, Sought::Onward))
    }

    /// A bucket by id and name, if it still is that one and a rule of it acts.
    async fn with_rules(&self, id: BucketId, name: &[u8]) -> Result<Option<(Arc<Bucket>, Arc<Lifecycle>)>, Error> {
        let Some(name) = std::str::from_utf8(name).ok().and_then(|name| BucketName::parse(name).ok()) else {
            return Ok(None);
        };
        let bucket = match self.bucket(&name).await {
            Ok(bucket) => bucket,
            Err(Error::NoSuchBucket) => return Ok(None),
            Err(error) => return Err(error),
        };
        let rules = bucket.lifecycle.clone().filter(|rules| rules.common_prefix().is_some());
        Ok(rules.filter(|_| bucket.record.id == id).map(|rules| (bucket, rules)))
    }
}

enum Sought {
    Found(Arc<Bucket>, Arc<Lifecycle>, Cursor),
    /// None up to this one.
    Onward(BucketId),
    End,
}

impl Walk {
    /// Without versions of its own a bucket has nothing beside its current objects.
    fn keeps_versions(&self) -> bool {
        self.bucket.names_versions() && self.rules.acts_on_versions()
    }

    /// The keys of a family that a rule may be about, after the last one.
    pub(super) fn scan(&self, family: u8, cursor: &Cursor) -> Scan {
        let prefix = self.rules.common_prefix().unwrap_or_default();
        let scan = Scan::prefix(&keys::in_bucket_prefix(family, self.bucket.record.id, prefix.as_bytes()));
        if cursor.after.is_empty() { scan } else { scan.after(cursor.after.clone()) }
    }
}

impl LifecycleStep {
    /// Counts what came of something, `done` by `counter`.
    pub(super) fn note(
        &mut self,
        about: &str,
        outcome: Outcome,
        counter: impl FnOnce(&mut LifecycleCounts) -> &mut u64,
    ) {
        match outcome {
            Outcome::Done => *counter(&mut self.counts) += 1,
            Outcome::Moved(bytes) => {
                self.counts.transitioned += 1;
                self.counts.transitioned_bytes += bytes;
            }
            Outcome::Locked => self.counts.locked += 1,
            Outcome::Changed => self.counts.changed += 1,
            Outcome::Failed(why) => self.problems.push((about.to_owned(), why)),
        }
    }
}

/// The object key in a catalog key.
pub(super) fn object_key(key: &[u8]) -> Option<ObjectKey> {
    let (_, object, _) = keys::object_of(key)?;
    ObjectKey::try_from(String::from_utf8(object).ok()?).ok()
}
