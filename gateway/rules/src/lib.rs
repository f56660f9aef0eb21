//! What is decided by records and a request alone: the rules that a bucket has (CORS, website, lifecycle), object lock,
//! quotas, and the conditions of a request. Pure: who sets and who follows them is the domain's matter.
//!
//! Documents of rules are kept as JSON in the record of the bucket. Their form must be read for ever.

mod conditions;
mod cors;
mod error;
mod lifecycle;
mod lock;
mod quota;
mod website;

pub use conditions::{DeleteConditions, RangeOf, ReadConditions, TagMatch, Unmet, WriteConditions};
pub use cors::{CORS_DOCUMENT_BYTES_MAX, CORS_RULES_MAX, Cors, CorsMethod, CorsRule};
pub use error::RulesError;
pub use lifecycle::{
    Calendar, Criteria, Due, Expiration, Lifecycle, NoncurrentExpiration, NoncurrentTransition, RULE_ID_CHARS_MAX,
    RULES_MAX, Rule, Scope, Transition, When,
};
pub use lock::{
    LockError, Removal, WantedLock, check_change, check_removal, default_retention, lock_of, set_lock, starting,
    wanted_lock,
};
pub use quota::{Adds, Amounts, Bound, Bounded, Excess, Quota, QuotaOf, Quotas, RecordsMax};
pub use website::{
    Condition, Moved, Pages, ROUTING_RULES_MAX, ReplaceKey, RoutingRule, WebProtocol, WebRedirect, Website,
};
