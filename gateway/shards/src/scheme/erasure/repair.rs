use super::write::{Striper, headers};
use super::{Code, read};
use crate::backend::{BackendError, BlobHeader};
use crate::body::Body;
use crate::pool::{AddError, BlobRef, Copy, Shard, Shards, Shortage, WriteError};
use crate::scheme::Targets;
use crate::scheme::feed::Feeds;
use crate::scheme::writing::{Job, add_error};
use cofre_types::ResolvedRange;
use futures_util::future::FutureExt;
use std::sync::Arc;

/// Cells that wait for one shard.
const CELLS_WAITING_MAX: usize = 2;

/// Writes the wanted pieces, one to each target: as it is where a good copy of the piece can be read, else rebuilt from
/// the others.
pub(in crate::scheme) async fn add(
    pool: &Shards,
    source: &BlobRef,
    header: &BlobHeader,
    code: Code,
    targets: Targets,
) -> Result<Vec<Copy>, AddError> {
    let headers = headers(header, &targets.pieces);
    let (mut added, mut rest, mut refused) = (Vec::new(), Vec::new(), None);
    for (shard, header) in targets.shards.into_iter().zip(&headers) {
        match move_piece(pool, source, header, code, &shard).await {
            Moved::Done(copy) => added.push(copy),
            Moved::NoSource => rest.push((shard, header)),
            Moved::NoTarget(error) => {
                tracing::warn!(blob = %source.id, shard = %shard.info.id, %error, "a piece was not written");
                refused = Some(error);
            }
        }
    }
    if !rest.is_empty() {
        match rebuild(pool, source, code, rest).await {
            Ok(copies) => added.extend(copies),
            Err(error) if added.is_empty() => return Err(error),
            Err(error) => tracing::warn!(blob = %source.id, %error, "pieces were not rebuilt"),
        }
    }
    match refused {
        Some(error) if added.is_empty() => Err(AddError::Write(refusal(&error))),
        _ => Ok(added),
    }
}

fn refusal(error: &BackendError) -> WriteError {
    let full = usize::from(matches!(error, BackendError::Full));
    Shortage { reached: 0, full }.error(1)
}

enum Moved {
    Done(Copy),
    /// No good copy of the piece gave it.
    NoSource,
    /// The target did not take it.
    NoTarget(BackendError),
}

/// Copies a piece as it is.
async fn move_piece(pool: &Shards, source: &BlobRef, header: &BlobHeader, code: Code, target: &Arc<Shard>) -> Moved {
    let range = ResolvedRange { start: 0, end: code.piece_len(source.size, header.piece) };
    for copy in source.copies.iter().filter(|copy| copy.piece == header.piece) {
        let Some(shard) = pool.shard(copy.shard) else { continue };
        let stream = match shard.get(source.id, copy, range).await {
            Ok(stream) => stream,
            Err(error) => {
                pool.report(source.id, copy.shard, &error);
                continue;
            }
        };
        let body = Body::Stream { stream, size: Some(range.end) };
        match target.put(source.id, header, body).await {
            Ok((copy, _)) => return Moved::Done(copy),
            Err(BackendError::Body(error)) => pool.report(source.id, copy.shard, &BackendError::of_stream(error)),
            Err(error) => return Moved::NoTarget(error),
        }
    }
    Moved::NoSource
}

/// Rebuilds pieces, reading the blob once.
async fn rebuild(
    pool: &Shards,
    source: &BlobRef,
    code: Code,
    targets: Vec<(Arc<Shard>, &BlobHeader)>,
) -> Result<Vec<Copy>, AddError> {
    let range = ResolvedRange { start: 0, end: source.size };
    let stream = read(pool, source, code, range).await?;
    let size_bytes = code.piece_len(source.size, code.data);
    let job = Job { pool, blob: source.id, size_bytes, quorum: 1 };
    let mut feeds = Feeds::new(1, job.grace(), CELLS_WAITING_MAX);
    let puts = targets.into_iter().map(|(shard, header)| {
        let stream = feeds.reader(usize::from(header.piece));
        (shard, header, Body::Stream { stream, size: Some(code.piece_len(source.size, header.piece)) })
    });
    let puts = puts.collect();
    let pump = Striper::new(code, feeds).pump(stream, Some(source.size), Arc::default()).boxed();
    let copies = job.fed(puts, pump).await.map_err(add_error)?;
    Ok(copies.into_iter().map(|(copy, _)| copy).collect())
}
