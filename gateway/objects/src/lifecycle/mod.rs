//! Lifecycle: the rules of a bucket, what they ask for, and the verbs of the job that does it.
//!
//! # Ordering
//! A step of the job reads one page of one snapshot and decides by it. Each version is held against
//! its record and its bucket's again at the commit: who tagged, locked or replaced it meanwhile, or
//! changed the rules, makes the commit fail, and the next pass decides anew. A version that is locked
//! is left, whatever the rules say.
//!
//! # Failure and recovery
//! A step can end anywhere: what is due stays due. The cursor says only where a pass goes on.
//!
//! # Limits
//! A step reads a bounded number of records, and keeps a bounded number of those, of bounded bytes. What ends shares
//! commits of a bounded size.

mod apply;
mod config;
mod current;
mod cursor;
mod ends;
mod log;
mod rules;
mod schedule;
mod transition;
mod uploads;
mod validate;
mod versions;

pub use apply::{LifecycleCounts, LifecycleStep};
pub use rules::{
    Criteria, Expiration, Lifecycle, NoncurrentExpiration, NoncurrentTransition, Rule, Scope, Transition, When,
};
pub use validate::{RULE_ID_CHARS_MAX, RULES_MAX, RulesError};

pub(crate) use config::parse;
pub(crate) use schedule::Calendar;
