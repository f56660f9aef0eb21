//! Lifecycle: the rules of a bucket set and told, and the verbs of the job that does what they ask for.
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
mod transition;
mod uploads;
mod versions;

pub use apply::{LifecycleCounts, LifecycleStep};
