use super::{Guards, Headers, Record, RecordError, Segment, decode_version_1};
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
    /// Rights, locks and encryption of the object to be.
    pub guards: Guards,
}

impl Record for UploadRecord {
    const NAME: &'static str = "multipart upload";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<V1, Self>(version, fields)
    }
}

/// The fields of version 1 of [`UploadRecord`].
#[derive(Deserialize)]
struct V1 {
    id: UploadId,
    initiator: AccountId,
    owner: AccountId,
    initiated: Timestamp,
    storage_class: String,
    headers: Headers,
    tags: Tags,
    checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
}

impl From<V1> for UploadRecord {
    fn from(old: V1) -> Self {
        let V1 { id, initiator, owner, initiated, storage_class, headers, tags, checksum } = old;
        Self { id, initiator, owner, initiated, storage_class, headers, tags, checksum, guards: Guards::default() }
    }
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
    /// Whether its sender said what its checksum is, before the bytes or behind them. False where Cofre only computed it.
    pub checksum_sent: bool,
}

impl Record for PartRecord {
    const NAME: &'static str = "part";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<PartV1, Self>(version, fields)
    }
}

/// The fields of version 1 of [`PartRecord`].
#[derive(Deserialize)]
struct PartV1 {
    size: u64,
    etag: ETag,
    checksum: Option<Checksum>,
    modified: Timestamp,
    segments: Vec<Segment>,
}

impl From<PartV1> for PartRecord {
    fn from(old: PartV1) -> Self {
        let PartV1 { size, etag, checksum, modified, segments } = old;
        Self { size, etag, checksum, modified, segments, checksum_sent: false }
    }
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
