//! The backend trait: one place that holds blobs.
//!
//! # Invariants
//! - A blob is durable when `put` returns.
//! - Every block that `get` yields has passed its checksum.
//! - A `put` that failed or was dropped leaves nothing that `get` or `list` would show.
//!
//! # Failure and retry
//! [`BackendError`] says what the caller should do next. *Missing* is a proof: the backend looked and
//! the blob is not there. *Unreachable* proves nothing.

use crate::body::{Body, BodyError, ByteStream};
use async_trait::async_trait;
use cofre_types::{BlobId, ResolvedRange, Scheme};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a blob stands within its backend: the backend's own few bytes, opaque to everyone else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Locator(pub Vec<u8>);

/// What a blob says about itself, so that a catalog can be rebuilt from shards alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobHeader {
    /// Bucket.
    pub bucket: String,
    /// Object key.
    pub key: String,
    /// Version id, as text.
    pub version: String,
    /// Part number and upload id of a part.
    pub part: Option<(u16, String)>,
    /// When this copy of it was written, in nanoseconds since 1970: later than the object where the copy was
    /// added or moved afterwards.
    pub written_nanos: u64,
    /// The scheme that the blob was written under, which the pool fills in; absent in what stands there from before
    /// headers told it, which are whole copies.
    pub scheme: Option<Scheme>,
    /// Which piece of the blob this is, from 0, which the pool fills in; 0 for a whole copy.
    pub piece: u8,
}

/// A blob that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands.
    pub locator: Locator,
    /// Bytes of content.
    pub size: u64,
}

/// A blob that was found by listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub blob: BlobId,
    /// Where it stands.
    pub locator: Locator,
    /// Bytes of content.
    pub size: u64,
    /// When this copy was written, in nanoseconds since 1970.
    pub written_nanos: u64,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// The blobs.
    pub blobs: Vec<Listed>,
    /// Where to go on; absent at the end.
    pub next: Option<Vec<u8>>,
    /// Places that the disk did not give: blobs that stand there are in no page.
    pub passed: u64,
}

/// A blob that could not be deleted while others could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDeleted {
    /// The blob; with several copies in one call, at least one of them stands.
    pub blob: BlobId,
    /// Why, for an operator.
    pub why: String,
}

/// Room of a backend, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// All of it.
    pub total_bytes: u64,
    /// What new blobs may take, with the backend's own reserve taken off.
    pub free_bytes: u64,
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// How long a small durable write, read and delete took.
    pub round_trip: Duration,
}

/// A blob that a backend moved within itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The blob.
    pub blob: BlobId,
    /// Where it stood, and still stands until the move is known.
    pub from: Locator,
    /// Where it stands now as well.
    pub to: Locator,
}

/// What the owner of the locators says of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// A record refers to it.
    Live,
    /// No record refers to it, nor will one: it may be given up.
    Dead,
    /// No record tells: one may still come, or the copy is an orphan. It stays where it is.
    Unknown,
}

/// The owner of the locators, asked while a backend compacts itself.
#[async_trait]
pub trait Relocate: Send + Sync {
    /// What is known of each of these copies, in their order.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] if nothing can be said now; the backend changes nothing.
    async fn live(&self, copies: &[(BlobId, Locator)]) -> Result<Vec<Liveness>, BackendError>;

    /// Makes every record refer to the new places. Called once the new copies are durable; only
    /// after `Ok` may the backend give up the old ones.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] if some record could not be changed; the backend keeps both.
    async fn moved(&self, moves: &[Moved]) -> Result<(), BackendError>;

    /// How often copies that stood there already came to be named by now. What was dead may have come to live where it
    /// rose since.
    fn named(&self) -> u64 {
        0
    }

    /// Keeps copies that stand there from being named until the answer is dropped; `None` if some may have been since
    /// [`Relocate::named`] was `since`. The backend removes what was dead only meanwhile.
    async fn removal(&self, since: u64) -> Option<RemovalTurn> {
        (self.named() == since).then(RemovalTurn::default)
    }
}

/// While it is held no copy that stands on the shard comes to be named.
#[derive(Debug, Default)]
pub struct RemovalTurn(#[allow(dead_code, reason = "it is held")] Option<tokio::sync::OwnedRwLockWriteGuard<()>>);

impl RemovalTurn {
    /// One that ends with a lock.
    pub(crate) const fn holding(turn: tokio::sync::OwnedRwLockWriteGuard<()>) -> Self {
        Self(Some(turn))
    }
}

/// What one step of compaction gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Bytes freed on disk.
    pub freed_bytes: u64,
    /// Blobs that moved.
    pub moved_blobs: u64,
}

