//! Reading a blob of whole copies: one copy at a time, going over to another when it must.
//!
//! # Failure and retry
//! - A copy that is proved missing or corrupt is reported for repair and never tried again.
//! - A copy that does not begin within `hedge_after` races against the next one; the loser is kept in
//!   hand, and its shard is read last for a while. One that brings nothing for `stall_after` in mid-stream is left for another.
//! - Copies that were merely slow come last, and then without a limit of time.

use crate::backend::BackendError;
use crate::body::{BodyError, ByteStream, exclusive};
use crate::pool::{BlobRef, Copy, ReadError, Shards};
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, stream};
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::timeout;

/// Reads `range` of a blob.
pub(super) async fn read(pool: &Shards, blob: &BlobRef, range: ResolvedRange) -> Result<ByteStream, ReadError> {
    if range.is_empty() {
        return Ok(Box::pin(stream::empty()));
    }
    let mut copies: Vec<_> = blob.copies.clone();
    if copies.len() > 1 {
        copies.sort_by_cached_key(|copy| pool.shard(copy.shard).map_or((3, 0), |shard| shard.read_rank()));
    }
    let mut reading = Reading {
        pool: pool.clone(),
        blob: blob.id,
        left: copies.into(),
        slow: VecDeque::new(),
        current: None,
        at: range.start,
        end: range.end,
        verdict: Verdict::default(),
    };
    reading.open().await?;
    let pieces = stream::unfold(Some(reading), |reading| async {
        let mut reading = reading?;
        match reading.next().await {
            None => None,
            Some(Ok(piece)) => Some((Ok(piece), Some(reading))),
            Some(Err(error)) => Some((Err(BodyError(Box::new(error))), None)),
        }
    });
    Ok(exclusive(pieces))
}

/// What the copies of a blob came to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    unreachable: Option<String>,
    corrupt: Option<String>,
}

impl Verdict {
    /// Notes why one copy could not be read.
    pub(crate) fn note(&mut self, error: &BackendError) {
        match error {
            BackendError::Missing => {}
            BackendError::Corrupt(why) => self.corrupt = Some(why.clone()),
            BackendError::Unreachable(why) => self.unreachable = Some(why.clone()),
            BackendError::Full | BackendError::Body(_) => self.unreachable = Some(error.to_string()),
        }
    }

    /// What they come to together: one that proves nothing leaves hope for all.
    pub(crate) fn error(&self) -> ReadError {
        match (&self.unreachable, &self.corrupt) {
            (Some(why), _) => ReadError::Unreachable(why.clone()),
            (None, Some(why)) => ReadError::Corrupt(why.clone()),
            (None, None) => ReadError::AllMissing,
        }
    }
}

struct Reading {
    pool: Shards,
    blob: BlobId,
    /// Copies that were not tried yet, the best first.
    left: VecDeque<Copy>,
    /// Copies that were left because they were slow.
    slow: VecDeque<Copy>,
    current: Option<(Copy, ByteStream)>,
    /// The next byte to yield, and one past the last.
    at: u64,
    end: u64,
    verdict: Verdict,
}

type Begun = BoxFuture<'static, (Copy, Result<ByteStream, BackendError>)>;

impl Reading {
    /// The next piece, from whichever copy has it.
    async fn next(&mut self) -> Option<Result<Bytes, ReadError>> {
        while self.at < self.end {
            let Some((copy, stream)) = &mut self.current else {
                match self.open().await {
                    Ok(()) => continue,
                    Err(error) => return Some(Err(error)),
                }
            };
            let piece = if self.left.is_empty() {
                stream.next().await
            } else {
                match timeout(self.pool.options().stall_after, stream.next()).await {
                    Ok(piece) => piece,
                    Err(_) => {
                        if let Some(shard) = self.pool.shard(copy.shard) {
                            shard.failed(&BackendError::Unreachable("a read brought nothing for too long".into()));
                        }
                        self.slow.push_back(copy.clone());
                        self.current = None;
                        continue;
                    }
                }
            };
            match piece {
                Some(Ok(piece)) if piece.len() as u64 <= self.end - self.at => {
                    self.at += piece.len() as u64;
                    return Some(Ok(piece));
                }
                Some(Ok(_)) => self.give_up_current(&BackendError::Corrupt("more bytes than asked for".into())),
                Some(Err(error)) => self.give_up_current(&BackendError::of_stream(error)),
                None => self.give_up_current(&BackendError::Corrupt("fewer bytes than asked for".into())),
            }
        }
        None
    }

    fn give_up_current(&mut self, error: &BackendError) {
        if let Some((copy, _)) = self.current.take() {
            if let Some(shard) = self.pool.shard(copy.shard) {
                shard.failed(error);
            }
            self.give_up(&copy, error);
        }
    }

    fn give_up(&mut self, copy: &Copy, error: &BackendError) {
        self.pool.report(self.blob, copy.shard, error);
        self.verdict.note(error);
    }

    /// Opens a copy at the byte that was reached.
    async fn open(&mut self) -> Result<(), ReadError> {
        let mut opening = FuturesUnordered::new();
        loop {
            if opening.is_empty() {
                let copy = self.left.pop_front().or_else(|| self.slow.pop_front());
                opening.push(self.begin(copy.ok_or_else(|| self.verdict.error())?));
            }
            let opened = if self.left.is_empty() {
                opening.next().await
            } else {
                match timeout(self.pool.options().hedge_after, opening.next()).await {
                    Ok(opened) => opened,
                    Err(_) => {
                        opening.iter_mut().for_each(|opening| opening.late = true);
                        opening.extend(self.left.pop_front().map(|copy| self.begin(copy)));
                        continue;
                    }
                }
            };
            match opened {
                Some((copy, Ok(stream))) => {
                    for Opening { copy, late, .. } in opening {
                        if let Some(shard) = self.pool.shard(copy.shard).filter(|_| late) {
                            shard.hesitated();
                        }
                        self.slow.push_back(copy);
                    }
                    self.current = Some((copy, stream));
                    return Ok(());
                }
                Some((copy, Err(error))) => self.give_up(&copy, &error),
                None => {}
            }
        }
    }

    fn begin(&self, copy: Copy) -> Opening {
        let (pool, blob) = (self.pool.clone(), self.blob);
        let range = ResolvedRange { start: self.at, end: self.end };
        let ours = copy.clone();
        let opening = async move {
            let outcome = match pool.shard(copy.shard) {
                Some(shard) => shard.get(blob, &copy, range).await,
                None => Err(BackendError::Unreachable(format!("shard {} is not attached", copy.shard))),
            };
            (copy, outcome)
        };
        Opening { copy: ours, late: false, begun: opening.boxed() }
    }
}

/// A copy whose reading begins.
struct Opening {
    copy: Copy,
    /// Whether another one was begun because this one did not in time.
    late: bool,
    begun: Begun,
}

impl Future for Opening {
    type Output = (Copy, Result<ByteStream, BackendError>);
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.begun.poll_unpin(cx)
    }
}
