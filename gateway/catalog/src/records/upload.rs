use super::{Headers, Record, Segment};
use cofre_types::{AccountId, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, Tags, Timestamp, UploadId};
use serde::{Deserialize, Serialize};

/// A multipart upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
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
    /// System headers and user metadata of the object to be.
    pub headers: Headers,
    /// Tags of the object to be.
    pub tags: Tags,
    /// Checksum that parts and object get.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
}

impl Record for UploadRecord {
    const NAME: &'static str = "multipart upload";
}

/// A part, of an upload under way or of an object that one became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Bytes of content.
    pub size: u64,
    /// Entity tag: the MD5 of the bytes.
    pub etag: ETag,
    /// Checksum of the part.
    pub checksum: Option<Checksum>,
    /// When it was put.
    pub modified: Timestamp,
    /// Where the bytes are: one blob, or what a part copy referred to.
    pub segments: Vec<Segment>,
}

impl Record for PartRecord {
    const NAME: &'static str = "part";
}

/// The parts of a completed upload, which versions refer to: the upload's own object and its copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRecord {
    /// References from versions and from garbage that is not due yet.
    pub references: u32,
    /// Number and size of each part, in order, to find the parts of a range without reading all.
    pub parts: Vec<(u16, u64)>,
    /// Entity tag of the completed object, so that completing twice answers alike.
    pub etag: ETag,
}

impl Record for ManifestRecord {
    const NAME: &'static str = "manifest";
}
