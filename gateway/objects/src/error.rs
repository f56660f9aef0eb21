use crate::bucket::Unset;
use crate::checksum_error::ChecksumError;
use crate::encryption::EncryptionError;
use cofre_blobs::BlobsError;
use cofre_catalog::records::RecordError;
use cofre_catalog::{CommitError, StoreError};
use cofre_iam::MalformedPolicy;
use cofre_rules::{Excess, LockError, RulesError, Unmet};
use cofre_shards::BodyError;
use cofre_types::{ChecksumAlgorithm, ETag, Invalid, Timestamp, VersionId};

/// Why an operation did not happen. Every door maps it, without a wildcard, to its own protocol.
///
/// The first group is the caller's to mend, the second tells of a state, the last is the server's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error("access denied")]
    AccessDenied,
    /// The caller may not do this, though a policy allows it: it is for the account of the bucket's owner.
    #[error("only the account of the bucket's owner may do this")]
    OwnerOnly,
    /// The caller may not do this, though a policy or a list allows it: it needs credentials.
    #[error("access denied without credentials")]
    NeedsCredentials,
    /// The object may not be encrypted so, or its key not be used.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// An object lock keeps the version from being removed, or from being kept less strictly.
    #[error("the version is locked")]
    Locked,
    /// The bucket's state does not allow it.
    #[error("{0}")]
    InvalidBucketState(&'static str),
    /// The default retention of a bucket is too short or too long.
    #[error("{0}")]
    InvalidRetentionPeriod(&'static str),
    /// The bucket's ownership controls disable access control lists.
    #[error("the bucket does not allow access control lists")]
    AclNotSupported,
    /// Lists cannot be disabled, or are disabled, while the bucket's own grants something.
    #[error("the bucket's access control list grants something, and its ownership controls disable lists")]
    AclWithOwnership,
    /// A new bucket blocks public access, and its access control list would be public.
    #[error("the bucket's access control list is public, and its public access block refuses that")]
    AclWithPublicAccessBlock,
    /// A bucket cannot take another's access log.
    #[error("{0}")]
    LogTarget(&'static str),
    /// A bucket policy is not one.
    #[error(transparent)]
    MalformedPolicy(#[from] MalformedPolicy),
    /// There is no such storage class.
    #[error("there is no such storage class")]
    InvalidStorageClass,
    /// The rules of a document are not valid.
    #[error(transparent)]
    Rules(RulesError),
    /// A value of the request is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The request contradicts itself or asks for what cannot be.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The body ended early: the door's own error, handed through unchanged.
    #[error(transparent)]
    Body(BodyError),
    /// Fewer or more bytes came than were declared.
    #[error("the body has {got} bytes, {declared} were declared")]
    IncompleteBody {
        /// Bytes that were declared.
        declared: u64,
        /// Bytes that came.
        got: u64,
    },
    /// The body is not what its Content-MD5 says.
    #[error("the body does not match its Content-MD5")]
    BadDigest,
    /// The body is not what its checksum says.
    #[error("the body does not match its {} checksum", .0.name())]
    ChecksumMismatch(ChecksumAlgorithm),
    /// The request's checksums are not what they must be.
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    /// The body is larger than an object or a part may be.
    #[error("the body has more than {max} bytes")]
    EntityTooLarge {
        /// The bound.
        max: u64,
    },
    /// A part that is not the last is smaller than 5 MiB.
    #[error("part {number} is smaller than 5 MiB")]
    EntityTooSmall {
        /// The part.
        number: u16,
        /// Its entity tag.
        etag: ETag,
        /// Its bytes.
        size: u64,
    },
    /// The parts have another size together than completing says (`x-amz-mp-object-size`).
    #[error("the object has {computed} bytes, {declared} were declared")]
    ObjectSizeMismatch {
        /// Bytes that were declared.
        declared: u64,
        /// Bytes that the parts have.
        computed: u64,
    },
    /// A part that completing names is not there or has another entity tag or checksum.
    #[error("part {number} is not there, or is another one")]
    InvalidPart {
        /// The part.
        number: u16,
    },
    /// The parts that completing names are not in ascending order.
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    /// No byte of the range is in the object.
    #[error("the range is not in the object")]
    InvalidRange {
        /// The object's size.
        size: u64,
    },
    /// The object has no such part.
    #[error("the object has no such part")]
    InvalidPartNumber,
    /// A condition of the request does not hold.
    #[error("the condition {condition} does not hold")]
    PreconditionFailed {
        /// The header's name.
        condition: &'static str,
    },
    /// A conditional read finds what the caller has already.
    #[error("not modified")]
    NotModified {
        /// The object's entity tag.
        etag: ETag,
        /// When it was modified.
        modified: Timestamp,
    },

    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoSuchBucket,
    /// The bucket belongs to another account.
    #[error("the bucket belongs to another account")]
    BucketAlreadyExists,
    /// The bucket is the caller's already.
    #[error("the bucket is yours already")]
    BucketAlreadyOwnedByYou,
    /// The bucket holds objects or versions.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// The account owns as many buckets as it may.
    #[error("the account owns as many buckets as it may")]
    TooManyBuckets,
    /// The key service has no key of this name.
    #[error("there is no encryption key named {0:?}")]
    NoSuchEncryptionKey(String),
    /// The key service does not use the key, or not for this Cofre. An operator can mend it.
    #[error("the encryption key is refused: {0}")]
    EncryptionKeyRefused(String),
    /// The bucket has no such configuration.
    #[error("the bucket has no {0} configuration")]
    NoSuchConfiguration(Unset),
    /// There is no such object.
    #[error("there is no such object")]
    NoSuchKey {
        /// The delete marker that is current, if one is.
        delete_marker: Option<VersionId>,
    },
    /// There is no such version.
    #[error("there is no such version")]
    NoSuchVersion,
    /// The version is a delete marker, which can only be deleted.
    #[error("the version is a delete marker")]
    IsDeleteMarker {
        /// The marker.
        version: VersionId,
        /// When it was made.
        modified: Timestamp,
    },
    /// The object stands in no archive, so there is nothing to restore.
    #[error("the object is not in an archive")]
    NotArchived,
    /// There is no such upload.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// Other requests changed the same thing all the while. Try again.
    #[error("other requests changed the same thing at the same time")]
    Conflict,
    /// The bucket or account would hold more than its quota.
    #[error("{0}")]
    QuotaExceeded(Box<Excess>),
    /// What was overwritten or deleted, and what is being written, takes as much room as it may until space is
    /// reclaimed. Try again later.
    #[error("{0}; space comes back as it is reclaimed")]
    GraceExceeded(Box<Excess>),

    /// Every shard is full. Add one, or free space.
    #[error("no shard has room")]
    NoRoom,
    /// Fewer shards can be written to than redundancy asks for. Try again later.
    #[error("too few shards can be written to: {0}")]
    Unavailable(String),
    /// The bytes are proved damaged or lost wherever they stood. Asking again is of no use: restore the object.
    #[error("the content is lost: {0}")]
    Lost(String),
    /// It cannot be done now, and nothing of it was. Try again later; the text says what an operator should do.
    #[error("{0}")]
    Refused(String),
    /// The bytes cannot be read now. Try again; then see the shard's status.
    #[error("the content cannot be read: {0}")]
    Unreadable(String),
    /// The server failed. What is behind it stands in the log, not in the answer.
    #[error("the server failed: {0}")]
    Internal(String),
}

impl Error {
    /// Whether nothing of the operation happened, for certain. An engine that failed in a commit may have committed.
    pub const fn is_definite(&self) -> bool {
        !matches!(self, Self::Internal(_) | Self::Unavailable(_))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::NoRoom,
            StoreError::Refused(_) => Self::Refused(error.to_string()),
            StoreError::Closed => Self::Unavailable("the catalog is closing".to_owned()),
            StoreError::Engine(_) | StoreError::Damaged(_) | StoreError::InUse(_) | StoreError::Unfit(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}

impl From<BlobsError> for Error {
    fn from(error: BlobsError) -> Self {
        match error {
            BlobsError::Body(error) => body_error(error),
            BlobsError::NoRoom => Self::NoRoom,
            BlobsError::Unavailable(why) => Self::Unavailable(why),
            BlobsError::Conflict => Self::Conflict,
            BlobsError::Refused(why) => Self::Refused(why),
            BlobsError::Unreadable(why) => Self::Unreadable(why),
            BlobsError::Lost(why) => Self::Lost(why),
            BlobsError::Store(error) => error.into(),
            BlobsError::Record(error) => error.into(),
        }
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Failed(_) => Self::Conflict,
            CommitError::Store(error) => error.into(),
        }
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// The domain's own error inside a body error, or the door's.
pub(crate) fn body_error(error: BodyError) -> Error {
    match error.0.downcast::<Error>() {
        Ok(ours) => *ours,
        Err(theirs) => Error::Body(BodyError(theirs)),
    }
}

impl From<Unmet> for Error {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Condition { condition } => Self::PreconditionFailed { condition },
            Unmet::NotModified { etag, modified } => Self::NotModified { etag, modified },
            Unmet::NoObject => Self::NoSuchKey { delete_marker: None },
        }
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Locked => Self::Locked,
            LockError::Missing => Self::InvalidRequest("Bucket is missing Object Lock Configuration"),
            LockError::Invalid(invalid) => Self::Invalid(invalid),
            LockError::BucketState(why) => Self::InvalidBucketState(why),
            LockError::Period(why) => Self::InvalidRetentionPeriod(why),
        }
    }
}
