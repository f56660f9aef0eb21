//! The catalog: one transactional, ordered key-value store that holds every name, version, policy
//! and placement.
//!
//! [`Store`] is the seam; [`Embedded`] is the engine of a single machine, [`Memory`]
//! the one for tests. [`keys`] holds every key
//! layout and [`records`] every record with its versioned encoding, so that what stands on disk can
//! be read in two places.

mod access_log_keys;
pub mod backup;
mod batch;
pub mod conformance;
mod embedded;
mod encryption_keys;
mod error;
mod evaluate;
mod freshness;
mod group;
mod guarded;
pub mod keys;
mod memory;
mod queue_keys;
pub mod records;
mod scan;
mod sign_in_keys;
mod state;
mod store;
mod tally;
mod version_place;
mod walk;

pub use batch::{BATCH_BYTES_MAX, Batch, Check, Entry, KEY_BYTES_MAX, Revision, Write};
pub use embedded::{Embedded, EmbeddedOptions};
pub use error::{CommitError, Failed, StoreError};
pub use freshness::{FRESHNESS_POLL, Freshness, Mark, Slot};
pub use group::{CommitStats, Distribution};
pub use guarded::{Committed, GuardedBatch};
pub use memory::{MEMORY_STALENESS_MAX, Memory, MemoryStream};
pub use scan::{Direction, Scan, Visit, VisitDyn, VisitStep};
pub use state::{COMMIT_SLOW_AFTER, CommitState, FilesChecked, StoreState};
pub use store::{Read, ReadExt, Snapshot, Store};
pub use tally::{begin_tally, compare_tally};
pub use walk::prefix_end;
