//! Requests under way on a connection, and how long their bodies may stand still.

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Requests under way on one connection, from the end of the head to the last byte of the answer.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    under_way: AtomicUsize,
    ended: AtomicU64,
    /// Who reads the connection, to be told when a request ends: the protocol may not look by itself.
    reader: Mutex<Option<Waker>>,
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
    pub(super) body_timeout: Duration,
}

impl<S, B> Service<Request<Incoming>> for Tracked<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<AnswerBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = UnderWay::new(&self.exchanges);
        let body_timeout = self.body_timeout;
        let request = request.map(|body| RequestBody { body, body_timeout, deadline: None });
        let answering = self.service.call(request);
        Box::pin(async move { Ok(answering.await?.map(|body| AnswerBody { body, _under_way: under_way })) })
    }
}

/// A request's body that fails with [`io::ErrorKind::TimedOut`] when it stands still.
#[derive(Debug)]
pub(crate) struct RequestBody {
    body: Incoming,
    body_timeout: Duration,
    /// Armed while someone waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.deadline = None;
                Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
            }
            Poll::Pending => {
                let until = self.body_timeout;
                let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(until)));
                ready!(deadline.as_mut().poll(cx));
                // A fresh deadline: whoever asks again waits again.
                deadline.as_mut().reset(Instant::now() + until);
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the body stands still"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project! {
    /// An answer's body, which ends the request when it is dropped.
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: B,
        _under_way: UnderWay,
    }
}

impl<B: Body> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
