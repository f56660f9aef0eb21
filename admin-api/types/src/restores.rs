use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A catalog that was restored from a backup, or found to be an older copy of itself, and how it compares with what stands
/// on the shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogRestore {
    /// When it was restored, or found to be an older copy.
    #[schema(format = DateTime)]
    pub restored: String,
    /// When the backup was taken, or when the last event of the older copy was; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub backup_taken: Option<String>,
    /// Whether nobody restored it: a start found that shards had seen more of the catalog than there is, so that somebody
    /// put an older copy of it back.
    #[serde(default)]
    pub found_behind: bool,
    /// Shards that are to be compared with it: all that were not given up. Nothing is deleted from one before it was.
    pub shards: u64,
    /// Shards that were gone through to their end.
    pub shards_compared: u64,
    /// Shards of those whose disks did not give some places. What stands there may be newer than the backup: nothing can be
    /// discarded before they are compared anew, which the job orphans does with each pass.
    #[serde(default)]
    pub shards_unreadable: u64,
    /// Copies and pieces that had moved since the backup and count again.
    pub named_copies: u64,
    /// What stands on shards, is in no record and is newer than the backup.
    pub newer: UnknownContent,
    /// What else stands on shards and is in no record: mostly what was deleted before the backup.
    pub older: UnknownContent,
    /// Whether any of that waits to be discarded. It stays until then.
    pub waiting: bool,
}

/// What stands on shards and is in no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnknownContent {
    /// Objects, and parts of multipart uploads; exact to a thousand, within some percent beyond.
    pub objects: u64,
    /// Copies and pieces of them.
    pub copies: u64,
    /// Bytes of those.
    pub bytes: u64,
}
