//! The catalog: one transactional, ordered key-value store that holds every name, version, policy
//! and placement.
//!
//! [`Store`] is the seam; [`Memory`] and [`Embedded`] are its engines. [`keys`] holds every key
//! layout and [`records`] every record with its versioned encoding, so that what stands on disk can
//! be read in two places.

pub mod keys;
pub mod records;
mod store;

pub use store::{
    Batch, Check, CommitError, Direction, Entry, Failed, Revision, Scan, Snapshot, SnapshotExt, Store, StoreError,
    TOUCHED_POLL, Visit, VisitStep, Write,
};