/// Why a backend could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The blob is not there: looked for and proved. Read another copy; repair this one.
    #[error("the blob is missing")]
    Missing,
    /// The blob's bytes are not what was written. Read another copy; repair this one.
    #[error("the blob is corrupt: {0}")]
    Corrupt(String),
    /// No room. Write elsewhere.
    #[error("the shard is full")]
    Full,
    /// Nothing is known: the shard is away, slow or foreign. Use another; try later.
    #[error("the shard is unreachable: {0}")]
    Unreachable(String),
    /// The body ended early. The request failed, not the shard.
    #[error("the body ended early: {0}")]
    Body(#[from] BodyError),
}

impl BackendError {
    /// What a stream of a backend ended with: its own error where it is one, else unreachable.
    pub fn of_stream(error: BodyError) -> Self {
        match error.0.downcast::<Self>() {
            Ok(own) => *own,
            Err(other) => Self::Unreachable(other.to_string()),
        }
    }
}

/// One place that holds blobs.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Writes a blob. An id that is already here is written beside it, at another locator: a repair
    /// replaces a bad copy without touching it.
    ///
    /// # Errors
    /// [`BackendError::Full`], [`BackendError::Unreachable`] or [`BackendError::Body`]; nothing stays.
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError>;

    /// Reads a range of a blob: `0 <= start < end <= size`. The first blocks are checked before it
    /// returns, so that a caller can still turn to another copy; later ones are checked as they come.
    ///
    /// # Errors
    /// [`BackendError::Missing`], [`BackendError::Corrupt`] or [`BackendError::Unreachable`], here or
    /// in the stream (as the source of a [`BodyError`]).
    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError>;

    /// What a blob says about itself, checked.
    ///
    /// # Errors
    /// [`BackendError::Missing`], [`BackendError::Corrupt`] or [`BackendError::Unreachable`].
    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError>;

    /// Whether a copy was deleted though its bytes may still be read: they are there until its room is used again. No
    /// such copy counts for anything.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        let _ = (blob, locator);
        Ok(false)
    }

    /// Deletes blobs, best in bulk. A blob that is not there is fine. Space may come back later, and
    /// until then a `get` may still find the blob; `list` does not. One that cannot be deleted does not
    /// keep the others: it is in the answer, and all that are not are deleted.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`]; some may be gone.
    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError>;

    /// Some of the blobs after a cursor, in the backend's own stable order, and the next cursor;
    /// `None` at the end. A blob that moves within the backend meanwhile is listed at least once. A place that its disk
    /// does not give is passed, and told by [`Backend::damage`] and [`Backend::list_page`].
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError>;

    /// As [`Backend::list`], and whether the page lacks something.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    async fn list_page(&self, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
        let (blobs, next) = self.list(after).await?;
        Ok(ListPage { blobs, next, passed: 0 })
    }

    /// Does one bounded step of giving the space of deleted blobs back; `None` if there is nothing
    /// worth doing.
    ///
    /// # Errors
    /// [`BackendError`] from the shard or from `relocate`; nothing is lost, and a later step goes on.
    async fn compact(&self, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        let _ = relocate;
        Ok(None)
    }

    /// What the backend shares with every other that gives the same number: a device of this machine. `None` if it is no
    /// device that can be told.
    fn device(&self) -> Option<u64> {
        None
    }

    /// What of the backend could not be read when it was listed, for an operator; `None` once a listing got through all
    /// of it. Cheap.
    fn damage(&self) -> Option<String> {
        None
    }

    /// Tells a commit of the catalog that is durable. A backend that remembers it shows, at a start, that a catalog is an
    /// older copy of itself. Costs a sync; to be called seldom.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`]; what was remembered stays.
    async fn note_commit(&self, revision: u64) -> Result<(), BackendError> {
        let _ = revision;
        Ok(())
    }

    /// Room of the backend. Cheap: asked often.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`].
    async fn capacity(&self) -> Result<Capacity, BackendError>;

    /// Proves that the backend is the one it should be and takes, gives and deletes a blob.
    ///
    /// # Errors
    /// [`BackendError`] with what went wrong.
    async fn probe(&self) -> Result<Probe, BackendError>;
}
