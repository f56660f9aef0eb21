use crate::{
    Backend, BackendError, BlobHeader, Body, ByteStream, Capacity, Compacted, Durability, Listed, Locator, NotDeleted,
    Probe, Relocate, Stored,
};
use async_trait::async_trait;
use cofre_types::{BlobId, ResolvedRange};
use std::sync::Arc;
use std::time::Duration;

/// Tries again what may be tried again: calls that change nothing, and deletions, when the shard could not
/// be reached. Puts and reads are left alone, since the pool has another shard to turn to, which is quicker.
pub struct Retry {
    inner: Arc<dyn Backend>,
    tries_max: u32,
    first_rest: Duration,
}

impl Retry {
    /// Tries up to `tries_max` times, resting `first_rest` after the first and twice as long after each
    /// further one.
    pub fn new(inner: Arc<dyn Backend>, tries_max: u32, first_rest: Duration) -> Self {
        Self { inner, tries_max, first_rest }
    }

    async fn again<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, BackendError>
    where
        F: Future<Output = Result<T, BackendError>> + Send,
    {
        let mut rest = self.first_rest;
        for _ in 1..self.tries_max {
            match call().await {
                Err(BackendError::Unreachable(_)) => tokio::time::sleep(rest).await,
                outcome => return outcome,
            }
            rest *= 2;
        }
        call().await
    }
}

#[async_trait]
impl Backend for Retry {
    async fn put(
        &self,
        blob: BlobId,
        header: &BlobHeader,
        body: Body,
        durability: Durability,
    ) -> Result<Stored, BackendError> {
        self.inner.put(blob, header, body, durability).await
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        self.inner.get(blob, locator, range).await
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        self.again(|| self.inner.header(blob, locator)).await
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        self.again(|| self.inner.is_deleted(blob, locator)).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        self.again(|| self.inner.delete(blobs.clone())).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        self.again(|| self.inner.list(after.clone())).await
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
        self.again(|| self.inner.capacity()).await
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        self.inner.probe().await
    }
}
