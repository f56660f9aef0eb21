//! The store trait: ordered byte keys, snapshots to read from, batches to commit.
//!
//! # Ordering
//! Commits have a total order, their [`Revision`]. A snapshot sees all commits up to one revision
//! and none after it. A snapshot taken after a commit returned sees that commit.
//!
//! # Failure and recovery
//! A commit that returned `Ok` survives a power cut. One that returned [`CommitError::Store`] may or
//! may not have happened: read before trying again. Of [`StoreError::Full`] and [`StoreError::Refused`] nothing
//! happened. No reader ever sees a part of a batch.

use crate::scan::prefix_end;
use crate::state::{FilesChecked, StoreState};
use async_trait::async_trait;
use std::any::Any;
use std::ops::Bound;
use std::time::Duration;

/// Longest key, in bytes. The shortest has one.
pub const KEY_BYTES_MAX: usize = 16 * 1024;

/// Most bytes of keys and values in one batch.
pub const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Place of a commit in the order of commits. The first commit has 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Revision(pub u64);

/// A value and the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The commit that wrote the value; what a [`Check::At`] holds.
    pub revision: Revision,
    /// The value.
    pub value: Vec<u8>,
}

/// A condition that must hold at the moment of the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The key's value is still the one that was written at this revision.
    At(Vec<u8>, Revision),
    /// The key has no value.
    Absent(Vec<u8>),
    /// The key has a value, whichever.
    Present(Vec<u8>),
    /// No key with this prefix has a value: an empty bucket, say.
    NoneWithPrefix(Vec<u8>),
    /// A counter, plus `adding`, is at most `max` (see [`Write::Add`]); a missing counter is zero.
    CounterAtMost {
        /// The counters' key.
        key: Vec<u8>,
        /// Which of its counters.
        index: usize,
        /// What the caller is about to add.
        adding: i64,
        /// The bound, inclusive.
        max: i64,
    },
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a value.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key; nothing happens if it has no value.
    Delete(Vec<u8>),
    /// Adds to a row of counters without reading it first, so that commits to one bucket do not
    /// conflict. The value is `deltas.len()` signed 64-bit little-endian numbers; a missing or
    /// shorter row counts as zeroes, and a longer one keeps its further counters. Sums saturate.
    Add(Vec<u8>, Vec<i64>),
    /// Sets `prefix ++ revision (8 bytes, big-endian) ++ suffix`: a log in commit order.
    Append {
        /// What stands before the revision.
        prefix: Vec<u8>,
        /// What stands behind it; tells entries of one batch apart.
        suffix: Vec<u8>,
        /// The value.
        value: Vec<u8>,
    },
}

/// Checks and writes that happen together or not at all.
///
/// Writes apply in order: a later write of one batch to the same key wins. Checks see the state
/// before the batch. Keys have 1 to [`KEY_BYTES_MAX`] bytes, the first of which is not zero; keys and
/// values of a batch have at most [`BATCH_BYTES_MAX`] together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Conditions, all of which must hold.
    pub checks: Vec<Check>,
    /// Changes, in order.
    pub writes: Vec<Write>,
    /// Whether it leads to room on disk: deletions, and what gives their space back. Such a batch may still be
    /// written when the disk is too full for others, else nobody could make room. Not stored.
    pub frees: bool,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check that `key` is as it was read: at its revision, or absent.
    pub fn unchanged(&mut self, key: Vec<u8>, read: Option<Revision>) -> &mut Self {
        self.checks.push(match read {
            Some(revision) => Check::At(key, revision),
            None => Check::Absent(key),
        });
        self
    }

    /// Adds a write that sets `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> &mut Self {
        self.writes.push(Write::Put(key, value));
        self
    }

    /// Adds a write that removes `key`.
    pub fn delete(&mut self, key: Vec<u8>) -> &mut Self {
        self.writes.push(Write::Delete(key));
        self
    }

    /// Adds to a row of counters.
    pub fn add(&mut self, key: Vec<u8>, deltas: Vec<i64>) -> &mut Self {
        self.writes.push(Write::Add(key, deltas));
        self
    }
}

/// Which check of a batch did not hold: its index in [`Batch::checks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed(pub usize);

/// Why a store could not read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed; nothing can be said about the request. Give up, tell the operator.
    #[error("the catalog failed: {0}")]
    Engine(String),
    /// What stands on disk is damaged. Restore a backup.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
    /// Another process has the catalog open.
    #[error("the catalog in {0} is in use by another process; stop it, or choose another data directory")]
    InUse(String),
    /// The disk is full. Free space, then try again; a batch that [frees](Batch::frees) may still be taken.
    #[error("the catalog's disk is full")]
    Full,
    /// The store takes no commits; nothing of this one was written. The text says why and what to do.
    #[error("the catalog takes no commits: {0}")]
    Refused(String),
    /// The store is shutting down.
    #[error("the catalog is closed")]
    Closed,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A check did not hold; nothing was written. Read again and decide anew.
    #[error("a check did not hold")]
    Failed(Failed),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From small keys to large ones.
    Forward,
    /// From large keys to small ones.
    Reverse,
}

/// A range of keys to walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Where the range begins, whatever the direction.
    pub from: Bound<Vec<u8>>,
    /// Where it ends.
    pub to: Bound<Vec<u8>>,
    /// Which way to walk it.
    pub direction: Direction,
}

