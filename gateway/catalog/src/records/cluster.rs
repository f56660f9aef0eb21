use super::Record;
use cofre_types::Timestamp;
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
