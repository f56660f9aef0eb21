//! Redundancy schemes: how the bytes of a blob come to stand on several shards, and come back.
//!
//! A scheme is a module with three functions, `write`, `read` and `add`; this one says which scheme
//! means which module. Everything a scheme needs of the pool is the choice of shards and single calls on
//! them.

mod feed;
mod read;
mod replicas;

pub(crate) use read::Verdict;

use crate::pool::{AddError, BlobRef, Copy, ReadError, Shard, Shards, Shortage, WriteError, Written};
use crate::{BlobHeader, Body, ByteStream, Durability};
use cofre_types::{BlobId, ResolvedRange, Scheme};
use std::sync::Arc;

/// Shards that are to take new copies.
pub(crate) struct Targets {
    /// The shards, on different failure domains.
    pub(crate) shards: Vec<Arc<Shard>>,
    /// Why there are not more.
    pub(crate) shortage: Shortage,
}

/// Writes a blob under a scheme.
pub(crate) async fn write(
    pool: &Shards,
    blob: BlobId,
    header: &BlobHeader,
    body: Body,
    scheme: Scheme,
    durability: Durability,
) -> Result<Written, WriteError> {
    match scheme {
        Scheme::Replicas { .. } => {
            replicas::write(pool, blob, header, body, scheme, durability).await
        }
    }
}

/// Reads a range of a blob under the scheme that it was written under.
pub(crate) async fn read(pool: &Shards, blob: &BlobRef, range: ResolvedRange) -> Result<ByteStream, ReadError> {
    match blob.scheme {
        Scheme::Replicas { .. } => read::read(pool, blob, range).await,
    }
}

/// Writes copies that are missing, from the good copies in `source`, to `targets`.
pub(crate) async fn add(
    pool: &Shards,
    source: &BlobRef,
    header: &BlobHeader,
    targets: Targets,
) -> Result<Vec<Copy>, AddError> {
    match source.scheme {
        Scheme::Replicas { .. } => replicas::add(pool, source, header, targets).await,
    }
}
