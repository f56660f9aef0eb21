use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may use a named encryption key, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyPolicy {
    /// Name of the key.
    pub key: String,
    /// The policy: JSON, in the language of AWS's key policies.
    pub policy: String,
    /// When it was set.
    #[schema(format = DateTime)]
    pub set: String,
}

/// Sets who may use a named encryption key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetKeyPolicy {
    /// The policy: JSON, in the language of AWS's key policies, at most 20 KiB. Principals are accounts, by canonical id,
    /// number or ARN; actions are those of `kms:`; the resource is `*` or the key's ARN, `arn:aws:kms:::key/NAME`.
    pub policy: String,
}
