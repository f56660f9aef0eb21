//! The engine of a single machine: fjall, a log-structured merge tree, behind one writer.
//!
//! # Invariants
//! - A commit that was acknowledged is synced. A reader never sees one that is not.
//! - One process has the catalog open.
//! - A start that finds less than was acknowledged refuses to serve (see `journal` and `mark`).
//!
//! # Layout
//! `lock` is held while the catalog is open, `durable` is the mark, `engine/` belongs to fjall.
//! A key is stored as it is, its value behind the 8 bytes of its revision. Keys that begin with a
//! zero byte belong to the engine.
//!
//! # Failure and retry
//! With less disk than its reserve the engine answers [`StoreError::Full`] and goes on by itself when
//! there is room again. After any failed write it refuses commits until it is opened again; reads
//! go on. [`Embedded::state`](Store::state) tells which (see `group/condition.rs`).
//!
//! # Limits
//! Memory: the block cache, up to five memtables, 64 MiB of queued batches at the very most. A prefix
//! under which very much was deleted lately is slow to find empty, until the engine has compacted it:
//! whoever works a queue off keeps a cursor.

mod anew;
mod blocks;
mod files;
mod journal;
mod lenient;
mod load;
mod lock;
mod log;
mod mark;
mod open;
mod options;
mod place;
mod read_only;
mod recent;
mod salvage;
mod snapshot;
mod space;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use load::Loader;
pub use options::EmbeddedOptions;
pub use salvage::Loss;
pub(crate) use salvage::Salvage;

use crate::group::{CommitStats, GroupCommits};
use crate::{
    Batch, CommitError, Entry, FilesChecked, Freshness, Read, Revision, Scan, Slot, Snapshot, Store, StoreError,
    StoreState, VisitDyn,
};
use async_trait::async_trait;
use cofre_runtime::{Clock, blocking};
use files::Looked;
use parking_lot::RwLock;
use recent::Recent;
use snapshot::EmbeddedSnapshot;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tree::View;

/// A catalog on local disk.
///
/// Dropping it commits what is queued and closes it in the background; [`Embedded::close`] waits.
pub struct Embedded {
    commits: GroupCommits,
    shared: Arc<Shared>,
}

/// What the writer shows to readers.
struct Shared {
    /// The state after the last durable group; `None` once closed.
    newest: RwLock<Option<Arc<View>>>,
    recent: Recent,
}

impl Shared {
    fn new(recent_bytes: u64) -> Self {
        Self { newest: RwLock::default(), recent: Recent::new(recent_bytes) }
    }

    fn publish(&self, view: View) {
        let replaced = self.newest.write().replace(Arc::new(view));
        drop(replaced);
    }

    fn newest(&self) -> Result<Arc<View>, StoreError> {
        self.newest.read().clone().ok_or(StoreError::Closed)
    }
}

impl Embedded {
    /// Opens the catalog in a directory, or makes one there.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it open; [`StoreError::Damaged`] if commits that
    /// were acknowledged are missing; [`StoreError::Engine`] if the directory cannot be used.
    pub async fn open(path: &Path, options: EmbeddedOptions, clock: Clock) -> Result<Self, StoreError> {
        let path = path.to_owned();
        blocking(move || open::open(&path, &options, clock)).await
    }

    /// Whether a catalog was ever made in a directory, even if it is damaged. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Engine`] if the directory cannot be looked at.
    pub async fn is_at(path: &Path) -> Result<bool, StoreError> {
        let path = path.to_owned();
        blocking(move || open::is_at(&path)).await
    }

    /// Takes no more commits, waits for those that are queued and closes the engine. Snapshots that
    /// are still held keep the directory locked.
    ///
    /// # Errors
    /// [`StoreError::Engine`] if the writer has panicked.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.commits.close();
        let writer = self.commits.take_writer();
        let shared = Arc::clone(&self.shared);
        let joined = move || {
            let joined = writer.map_or(Ok(()), JoinHandle::join);
            drop(shared.newest.write().take());
            joined
        };
        blocking(joined).await.map_err(|_| StoreError::Engine("the catalog's writer panicked".to_owned()))
    }

    /// What the catalog has done since it was opened. Cheap.
    pub fn stats(&self) -> CommitStats {
        self.commits.stats()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // The view goes first, so that the writer is the last to hold the engine: closing it waits
        // for compactions, which the writer's thread may.
        self.shared.newest.write().take();
        self.commits.close();
    }
}

#[async_trait]
impl Read for Embedded {
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        drop(self.shared.newest()?);
        if let Some(found) = self.shared.recent.get_many(&keys) {
            return Ok(found);
        }
        let shared = Arc::clone(&self.shared);
        blocking(move || Recent::read(&shared, &keys)).await
    }

    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        let view = self.shared.newest()?;
        blocking(move || view.walk(range, visitor)).await
    }
}

#[async_trait]
impl Store for Embedded {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(EmbeddedSnapshot(self.shared.newest()?)))
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, CommitError> {
        self.commits.commit(batch).await
    }

    fn state(&self) -> StoreState {
        self.commits.state().condition.state()
    }

    async fn check_files(&self, after: Vec<u8>) -> Result<FilesChecked, StoreError> {
        let view = self.shared.newest()?;
        let condition = Arc::clone(&self.commits.state().condition);
        blocking(move || {
            let looked = Looked::parse(&after);
            let began = looked.map_or_else(|| condition.damage_found(), |looked| looked.began);
            let (mut checked, table) = files::check(view.tree(), looked.map(|looked| looked.table))?;
            checked.next = table.map(|table| Looked { table, began }.encode());
            condition.note_checked(began, &checked);
            Ok(checked)
        })
        .await
    }

    fn freshness(&self, slot: Slot) -> Option<Freshness> {
        Some(self.commits.state().touched.freshness(slot))
    }

    fn staleness_max(&self) -> Duration {
        // One process has it open, and each commit is counted before it returns.
        Duration::ZERO
    }

    async fn wait_changed(&self, slot: Slot, seen: Option<Freshness>) -> Option<Freshness> {
        Some(self.commits.state().touched.wait(slot, seen).await)
    }
}
