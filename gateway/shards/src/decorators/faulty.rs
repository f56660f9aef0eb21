use crate::backend::{
    Backend, BackendError, BlobHeader, Capacity, Compacted, ListPage, Listed, Locator, NotDeleted, Probe, Relocate,
    Stored,
};
use crate::body::{Body, BodyError, ByteStream};
use async_trait::async_trait;
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It answers that there is no room.
    Full,
    /// It answers that the shard is away.
    Unreachable,
    /// It never answers.
    Hang,
    /// It answers this much later.
    Delay(Duration),
}

/// What goes wrong in the middle of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamTrouble {
    /// The rest fails its checksum.
    Corrupt,
    /// The shard goes away.
    Unreachable,
    /// No byte comes any more.
    Hang,
    /// The stream ends as if it were whole.
    EndsEarly,
}

/// What goes wrong with a backend from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Troubles {
    /// With every put, before it takes a byte.
    pub put: Option<Trouble>,
    /// With every put, once it took this many bytes: the shard goes away.
    pub put_fails_after_bytes: Option<u64>,
    /// With the beginning of every read.
    pub get: Option<Trouble>,
    /// With every read, after so many bytes.
    pub stream: Option<(u64, StreamTrouble)>,
    /// With everything else.
    pub other: Option<Trouble>,
}

/// A backend that fails as it is told, for tests and simulations.
pub struct Faulty {
    inner: Arc<dyn Backend>,
    troubles: Mutex<Troubles>,
}

impl Faulty {
    /// Wraps a backend; nothing goes wrong yet.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, troubles: Mutex::default() }
    }

    /// Says what goes wrong with calls that begin from now on.
    pub fn set(&self, troubles: Troubles) {
        *self.troubles.lock() = troubles;
    }

    fn troubles(&self) -> Troubles {
        *self.troubles.lock()
    }
}

async fn suffer(trouble: Option<Trouble>) -> Result<(), BackendError> {
    match trouble {
        None => Ok(()),
        Some(Trouble::Full) => Err(BackendError::Full),
        Some(Trouble::Unreachable) => Err(away()),
        Some(Trouble::Hang) => std::future::pending().await,
        Some(Trouble::Delay(time)) => {
            tokio::time::sleep(time).await;
            Ok(())
        }
    }
}

fn away() -> BackendError {
    BackendError::Unreachable("told to fail".into())
}

/// Takes so many bytes of a body.
async fn drain(body: Body, bytes: u64) {
    if let Body::Stream { mut stream, .. } = body {
        let mut taken = 0;
        while taken < bytes
            && let Some(Ok(piece)) = stream.next().await
        {
            taken += piece.len() as u64;
        }
    }
}

/// Lets so many bytes through, and then the trouble.
fn spoil(stream: ByteStream, bytes: u64, trouble: StreamTrouble) -> ByteStream {
    let mut left = bytes;
    let begin = stream.scan((), move |(), piece: Result<Bytes, BodyError>| {
        let piece = match piece {
            Ok(_) if left == 0 => None,
            Ok(mut piece) => {
                piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                left -= piece.len() as u64;
                Some(Ok(piece))
            }
            error => Some(error),
        };
        std::future::ready(piece)
    });
    let fails = |error: BackendError| stream::iter([Err(BodyError(Box::new(error)))]);
    match trouble {
        StreamTrouble::Corrupt => Box::pin(begin.chain(fails(BackendError::Corrupt("told to be".into())))),
        StreamTrouble::Unreachable => Box::pin(begin.chain(fails(away()))),
        StreamTrouble::Hang => Box::pin(begin.chain(stream::pending())),
        StreamTrouble::EndsEarly => Box::pin(begin),
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what it does not hand on is lost")]
impl Backend for Faulty {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        let troubles = self.troubles();
        suffer(troubles.put).await?;
        if let Some(bytes) = troubles.put_fails_after_bytes {
            drain(body, bytes).await;
            return Err(away());
        }
        self.inner.put(blob, header, body).await
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        let troubles = self.troubles();
        suffer(troubles.get).await?;
        let stream = self.inner.get(blob, locator, range).await?;
        Ok(match troubles.stream {
            None => stream,
            Some((bytes, trouble)) => spoil(stream, bytes, trouble),
        })
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        suffer(self.troubles().other).await?;
        self.inner.header(blob, locator).await
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        suffer(self.troubles().other).await?;
        self.inner.is_deleted(blob, locator).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        suffer(self.troubles().other).await?;
        self.inner.delete(blobs).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        suffer(self.troubles().other).await?;
        self.inner.list(after).await
    }

    async fn list_page(&self, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
        suffer(self.troubles().other).await?;
        self.inner.list_page(after).await
    }

    async fn compact(&self, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        suffer(self.troubles().other).await?;
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
        suffer(self.troubles().other).await?;
        self.inner.capacity().await
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        suffer(self.troubles().other).await?;
        self.inner.probe().await
    }
}
