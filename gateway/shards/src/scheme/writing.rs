//! Writing to several shards at once: what every scheme does.
//!
//! # Ordering
//! The puts run side by side, in the caller's own task. Once the quorum is durable the rest get a short grace; a put
//! that is later is dropped, which leaves nothing of it, and counts as missing.

use crate::backend::{BackendError, BlobHeader};
use crate::body::{Body, BodyError};
use crate::pool::{AddError, Copy, Excluded, ReadError, Shard, Shards, Shortage, WriteError};
use cofre_types::BlobId;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// One blob that is being written.
pub(super) struct Job<'a> {
    pub(super) pool: &'a Shards,
    pub(super) blob: BlobId,
    /// Bytes of each copy, as far as known: shards with less room are not chosen.
    pub(super) size_bytes: u64,
    pub(super) quorum: usize,
}

/// A put that runs: the shard, and the copy with its bytes.
pub(super) type Put<'a> = BoxFuture<'a, (Arc<Shard>, Result<(Copy, u64), BackendError>)>;
/// What feeds the puts.
pub(super) type Pump<'a> = BoxFuture<'a, Result<(), BodyError>>;

impl<'a> Job<'a> {
    /// Runs puts that a pump feeds, until all have ended, or the quorum holds and the rest had its grace. Fails, with
    /// nothing left, if the quorum cannot be reached.
    pub(super) async fn fed(
        &'a self,
        puts: Vec<(Arc<Shard>, &'a BlobHeader, Body)>,
        mut pump: Pump<'a>,
    ) -> Result<Vec<(Copy, u64)>, WriteError> {
        let mut progress = Progress::default();
        let mut running = FuturesUnordered::new();
        for (shard, header, body) in puts {
            progress.under_way.push(shard.clone());
            running.push(self.put(shard, header, body));
        }
        let mut pumped = false;
        loop {
            let settled = progress.copies.len() >= self.quorum;
            tokio::select! {
                ended = &mut pump, if !pumped => {
                    ended.map_err(WriteError::Body)?;
                    pumped = true;
                }
                next = self.next(&mut running, settled) => match next {
                    None => break,
                    Some((shard, Ok(done))) => progress.done(shard, done),
                    Some((shard, Err(error))) => progress.lost(&shard, &error),
                }
            }
            if progress.copies.len() + running.len() < self.quorum {
                break;
            }
        }
        let stragglers = !running.is_empty();
        drop(running);
        self.finish(progress, stragglers).await
    }

    pub(super) fn put(&'a self, shard: Arc<Shard>, header: &'a BlobHeader, body: Body) -> Put<'a> {
        async move {
            let outcome = shard.put(self.blob, header, body).await;
            (shard, outcome)
        }
        .boxed()
    }

    /// The next put to end; `None` when all have, or when those that are left had their grace.
    pub(super) async fn next(
        &self,
        puts: &mut FuturesUnordered<Put<'a>>,
        settled: bool,
    ) -> Option<(Arc<Shard>, Result<(Copy, u64), BackendError>)> {
        if settled { timeout(self.grace(), puts.next()).await.ok().flatten() } else { puts.next().await }
    }

    pub(super) fn grace(&self) -> Duration {
        self.pool.options().straggler_grace
    }

    /// Another shard, on a failure domain that was not tried yet.
    pub(super) async fn spare(&self, progress: &mut Progress) -> Option<Arc<Shard>> {
        let (shards, shortage) = self.pool.choose(1, self.size_bytes, &progress.tried).await;
        progress.full = progress.full.max(shortage.full);
        shards.into_iter().next()
    }

    /// The copies, if they make the quorum; else they are undone.
    pub(super) async fn finish(&self, progress: Progress, stragglers: bool) -> Result<Vec<(Copy, u64)>, WriteError> {
        if progress.copies.len() >= self.quorum {
            if stragglers {
                progress.let_go();
            }
            return Ok(progress.copies.into_iter().map(|(_, copy)| copy).collect());
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
pub(super) struct Progress {
    pub(super) copies: Vec<(Arc<Shard>, (Copy, u64))>,
    pub(super) tried: Excluded,
    under_way: Vec<Arc<Shard>>,
    full: usize,
}

impl Progress {
    pub(super) fn begin(&mut self, shard: &Arc<Shard>) {
        self.tried.domain_of(shard);
        self.under_way.push(shard.clone());
    }

    pub(super) fn done(&mut self, shard: Arc<Shard>, copy: (Copy, u64)) {
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
    pub(super) fn failed(&mut self, job: &Job<'_>, shard: &Shard, error: BackendError) -> Result<(), WriteError> {
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
    pub(super) fn lost(&mut self, shard: &Shard, error: &BackendError) {
        self.ended(shard);
        tracing::warn!(shard = %shard.info.id, %error, "a copy was not written");
        self.count(error);
    }

    fn count(&mut self, error: &BackendError) {
        self.full += usize::from(matches!(error, BackendError::Full));
    }

    pub(super) fn shortage(&self) -> Shortage {
        Shortage { reached: self.copies.len(), full: self.full }
    }
}

/// What a failure to write what was read from other copies means for adding copies.
pub(super) fn add_error(error: WriteError) -> AddError {
    match error {
        WriteError::Body(error) => AddError::Read(match error.0.downcast::<ReadError>() {
            Ok(error) => *error,
            Err(error) => ReadError::Unreachable(error.to_string()),
        }),
        error => AddError::Write(error),
    }
}
