//! Requests under way on a connection, and the bodies of their answers.

use super::Limits;
use super::request_body::{RequestBody, Rest};
use super::streams::{Answer, Turn};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

/// Longest piece of an answer that is handed to an HTTP/2 stream at a time, in bytes: what a stream holds whose client
/// does not take it.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// Requests under way on one connection, from the end of the head to the last byte of the answer.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    under_way: AtomicUsize,
    ended: AtomicU64,
    /// Whether something of a body is left that nobody will read.
    left: AtomicBool,
    /// Who reads the connection, to be told when a request ends: the protocol may not look by itself.
    reader: Mutex<Option<Waker>>,
    /// Of the HTTP/2 stream whose request was taken and whose task is to begin.
    begun: Mutex<Option<Arc<Answer>>>,
}

impl Exchanges {
    /// Whether a request is under way.
    pub(super) fn any(&self) -> bool {
        self.under_way.load(Ordering::Acquire) > 0
    }

    /// Whether a request is under way; if so, the task of `cx` is woken when one ends.
    pub(super) fn any_or_wake(&self, cx: &Context<'_>) -> bool {
        if !self.any() {
            return false;
        }
        *self.reader.lock() = Some(cx.waker().clone());
        // One that ended before the waker stood there woke nobody.
        self.any()
    }

    /// How many have ended: tells one pause between requests from the next.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether something of a body is left that nobody will read.
    pub(super) fn left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Notes that something of a body is left that nobody will read.
    pub(super) fn leave_rest(&self) {
        self.left.store(true, Ordering::Release);
    }

    /// The answer of the stream whose task begins.
    pub(super) fn take_begun(&self) -> Option<Arc<Answer>> {
        self.begun.lock().take()
    }
}

/// Counts one request for as long as it lives.
struct UnderWay(Arc<Exchanges>);

impl UnderWay {
    fn new(exchanges: &Arc<Exchanges>) -> Self {
        exchanges.under_way.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(exchanges))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
        let reader = self.0.reader.lock().take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

/// A service whose requests are counted and whose bodies are timed.
pub(super) struct Tracked<S> {
    pub(super) service: S,
    pub(super) exchanges: Arc<Exchanges>,
    pub(super) limits: Limits,
}

impl<S, B> Service<Request<Incoming>> for Tracked<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<AnswerBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = UnderWay::new(&self.exchanges);
        let answer = (request.version() == Version::HTTP_2).then(Arc::<Answer>::default);
        if let Some(answer) = &answer {
            *self.exchanges.begun.lock() = Some(Arc::clone(answer));
        }
        // Without a body nothing can be left of it.
        let rest = (!request.body().is_end_stream()).then(|| Rest::of(request.headers(), answer.is_some()));
        let limits = self.limits;
        let request = request.map(|body| RequestBody::new(body, limits, rest.clone()));
        let exchanges = Arc::clone(&self.exchanges);
        let answering = self.service.call(request);
        Box::pin(async move {
            let mut response = answering.await?;
            // On HTTP/2 a stream ends without its connection.
            if let Some(rest) = rest.filter(|_| answer.is_none())
                && !rest.is_taken().await
            {
                exchanges.leave_rest();
                // Else a client would send its next request into a connection that is about to close (RFC 9112,
                // section 9.6).
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if let Some(answer) = &answer {
                answer.turn(Turn::Client);
            }
            Ok(response.map(|body| AnswerBody {
                body,
                held: Bytes::new(),
                split: false,
                answer,
                _under_way: under_way,
            }))
        })
    }
}

pin_project! {
    /// An answer's body, which ends the request when it is dropped.
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: B,
        // What is left of the last piece, and whether something of it was handed on already.
        held: Bytes,
        split: bool,
        // Of an HTTP/2 stream.
        answer: Option<Arc<Answer>>,
        _under_way: UnderWay,
    }
}

impl<B: Body<Data = Bytes>> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        // On HTTP/1 too: its last piece waits for its client when this is gone, and with it the count of the request.
        if this.held.is_empty() {
            if let Some(answer) = &*this.answer {
                answer.turn(Turn::Ours);
            }
            match ready!(this.body.poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => *this.held = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = next_piece(this.held, this.split);
        if let Some(answer) = &*this.answer {
            answer.turn(Turn::Client);
            answer.handed(piece.len());
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.held.is_empty() {
            return self.body.size_hint();
        }
        let (held, mut hint) = (self.held.len() as u64, self.body.size_hint());
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + held);
        }
        hint.set_lower(hint.lower() + held);
        hint
    }
}

/// Splits off what is handed on next. The end of a long buffer is copied: it may wait for its client when all else is
/// gone, and must not hold the whole.
fn next_piece(held: &mut Bytes, split: &mut bool) -> Bytes {
    if held.len() > PIECE_BYTES_MAX {
        *split = true;
        return held.split_to(PIECE_BYTES_MAX);
    }
    let last = std::mem::take(held);
    if std::mem::take(split) { Bytes::copy_from_slice(&last) } else { last }
}
