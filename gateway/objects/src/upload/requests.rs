//! What callers ask of multipart uploads, and what they get.

use crate::encryption::{EncryptAs, Encrypted};
use crate::object::{Ending, Upload};
use cofre_catalog::records::Headers;
use cofre_iam::GivenAcl;
use cofre_keys::CustomerKey;
use cofre_rules::{ReadConditions, WantedLock, WriteConditions};
use cofre_types::{
    AccountId, BucketName, ByteRange, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, ObjectKey, Tags, Timestamp,
    UploadId, VersionId,
};

/// Most parts of an upload (AWS, "Amazon S3 multipart upload limits"). Parts of 5 GiB make the largest object: 48.8 TiB.
pub const PARTS_MAX: u16 = 10_000;

/// Begins a multipart upload.
#[derive(Debug, Clone)]
pub struct CreateUpload {
    /// Bucket.
    pub bucket: BucketName,
    /// Key of the object to be.
    pub key: ObjectKey,
    /// System headers and user metadata of the object to be.
    pub headers: Headers,
    /// Tags of the object to be.
    pub tags: Tags,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// Object lock of the object to be.
    pub lock: WantedLock,
    /// Checksum algorithm of parts and object; CRC-64/NVME is kept if absent.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Checksum kind of the object; the algorithm's default if absent.
    pub checksum_kind: Option<ChecksumKind>,
    /// Access control list of the object to be; the owner alone may if absent.
    pub acl: Option<GivenAcl>,
    /// Encryption of the object to be.
    pub encryption: EncryptAs,
}

/// The rest of an upload that is to be begun, beside what rights look at.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// System headers and user metadata of the object to be.
    pub headers: Headers,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// Checksum algorithm of parts and object; CRC-64/NVME is kept if absent.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Checksum kind of the object; the algorithm's default if absent.
    pub checksum_kind: Option<ChecksumKind>,
    /// Encryption of the object to be.
    pub encryption: EncryptAs,
}

/// Names one upload.
#[derive(Debug, Clone)]
pub struct UploadRef {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// Upload.
    pub upload: UploadId,
}

/// What is known of an upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadInfo {
    /// Its id.
    pub id: UploadId,
    /// Who began it.
    pub initiator: AccountId,
    /// Who will own the object.
    pub owner: AccountId,
    /// When it began.
    pub initiated: Timestamp,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// Checksum that was asked for; absent if the client named none.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    /// How its parts are encrypted.
    pub encryption: Option<Encrypted>,
    /// When the bucket's rules end it; not told in listings of uploads.
    pub ending: Option<Ending>,
}

/// Puts a part; a part put again replaces the one before.
#[derive(Debug)]
pub struct PutPart {
    /// The upload.
    pub upload: UploadRef,
    /// Number, 1 to [`PARTS_MAX`].
    pub number: u16,
    /// The content.
    pub content: Upload,
    /// What the request says of encryption: the customer's key, or nothing but what the upload says.
    pub encryption: EncryptAs,
}

/// What of an object a part is made of.
#[derive(Debug, Clone)]
pub struct CopiedRange {
    /// Range to copy; all if absent. Both its ends must be in the object.
    pub range: Option<ByteRange>,
    /// Conditions on the source.
    pub source_conditions: ReadConditions,
    /// The customer's key that the source is encrypted under, if it is one.
    pub source_customer_key: Option<CustomerKey>,
    /// What the request says of the upload's encryption, as for [`PutPart`].
    pub encryption: EncryptAs,
}

/// Makes a part of a range of an object. No bytes move unless one of both is encrypted.
#[derive(Debug, Clone)]
pub struct CopyPart {
    /// The upload.
    pub upload: UploadRef,
    /// Number, 1 to [`PARTS_MAX`].
    pub number: u16,
    /// Bucket to copy from.
    pub source_bucket: BucketName,
    /// Key to copy from.
    pub source_key: ObjectKey,
    /// Version to copy from; the current one if absent.
    pub source_version: Option<VersionId>,
    /// Range to copy; all if absent. Both its ends must be in the object.
    pub range: Option<ByteRange>,
    /// Conditions on the source.
    pub source_conditions: ReadConditions,
    /// The customer's key that the source is encrypted under, if it is one.
    pub source_customer_key: Option<CustomerKey>,
    /// What the request says of the upload's encryption, as for [`PutPart`].
    pub encryption: EncryptAs,
}

/// A part that was put or copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOutcome {
    /// Entity tag.
    pub etag: ETag,
    /// Checksum.
    pub checksum: Option<Checksum>,
    /// When it was put.
    pub modified: Timestamp,
    /// The version that was copied from, if its bucket has versioning.
    pub source_version: Option<VersionId>,
    /// How it is encrypted.
    pub encryption: Option<Encrypted>,
}

/// A part, as listing the parts of an upload tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPart {
    /// Number.
    pub number: u16,
    /// Bytes.
    pub size: u64,
    /// Entity tag.
    pub etag: ETag,
    /// Checksum.
    pub checksum: Option<Checksum>,
    /// When it was put.
    pub modified: Timestamp,
}

/// A page of an upload's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartsPage {
    /// The upload.
    pub upload: UploadInfo,
    /// Parts after the marker, ascending.
    pub parts: Vec<ListedPart>,
    /// Whether there are more.
    pub truncated: bool,
}

/// A part that completing names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// Number.
    pub number: u16,
    /// Entity tag, which must be the part's. A tag that is not of S3's form matches no part.
    pub etag: Option<ETag>,
    /// Checksum, which must be the part's if given.
    pub checksum: Option<Checksum>,
}

/// How an object is made of an upload's parts.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The parts, ascending by number.
    pub parts: Vec<CompletedPart>,
    /// Checksum of the whole object, which must match if given.
    pub checksum: Option<Checksum>,
    /// Checksum kind, which must be the upload's if given.
    pub checksum_kind: Option<ChecksumKind>,
    /// Bytes of the whole object, which must match if given (`x-amz-mp-object-size`).
    pub size: Option<u64>,
    /// Conditions on what stands at the key.
    pub conditions: WriteConditions,
    /// What the request says of encryption, as for [`PutPart`].
    pub encryption: EncryptAs,
}

/// Makes an object of an upload's parts, moving no bytes. Doing it twice answers alike.
#[derive(Debug, Clone)]
pub struct CompleteUpload {
    /// The upload.
    pub upload: UploadRef,
    /// The parts, ascending by number.
    pub parts: Vec<CompletedPart>,
    /// Checksum of the whole object, which must match if given.
    pub checksum: Option<Checksum>,
    /// Checksum kind, which must be the upload's if given.
    pub checksum_kind: Option<ChecksumKind>,
    /// Bytes of the whole object, which must match if given (`x-amz-mp-object-size`).
    pub size: Option<u64>,
    /// Conditions on what stands at the key.
    pub conditions: WriteConditions,
    /// What the request says of encryption, as for [`PutPart`].
    pub encryption: EncryptAs,
}
