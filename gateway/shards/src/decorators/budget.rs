use crate::backend::{
    Backend, BackendError, BlobHeader, Capacity, Compacted, ListPage, Listed, Locator, NotDeleted, Probe, Relocate,
    Stored,
};
use crate::body::{Body, ByteStream};
use async_trait::async_trait;
use cofre_types::{BlobId, ResolvedRange};
use std::sync::Arc;

/// Who knows what stands on a shard.
#[async_trait]
pub trait InUse: Send + Sync + 'static {
    /// Bytes of content that stand on it. Cheap: asked as often as [`Backend::capacity`].
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] if nobody can say now.
    async fn in_use_bytes(&self) -> Result<u64, BackendError>;
}

/// Takes what stands on a shard off its room, where the shard itself knows only how large it may be.
pub struct Budget {
    inner: Arc<dyn Backend>,
    in_use: Arc<dyn InUse>,
}

impl Budget {
    /// Lets `in_use` tell what is taken of the room of `inner`.
    pub fn new(inner: Arc<dyn Backend>, in_use: Arc<dyn InUse>) -> Self {
        Self { inner, in_use }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what it does not hand on is lost")]
impl Backend for Budget {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        self.inner.put(blob, header, body).await
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        self.inner.get(blob, locator, range).await
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        self.inner.header(blob, locator).await
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        self.inner.is_deleted(blob, locator).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        self.inner.delete(blobs).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        self.inner.list(after).await
    }

    async fn list_page(&self, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
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
        let Capacity { total_bytes, free_bytes } = self.inner.capacity().await?;
        let in_use_bytes = self.in_use.in_use_bytes().await?;
        Ok(Capacity { total_bytes, free_bytes: free_bytes.min(total_bytes.saturating_sub(in_use_bytes)) })
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        self.inner.probe().await
    }
}
