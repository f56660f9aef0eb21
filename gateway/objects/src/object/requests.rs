//! What callers ask of objects, and what they get: one request and one outcome type per operation.

use crate::checksum_error::ChecksumError;
use crate::encryption::{EncryptAs, Encrypted};
use cofre_catalog::records::{Headers, Retention};
use cofre_iam::GivenAcl;
use cofre_keys::CustomerKey;
use cofre_rules::{DeleteConditions, RangeOf, ReadConditions, WantedLock, WriteConditions};
use cofre_shards::{Body, ByteStream};
use cofre_types::{
    AccountId, BucketName, ByteRange, Checksum, ChecksumAlgorithm, ETag, ObjectKey, ResolvedRange, Tags, Timestamp,
    VersionId,
};

/// The checksum that a client declares for a body.
#[derive(Default)]
pub enum DeclaredChecksum {
    /// None: CRC-64/NVME is computed and kept, as AWS does.
    #[default]
    None,
    /// An algorithm without a value: it is computed and kept.
    Compute(ChecksumAlgorithm),
    /// A value that came before the body.
    Value(Checksum),
    /// A value that comes behind the body; asked once, when the body has ended.
    Trailer(ChecksumAlgorithm, Box<dyn FnOnce() -> Result<Checksum, ChecksumError> + Send + Sync>),
}

impl DeclaredChecksum {
    /// The algorithm that is named, with a value or without.
    pub fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        match self {
            Self::None => None,
            Self::Compute(algorithm) | Self::Trailer(algorithm, _) => Some(*algorithm),
            Self::Value(value) => Some(value.algorithm()),
        }
    }

    /// Whether the client says what the checksum is.
    pub const fn has_value(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Trailer(..))
    }
}

impl std::fmt::Debug for DeclaredChecksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Compute(algorithm) => write!(f, "Compute({})", algorithm.name()),
            Self::Value(value) => write!(f, "Value({value:?})"),
            Self::Trailer(algorithm, _) => write!(f, "Trailer({})", algorithm.name()),
        }
    }
}

/// A body and what its sender declares of it.
#[derive(Debug)]
pub struct Upload {
    /// The bytes. Read to the end, or not at all.
    pub body: Body,
    /// `Content-MD5`.
    pub content_md5: Option<[u8; 16]>,
    /// Checksum.
    pub checksum: DeclaredChecksum,
}

/// An object that is to be, as much of it as rights look at.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// Tags.
    pub tags: Tags,
    /// Object lock.
    pub lock: WantedLock,
    /// Access control list; the owner alone may if absent.
    pub acl: Option<GivenAcl>,
}

/// Names an object, or a version of it.
#[derive(Debug, Clone)]
pub struct ObjectRef {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// Version; the current one if absent.
    pub version: Option<VersionId>,
}

/// The rest of an object that is to be put.
#[derive(Debug)]
pub struct PutContent {
    /// The content.
    pub upload: Upload,
    /// System headers and user metadata.
    pub headers: Headers,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// Encryption.
    pub encryption: EncryptAs,
    /// Conditions.
    pub conditions: WriteConditions,
}

/// Puts an object whose body is at hand.
#[derive(Debug)]
pub struct PutObject {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// The content.
    pub upload: Upload,
    /// System headers and user metadata.
    pub headers: Headers,
    /// Tags.
    pub tags: Tags,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// Object lock.
    pub lock: WantedLock,
    /// Access control list; the owner alone may if absent.
    pub acl: Option<GivenAcl>,
    /// Encryption.
    pub encryption: EncryptAs,
    /// Conditions.
    pub conditions: WriteConditions,
}

/// An object that was put or completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOutcome {
    /// Its entity tag.
    pub etag: ETag,
    /// Its version, if the bucket has versioning.
    pub version: Option<VersionId>,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Its bytes.
    pub size: u64,
    /// How it is encrypted.
    pub encryption: Option<Encrypted>,
    /// When the bucket's rules end it.
    pub ending: Option<Ending>,
}

