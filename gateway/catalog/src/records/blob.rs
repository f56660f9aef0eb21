use super::Record;
use cofre_types::{BlobId, BucketId, Scheme, ShardId, Timestamp, UploadId};
use serde::{Deserialize, Serialize};

/// One copy of a blob on a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRecord {
    /// The shard.
    pub shard: ShardId,
    /// Where on the shard: the backend's own few bytes.
    pub locator: Vec<u8>,
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
    /// Its copies; fewer than the scheme's width while it waits in the heal queue.
    pub copies: Vec<CopyRecord>,
}

impl Record for BlobRecord {
    const NAME: &'static str = "blob";
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
pub enum GarbageRecord {
    /// References to blobs.
    Blobs(Vec<BlobId>),
    /// A reference to a manifest; its parts' blobs follow when it was the last.
    Manifest(UploadId),
    /// All parts of an upload that was aborted.
    Parts(UploadId),
    /// The uploads that were under way in a bucket that was deleted.
    Uploads(BucketId),
}

impl Record for GarbageRecord {
    const NAME: &'static str = "garbage";
}

/// A copy that no record refers to, to be deleted from its shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoomedRecord {
    /// Where on the shard.
    pub locator: Vec<u8>,
    /// Bytes of content, for progress.
    pub size: u64,
}

impl Record for DoomedRecord {
    const NAME: &'static str = "doomed copy";
}
