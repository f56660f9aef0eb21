use crate::buckets::Quota;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// An account: the owner of buckets and access keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Canonical id: 64 hexadecimal digits.
    pub id: String,
    /// Unique name, as S3 answers show it.
    pub display_name: String,
    /// E-mail address; empty if it has none.
    pub email: String,
    /// Whether it may do everything, on every bucket.
    pub root: bool,
    /// Whether all its keys are refused.
    pub disabled: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// Most buckets it may own; no bound of its own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets_max: Option<u32>,
    /// What all its buckets together may hold, if it has bounds of its own.
    pub quota: Quota,
    /// What it owns.
    pub usage: AccountUsage,
}

/// What an account owns in all its buckets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountUsage {
    /// Buckets.
    pub buckets: u64,
    /// Objects, over all versions: what a quota on objects bounds.
    pub objects: u64,
    /// Bytes, over all versions and parts of uploads under way: what a quota on bytes bounds.
    pub bytes: u64,
    /// Bytes that were overwritten or deleted and wait for the end of their grace.
    pub grace_bytes: u64,
}

/// Makes an account and its first access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// Unique name.
    pub display_name: String,
    /// E-mail address, unique; none if absent or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Most buckets it may own; no bound of its own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets_max: Option<u32>,
    /// Its first key, brought from elsewhere; one of random characters if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ImportKey>,
}

/// An access key that is brought from elsewhere. What can be guessed is refused: secrets of fewer than 16 characters or of
/// fewer than six different ones, and well-known defaults.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportKey {
    /// The id that S3 clients send: 3 to 128 letters, digits, `_` and `-`.
    pub access_key_id: String,
    /// The secret that they sign with: 16 to 128 printable ASCII characters without spaces.
    pub secret_access_key: String,
}

impl fmt::Debug for ImportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// A new account with its first key. This is the only answer that ever holds the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountCreated {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// Id of its first access key.
    pub access_key_id: String,
    /// Secret of its first access key. It cannot be shown again.
    pub secret_access_key: String,
}

impl fmt::Debug for AccountCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountCreated").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Changes an account. A field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchAccount {
    /// Whether all its keys are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// The id that S3 clients send.
    pub access_key_id: String,
    /// Canonical id of the account whose key it is.
    pub account: String,
    /// Name of that account.
    pub account_name: String,
    /// Whether it is refused.
    pub disabled: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// From when on it is refused; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires: Option<String>,
    /// What it is for, in its maker's words.
    pub note: String,
}

/// Makes an access key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is for; at most 256 characters.
    #[serde(default)]
    pub note: String,
    /// Seconds until it is refused; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub expires_in_seconds: Option<u64>,
    /// Id and secret, brought from elsewhere; random if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportKey>,
}

/// Makes a new key in the place of an old one, which stays good for a while.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Seconds for which the old key stays good; none if absent.
    #[serde(default)]
    pub keep_old_seconds: u64,
}

/// A new access key. This is the only answer that ever holds the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyCreated {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The secret. It cannot be shown again.
    pub secret_access_key: String,
}

impl fmt::Debug for KeyCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCreated").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Changes an access key. A field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchKey {
    /// Whether it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}
