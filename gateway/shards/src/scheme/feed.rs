//! One body handed to several readers at the pace of the slowest, within bounds.

use crate::{BodyError, ByteStream};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Pieces of the body that wait for one reader.
const PIECES_MAX: usize = 4;

enum Piece {
    Bytes(Bytes),
    End,
}

/// The writing ends of the readers that still listen.
pub(super) struct Feeds {
    feeds: Vec<mpsc::Sender<Piece>>,
    /// Readers without which the whole is lost: while there are more, a slow one is let go.
    needed: usize,
    slow_after: Duration,
}

impl Feeds {
    pub(super) fn new(needed: usize, slow_after: Duration) -> Self {
        Self { feeds: Vec::new(), needed, slow_after }
    }

    /// Another reader. Its stream ends cleanly only if the body did and it was not let go.
    pub(super) fn reader(&mut self) -> ByteStream {
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        self.feeds.push(sender);
        Box::pin(stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
                Some(Piece::End) => None,
                None => Some((Err(BodyError("the copy was given up".into())), None)),
            }
        }))
    }

    /// Hands the whole body to every reader. Returns early if fewer readers than needed are left.
    ///
    /// # Errors
    /// The body's own error, or that it has not the declared size.
    pub(super) async fn pump(mut self, mut body: ByteStream, size: Option<u64>) -> Result<(), BodyError> {
        let mut seen = 0;
        while let Some(piece) = body.next().await {
            let piece = piece?;
            seen += piece.len() as u64;
            self.hand_out(|| Piece::Bytes(piece.clone())).await;
            if self.feeds.len() < self.needed {
                return Ok(());
            }
        }
        if let Some(size) = size.filter(|size| *size != seen) {
            return Err(BodyError::wrong_size(size, seen));
        }
        self.hand_out(|| Piece::End).await;
        Ok(())
    }

    /// The readers that are quick get the piece at once; then each slow one is waited for.
    async fn hand_out(&mut self, piece: impl Fn() -> Piece) {
        let mut slow = Vec::new();
        let mut kept = Vec::with_capacity(self.feeds.len());
        for feed in self.feeds.drain(..) {
            match feed.try_send(piece()) {
                Ok(()) => kept.push(feed),
                Err(mpsc::error::TrySendError::Full(_)) => slow.push(feed),
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
        let mut waiting = slow.len();
        for feed in slow {
            waiting -= 1;
            let spare = kept.len() + waiting >= self.needed;
            let sent = if spare {
                timeout(self.slow_after, feed.send(piece())).await.is_ok_and(|sent| sent.is_ok())
            } else {
                feed.send(piece()).await.is_ok()
            };
            if sent {
                kept.push(feed);
            }
        }
        self.feeds = kept;
    }
}
