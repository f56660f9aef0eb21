use super::Record;
use cofre_types::{Scheme, Timestamp};
use serde::{Deserialize, Serialize};

/// Which Cofre this is. Its shards carry the same identity, so that none is taken for another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// Random identity.
    pub id: [u8; 16],
    /// When it was made.
    pub created: Timestamp,
}

impl Record for ClusterRecord {
    const NAME: &'static str = "cluster";
}

/// The redundancy of blobs for which no bucket, class or dynamic setting asks for another: what the boot settings named
/// last, so that a start which names none changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRedundancyRecord {
    /// The redundancy.
    pub scheme: Scheme,
}

impl Record for DefaultRedundancyRecord {
    const NAME: &'static str = "default redundancy";
}
