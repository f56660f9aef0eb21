//! A connection's bytes, with a watch on those that do not come.
//!
//! Between requests a connection idles until the first byte of a head; from then on the head is timed.
//! While a request is under way, its body times itself; what is timed here is a client that does not
//! take its answer. HTTP/2 has frames of its own between requests, so only idling is timed there.

use super::Limits;
use super::exchange::Exchanges;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4); no HTTP/1 method is like it.
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// What the reader waits for between requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// The first byte of a head.
    Head,
    /// The rest of a head.
    RestOfHead,
}

/// A pause between requests.
struct Pause {
    /// How many requests had ended when it began.
    after: u64,
    waits_for: Between,
    deadline: Pin<Box<Sleep>>,
}

/// A stream that ends when its client does nothing for too long.
pub(super) struct Watched<T> {
    io: T,
    limits: Limits,
    exchanges: Arc<Exchanges>,
    is_http2: bool,
    is_new: bool,
    pause: Option<Pause>,
    /// Armed while the client takes nothing.
    write_deadline: Option<Pin<Box<Sleep>>>,
}

impl<T> Watched<T> {
    pub(super) const fn new(io: T, limits: Limits, exchanges: Arc<Exchanges>) -> Self {
        Self { io, limits, exchanges, is_http2: false, is_new: true, pause: None, write_deadline: None }
    }

    /// The pause that the connection is in; a new one if a request has ended since the last.
    fn pause(&mut self) -> &mut Pause {
        let ended = self.exchanges.ended();
        if self.pause.as_ref().is_some_and(|pause| pause.after != ended) {
            self.pause = None;
        }
        // A client that connects and sends nothing is as slow with its head as one that sends a byte.
        let first = self.limits.header_timeout.max(self.limits.idle_timeout);
        let wait = if self.is_new { first } else { self.limits.idle_timeout };
        self.pause.get_or_insert_with(|| Pause {
            after: ended,
            waits_for: Between::Head,
            deadline: Box::pin(tokio::time::sleep(wait)),
        })
    }

    /// Notes bytes that came.
    fn came(&mut self, bytes: &[u8]) {
        if self.is_new {
            self.is_new = false;
            self.is_http2 = bytes.starts_with(HTTP2_PREFACE);
        }
        if self.exchanges.any() || self.is_http2 {
            return;
        }
        let header_timeout = self.limits.header_timeout;
        let pause = self.pause();
        if pause.waits_for == Between::Head {
            pause.waits_for = Between::RestOfHead;
            pause.deadline.as_mut().reset(Instant::now() + header_timeout);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(outcome) => {
                if buf.filled().len() > before {
                    self.came(&buf.filled()[before..]);
                }
                Poll::Ready(outcome)
            }
            Poll::Pending if self.exchanges.any_or_wake(cx) => Poll::Pending,
            Poll::Pending => {
                let pause = self.pause();
                ready!(pause.deadline.as_mut().poll(cx));
                match pause.waits_for {
                    // To the protocol it is as if the client had hung up, which it may do here.
                    Between::Head => Poll::Ready(Ok(())),
                    Between::RestOfHead => {
                        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the head stands still")))
                    }
                }
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> Watched<T> {
    /// Passes on what a write came to, unless the client has taken nothing for too long.
    fn timed<R>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let until = self.limits.body_timeout;
        let deadline = self.write_deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(until)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer")))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.timed(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.timed(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.timed(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        self.timed(cx, shut)
    }
}
