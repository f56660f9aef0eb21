use super::Record;
use cofre_types::Timestamp;
use serde::{Deserialize, Serialize};

/// One revision of the dynamic settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRecord {
    /// The whole document, as JSON: its schema has a version of its own.
    pub document: String,
    /// Who set it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the author's words.
    pub note: String,
}

impl Record for SettingsRecord {
    const NAME: &'static str = "settings";
}
