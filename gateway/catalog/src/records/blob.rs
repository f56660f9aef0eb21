use super::{Record, RecordError, decode_fields, decode_version_1};
use cofre_types::{AccountId, BlobId, BucketId, Scheme, ShardId, Timestamp, UploadId};
use serde::{Deserialize, Serialize};

/// One copy of a blob on a shard, whole or one piece of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRecord {
    /// The shard.
    pub shard: ShardId,
    /// Where on the shard: the backend's own few bytes.
    pub locator: Vec<u8>,
    /// Which piece of the blob it is, from 0, as the blob's scheme numbers them; 0 for a whole copy.
    pub piece: u8,
}

/// A blob: where its bytes stand, and how many records refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRecord {
    /// Bytes of content.
    pub size: u64,
    /// References from versions, parts and garbage that is not due yet. Never zero in a record.
    pub references: u32,
    /// The scheme that it was written under.
    pub scheme: Scheme,
    /// When it was written.
    pub written: Timestamp,
    /// The blob that its encrypted bytes were sealed for, if they stood there before they moved here; absent if they were
    /// sealed for this one, or stand in the clear.
    pub sealed_for: Option<BlobId>,
    /// Its copies; fewer than the scheme's width while it waits in the heal queue. No two of one piece,
    /// but for whole copies and while one moves.
    pub copies: Vec<CopyRecord>,
}

impl Record for BlobRecord {
    const NAME: &'static str = "blob";
    const VERSION: u8 = 3;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        match version {
            2 => decode_fields::<V2>(Self::NAME, fields).map(Self::from),
            _ => decode_version_1::<V1, Self>(version, fields),
        }
    }
}

/// The fields of version 2, whose bytes were never moved from another blob.
#[derive(Deserialize)]
struct V2 {
    size: u64,
    references: u32,
    scheme: Scheme,
    written: Timestamp,
    copies: Vec<CopyRecord>,
}

impl From<V2> for BlobRecord {
    fn from(old: V2) -> Self {
        let V2 { size, references, scheme, written, copies } = old;
        Self { size, references, scheme, written, sealed_for: None, copies }
    }
}

/// The fields of version 1, whose copies were all whole.
#[derive(Deserialize)]
struct V1 {
    size: u64,
    references: u32,
    scheme: Scheme,
    written: Timestamp,
    copies: Vec<(ShardId, Vec<u8>)>,
}

impl From<V1> for BlobRecord {
    fn from(old: V1) -> Self {
        let V1 { size, references, scheme, written, copies } = old;
        let whole = |(shard, locator)| CopyRecord { shard, locator, piece: 0 };
        let copies = copies.into_iter().map(whole).collect();
        Self { size, references, scheme, written, sealed_for: None, copies }
    }
}

/// Why a blob waits to be healed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealRecord {
    /// Since when.
    pub since: Timestamp,
    /// Copies that were found bad, which repair must not read and replaces.
    pub suspects: Vec<ShardId>,
}

impl Record for HealRecord {
    const NAME: &'static str = "heal";
}

/// A reference that something held and no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarbageRecord {
    /// What is let go.
    pub what: Garbage,
    /// Whose bytes in grace it counts among; absent in what older formats left.
    pub charge: Option<GraceCharge>,
}

/// What is let go after a grace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Garbage {
    /// References to blobs.
    Blobs(Vec<BlobId>),
    /// A reference to a manifest; its parts' blobs follow when it was the last.
    Manifest(UploadId),
    /// All parts of an upload that was aborted.
    Parts(UploadId),
    /// The uploads that were under way in a bucket that was deleted.
    Uploads(BucketId),
}

/// Bytes of content that wait for the end of their grace, and whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraceCharge {
    /// The bucket that let them go; it may be deleted by now.
    pub bucket: BucketId,
    /// The account that owned the bucket then.
    pub account: AccountId,
    /// Bytes of content.
    pub bytes: u64,
}

impl Record for GarbageRecord {
    const NAME: &'static str = "garbage";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<Garbage, Self>(version, fields)
    }
}

impl From<Garbage> for GarbageRecord {
    fn from(what: Garbage) -> Self {
        Self { what, charge: None }
    }
}

/// A copy that no record refers to, to be deleted from its shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoomedRecord {
    /// Where on the shard.
    pub locator: Vec<u8>,
    /// Bytes that the copy holds, for progress.
    pub size: u64,
}

impl Record for DoomedRecord {
    const NAME: &'static str = "doomed copy";
}
