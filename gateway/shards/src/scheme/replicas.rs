//! Whole copies: every shard holds all bytes.
//!
//! # Failure and retry
//! A whole body is put on another shard when one fails. A stream can be read only once: it goes on with
//! the shards that are left for as long as they can make the quorum.

use super::Targets;
use super::feed::Feeds;
use super::writing::{Job, Progress, add_error};
use crate::backend::BlobHeader;
use crate::body::{Body, ByteStream};
use crate::pool::{AddError, BlobRef, Copy, Excluded, Shard, Shards, WriteError, Written};
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange, Scheme};
use futures_util::future::FutureExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;

/// Writes as many copies as the scheme asks for, and at least `quorum`.
pub(super) async fn write(
    pool: &Shards,
    blob: BlobId,
    header: &BlobHeader,
    body: Body,
    (scheme, quorum): (Scheme, usize),
) -> Result<Written, WriteError> {
    let size = body.size();
    let width = scheme.width();
    let (shards, shortage) = pool.choose(width, size.unwrap_or(0), &Excluded::default()).await;
    if shards.len() < quorum {
        return Err(shortage.error(quorum));
    }
    let job = Job { pool, blob, size_bytes: size.unwrap_or(0), quorum };
    let copies = write_to(&job, header, shards, body).await?;
    let size = copies.first().map_or(0, |(_, size)| *size);
    let copies: Vec<_> = copies.into_iter().map(|(copy, _)| copy).collect();
    let missing = width - copies.len();
    Ok(Written { size, scheme, copies, missing })
}

/// Writes one copy to each target, as many as can be.
pub(super) async fn add(
    pool: &Shards,
    source: &BlobRef,
    header: &BlobHeader,
    targets: Targets,
) -> Result<Vec<Copy>, AddError> {
    let range = ResolvedRange { start: 0, end: source.size };
    let body = Body::Stream { stream: super::read(pool, source, range).await?, size: Some(source.size) };
    let job = Job { pool, blob: source.id, size_bytes: source.size, quorum: 1 };
    let copies = write_to(&job, header, targets.shards, body).await.map_err(add_error)?;
    Ok(copies.into_iter().map(|(copy, _)| copy).collect())
}

async fn write_to(
    job: &Job<'_>,
    header: &BlobHeader,
    shards: Vec<Arc<Shard>>,
    body: Body,
) -> Result<Vec<(Copy, u64)>, WriteError> {
    match body {
        Body::Whole(bytes) if shards.len() == 1 => whole_on_one(job, header, shards, bytes).await,
        Body::Whole(bytes) => whole(job, header, shards, bytes).await,
        Body::Stream { stream, size } => match <[Arc<Shard>; 1]>::try_from(shards) {
            Ok([shard]) => stream_to_one(job, header, &shard, Body::Stream { stream, size }).await,
            Err(shards) => stream_to_all(job, header, shards, stream, size).await,
        },
    }
}

async fn whole_on_one(
    job: &Job<'_>,
    header: &BlobHeader,
    shards: Vec<Arc<Shard>>,
    bytes: Bytes,
) -> Result<Vec<(Copy, u64)>, WriteError> {
    let mut progress = Progress::default();
    let mut next = shards.into_iter().next();
    while let Some(shard) = next {
        progress.tried.domain_of(&shard);
        match shard.put(job.blob, header, Body::Whole(bytes.clone())).await {
            Ok(done) => return Ok(vec![done]),
            Err(error) => progress.failed(job, &shard, error)?,
        }
        next = job.spare(&mut progress).await;
    }
    Err(progress.shortage().error(job.quorum))
}

async fn stream_to_one(
    job: &Job<'_>,
    header: &BlobHeader,
    shard: &Arc<Shard>,
    body: Body,
) -> Result<Vec<(Copy, u64)>, WriteError> {
    match shard.put(job.blob, header, body).await {
        Ok(done) => Ok(vec![done]),
        Err(error) => {
            let mut progress = Progress::default();
            progress.failed(job, shard, error)?;
            Err(progress.shortage().error(job.quorum))
        }
    }
}

async fn whole(
    job: &Job<'_>,
    header: &BlobHeader,
    shards: Vec<Arc<Shard>>,
    bytes: Bytes,
) -> Result<Vec<(Copy, u64)>, WriteError> {
    let mut progress = Progress::default();
    let mut puts = FuturesUnordered::new();
    for shard in shards {
        progress.begin(&shard);
        puts.push(job.put(shard, header, Body::Whole(bytes.clone())));
    }
    while let Some((shard, outcome)) = job.next(&mut puts, progress.copies.len() >= job.quorum).await {
        match outcome {
            Ok(done) => progress.done(shard, done),
            Err(error) => {
                progress.failed(job, &shard, error)?;
                if let Some(spare) = job.spare(&mut progress).await {
                    progress.begin(&spare);
                    puts.push(job.put(spare, header, Body::Whole(bytes.clone())));
                }
            }
        }
    }
    let stragglers = !puts.is_empty();
    drop(puts);
    job.finish(progress, stragglers).await
}

async fn stream_to_all(
    job: &Job<'_>,
    header: &BlobHeader,
    shards: Vec<Arc<Shard>>,
    body: ByteStream,
    size: Option<u64>,
) -> Result<Vec<(Copy, u64)>, WriteError> {
    let mut feeds = Feeds::of_whole(job.quorum, job.grace());
    let puts =
        shards.into_iter().map(|shard| (shard, header, Body::Stream { stream: feeds.reader(0), size })).collect();
    job.fed(puts, feeds.pump(body, size, Arc::default()).boxed()).await
}
