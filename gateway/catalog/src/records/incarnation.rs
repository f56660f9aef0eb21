use super::{DistinctBlobs, Record, RecordError, decode_version_1};
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The catalog in a line of its own: it was restored from a backup, so shards hold what it does not know, and were told to
/// delete what it names. Absent while no catalog of this Cofre was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncarnationRecord {
    /// Random id. That of a catalog which was never restored is all zeros.
    pub id: [u8; 16],
    /// When it was restored, or found to be behind the shards.
    pub begun: Timestamp,
    /// When the backup was taken, if that is known; of one that was found behind, when its last event was.
    pub backup_taken: Option<Timestamp>,
    /// Whether a start found that shards had seen more of the catalog: it is an older copy of itself, and nobody restored it.
    pub found_behind: bool,
}

impl Record for IncarnationRecord {
    const NAME: &'static str = "incarnation";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<IncarnationV1, Self>(version, fields)
    }
}

/// The fields of version 1 of [`IncarnationRecord`], which were all restored.
#[derive(Deserialize)]
struct IncarnationV1 {
    id: [u8; 16],
    begun: Timestamp,
    backup_taken: Option<Timestamp>,
}

impl From<IncarnationV1> for IncarnationRecord {
    fn from(IncarnationV1 { id, begun, backup_taken }: IncarnationV1) -> Self {
        Self { id, begun, backup_taken, found_behind: false }
    }
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
    /// Places that the shard's disk did not give: what stands there was not looked at.
    pub passed: u64,
    /// Copies of blobs that are in no record and newer than the backup.
    pub newer: UnknownCopies,
    /// The other copies that are in no record.
    pub older: UnknownCopies,
}

/// Copies on a shard that are in no record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnknownCopies {
    /// Copies or pieces.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The blobs that they are of.
    pub blobs: DistinctBlobs,
}

impl UnknownCopies {
    /// Adds what others count. A blob that both have is one.
    pub fn merge(&mut self, other: &Self) {
        self.copies += other.copies;
        self.bytes += other.bytes;
        self.blobs.merge(&other.blobs);
    }
}

impl Record for ComparisonRecord {
    const NAME: &'static str = "comparison";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<ComparisonV1, Self>(version, fields)
    }
}

/// The fields of version 1 of [`ComparisonRecord`].
#[derive(Deserialize)]
struct ComparisonV1 {
    incarnation: [u8; 16],
    _cursor: Vec<u8>,
    ended: Timestamp,
    released: Timestamp,
    seen: u64,
    named: u64,
    _newer: UnknownV1,
    _older: UnknownV1,
}

#[derive(Deserialize)]
struct UnknownV1 {
    _copies: u64,
    _bytes: u64,
    _object_millionths: u64,
}

impl From<ComparisonV1> for ComparisonRecord {
    /// What waits for an operator is counted anew: which blobs it was of did not stand there.
    fn from(old: ComparisonV1) -> Self {
        let ComparisonV1 { incarnation, ended, released, seen, named, .. } = old;
        let anew = Self { incarnation, ..Self::default() };
        if released == Timestamp::default() { anew } else { Self { ended, released, seen, named, ..anew } }
    }
}
