//! The catalog: one transactional, ordered key-value store that holds every name, version, policy
//! and placement.
//!
//! [`Store`] is the seam; [`Embedded`] is the engine of a single machine, [`Memory`]
//! the one for tests. [`keys`] holds every key
//! layout and [`records`] every record with its versioned encoding, so that what stands on disk can
//! be read in two places.

mod access_log_keys;
pub mod backup;
pub mod conformance;
mod embedded;
mod encryption_keys;
mod evaluate;
mod guarded;
pub mod keys;
mod memory;
pub mod records;
mod scan;
mod sign_in_keys;
mod state;
mod store;
mod touched;
mod version_place;

pub use embedded::{Distribution, Embedded, EmbeddedOptions, EmbeddedStats};
pub use guarded::{Committed, GuardedBatch};
pub use memory::Memory;
pub use scan::prefix_end;
pub use state::{COMMIT_SLOW_AFTER, CommitState, FilesChecked, StoreState};
pub use store::{
    BATCH_BYTES_MAX, Batch, Check, CommitError, Direction, Entry, Failed, KEY_BYTES_MAX, Revision, Scan, Snapshot,
    SnapshotExt, Store, StoreError, TOUCHED_POLL, Visit, VisitDyn, VisitStep, Write,
};
