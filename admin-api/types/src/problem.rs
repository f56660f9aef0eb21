use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not carried out (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: a stable name for programs, `urn:cofre:problem:not-found` for instance.
    #[serde(rename = "type")]
    #[schema(example = "urn:cofre:problem:invalid-field")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    pub status: u16,
    /// What happened and what to do next, for a person to read.
    pub detail: String,
    /// The field of the request that is wrong, as a path with dots: `labels.rack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The request, as the log names it.
    pub request_id: String,
}
