//! The store trait: ordered byte keys to read, snapshots of them, batches to commit.
//!
//! # Ordering
//! Commits have a total order, their [`Revision`]. A snapshot sees all commits up to one revision
//! and none after it. What is read after a commit returned sees that commit, through whichever handle
//! of the store either goes.
//!
//! # Failure and recovery
//! A commit that returned `Ok` survives a power cut. One that returned [`CommitError::Store`] may or
//! may not have happened: read before trying again. Of [`StoreError::Full`], [`StoreError::Refused`] and
//! [`StoreError::Unfit`] nothing happened. No reader ever sees a part of a batch.
//!
//! # Caches
//! Who keeps a record in memory makes a [`Mark`](crate::Mark) before it reads, and uses what it read only while the mark holds
//! (see [`Store::freshness`]).

use crate::freshness::{FRESHNESS_POLL, Freshness, Slot};
use crate::scan::{Scan, Visit, VisitDyn, VisitStep};
use crate::state::{FilesChecked, StoreState};
use crate::{Batch, CommitError, Entry, Revision, StoreError};
use async_trait::async_trait;
use std::time::Duration;

/// What can be read from: a store as it is now, or a [`Snapshot`] of it. [`ReadExt`] is easier to use.
#[async_trait]
pub trait Read: Send + Sync {
    /// The values of some keys, in the order of `keys`, all from one state. A key longer than any can be has none.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError>;

    /// Walks a range of one state and gives the visitor back. Use [`ReadExt::scan`].
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError>;
}

/// One consistent state of the store, for reads that must agree. It holds resources of the engine, with some a
/// connection: keep it for a request or a page, not for hours. A single read goes to the store itself.
#[async_trait]
pub trait Snapshot: Read {
    /// The last commit that this snapshot sees.
    fn revision(&self) -> Revision;
}

/// Convenience over [`Read`].
#[async_trait]
pub trait ReadExt {
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

    /// The first `limit` keys of a range, without their values.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn keys(&self, range: Scan, limit: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// How many keys a range has, counted to at most `max`.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn count(&self, range: Scan, max: usize) -> Result<usize, StoreError>;
}

#[async_trait]
impl<R: Read + ?Sized> ReadExt for R {
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
        Ok(self.scan(range.at_most(limit), Page::default()).await?.0)
    }

    async fn keys(&self, range: Scan, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.scan(range.without_values().at_most(limit), Keys::default()).await?.0)
    }

    async fn count(&self, range: Scan, max: usize) -> Result<usize, StoreError> {
        Ok(self.scan(range.without_values().at_most(max), Count::default()).await?.0)
    }
}

#[derive(Default)]
struct Page(Vec<(Vec<u8>, Entry)>);

impl Visit for Page {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        self.0.push((key.to_vec(), Entry { revision, value: value.to_vec() }));
        VisitStep::Continue
    }
}

#[derive(Default)]
struct Keys(Vec<Vec<u8>>);

impl Visit for Keys {
    fn visit(&mut self, key: &[u8], _: Revision, _: &[u8]) -> VisitStep {
        self.0.push(key.to_vec());
        VisitStep::Continue
    }
}

#[derive(Default)]
struct Count(usize);

impl Visit for Count {
    fn visit(&mut self, _: &[u8], _: Revision, _: &[u8]) -> VisitStep {
        self.0 += 1;
        VisitStep::Continue
    }
}

/// A handle of a catalog engine. Several handles, of one process or of many, may be of one store.
///
/// Read from it what needs no other read to agree with: each read is of one state, no older than any commit that has
/// returned.
#[async_trait]
pub trait Store: Read + 'static {
    /// A consistent state for several reads, no older than any commit that has returned.
    ///
    /// # Errors
    /// [`StoreError`] if the engine cannot read.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

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

    /// What a [`Mark`](crate::Mark) is made of; `None` while the store cannot say, since it does not hear of
    /// the commits of others.
    ///
    /// A cache asks before it reads, and again each time that it would use what it read: it may as long as the answer
    /// is the same, and not while there is none. A commit that touches the slot changes it after readers see the
    /// commit, and before [`Store::commit`] returns; through another handle, at most [`Store::staleness_max`] after.
    /// A handle that does not hear of others' commits says so within the same time; once it hears of them again, no
    /// earlier answer is ever given again.
    ///
    /// It costs an atomic load or two.
    fn freshness(&self, slot: Slot) -> Option<Freshness>;

    /// How long after a commit through another handle what this one calls fresh may be as it was before: how long a
    /// key that was revoked may go on to be taken. Zero if there is no other handle.
    fn staleness_max(&self) -> Duration;

    /// Waits until [`Store::freshness`] is no longer `seen`, and returns what it is. While the store cannot say it returns
    /// `None` every [`FRESHNESS_POLL`], so that who waits looks for himself. Dropping the future loses nothing.
    async fn wait_changed(&self, slot: Slot, seen: Option<Freshness>) -> Option<Freshness> {
        loop {
            let now = self.freshness(slot);
            if now.is_some() && now != seen {
                return now;
            }
            tokio::time::sleep(FRESHNESS_POLL).await;
            if now.is_none() {
                return self.freshness(slot);
            }
        }
    }
}
