use crate::backend::{
    Backend, BackendError, BlobHeader, Capacity, Compacted, ListPage, Listed, Locator, NotDeleted, Probe, Relocate,
    Stored,
};
use crate::body::{Body, ByteStream};
use async_trait::async_trait;
use cofre_types::{BlobId, ResolvedRange};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bounds the calls that a backend works on at once; more wait their turn, in order.
///
/// Only calls whose length depends on the shard alone are counted: puts of whole bodies, the beginnings of
/// reads, deletions and listings. A body that streams goes at its client's pace, and a few slow clients
/// must not hold up everyone else.
pub struct Limit {
    inner: Arc<dyn Backend>,
    calls: Semaphore,
}

impl Limit {
    /// Lets at most `calls_max` calls through at once; at least 1.
    pub fn new(inner: Arc<dyn Backend>, calls_max: usize) -> Self {
        Self { inner, calls: Semaphore::new(calls_max.clamp(1, Semaphore::MAX_PERMITS)) }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, BackendError> {
        self.calls.acquire().await.map_err(|_| BackendError::Unreachable("the shard is closed".into()))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what it does not hand on is lost")]
impl Backend for Limit {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        let _turn = match body {
            Body::Whole(_) => Some(self.turn().await?),
            Body::Stream { .. } => None,
        };
        self.inner.put(blob, header, body).await
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        let _turn = self.turn().await?;
        self.inner.get(blob, locator, range).await
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        let _turn = self.turn().await?;
        self.inner.header(blob, locator).await
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        let _turn = self.turn().await?;
        self.inner.is_deleted(blob, locator).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        let _turn = self.turn().await?;
        self.inner.delete(blobs).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        let _turn = self.turn().await?;
        self.inner.list(after).await
    }

    async fn list_page(&self, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
        let _turn = self.turn().await?;
        self.inner.list_page(after).await
    }

    async fn compact(&self, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        self.inner.compact(relocate).await
    }

    fn device(&self) -> Option<u64> {
        self.inner.device()
    }

    fn damage(&self) -> Option<String> {
        self.inner.damage()
    }

    async fn note_commit(&self, revision: u64) -> Result<(), BackendError> {
        self.inner.note_commit(revision).await
    }

    async fn capacity(&self) -> Result<Capacity, BackendError> {
        self.inner.capacity().await
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        self.inner.probe().await
    }
}
