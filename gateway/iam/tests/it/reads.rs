//! A catalog that counts what is read from it.

use async_trait::async_trait;
use cofre_catalog::{
    Batch, CommitError, Entry, FilesChecked, Freshness, Memory, Read, Revision, Scan, Slot, Snapshot, Store,
    StoreError, StoreState, VisitDyn,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub struct Reads {
    store: Memory,
    reads: AtomicUsize,
}

impl Reads {
    pub fn new() -> Self {
        Self { store: Memory::new(), reads: AtomicUsize::new(0) }
    }

    /// How often it was read from.
    pub fn count(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn note(&self) {
        self.reads.fetch_add(1, Ordering::SeqCst);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Read for Reads {
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        self.note();
        self.store.get_many(keys).await
    }

    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        self.note();
        self.store.scan_dyn(range, visitor).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Store for Reads {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.note();
        self.store.snapshot().await
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, CommitError> {
        self.store.commit(batch).await
    }

    fn state(&self) -> StoreState {
        self.store.state()
    }

    async fn check_files(&self, after: Vec<u8>) -> Result<FilesChecked, StoreError> {
        self.store.check_files(after).await
    }

    fn freshness(&self, slot: Slot) -> Option<Freshness> {
        self.store.freshness(slot)
    }

    fn staleness_max(&self) -> Duration {
        self.store.staleness_max()
    }

    async fn wait_changed(&self, slot: Slot, seen: Option<Freshness>) -> Option<Freshness> {
        self.store.wait_changed(slot, seen).await
    }
}
