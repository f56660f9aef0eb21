use crate::failure::Failure;
use cofre_shards::{BackendError, IdentityError};

/// Why a remote shard was not created or opened.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// A field is not valid: mend it.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field of [`S3Options`](crate::S3Options).
        field: &'static str,
        /// Why, for a person to read.
        reason: String,
    },
    /// A shard is created only where nothing is: choose another prefix, or empty this one.
    #[error("there are objects under the prefix, and no identity among them; choose another prefix")]
    NotEmpty,
    /// There is no identity object: another bucket stands there, or it was deleted.
    #[error("there is no identity object (cofre-shard) under the prefix")]
    NoIdentity,
    /// The prefix is another shard of the same Cofre.
    #[error("another shard of this Cofre is under the prefix")]
    OtherShard,
    /// The prefix belongs to another Cofre.
    #[error("a shard of another Cofre is under the prefix; choose another")]
    ForeignCluster,
    /// The identity object is not what was written, or of a newer Cofre.
    #[error("{0}")]
    Identity(#[from] IdentityError),
    /// The endpoint failed, or refused: what it said.
    #[error("{0}")]
    Endpoint(BackendError),
}

impl S3Error {
    pub(crate) fn endpoint(failure: Failure) -> Self {
        Self::Endpoint(failure.unreachable())
    }

    /// What it means to the caller of a backend: whatever it is, nothing is known of the blobs.
    pub(crate) fn unreachable(self) -> BackendError {
        match self {
            Self::Endpoint(error) => error,
            other => BackendError::Unreachable(other.to_string()),
        }
    }
}
