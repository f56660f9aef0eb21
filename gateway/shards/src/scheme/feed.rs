//! One body handed to several readers at the pace of the slowest, within bounds: all of it to each, or to each its own
//! part.

use crate::body::{BodyError, ByteStream};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Pieces of the body that wait for one reader of all of it.
const PIECES_MAX: usize = 4;

enum Piece {
    Bytes(Bytes),
    End,
}

/// The writing ends of the readers that still listen, each with its number.
pub(super) struct Feeds {
    feeds: Vec<(usize, mpsc::Sender<Piece>)>,
    /// Readers that cannot be spared: while there are more, a slow one is let go.
    needed: usize,
    /// Readers without which the whole is given up.
    least: usize,
    slow_after: Duration,
    waiting_max: usize,
}

impl Feeds {
    /// No reader yet. Each may have `waiting_max` pieces waiting.
    pub(super) fn new(needed: usize, slow_after: Duration, waiting_max: usize) -> Self {
        Self { feeds: Vec::new(), needed, least: needed, slow_after, waiting_max }
    }

    /// Goes on while this many readers are left, though more are needed: others can be fed later.
    pub(super) const fn down_to(mut self, least: usize) -> Self {
        self.least = least;
        self
    }

    /// For readers that all get the same.
    pub(super) fn of_whole(needed: usize, slow_after: Duration) -> Self {
        Self::new(needed, slow_after, PIECES_MAX)
    }

    /// Another reader. Its stream ends cleanly only if the body did and it was not let go.
    pub(super) fn reader(&mut self, number: usize) -> ByteStream {
        let (sender, receiver) = mpsc::channel(self.waiting_max);
        self.feeds.push((number, sender));
        Box::pin(stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
                Some(Piece::End) => None,
                None => Some((Err(BodyError("the copy was given up".into())), None)),
            }
        }))
    }

    /// The numbers of the readers that still listen.
    pub(super) fn listening(&self) -> impl Iterator<Item = usize> {
        self.feeds.iter().map(|(number, _)| *number)
    }

    /// Whether so few readers are left that the whole is given up.
    pub(super) fn too_few(&self) -> bool {
        self.feeds.len() < self.least
    }

    /// Hands the whole body to every reader, and counts its bytes in `seen`. Returns early if too few readers are left.
    ///
    /// # Errors
    /// The body's own error, or that it has not the declared size.
    pub(super) async fn pump(
        mut self,
        mut body: ByteStream,
        size: Option<u64>,
        seen: Arc<AtomicU64>,
    ) -> Result<(), BodyError> {
        while let Some(piece) = body.next().await {
            let piece = piece?;
            seen.fetch_add(piece.len() as u64, Relaxed);
            self.send(|_| piece.clone()).await;
            if self.too_few() {
                return Ok(());
            }
        }
        let seen = seen.load(Relaxed);
        if let Some(size) = size.filter(|size| *size != seen) {
            return Err(BodyError::wrong_size(size, seen));
        }
        self.end().await;
        Ok(())
    }

    /// Hands each reader what is for it, by its number; nothing if that is empty.
    pub(super) async fn send(&mut self, piece: impl Fn(usize) -> Bytes) {
        self.hand_out(|number| Piece::Bytes(piece(number))).await;
    }

    /// Tells every reader that it had all.
    pub(super) async fn end(&mut self) {
        self.hand_out(|_| Piece::End).await;
    }

    /// The readers that are quick get the piece at once; then the slow ones are waited for, those that could be spared
    /// for `slow_after` together.
    async fn hand_out(&mut self, piece: impl Fn(usize) -> Piece) {
        let mut slow = Vec::new();
        let mut kept = Vec::with_capacity(self.feeds.len());
        for (number, feed) in self.feeds.drain(..) {
            let piece = piece(number);
            if matches!(&piece, Piece::Bytes(bytes) if bytes.is_empty()) {
                kept.push((number, feed));
                continue;
            }
            match feed.try_send(piece) {
                Ok(()) => kept.push((number, feed)),
                Err(mpsc::error::TrySendError::Full(piece)) => slow.push((number, feed, piece)),
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
        let mut waiting = slow.len();
        let mut grace = pin!(sleep(self.slow_after));
        for (number, feed, piece) in slow {
            waiting -= 1;
            let spare = kept.len() + waiting >= self.needed;
            let sent = if spare {
                tokio::select! {
                    biased;
                    sent = feed.send(piece) => sent.is_ok(),
                    () = &mut grace => false,
                }
            } else {
                feed.send(piece).await.is_ok()
            };
            if sent {
                kept.push((number, feed));
            }
        }
        self.feeds = kept;
    }
}
