//! Streams of HTTP/2 whose clients do not take their answers.
//!
//! On HTTP/1 a client that takes nothing stops the writing of its connection, which is timed there. On HTTP/2 it can
//! close the window of one stream and keep the connection alive; the task of the stream then waits without asking
//! anyone. So the task itself is timed, while it is its client's turn.

use super::Limits;
use super::exchange::Exchanges;
use super::pace::Pace;
use cofre_runtime::spawn;
use hyper::rt::Executor;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The answer, or its next piece, is still to be made.
    Ours,
    /// There is something for the client to take.
    Client,
}

/// How far the answer of one stream is.
#[derive(Debug, Default)]
pub(super) struct Answer {
    client_is_to_take: AtomicBool,
    handed_bytes: AtomicU64,
}

impl Answer {
    /// Notes whose turn it is.
    pub(super) fn turn(&self, turn: Turn) {
        self.client_is_to_take.store(turn == Turn::Client, Ordering::Release);
    }

    /// Counts bytes that were handed on to be sent.
    pub(super) fn handed(&self, bytes: usize) {
        self.handed_bytes.fetch_add(bytes as u64, Ordering::AcqRel);
    }
}

/// Runs the tasks of one connection.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    pub(super) exchanges: Arc<Exchanges>,
    pub(super) limits: Limits,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let pace = Pace::new(self.limits.body_timeout, self.limits.body_rate_min);
        drop(spawn(Stream { task, answer: self.exchanges.take_begun(), seen: 0, pace }));
    }
}

pin_project! {
    /// The task of one stream, which ends when its client is too slow: what is dropped is reset.
    struct Stream<F> {
        #[pin]
        task: F,
        answer: Option<Arc<Answer>>,
        seen: u64,
        pace: Pace,
    }
}

impl<F: Future> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.task.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(answer) = this.answer else { return Poll::Pending };
        let handed = answer.handed_bytes.load(Ordering::Acquire);
        if handed > *this.seen {
            let late = this.pace.is_late_with(handed - *this.seen);
            *this.seen = handed;
            if late {
                return Poll::Ready(());
            }
        }
        if answer.client_is_to_take.load(Ordering::Acquire) {
            return this.pace.poll_late(cx);
        }
        this.pace.pause();
        Poll::Pending
    }
}
