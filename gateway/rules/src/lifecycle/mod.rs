//! Lifecycle: which objects end or move, and when.

mod rules;
mod schedule;
mod validate;

pub use rules::{
    Criteria, Expiration, Lifecycle, NoncurrentExpiration, NoncurrentTransition, Rule, Scope, Transition, When,
};
pub use schedule::{Calendar, Due};
pub use validate::{RULE_ID_CHARS_MAX, RULES_MAX};
