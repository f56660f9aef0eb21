//! What a Cofre should have, as one document, and what it takes to get there.

mod buckets;
mod rules;

pub use buckets::{
    AclGroup, AclPermission, BlockedEncryption, DefaultEncryption, DefaultRetention, EncryptionAlgorithm, Grant,
    LockMode, LogKeyFormat, Logging, ObjectLock, Ownership, Payer, ProvisionBucket, PublicAccessBlock,
    TransitionMinimum, Versioning,
};
pub use rules::{
    CorsRule, HostRedirect, LifecycleExpiration, LifecycleFilter, LifecycleRule, LifecycleTransition,
    NoncurrentExpiration, NoncurrentTransition, RoutingCondition, RoutingRedirect, RoutingRule, Website,
};

use crate::buckets::Quota;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// Most accounts, buckets or key policies of a document.
pub const PROVISION_ITEMS_MAX: usize = 10_000;

/// Most keys of an account, and most lifecycle rules of a bucket, in a document.
pub const PROVISION_PARTS_MAX: usize = 1_000;

/// Reads a list of at most `MAX` items, and no more of a longer one.
fn at_most<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(from: D) -> Result<Vec<T>, D::Error> {
    struct AtMost<T, const MAX: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for AtMost<T, MAX> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX} items")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(item) = items.next_element()? {
                if read.len() == MAX {
                    return Err(A::Error::custom(format!("has more than {MAX} items")));
                }
                read.push(item);
            }
            Ok(read)
        }
    }
    from.deserialize_seq(AtMost::<T, MAX>(PhantomData))
}

/// As [`at_most`], of a list that may be absent.
fn some_at_most<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(
    from: D,
) -> Result<Option<Vec<T>>, D::Error> {
    at_most::<D, T, MAX>(from).map(Some)
}

/// What a Cofre should have: accounts, keys, buckets and settings. What is not in it stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// Dynamic settings, as a merge patch of their document: only the fields to set.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Accounts with their keys, at most 10,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<_, _, PROVISION_ITEMS_MAX>")]
    pub accounts: Vec<ProvisionAccount>,
    /// Policies of named encryption keys, at most 10,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<_, _, PROVISION_ITEMS_MAX>")]
    pub key_policies: Vec<ProvisionKeyPolicy>,
    /// Buckets, at most 10,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<_, _, PROVISION_ITEMS_MAX>")]
    pub buckets: Vec<ProvisionBucket>,
}

/// An account that should be there. A field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionAccount {
    /// Name, by which the account is found.
    pub name: String,
    /// Canonical id, 64 hexadecimal digits, for an account that is made; random if absent. The id of an account that is
    /// there does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// E-mail address of an account that is made. That of an account that is there does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether all its keys are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Most buckets it may own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets_max: Option<u32>,
    /// What all its buckets together may hold. A limit that is absent is that of the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Its access keys, at most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "at_most::<_, _, PROVISION_PARTS_MAX>")]
    pub keys: Vec<ProvisionKey>,
}

/// An access key that should be there. A field that is absent stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionKey {
    /// The id that S3 clients send, by which the key is found: 3 to 128 letters, digits, `_` and `-`.
    pub access_key_id: String,
    /// The secret: 16 to 128 printable ASCII characters without spaces; what can be guessed is refused. A key that is
    /// made needs it. No answer holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
    /// Whether it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires: Option<String>,
    /// What it is for; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl fmt::Debug for ProvisionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvisionKey").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The policy that a named encryption key should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionKeyPolicy {
    /// Name of the key.
    pub key: String,
    /// The policy: JSON, in the language of AWS's key policies.
    pub policy: String,
}

/// Asks what it takes to get to a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanProvision {
    /// What should be there.
    pub document: Provision,
    /// Whether what is not in the document is deleted: buckets, key policies and accounts if the document has any of the
    /// kind, keys of accounts that have any in it, and configurations of its buckets. The root account and its keys stay.
    #[serde(default)]
    pub prune: bool,
}

/// Carries a document out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyProvision {
    /// What should be there.
    pub document: Provision,
    /// As in a plan.
    #[serde(default)]
    pub prune: bool,
    /// The id of the plan that was looked at; if other steps are due by now, nothing is done. Absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// What it takes to get to a document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProvisionPlan {
    /// Which steps these are: another plan has another id.
    pub id: String,
    /// The steps, in their order; none if all is as the document says.
    pub steps: Vec<ProvisionStep>,
    /// What is there beside the document, on what it names, and stays: what `prune` would delete.
    pub kept: Vec<ProvisionStep>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProvisionStep {
    /// What is done.
    pub verb: ProvisionVerb,
    /// What it is done to: `account ana`, `key app-1`, `bucket photos`, `key policy eu`, `settings`.
    pub subject: String,
    /// Which of its settings; absent where it is made or deleted as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// The field of the document that asks for it; empty if it is not in the document.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// How it is: any JSON, null for nothing. A secret is never told.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub before: Value,
    /// How it is to be: any JSON, null for nothing.
    #[serde(default)]
    #[schema(value_type = Value)]
    pub after: Value,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProvisionVerb {
    /// Makes something.
    Create,
    /// Sets something.
    Set,
    /// Deletes something.
    Delete,
}
