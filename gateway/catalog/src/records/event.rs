use super::Record;
use crate::{Write, keys};
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A change of state or an admin action. Committed with the change itself, so that no change goes
/// unsaid and nothing is said that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// When.
    pub at: Timestamp,
    /// What, as `subject.verb`: `bucket.created`, `shard.mode_changed`.
    pub kind: String,
    /// What it happened to: a bucket's name, a shard's number.
    pub subject: String,
    /// Who did it: an account, an admin token, a job.
    pub actor: String,
    /// Further facts. Never a secret.
    pub details: Vec<(String, String)>,
}

impl Record for EventRecord {
    const NAME: &'static str = "event";
}

impl EventRecord {
    /// The write that appends it to the event log; `index` tells the events of one batch apart.
    pub fn append(&self, index: u8) -> Write {
        Write::Append { prefix: keys::events(), suffix: vec![index], value: self.encode() }
    }
}