/// When lifecycle rules end something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// The id of the rule that says so.
    pub rule: String,
}

/// What is read of an object.
#[derive(Debug, Clone, Default)]
pub struct ReadObject {
    /// Range; all if absent.
    pub range: Option<ByteRange>,
    /// What the range is of.
    pub range_of: RangeOf,
    /// One part only; not together with a range.
    pub part: Option<u16>,
    /// The customer's key that the object is encrypted under, if it is one.
    pub customer_key: Option<CustomerKey>,
    /// Conditions.
    pub conditions: ReadConditions,
}

/// Gets or heads an object.
#[derive(Debug, Clone)]
pub struct GetObject {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// Version; the current one if absent.
    pub version: Option<VersionId>,
    /// Range; all if absent.
    pub range: Option<ByteRange>,
    /// What the range is of.
    pub range_of: RangeOf,
    /// One part only; not together with a range.
    pub part: Option<u16>,
    /// The customer's key that the object is encrypted under, if it is one.
    pub customer_key: Option<CustomerKey>,
    /// Conditions.
    pub conditions: ReadConditions,
}

impl GetObject {
    /// Which object it is, and what is read of it.
    pub(crate) fn split(self) -> (ObjectRef, ReadObject) {
        let Self { bucket, key, version, range, range_of, part, customer_key, conditions } = self;
        (ObjectRef { bucket, key, version }, ReadObject { range, range_of, part, customer_key, conditions })
    }
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its version, if the bucket has or had versioning.
    pub version: Option<VersionId>,
    /// Its entity tag.
    pub etag: ETag,
    /// Its bytes.
    pub size: u64,
    /// When it was modified.
    pub modified: Timestamp,
    /// Who owns it.
    pub owner: AccountId,
    /// Its checksum.
    pub checksum: Option<Checksum>,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// System headers and user metadata.
    pub headers: Headers,
    /// Number of its tags.
    pub tag_count: usize,
    /// Number of parts, if it was a multipart upload.
    pub parts: Option<u16>,
    /// When the bucket's rules end it; told of the current version only.
    pub ending: Option<Ending>,
    /// Until when it is kept, if the caller may know.
    pub retention: Option<Retention>,
    /// Whether it has a legal hold; absent if nobody ever said, or the caller may not know.
    pub legal_hold: Option<bool>,
    /// How it is encrypted.
    pub encryption: Option<Encrypted>,
}

/// An object, or what a range or part of it is.
#[derive(Debug, Clone)]
pub struct HeadOutcome {
    /// The object.
    pub info: ObjectInfo,
    /// The bytes that were asked for, if by range or part: 206.
    pub range: Option<ResolvedRange>,
    /// The checksum of the part that was asked for by number.
    pub part_checksum: Option<Checksum>,
}

/// An object and its bytes.
pub struct GetOutcome {
    /// The object.
    pub head: HeadOutcome,
    /// The bytes. Each has passed its block's checksum; a failure ends the stream with an error.
    pub body: ByteStream,
}

/// Deletes an object or a version.
#[derive(Debug, Clone)]
pub struct DeleteObject {
    /// Key.
    pub key: ObjectKey,
    /// A version for good; without it the current version goes or gets a delete marker.
    pub version: Option<VersionId>,
    /// Conditions.
    pub conditions: DeleteConditions,
    /// Whether to delete it though governance mode keeps it; needs the right to that.
    pub bypass_governance: bool,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeleteOutcome {
    /// The version that was deleted, or the delete marker that was made.
    pub version: Option<VersionId>,
    /// Whether that version is a delete marker.
    pub delete_marker: bool,
}

/// A part of a completed object, as `GetObjectAttributes` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPart {
    /// Number.
    pub number: u16,
    /// Bytes.
    pub size: u64,
    /// Checksum.
    pub checksum: Option<Checksum>,
}

/// An object and a page of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The object.
    pub info: ObjectInfo,
    /// Parts after the marker that was asked for; none unless it was a multipart upload.
    pub parts: Vec<ObjectPart>,
    /// Whether there are more.
    pub truncated: bool,
}
