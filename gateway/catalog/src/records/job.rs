use super::Record;
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a job is in a pass over everything, so that a restart goes on and does not begin anew.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobRecord {
    /// Where the pass goes on; empty at its beginning.
    pub cursor: Vec<u8>,
    /// When the pass began.
    pub began: Timestamp,
    /// When the last whole pass ended; zero if none has.
    pub ended: Timestamp,
}

impl Record for JobRecord {
    const NAME: &'static str = "job";
}
