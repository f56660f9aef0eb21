//! Holds the whole catalog against itself and against the shards, step by step.
//!
//! # Ordering
//! Counts are held against each other in one snapshot, so that writes under way are no error. Copies are looked for as
//! things are now; one that is not where its record says is an error only if the record still says so after the look.
//!
//! # Limits
//! Memory does not grow with the catalog, but for a number for each bucket that has bytes in grace: references are counted
//! for a million blobs at a time, in as many rounds over the catalog as that takes.

mod references;
mod usage;

use crate::domain::Objects;
use crate::error::Error;
use crate::upkeep::Upkeep;
use cofre_blobs::Wrong;
use cofre_catalog::{Entry, ReadExt, Scan, Snapshot};
use cofre_types::BucketId;
use references::{Counts, Round};
use std::collections::BTreeMap;
use usage::{BucketCount, ShardCount};

/// Most records that one step reads.
const RECORDS_PER_STEP_MAX: usize = 1_000;

/// What part of the catalog is being held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyStage {
    /// Whether each copy is where its record says; with `deep` all its bytes are read.
    Copies,
    /// What the records of blobs add up to on each shard.
    Shards,
    /// Whether what versions, parts and manifests refer to is there, and is counted right.
    References,
    /// Whether the counters of each bucket are what its records add up to.
    Usage,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The stage that it was in.
    pub stage: VerifyStage,
    /// Records that the stage has looked at by now.
    pub records: u64,
    /// Bytes of copies that were read by now.
    pub bytes: u64,
    /// Copies that could not be reached by now, of which nothing is known.
    pub unreachable: u64,
    /// What this step found wrong.
    pub wrong: Vec<Wrong>,
}

/// A walk over the catalog that is under way.
pub struct Verify {
    objects: Objects,
    deep: bool,
    snapshot: Option<Box<dyn Snapshot>>,
    /// Bytes in grace that garbage counts for each bucket which let something go.
    grace: BTreeMap<BucketId, i64>,
    stage: Stage,
    records: u64,
    bytes: u64,
    unreachable: u64,
}

enum Stage {
    Copies(Option<Vec<u8>>),
    Shards(ShardCount),
    References(Box<Counts>),
    Usage(Option<Box<BucketCount>>, Option<Vec<u8>>),
    Done,
}

impl Upkeep {
    /// Begins to hold the catalog against itself and against the shards. With `deep` every byte of every copy is read.
    pub fn verify(&self, deep: bool) -> Verify {
        let stage = Stage::Copies(None);
        let (snapshot, grace) = (None, BTreeMap::new());
        Verify { objects: self.objects.clone(), deep, snapshot, grace, stage, records: 0, bytes: 0, unreachable: 0 }
    }
}

impl Verify {
    /// Does a bounded step; `None` at the end. What is wrong is queued to be healed where healing can help.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read: nothing is known then.
    pub async fn step(&mut self) -> Result<Option<Verified>, Error> {
        let mut wrong = Vec::new();
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        let (at, next) = match stage {
            Stage::Copies(after) => (VerifyStage::Copies, self.copies(after, &mut wrong).await?),
            Stage::Shards(count) => (VerifyStage::Shards, self.shards(count, &mut wrong).await?),
            Stage::References(counts) => (VerifyStage::References, self.references(*counts, &mut wrong).await?),
            Stage::Usage(count, after) => (VerifyStage::Usage, self.usage(count, after, &mut wrong).await?),
            Stage::Done => return Ok(None),
        };
        let records = self.records;
        if std::mem::discriminant(&next) != std::mem::discriminant(&at.begin()) {
            self.records = 0;
        }
        self.stage = next;
        Ok(Some(Verified { stage: at, records, bytes: self.bytes, unreachable: self.unreachable, wrong }))
    }

    /// Looks at the copies of some blobs as they are now.
    async fn copies(&mut self, last: Option<Vec<u8>>, found: &mut Vec<Wrong>) -> Result<Stage, Error> {
        let step = self.objects.blobs().verify_copies(last, self.deep).await?;
        self.records += step.records;
        self.bytes += step.bytes;
        self.unreachable += step.unreachable;
        found.extend(step.wrong);
        Ok(match step.next {
            Some(next) => Stage::Copies(Some(next)),
            None => Stage::Shards(ShardCount::default()),
        })
    }

    /// Some records of the one state that counts are held against each other in.
    async fn page(&mut self, scan: Scan) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        let page = self.snapshot().await?.page(scan, RECORDS_PER_STEP_MAX).await?;
        self.records += page.len() as u64;
        Ok(page)
    }

    async fn get_many(&mut self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, Error> {
        Ok(self.snapshot().await?.get_many(keys).await?)
    }

    async fn snapshot(&mut self) -> Result<&dyn Snapshot, Error> {
        if self.snapshot.is_none() {
            self.snapshot = Some(self.objects.store().snapshot().await?);
        }
        self.snapshot.as_deref().ok_or_else(|| Error::Internal("there is no snapshot".to_owned()))
    }
}

impl VerifyStage {
    fn begin(self) -> Stage {
        match self {
            Self::Copies => Stage::Copies(None),
            Self::Shards => Stage::Shards(ShardCount::default()),
            Self::References => Stage::References(Box::new(Counts::of(Round::first(0)))),
            Self::Usage => Stage::Usage(None, None),
        }
    }
}

/// The scan of a family after a key.
fn after(prefix: &[u8], last: Option<&Vec<u8>>) -> Scan {
    let scan = Scan::prefix(prefix);
    match last {
        Some(last) => scan.after(last.clone()),
        None => scan,
    }
}

fn wrong(subject: impl ToString, why: impl ToString) -> Wrong {
    Wrong { subject: subject.to_string(), why: why.to_string() }
}

impl std::fmt::Debug for Verify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verify").field("deep", &self.deep).field("records", &self.records).finish_non_exhaustive()
    }
}
