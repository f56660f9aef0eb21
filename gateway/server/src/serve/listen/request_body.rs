//! A request's body, and what is left of it when the answer goes.

use super::Limits;
use super::pace::Pace;
use super::stream::{LINGER_BYTES_MAX, LINGER_TIME_MAX};
use bytes::Bytes;
use cofre_runtime::spawn;
use http::{HeaderMap, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Most bytes of a body that are read for the sake of the connection when its request is refused.
const REST_BYTES_MAX: u64 = 64 * 1024;

/// How long they may take.
const REST_TIME_MAX: Duration = Duration::from_millis(500);

/// A request's body that fails with [`io::ErrorKind::TimedOut`] when it comes too slowly.
#[derive(Debug)]
pub(crate) struct RequestBody {
    /// Taken when this is dropped.
    body: Option<Incoming>,
    pace: Pace,
    /// Whether someone asked for it: then a client that waits for `100 Continue` was told to go on.
    is_asked_for: bool,
    has_failed: bool,
    /// Where what is left of it goes, until it has ended.
    rest: Option<Arc<Rest>>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, limits: Limits, rest: Option<Arc<Rest>>) -> Self {
        let pace = Pace::new(limits.body_timeout, limits.body_rate_min);
        Self { body: Some(body), pace, is_asked_for: false, has_failed: false, rest }
    }

    /// All of it came. Whoever had it may keep it for longer than the answer takes.
    fn end(&mut self) {
        if let Some(rest) = self.rest.take() {
            *rest.state.lock() = State::Taken;
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        this.is_asked_for = true;
        let late = match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                if body.is_end_stream() {
                    this.end();
                    return Poll::Ready(Some(Ok(frame)));
                }
                if !this.pace.is_late_with(bytes) {
                    return Poll::Ready(Some(Ok(frame)));
                }
                Poll::Ready(())
            }
            Poll::Ready(Some(Err(error))) => {
                this.has_failed = true;
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            Poll::Ready(None) => {
                this.end();
                return Poll::Ready(None);
            }
            Poll::Pending => this.pace.poll_late(cx),
        };
        ready!(late);
        this.has_failed = true;
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the body comes too slowly"))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let (Some(rest), Some(body)) = (&self.rest, self.body.take()) else { return };
        let is_lost = self.has_failed || (rest.waits_for_continue && !self.is_asked_for);
        *rest.state.lock() = match is_lost {
            true => State::Lost,
            // Not while the process ends.
            false if rest.lingers && Handle::try_current().is_ok() => {
                drop(spawn(async move { timeout(LINGER_TIME_MAX, forget(body)).await }));
                State::Lost
            }
            false => State::Left(body),
        };
    }
}

/// What is left of the body of one request: on HTTP/1 the next one comes behind it.
#[derive(Debug)]
pub(super) struct Rest {
    state: Mutex<State>,
    /// Whether the client sends the body only once it is told to.
    waits_for_continue: bool,
    /// Whether what is left is read for a while as soon as nobody wants it, and forgotten. Else a stream of HTTP/2 is reset
    /// once its answer was sent (RFC 9113, section 8.1), and a client that sees the reset while it still sends loses the
    /// answer; and what it sent takes of the window that all streams of its connection share.
    lingers: bool,
}

#[derive(Debug)]
enum State {
    /// Someone still has the body.
    Held,
    /// It was read to its end.
    Taken,
    /// It was not.
    Left(Incoming),
    /// Nobody knows what of it will come.
    Lost,
}

impl Rest {
    /// Of a request with these headers.
    pub(super) fn of(headers: &HeaderMap, lingers: bool) -> Arc<Self> {
        let waits_for_continue = headers.contains_key(header::EXPECT);
        Arc::new(Self { state: Mutex::new(State::Held), waits_for_continue, lingers })
    }

    /// Whether the body was read to its end, or is now, since little is left: then the connection serves on.
    pub(super) async fn is_taken(&self) -> bool {
        let state = std::mem::replace(&mut *self.state.lock(), State::Lost);
        match state {
            State::Taken => true,
            State::Left(body) => timeout(REST_TIME_MAX, drain(body)).await.unwrap_or(false),
            State::Held | State::Lost => false,
        }
    }
}

/// Reads a body to its end or to the bound.
async fn forget(mut body: Incoming) {
    let mut left = LINGER_BYTES_MAX;
    while left > 0 {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            Some(Ok(frame)) => left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) | None => break,
        }
    }
}

/// Reads a body to its end; whether it has one within the bound.
async fn drain(mut body: Incoming) -> bool {
    let mut drained = 0;
    while drained + body.size_hint().lower() <= REST_BYTES_MAX {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            None => return true,
            Some(Ok(frame)) => drained += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(_)) => return false,
        }
    }
    false
}
