//! Redundancy schemes: how the bytes of a blob come to stand on several shards, and come back.
//!
//! A scheme is a module with three functions, `write`, `read` and `add`; this one says which scheme
//! means which module. Everything a scheme needs of the pool is the choice of shards and single calls on
//! them.

mod ending;
mod erasure;
mod feed;
mod read;
mod replicas;
mod small;
mod writing;

pub(crate) use ending::Ending;
pub(crate) use read::Verdict;

use crate::backend::BlobHeader;
use crate::body::{Body, ByteStream};
use crate::pool::{AddError, BlobRef, Copy, ReadError, Redundancy, Shard, Shards, Shortage, WriteError, Written};
use cofre_types::{BlobId, ResolvedRange, Scheme, ShardId};
use small::Sorted;
use std::sync::Arc;

/// Shards that are to take new copies; at least one.
pub(crate) struct Targets {
    /// The shards, on different failure domains.
    pub(crate) shards: Vec<Arc<Shard>>,
    /// Which pieces are wanted, the most urgent first; the shards may be fewer.
    pub(crate) pieces: Vec<u8>,
    /// Why there are not more shards.
    pub(crate) shortage: Shortage,
}

impl Shards {
    /// Writes a blob under a fresh id, over as many failure domains as its scheme asks for or there are,
    /// and at least its write quorum.
    ///
    /// A shard that fails is replaced by another where the body is whole; a body that streams goes on
    /// with the rest.
    ///
    /// # Errors
    /// [`WriteError`] says what to tell the client.
    pub async fn write(
        &self,
        blob: BlobId,
        header: BlobHeader,
        body: Body,
        redundancy: impl Into<Redundancy>,
    ) -> Result<Written, WriteError> {
        write(self, blob, header, body, redundancy.into()).await
    }

    /// Reads a range of a blob, `0 <= start <= end <= size`. The first block is checked before this
    /// returns. A copy that fails later is left for another, from the byte that was reached.
    ///
    /// # Errors
    /// [`ReadError`], here or as the source of the stream's [`BodyError`](crate::BodyError).
    pub async fn read(&self, blob: &BlobRef, range: ResolvedRange) -> Result<ByteStream, ReadError> {
        read(self, blob, range).await
    }
}

/// Writes a blob with a redundancy.
async fn write(
    pool: &Shards,
    blob: BlobId,
    mut header: BlobHeader,
    body: Body,
    redundancy: Redundancy,
) -> Result<Written, WriteError> {
    let (scheme, body) = match redundancy.scheme {
        Scheme::Replicas { .. } => (redundancy.scheme, body),
        Scheme::Erasure { .. } => match small::sort(body, redundancy.replicate_bytes_max).await? {
            Sorted::Small(body) => (redundancy.scheme.replicated(), body),
            Sorted::Large(body) => (redundancy.scheme, body),
        },
    };
    let quorum = redundancy.quorum(scheme);
    header.scheme = Some(scheme);
    match scheme {
        Scheme::Replicas { .. } => replicas::write(pool, blob, &header, body, (scheme, quorum)).await,
        Scheme::Erasure { data, parity } => {
            let code = erasure::Code { data, parity };
            erasure::write(pool, blob, &header, body, (code, quorum)).await
        }
    }
}

/// Reads a range of a blob under the scheme that it was written under.
async fn read(pool: &Shards, blob: &BlobRef, range: ResolvedRange) -> Result<ByteStream, ReadError> {
    match blob.scheme {
        Scheme::Replicas { .. } => read::read(pool, blob, range).await,
        Scheme::Erasure { data, parity } => erasure::read(pool, blob, erasure::Code { data, parity }, range).await,
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
        Scheme::Erasure { data, parity } => {
            erasure::add(pool, source, header, erasure::Code { data, parity }, targets).await
        }
    }
}

/// Which pieces of a scheme are not among the good copies that stay, those on no shard of `avoid`. First come pieces of
/// which a good copy stands on a shard to avoid: they only move.
pub(crate) fn missing(scheme: Scheme, good: &[Copy], avoid: &[ShardId]) -> Vec<u8> {
    let stays = |copy: &&Copy| !avoid.contains(&copy.shard);
    match scheme {
        Scheme::Replicas { .. } => vec![0; scheme.width().saturating_sub(good.iter().filter(stays).count())],
        Scheme::Erasure { data, parity } => {
            let has = |piece: u8| good.iter().filter(stays).any(|copy| copy.piece == piece);
            let mut missing: Vec<_> = (0..data + parity).filter(|piece| !has(*piece)).collect();
            missing.sort_by_key(|piece| !good.iter().any(|copy| copy.piece == *piece));
            missing
        }
    }
}

/// How many of the copies that a scheme asks for copies of these pieces are: of a piece that stands twice, one counts.
pub fn standing(scheme: Scheme, pieces: impl IntoIterator<Item = u8>) -> usize {
    let mut pieces: Vec<u8> = pieces.into_iter().collect();
    if let Scheme::Erasure { .. } = scheme {
        pieces.sort_unstable();
        pieces.dedup();
    }
    pieces.len()
}

/// Bytes of one copy of a blob of `size` bytes: all of them, or those of one piece.
pub fn copy_bytes(scheme: Scheme, size: u64, piece: u8) -> u64 {
    match scheme {
        Scheme::Replicas { .. } => size,
        Scheme::Erasure { data, parity } => erasure::Code { data, parity }.piece_len(size, piece),
    }
}

/// Whether a header is that of a piece of a scheme. Whole copies are the same under every number of them.
pub(crate) fn is_of(header: &BlobHeader, scheme: Scheme, piece: u8) -> bool {
    let same = match scheme {
        Scheme::Replicas { .. } => !matches!(header.scheme, Some(Scheme::Erasure { .. })),
        Scheme::Erasure { .. } => header.scheme == Some(scheme),
    };
    same && header.piece == piece
}
