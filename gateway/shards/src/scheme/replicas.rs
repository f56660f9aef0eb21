//! Whole copies: every shard holds all bytes.
//!
//! # Ordering
//! The copies are written side by side, in the caller's own task. Once the quorum is durable the rest
//! get a short grace; a copy that is later is dropped, which leaves nothing of it, and counts as missing.
//!
//! # Failure and retry
//! A whole body is put on another shard when one fails. A stream can be read only once: it goes on with
//! the shards that are left for as long as they can make the quorum.

use super::Targets;
use super::feed::Feeds;
use crate::pool::{AddError, BlobRef, Copy, Excluded, ReadError, Shard, Shards, Shortage, WriteError, Written};
use crate::{BackendError, BlobHeader, Body, Durability};
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange, Scheme};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Writes as many copies as the scheme asks for, and at least its write quorum.
pub(super) async fn write(
    pool: &Shards,
    blob: BlobId,
    header: &BlobHeader,
    body: Body,
    scheme: Scheme,
    durability: Durability,
) -> Result<Written, WriteError> {
    let (width, quorum) = (scheme.width(), scheme.write_quorum());
    let size = body.size();
    let (shards, shortage) = pool.choose(width, size.unwrap_or(0), &Excluded::default()).await;
    if shards.len() < quorum {
        return Err(shortage.error(quorum));
    }
    let job = Job { pool, blob, header, size_bytes: size.unwrap_or(0), quorum, durability };
    let (size, copies) = job.write(shards, body).await?;
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
    if targets.shards.is_empty() {
        return Err(AddError::Write(targets.shortage.error(1)));
    }
    let range = ResolvedRange { start: 0, end: source.size };
    let body = Body::Stream { stream: super::read(pool, source, range).await?, size: Some(source.size) };
    let durability = Durability::Durable;
    let job = Job { pool, blob: source.id, header, size_bytes: source.size, quorum: 1, durability };
    match job.write(targets.shards, body).await {
        Ok((_, copies)) => Ok(copies),
        Err(WriteError::Body(error)) => Err(AddError::Read(match error.0.downcast::<ReadError>() {
            Ok(error) => *error,
            Err(error) => ReadError::Unreachable(error.to_string()),
        })),
        Err(error) => Err(AddError::Write(error)),
    }
}

/// One blob that is being written.
struct Job<'a> {
    pool: &'a Shards,
    blob: BlobId,
    header: &'a BlobHeader,
    size_bytes: u64,
    quorum: usize,
    durability: Durability,
}

type Put<'a> = BoxFuture<'a, (Arc<Shard>, Result<(Copy, u64), BackendError>)>;

impl<'a> Job<'a> {
    async fn write(&self, shards: Vec<Arc<Shard>>, body: Body) -> Result<(u64, Vec<Copy>), WriteError> {
        match body {
            Body::Whole(bytes) if shards.len() == 1 => self.whole_on_one(shards, bytes).await,
            Body::Whole(bytes) => self.whole(shards, bytes).await,
            Body::Stream { stream, size } => match <[Arc<Shard>; 1]>::try_from(shards) {
                Ok([shard]) => self.stream_to_one(&shard, Body::Stream { stream, size }).await,
                Err(shards) => self.stream(shards, stream, size).await,
            },
        }
    }

    async fn whole_on_one(&self, shards: Vec<Arc<Shard>>, bytes: Bytes) -> Result<(u64, Vec<Copy>), WriteError> {
        let mut progress = Progress::default();
        let mut next = shards.into_iter().next();
        while let Some(shard) = next {
            progress.tried.domain_of(&shard);
            match shard.put(self.blob, self.header, Body::Whole(bytes.clone()), self.durability).await {
                Ok((copy, size)) => return Ok((size, vec![copy])),
                Err(error) => progress.failed(self, &shard, error)?,
            }
            next = self.spare(&mut progress).await;
        }
        Err(progress.shortage().error(self.quorum))
    }

    async fn stream_to_one(&self, shard: &Arc<Shard>, body: Body) -> Result<(u64, Vec<Copy>), WriteError> {
        match shard.put(self.blob, self.header, body, self.durability).await {
            Ok((copy, size)) => Ok((size, vec![copy])),
            Err(error) => {
                let mut progress = Progress::default();
                progress.failed(self, shard, error)?;
                Err(progress.shortage().error(self.quorum))
            }
        }
    }

    async fn whole(&'a self, shards: Vec<Arc<Shard>>, bytes: Bytes) -> Result<(u64, Vec<Copy>), WriteError> {
        let mut progress = Progress::default();
        let mut puts = FuturesUnordered::new();
        for shard in shards {
            progress.begin(&shard);
            puts.push(self.put(shard, Body::Whole(bytes.clone())));
        }
        while let Some((shard, outcome)) = self.next(&mut puts, progress.copies.len() >= self.quorum).await {
            match outcome {
                Ok(done) => progress.done(shard, done),
                Err(error) => {
                    progress.failed(self, &shard, error)?;
                    if let Some(spare) = self.spare(&mut progress).await {
                        progress.begin(&spare);
                        puts.push(self.put(spare, Body::Whole(bytes.clone())));
                    }
                }
            }
        }
        let stragglers = !puts.is_empty();
        drop(puts);
        self.finish(progress, stragglers).await
    }

