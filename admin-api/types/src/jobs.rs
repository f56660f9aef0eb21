use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A background job of this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Name.
    pub name: String,
    /// Whether its last step found more to do.
    pub busy: bool,
    /// Steps that succeeded since the start of the process.
    pub steps: u64,
    /// Steps that failed since the start of the process.
    pub errors: u64,
    /// The last failure, until a step succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Objects, blobs or copies that it dealt with since the start of the process.
    pub done: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Those that could not be dealt with in the last pass and wait.
    pub waiting: u64,
    /// Whole passes that ended.
    pub passes: u64,
    /// What it did by action since the start of the process, of a job that does several things.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, u64>,
    /// Problems of the last pass, the first hundred.
    pub problems: Vec<JobProblem>,
}

/// Something that a job could not deal with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobProblem {
    /// What it is about: a blob, an object.
    pub subject: String,
    /// Why, for a person to read.
    pub reason: String,
}
