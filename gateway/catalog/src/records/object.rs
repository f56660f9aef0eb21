use super::{AclRecord, Encryption, Record, RecordError, Retention, decode_version_1};
use cofre_types::{AccountId, BlobId, Checksum, ETag, Tags, Timestamp, UploadId, VersionId};
use serde::{Deserialize, Serialize};

/// What a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersionKind {
    /// An object.
    Object,
    /// A delete marker.
    DeleteMarker,
}

/// A system header that is stored with an object and returned with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they are named after the headers")]
pub enum Header {
    ContentType,
    ContentEncoding,
    ContentDisposition,
    ContentLanguage,
    CacheControl,
    Expires,
    WebsiteRedirectLocation,
}

/// System headers and user metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// System headers.
    pub system: Vec<(Header, String)>,
    /// User metadata: names in lower case without `x-amz-meta-`.
    pub user: Vec<(String, String)>,
}

impl Headers {
    /// The value of a system header.
    pub fn get(&self, header: Header) -> Option<&str> {
        self.system.iter().find(|(name, _)| *name == header).map(|(_, value)| value.as_str())
    }
}

/// A run of bytes of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The blob.
    pub blob: BlobId,
    /// Where in the blob.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// Where an object's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// In these segments, in order; none for an empty object.
    Segments(Vec<Segment>),
    /// In the parts of a completed upload.
    Manifest(UploadId),
}

/// Whether a version is kept until that is taken back. The first two are stored as a flag is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegalHold {
    /// Nobody ever said.
    #[default]
    Never,
    /// It is.
    On,
    /// It is not: it was taken back, or its writer said so.
    Off,
}

impl LegalHold {
    /// The hold as somebody sets it.
    pub const fn set(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }

    /// Whether it is on; none if nobody ever said.
    pub const fn get(self) -> Option<bool> {
        match self {
            Self::Never => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

/// Who may reach a version, for how long it is kept, and how its bytes are encrypted. Most have none
/// of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// Access control list; if absent, the owner alone may.
    pub acl: Option<AclRecord>,
    /// Until when it is kept.
    pub retention: Option<Retention>,
    /// Whether it is kept until that is taken back.
    pub legal_hold: LegalHold,
    /// Encryption of the bytes on the shards.
    pub encryption: Option<Encryption>,
}

/// A version of an object: everything a GET, a HEAD or a listing needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Its id.
    pub version: VersionId,
    /// Its place in the order of the key's versions: nanoseconds since 1970, and more than the
    /// place of the version before it.
    pub place: u64,
    /// Object or delete marker.
    pub kind: VersionKind,
    /// When it was made; for a multipart upload, when it was completed.
    pub modified: Timestamp,
    /// Who owns it.
    pub owner: AccountId,
    /// Bytes of content.
    pub size: u64,
    /// Entity tag.
    pub etag: ETag,
    /// Checksum, if the client gave or asked for one.
    pub checksum: Option<Checksum>,
    /// Storage class; `STANDARD` if empty.
    pub storage_class: String,
    /// System headers and user metadata.
    pub headers: Headers,
    /// Tags.
    pub tags: Tags,
    /// Where the bytes are.
    pub content: Content,
    /// Rights, locks and encryption.
    pub guards: Guards,
}

impl VersionRecord {
    /// A delete marker.
    pub fn delete_marker(version: VersionId, place: u64, modified: Timestamp, owner: AccountId) -> Self {
        Self {
            version,
            place,
            kind: VersionKind::DeleteMarker,
            modified,
            owner,
            size: 0,
            etag: ETag::of_md5([0; 16]),
            checksum: None,
            storage_class: String::new(),
            headers: Headers::default(),
            tags: Tags::default(),
            content: Content::Segments(Vec::new()),
            guards: Guards::default(),
        }
    }
}

impl Record for VersionRecord {
    const NAME: &'static str = "version";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<V1, Self>(version, fields)
    }
}

/// The fields of version 1.
#[derive(Deserialize)]
struct V1 {
    version: VersionId,
    place: u64,
    kind: VersionKind,
    modified: Timestamp,
    owner: AccountId,
    size: u64,
    etag: ETag,
    checksum: Option<Checksum>,
    storage_class: String,
    headers: Headers,
    tags: Tags,
    content: Content,
}

impl From<V1> for VersionRecord {
    fn from(old: V1) -> Self {
        let V1 { version, place, kind, modified, owner, size, etag, checksum, storage_class, headers, tags, content } =
            old;
        Self {
            version,
            place,
            kind,
            modified,
            owner,
            size,
            etag,
            checksum,
            storage_class,
            headers,
            tags,
            content,
            guards: Guards::default(),
        }
    }
}