    async fn stream(
        &'a self,
        shards: Vec<Arc<Shard>>,
        body: crate::ByteStream,
        size: Option<u64>,
    ) -> Result<(u64, Vec<Copy>), WriteError> {
        let mut progress = Progress::default();
        let mut feeds = Feeds::new(self.quorum, self.grace());
        let mut puts = FuturesUnordered::new();
        for shard in shards {
            progress.under_way.push(shard.clone());
            let body = Body::Stream { stream: feeds.reader(), size };
            puts.push(self.put(shard, body));
        }
        let mut pump = feeds.pump(body, size).boxed();
        let mut pumped = false;
        loop {
            let settled = progress.copies.len() >= self.quorum;
            tokio::select! {
                ended = &mut pump, if !pumped => {
                    ended.map_err(WriteError::Body)?;
                    pumped = true;
                }
                next = self.next(&mut puts, settled) => match next {
                    None => break,
                    Some((shard, Ok(done))) => progress.done(shard, done),
                    Some((shard, Err(error))) => progress.lost(&shard, &error),
                }
            }
            if progress.copies.len() + puts.len() < self.quorum {
                break;
            }
        }
        let stragglers = !puts.is_empty();
        drop(puts);
        self.finish(progress, stragglers).await
    }

    fn put(&'a self, shard: Arc<Shard>, body: Body) -> Put<'a> {
        async move {
            let outcome = shard.put(self.blob, self.header, body, self.durability).await;
            (shard, outcome)
        }
        .boxed()
    }

    /// The next put to end; `None` when all have, or when those that are left had their grace.
    async fn next(
        &self,
        puts: &mut FuturesUnordered<Put<'a>>,
        settled: bool,
    ) -> Option<(Arc<Shard>, Result<(Copy, u64), BackendError>)> {
        if settled { timeout(self.grace(), puts.next()).await.ok().flatten() } else { puts.next().await }
    }

    fn grace(&self) -> Duration {
        self.pool.options().straggler_grace
    }

    /// Another shard, on a failure domain that was not tried yet.
    async fn spare(&self, progress: &mut Progress) -> Option<Arc<Shard>> {
        let (shards, shortage) = self.pool.choose(1, self.size_bytes, &progress.tried).await;
        progress.full = progress.full.max(shortage.full);
        shards.into_iter().next()
    }

    async fn finish(&self, progress: Progress, stragglers: bool) -> Result<(u64, Vec<Copy>), WriteError> {
        let size = progress.copies.first().map_or(0, |(_, (_, size))| *size);
        if progress.copies.len() >= self.quorum {
            if stragglers {
                progress.let_go();
            }
            return Ok((size, progress.copies.into_iter().map(|(_, (copy, _))| copy).collect()));
        }
        let error = progress.shortage().error(self.quorum);
        for (shard, (copy, _)) in progress.copies {
            shard.undo(self.blob, copy).await;
        }
        Err(error)
    }
}

/// How far the copies of one write are.
#[derive(Default)]
struct Progress {
    copies: Vec<(Arc<Shard>, (Copy, u64))>,
    tried: Excluded,
    under_way: Vec<Arc<Shard>>,
    full: usize,
}

impl Progress {
    fn begin(&mut self, shard: &Arc<Shard>) {
        self.tried.domain_of(shard);
        self.under_way.push(shard.clone());
    }

    fn done(&mut self, shard: Arc<Shard>, copy: (Copy, u64)) {
        self.ended(&shard);
        self.copies.push((shard, copy));
    }

    fn ended(&mut self, shard: &Shard) {
        self.under_way.retain(|other| other.info.id != shard.info.id);
    }

    /// Holds against the shards that are still under way that they were let go: one that hangs must not
    /// cost every write the grace.
    fn let_go(&self) {
        for shard in &self.under_way {
            shard.failed(&BackendError::Unreachable("a copy took too long and was let go".into()));
        }
    }

    /// Notes a put that failed; the failure is the whole write's if the body is to blame.
    fn failed(&mut self, job: &Job<'_>, shard: &Shard, error: BackendError) -> Result<(), WriteError> {
        match error {
            BackendError::Body(error) => Err(WriteError::Body(error)),
            error => {
                self.ended(shard);
                tracing::warn!(blob = %job.blob, shard = %shard.info.id, %error, "a copy was not written");
                self.count(&error);
                Ok(())
            }
        }
    }

    /// Notes a put of a fed stream that failed. A body error here means that the copy was given up;
    /// the body's own error comes from the pump.
    fn lost(&mut self, shard: &Shard, error: &BackendError) {
        self.ended(shard);
        tracing::warn!(shard = %shard.info.id, %error, "a copy was not written");
        self.count(error);
    }

    fn count(&mut self, error: &BackendError) {
        self.full += usize::from(matches!(error, BackendError::Full));
    }

    fn shortage(&self) -> Shortage {
        Shortage { reached: self.copies.len(), full: self.full }
    }
}
