use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Starts a backup of the catalog while it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartBackup {
    /// Directory of the server to write it to: absolute, and empty or not there yet.
    pub directory: String,
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// It is being written.
    Running,
    /// It is whole and durable.
    Done,
    /// It is not usable.
    Failed,
}

/// A backup of the catalog that this process took since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Number, counted from the start of the process.
    pub id: u64,
    /// Directory of the server.
    pub directory: String,
    /// How far it is.
    pub state: BackupState,
    /// Entries written so far.
    pub done_entries: u64,
    /// Bytes written so far.
    pub done_bytes: u64,
    /// Bytes to expect in all, estimated at the start; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// When it was started.
    #[schema(format = DateTime)]
    pub started: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ended: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
