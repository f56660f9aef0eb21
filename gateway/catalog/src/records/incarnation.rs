use super::Record;
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The catalog in a line of its own: it was restored from a backup, so shards hold what it does not know, and were told to
/// delete what it names. Absent while no catalog of this Cofre was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncarnationRecord {
    /// Random id. That of a catalog which was never restored is all zeros.
    pub id: [u8; 16],
    /// When it was restored.
    pub begun: Timestamp,
    /// When the backup was taken, if that is known.
    pub backup_taken: Option<Timestamp>,
}

impl Record for IncarnationRecord {
    const NAME: &'static str = "incarnation";
}

/// How a shard compares with the catalog of an incarnation: what stands on it and is in no record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ComparisonRecord {
    /// The incarnation. Comparisons with another one count for nothing.
    pub incarnation: [u8; 16],
    /// Where the listing of the shard goes on; empty at its beginning and at its end.
    pub cursor: Vec<u8>,
    /// When the shard was gone through to its end; zero while it was not.
    pub ended: Timestamp,
    /// When an operator let go of what is in no record, or it was seen that there is none; zero before.
    pub released: Timestamp,
    /// Copies that were looked at.
    pub seen: u64,
    /// Copies that no record named and that their blobs lacked: they are named now.
    pub named: u64,
    /// Copies of blobs that are in no record and newer than the backup.
    pub newer: UnknownCopies,
    /// The other copies that are in no record.
    pub older: UnknownCopies,
}

/// Copies on a shard that are in no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnknownCopies {
    /// Copies or pieces.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Millionths of the objects that they are of: one copy of two is half of one.
    pub object_millionths: u64,
}

impl Record for ComparisonRecord {
    const NAME: &'static str = "comparison";
}
