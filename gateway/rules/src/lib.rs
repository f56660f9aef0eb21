//! The rules that a bucket has: CORS, website, lifecycle. What they say, what they must be like, and what they make of a
//! request, a version or a moment. Pure: who sets and who follows them is the domain's matter.
//!
//! Documents are kept as JSON in the record of the bucket. Their form must be read for ever.

mod cors;
mod error;
mod lifecycle;
mod website;

pub use cors::{CORS_DOCUMENT_BYTES_MAX, CORS_RULES_MAX, Cors, CorsMethod, CorsRule};
pub use error::RulesError;
pub use lifecycle::{
    Calendar, Criteria, Due, Expiration, Lifecycle, NoncurrentExpiration, NoncurrentTransition, RULE_ID_CHARS_MAX,
    RULES_MAX, Rule, Scope, Transition, When,
};
pub use website::{
    Condition, Moved, Pages, ROUTING_RULES_MAX, ReplaceKey, RoutingRule, WebProtocol, WebRedirect, Website,
};
