//! What is kept at hand of the catalog, beside buckets.

use cofre_iam::KeyAccess;
use cofre_rules::Quota;
use cofre_types::AccountId;
use std::collections::HashMap;

/// Quotas of accounts, as long as no account changes.
#[derive(Default)]
pub(crate) struct AccountQuotas {
    /// What `touched` said when the cache was begun.
    pub fresh_at: u64,
    pub quotas: HashMap<AccountId, Quota>,
}

/// Every policy of a key, at hand as long as none changes.
#[derive(Debug, Default)]
pub(crate) struct KeyPolicies {
    /// What `touched` said before they were read.
    pub touched: u64,
    pub by_key: HashMap<String, KeyAccess>,
}