impl Scan {
    /// All keys that begin with `prefix`, forward.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            from: Bound::Included(prefix.to_vec()),
            to: prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded),
            direction: Direction::Forward,
        }
    }

    /// The same range, but only keys after `key` (forward).
    #[must_use]
    pub fn after(mut self, key: Vec<u8>) -> Self {
        self.from = Bound::Excluded(key);
        self
    }

    /// The same range, backward.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.direction = Direction::Reverse;
        self
    }

    /// Whether no key can lie in the range: its ends have met or crossed.
    pub fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
        }
    }

    /// Both ends, borrowed, as ordered collections take them.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.from.as_ref().map(Vec::as_slice), self.to.as_ref().map(Vec::as_slice))
    }
}

/// What a visitor wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitStep {
    /// The next key.
    Continue,
    /// The first key at or beyond this one, in the scan's direction. It never goes back.
    Seek(Vec<u8>),
    /// No more.
    Stop,
}

/// Receives the keys of a scan, on the engine's side: nothing is copied that it does not keep.
/// It runs where blocking is allowed, and should be quick.
pub trait Visit: Send + 'static {
    /// Called for each key in order.
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep;
}

/// Object-safe twin of [`Visit`]; use [`SnapshotExt::scan`].
pub trait VisitDyn: Visit {
    /// Gives the visitor back as it is.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

impl<V: Visit> VisitDyn for V {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// One consistent state of the store. It holds resources of the engine: keep it for a request or a
/// page, not for hours.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// The last commit that this snapshot sees.
    fn revision(&self) -> Revision;

    /// The values of some keys, in the order of `keys`.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError>;

    /// Walks a range and gives the visitor back. Use [`SnapshotExt::scan`].
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError>;
}

/// Convenience over [`Snapshot`].
#[async_trait]
pub trait SnapshotExt {
    /// The value of one key.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn get(&self, key: Vec<u8>) -> Result<Option<Entry>, StoreError>;

    /// Walks a range with a visitor, and gives it back with what it gathered.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn scan<V: Visit>(&self, range: Scan, visitor: V) -> Result<V, StoreError>;

    /// The first `limit` keys of a range with their entries.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn page(&self, range: Scan, limit: usize) -> Result<Vec<(Vec<u8>, Entry)>, StoreError>;
}

#[async_trait]
impl<S: Snapshot + ?Sized> SnapshotExt for S {
    async fn get(&self, key: Vec<u8>) -> Result<Option<Entry>, StoreError> {
        Ok(self.get_many(vec![key]).await?.pop().flatten())
    }

    async fn scan<V: Visit>(&self, range: Scan, visitor: V) -> Result<V, StoreError> {
        let visitor = self.scan_dyn(range, Box::new(visitor)).await?;
        match visitor.into_any().downcast() {
            Ok(visitor) => Ok(*visitor),
            Err(_) => Err(StoreError::Engine("the engine gave back another visitor".to_owned())),
        }
    }

    async fn page(&self, range: Scan, limit: usize) -> Result<Vec<(Vec<u8>, Entry)>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        Ok(self.scan(range, Page { limit, entries: Vec::new() }).await?.entries)
    }
}

struct Page {
    limit: usize,
    entries: Vec<(Vec<u8>, Entry)>,
}

impl Visit for Page {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        self.entries.push((key.to_vec(), Entry { revision, value: value.to_vec() }));
        if self.entries.len() < self.limit { VisitStep::Continue } else { VisitStep::Stop }
    }
}

/// How often [`Store::wait_touched`] looks, in an engine that wakes nobody.
pub const TOUCHED_POLL: Duration = Duration::from_millis(200);

/// A catalog engine.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// A consistent state to read from, no older than any commit that has returned.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Values of some keys as they are now, from one state: a snapshot for a single use.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        self.snapshot().await?.get_many(keys).await
    }

    /// Applies a batch, all or nothing, and returns once it is durable.
    ///
    /// # Errors
    /// [`CommitError::Failed`] with the first check that did not hold; nothing was written.
    async fn commit(&self, batch: Batch) -> Result<Revision, CommitError>;

    /// How the store does. It never waits for the disk, and costs a few atomic loads while all is well.
    fn state(&self) -> StoreState {
        StoreState::default()
    }

    /// Checks one more file of those that hold the store, behind the cursor that an earlier call gave; an empty one
    /// begins. What it finds reaches [`Store::state`]. Nothing is there to check in memory.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    async fn check_files(&self, after: Vec<u8>) -> Result<FilesChecked, StoreError> {
        let _ = after;
        Ok(FilesChecked::default())
    }

    /// A number that grows with every commit that touches a key with this one-byte prefix. A cache
    /// of such records is fresh as long as the number stands still. Reading it costs one atomic load.
    ///
    /// It grows after a new snapshot sees the commit and before [`Store::commit`] returns. So who
    /// reads the number first and a snapshot then never files an old state under a new number.
    fn touched(&self, prefix: u8) -> u64;

    /// Waits until [`Store::touched`] is no longer `seen`, and returns what it is. Dropping the future
    /// loses nothing. An engine that can wake its waiters does; this default looks every
    /// [`TOUCHED_POLL`].
    async fn wait_touched(&self, prefix: u8, seen: u64) -> u64 {
        loop {
            let now = self.touched(prefix);
            if now != seen {
                return now;
            }
            tokio::time::sleep(TOUCHED_POLL).await;
        }
    }
}
