use cofre_catalog::records::RecordError;
use cofre_catalog::{CommitError, StoreError};
use cofre_shards::{BodyError, WriteError};

/// Why something was not done with blobs.
#[derive(Debug, thiserror::Error)]
pub enum BlobsError {
    /// The body ended early: the error of who sent it, handed through unchanged.
    #[error(transparent)]
    Body(BodyError),
    /// Every shard is full. Add one, or free space.
    #[error("no shard has room")]
    NoRoom,
    /// Too few shards answer. Nothing is lost; try again later.
    #[error("too few shards answer: {0}")]
    Unavailable(String),
    /// Others changed the same thing all the while. Try again.
    #[error("others changed the same thing at the same time")]
    Conflict,
    /// It cannot be done now, and nothing of it was. The text says why.
    #[error("{0}")]
    Refused(String),
    /// The bytes cannot be read now. Try again; then see the shard's status.
    #[error("the content cannot be read: {0}")]
    Unreadable(String),
    /// The bytes are proved damaged or lost wherever they stood.
    #[error("the content is lost: {0}")]
    Lost(String),
    /// The catalog failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record does not decode.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<CommitError> for BlobsError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Failed(_) => Self::Conflict,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

impl From<WriteError> for BlobsError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Body(error) => Self::Body(error),
            WriteError::NoRoom => Self::NoRoom,
            other => Self::Unavailable(other.to_string()),
        }
    }
}
