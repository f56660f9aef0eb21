use crate::error::Error;

/// What kind of answer an error is, for doors whose protocol has few: each is the same to do for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller may not.
    Denied,
    /// It is not there.
    NotFound,
    /// It is there already.
    Exists,
    /// The state of things does not allow it, or others changed it meanwhile.
    Conflict,
    /// A condition of the request does not hold.
    Condition,
    /// The request is not valid.
    Invalid,
    /// The request has more bytes than it may.
    TooLarge,
    /// A bucket or an account would hold more than it may.
    Quota,
    /// There is no room.
    NoRoom,
    /// It cannot be done now; later it may.
    Later,
    /// The server failed, or what it kept is lost.
    Internal,
}

impl Error {
    /// What kind of answer it is.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::AccessDenied
            | Self::OwnerOnly
            | Self::NeedsCredentials
            | Self::Encryption(_)
            | Self::Locked
            | Self::EncryptionKeyRefused(_) => ErrorKind::Denied,
            Self::NoSuchBucket
            | Self::NoSuchEncryptionKey(_)
            | Self::NoSuchConfiguration(_)
            | Self::NoSuchKey { .. }
            | Self::NoSuchVersion
            | Self::IsDeleteMarker { .. }
            | Self::NoSuchUpload => ErrorKind::NotFound,
            Self::BucketAlreadyExists | Self::BucketAlreadyOwnedByYou => ErrorKind::Exists,
            Self::InvalidBucketState(_) | Self::BucketNotEmpty | Self::NotArchived | Self::Conflict => {
                ErrorKind::Conflict
            }
            Self::PreconditionFailed { .. } | Self::NotModified { .. } => ErrorKind::Condition,
            Self::InvalidRetentionPeriod(_)
            | Self::AclNotSupported
            | Self::AclWithOwnership
            | Self::AclWithPublicAccessBlock
            | Self::LogTarget(_)
            | Self::MalformedPolicy(_)
            | Self::InvalidStorageClass
            | Self::Rules(_)
            | Self::Invalid(_)
            | Self::InvalidRequest(_)
            | Self::Body(_)
            | Self::IncompleteBody { .. }
            | Self::BadDigest
            | Self::ChecksumMismatch(_)
            | Self::Checksum(_)
            | Self::EntityTooSmall { .. }
            | Self::ObjectSizeMismatch { .. }
            | Self::InvalidPart { .. }
            | Self::InvalidPartOrder
            | Self::InvalidRange { .. }
            | Self::InvalidPartNumber => ErrorKind::Invalid,
            Self::EntityTooLarge { .. } => ErrorKind::TooLarge,
            Self::TooManyBuckets | Self::QuotaExceeded(_) | Self::GraceExceeded(_) => ErrorKind::Quota,
            Self::NoRoom => ErrorKind::NoRoom,
            Self::Unavailable(_) | Self::Refused(_) | Self::Unreadable(_) => ErrorKind::Later,
            Self::Lost(_) | Self::Internal(_) => ErrorKind::Internal,
        }
    }
}
