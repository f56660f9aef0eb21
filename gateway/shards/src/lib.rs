//! Immutable blobs on many shards: backends, placement, redundancy schemes, and the pool that reads
//! and writes through them.
//!
//! A blob is written once under a fresh [`BlobId`](cofre_types::BlobId), and read, listed and
//! deleted ever after. Nothing here knows buckets or versions, beyond the header that lets a
//! catalog be rebuilt from shards.

mod backend;
mod body;
pub mod conformance;
mod crc;
mod decorators;
pub mod frame;
mod fs;
mod identity;
mod memory;
pub mod placement;
mod pool;
mod scheme;

pub use backend::{
    Backend, BackendError, BlobHeader, Capacity, Compacted, ListPage, Listed, Liveness, Locator, Moved, NotDeleted,
    Probe, Relocate, RemovalTurn, Stored,
};
pub use body::{Body, BodyError, ByteStream, exclusive};
pub use decorators::{
    Budget, Faulty, InUse, LATENCY_BOUNDS_MICROS, Latency, Limit, Meter, ShardFigures, StreamTrouble, Trouble, Troubles,
};
#[cfg(feature = "fuzzing")]
pub use fs::fuzzing;
pub use fs::{CatalogMark, FsBackend, FsError, FsOptions};
pub use identity::{IdentityError, ShardIdentity};
pub use memory::MemoryBackend;
pub use pool::{
    AddError, BadCopies, BadCopy, BlobRef, Copy, CopyState, Fault, NamingTurn, ReadError, Redundancy, ShardInfo,
    ShardMode, ShardState, ShardStatus, Shards, ShardsOptions, WriteError, Written,
};
pub use scheme::{copy_bytes, standing};
