use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// What happened, as a word for programs and for pages in other languages; S3's code where S3 has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "QuotaExceeded")]
    pub code: Option<String>,
    /// What the code is about, by name: figures, names and times that `detail` tells in words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// The request, as the log names it.
    pub request_id: String,
}
