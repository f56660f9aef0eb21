//! The catalog of the test bed.

use async_trait::async_trait;
use cofre_catalog::{
    Batch, CommitError, Entry, FilesChecked, Freshness, Memory, Read, Revision, Scan, Slot, Snapshot, Store,
    StoreError, StoreState, VisitDyn, Write, keys,
};
use futures_util::future::BoxFuture;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Act = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// The catalog, with a rival that acts between a decision and its commit.
pub struct Rival {
    store: Arc<Memory>,
    next: Mutex<Option<Act>>,
    /// For each commit that was tried, how many keys of objects and versions it removes.
    removals: Mutex<Vec<usize>>,
    /// What the store says of itself.
    pub state: Mutex<StoreState>,
    /// Refuses the next commit for want of room.
    pub full: AtomicBool,
}

impl Rival {
    /// Over a catalog; it does nothing until it is told to.
    pub fn new(store: Arc<Memory>) -> Self {
        let (next, removals, state) = Default::default();
        Self { store, next, removals, state, full: AtomicBool::new(false) }
    }

    /// Does `act` before the next commit is done.
    pub fn before_next_commit<F: Future<Output = ()> + Send + 'static>(
        &self,
        act: impl FnOnce() -> F + Send + 'static,
    ) {
        *self.next.lock().unwrap() = Some(Box::new(move || Box::pin(act())));
    }

    /// For each commit that was tried since this was last asked, how many keys of objects and versions it removes.
    pub fn take_removals(&self) -> Vec<usize> {
        std::mem::take(&mut *self.removals.lock().unwrap())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Read for Rival {
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        self.store.get_many(keys).await
    }

    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        self.store.scan_dyn(range, visitor).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Store for Rival {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.store.snapshot().await
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, CommitError> {
        let act = self.next.lock().unwrap().take();
        if let Some(act) = act {
            act().await;
        }
        let of_objects = |key: &[u8]| matches!(key.first(), Some(&keys::family::CURRENT | &keys::family::VERSION));
        let removes = |write: &&Write| matches!(write, Write::Delete(key) if of_objects(key));
        self.removals.lock().unwrap().push(batch.writes.iter().filter(removes).count());
        if self.full.swap(false, Ordering::SeqCst) {
            return Err(CommitError::Store(StoreError::Full));
        }
        self.store.commit(batch).await
    }

    fn state(&self) -> StoreState {
        self.state.lock().unwrap().clone()
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
