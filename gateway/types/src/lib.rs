//! Names, sizes and identities of an object store, as newtypes that only validating parsers build.
//!
//! Pure: no clock, no randomness, no input or output. A value of one of these types is valid by
//! construction, so the crates above never check a name twice.

mod account;
mod address_range;
mod blob;
mod bucket;
mod checksum;
mod etag;
mod key;
mod range;
mod region;
mod scheme;
mod tags;
mod timestamp;
mod version;

pub use account::{AccessKeyId, AccountId};
pub use address_range::AddressRange;
pub use blob::{BlobId, ShardId};
pub use bucket::{BucketId, BucketName};
pub use checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
pub use etag::ETag;
pub use key::{KEY_BYTES_MAX, ObjectKey};
pub use range::{ByteRange, ResolvedRange};
pub use region::Region;
pub use scheme::{PIECES_OF_A_KIND_MAX, REPLICAS_MAX, Scheme};
pub use tags::{Tags, TagsError, TagsLimit};
pub use timestamp::Timestamp;
pub use version::{UploadId, VersionId};

/// A value that a client or an operator gave and that is not valid.
///
/// `field` names what was wrong in the words of the outer protocol ("bucket", "key", "version id").
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// What was wrong, in the words of the outer protocol.
    pub field: &'static str,
    /// Why, for a person to read.
    pub reason: &'static str,
}

impl Invalid {
    pub(crate) const fn new(field: &'static str, reason: &'static str) -> Self {
        Self { field, reason }
    }
}
