//! Blobs and the shards that they stand on: how they are written, read, counted, healed, moved and deleted. No bucket,
//! key or account is known here; a blob's header only tells people what it was written for.
//!
//! # Invariants
//! - A copy is deleted only when no record names it: first the record goes, in a commit, and names
//!   the copy as doomed; then the copy goes; then the doomed record.
//! - Repair writes the new copy and commits it before a bad one becomes doomed. A copy that cannot
//!   be reached is neither good nor bad: it stays. A corrupt piece stays until the same piece stands whole elsewhere.
//! - Nothing is deleted from a shard that was given up before it was held against the catalog, nor from any before it
//!   was compared with a catalog that was restored.
//! - A copy that no record names is doomed only if its blob is gone, or whole without it; after a restore, only once an
//!   operator let go of what is in no record.
//! - A copy that its shard has deleted and can still read counts for nothing but a source.
//! - Every verb of maintenance does a bounded step and can be interrupted anywhere.

mod blob;
mod blobs;
mod catalog_backup;
mod compact;
mod compare;
mod confirm;
mod counts;
mod doomed;
mod drop;
mod error;
mod given_up;
mod heal;
mod holders;
mod judge;
mod orphans;
mod queue;
mod read;
mod rebalance;
mod reconcile;
mod relocate;
mod scrub;
mod standing;
mod topology;
mod twins;
mod verify;
mod walk;
mod write;

pub use blob::{HeldBlob, blob_ref, copy_bytes};
pub use blobs::{Blobs, BlobsParts};
pub use catalog_backup::CatalogBackup;
pub use compare::Compared;
pub use counts::Count;
pub use doomed::Deleted;
pub use drop::Dropped;
pub use error::BlobsError;
pub use given_up::RebuildStep;
pub use heal::{Damaged, Healed};
pub use orphans::Orphans;
pub use queue::HealCursor;
pub use rebalance::{Imbalance, Rebalanced};
pub use reconcile::{Reconciled, Reconciling};
pub use relocate::Relocated;
pub use scrub::Scrubbed;
pub use topology::*;
pub use verify::{CopiesVerified, Wrong};
pub use write::{BlobRefusal, NewBlob};
