//! What is kept at hand of the catalog, beside buckets.

use cofre_catalog::Mark;
use cofre_iam::KeyAccess;
use cofre_rules::Quota;
use cofre_types::AccountId;
use std::collections::HashMap;

/// Quotas of accounts, each as long as its account does not change.
pub(crate) type AccountQuotas = HashMap<AccountId, (Mark, Quota)>;

/// Every policy of a key, at hand as long as none changes.
#[derive(Debug, Default)]
pub(crate) struct KeyPolicies {
    /// Of all policies, made before they were read.
    pub mark: Option<Mark>,
    pub by_key: HashMap<String, KeyAccess>,
}
