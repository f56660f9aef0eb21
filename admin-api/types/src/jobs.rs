use serde::{Deserialize, Serialize};
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
}
