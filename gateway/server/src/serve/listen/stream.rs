//! A connection's bytes, with a watch on those that do not come.
//!
//! Between requests a connection idles until the first byte of a head; from then on the head is timed.
//! While a request is under way, its body times itself; what is timed here is a client that does not
//! take its answer. That goes on when the request has ended and the last of its answer waits to be written: a connection
//! does not idle before. HTTP/2 has frames of its own between requests, so only idling is timed there.

use super::Limits;
use super::exchange::Exchanges;
use super::pace::Pace;
use super::refusal::Refuser;
use super::substitute::Substitute;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a connection that Cofre closes is read on, or a stream whose answer came early, and how many bytes: what a
/// client still sends into a closed socket is answered by a reset, which destroys the answer before it is read.
pub(super) const LINGER_TIME_MAX: Duration = Duration::from_secs(2);
pub(super) const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of it that are read at a time: few reads, and on the stack.
const LINGER_READ_BYTES: usize = 16 * 1024;

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

/// How a connection is closed.
enum Closing {
    No,
    /// Its client is told, and then read on.
    Lingers {
        deadline: Pin<Box<Sleep>>,
        left: usize,
    },
    Done,
}

/// A stream that ends when its client does nothing for too long.
pub(super) struct Watched<T> {
    io: T,
    limits: Limits,
    exchanges: Arc<Exchanges>,
    is_http2: bool,
    is_new: bool,
    pause: Option<Pause>,
    /// What the client must take of its answers.
    taken: Pace,
    /// Whether something waits for the client to take it.
    is_writing: bool,
    /// Who reads the connection, to be told when nothing waits any more.
    reader: Option<Waker>,
    closing: Closing,
    /// Tells clients of heads that cannot be read.
    refuser: Refuser,
    /// What goes in the place of an answer that is not fit for clients.
    substitute: Option<Substitute>,
    /// How many requests had ended when all that was written had gone.
    flushed_after: u64,
    /// Whether the client said that it sends nothing more.
    has_ended: bool,
}

impl<T> Watched<T> {
    pub(super) const fn new(
        io: T,
        is_http2: bool,
        limits: Limits,
        exchanges: Arc<Exchanges>,
        refuser: Refuser,
    ) -> Self {
        Self {
            io,
            limits,
            exchanges,
            is_http2,
            is_new: true,
            pause: None,
            taken: Pace::new(limits.body_timeout, limits.body_rate_min),
            is_writing: false,
            reader: None,
            closing: Closing::No,
            refuser,
            substitute: None,
            flushed_after: 0,
            has_ended: false,
        }
    }

    /// The pause that the connection is in; a new one if a request has ended since the last.
    fn pause(&mut self) -> &mut Pause {
        let ended = self.exchanges.ended();
        if self.pause.as_ref().is_some_and(|pause| pause.after != ended) {
            self.pause = None;
        }
        // A client that connects and asks for nothing is as slow with its head as one that sends a byte.
        let is_new = self.is_new && ended == 0;
        let wait = if is_new { self.limits.header_timeout } else { self.limits.idle_timeout };
        self.pause.get_or_insert_with(|| Pause {
            after: ended,
            waits_for: Between::Head,
            deadline: Box::pin(sleep(wait)),
        })
    }

    /// Notes bytes that came.
    fn came(&mut self) {
        if self.exchanges.any() || self.is_http2 {
            return;
        }
        let header_timeout = self.limits.header_timeout;
        let pause = self.pause();
        if pause.waits_for == Between::Head {
            pause.waits_for = Between::RestOfHead;
            pause.deadline.as_mut().reset(Instant::now() + header_timeout);
        }
        self.is_new = false;
    }

    /// Whether the client may still be sending what nobody reads.
    fn sends_on(&self) -> bool {
        let in_head = self.pause.as_ref().is_some_and(|pause| {
            pause.waits_for == Between::RestOfHead && pause.after == self.exchanges.ended() && !self.exchanges.any()
        });
        !self.has_ended && (self.exchanges.left() || in_head)
    }
}

impl<T: AsyncRead + Unpin> Watched<T> {
    /// Reads and forgets what a client sends that was told that the connection closes.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Closing::Lingers { deadline, left } = &mut self.closing else { return Poll::Ready(()) };
        while deadline.as_mut().poll(cx).is_pending() && *left > 0 {
            let mut bytes = [MaybeUninit::uninit(); LINGER_READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => break,
                Ok(()) => *left = left.saturating_sub(buffer.filled().len()),
                Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(outcome) => {
                if buf.filled().len() > before {
                    self.came();
                } else {
                    self.has_ended = true;
                }
                Poll::Ready(outcome)
            }
            Poll::Pending if self.exchanges.any_or_wake(cx) => Poll::Pending,
            Poll::Pending if self.is_writing => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
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
    /// Writes what goes in the place of these bytes; none if they go themselves.
    fn poll_substitute(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        // The last of an answer's content may be written when its request has ended, and look like a head.
        let is_between = !self.exchanges.any() && self.exchanges.ended() == self.flushed_after;
        if self.substitute.is_none() && !self.is_http2 && is_between {
            self.substitute = Substitute::of(bytes, &self.refuser);
        }
        let written = self.substitute.as_mut()?.poll_write(&mut self.io, cx);
        if written.is_ready() {
            self.substitute = None;
        }
        Some(written)
    }

    /// Passes on what a write came to, unless the client takes its answers too slowly.
    fn timed<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
        bytes: impl FnOnce(&R) -> usize,
    ) -> Poll<io::Result<R>> {
        self.is_writing = written.is_pending();
        if !self.is_writing
            && let Some(reader) = self.reader.take()
        {
            // The protocol may not look by itself, and the pause begins when it does.
            reader.wake();
        }
        let late = match &written {
            Poll::Ready(Ok(done)) => {
                let bytes = bytes(done) as u64;
                if self.taken.is_late_with(bytes) { Poll::Ready(()) } else { Poll::Pending }
            }
            Poll::Ready(Err(_)) => Poll::Pending,
            Poll::Pending => self.taken.poll_late(cx),
        };
        match late {
            Poll::Pending => written,
            Poll::Ready(()) => {
                let why = "the client takes its answer too slowly, or not at all";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.poll_substitute(cx, bytes) {
            Some(written) => written,
            None => Pin::new(&mut self.io).poll_write(cx, bytes),
        };
        self.timed(cx, written, |bytes| *bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bytes.iter().find(|bytes| !bytes.is_empty()).map_or(&[][..], |bytes| &**bytes);
        let written = match self.poll_substitute(cx, first) {
            Some(written) => written,
            None => Pin::new(&mut self.io).poll_write_vectored(cx, bytes),
        };
        self.timed(cx, written, |bytes| *bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        if flushed.is_ready() {
            self.flushed_after = self.exchanges.ended();
        }
        self.timed(cx, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.closing, Closing::No) {
            let shut = Pin::new(&mut self.io).poll_shutdown(cx);
            ready!(self.timed(cx, shut, |()| 0))?;
            self.closing = match self.sends_on() {
                true => Closing::Lingers { deadline: Box::pin(sleep(LINGER_TIME_MAX)), left: LINGER_BYTES_MAX },
                false => Closing::Done,
            };
        }
        ready!(self.poll_linger(cx));
        self.closing = Closing::Done;
        Poll::Ready(Ok(()))
    }
}
