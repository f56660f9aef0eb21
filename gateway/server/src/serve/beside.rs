//! A thread of its own for the admin API's listener and for health, so that they answer whatever the S3 door is busy with.
//!
//! Connections are accepted and read there, and health is looked at there, with threads of its own that wait for the
//! catalog. All other requests are carried out where the S3 door's are, and their answers made: what takes long must not hold
//! up health. Of an answer [`FRAMES_MAX`] pieces wait for the client at the most.

use super::listen::{Listener, RequestBody, Serving};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use cofre_iam::Origin;
use cofre_runtime::{Clock, Task};
use http::{Request, Response};
use hyper::body::{Body, Frame, SizeHint};
use hyper::service::Service;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{Receiver, channel};

/// Threads that wait for the catalog, at the most.
const BLOCKING_THREADS_MAX: usize = 4;

/// Pieces of an answer that are made ahead of its client.
const FRAMES_MAX: usize = 2;

/// What paths of health begin with: they cost little, and no right.
const HEALTH: &str = "/health/";

/// The thread.
pub(super) struct Beside {
    handle: Handle,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Beside {
    /// Starts it.
    pub(super) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .enable_all()
            .thread_name("cofre-admin")
            .build()
            .context("starting the thread of the admin API")?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Serves a listener there. What is not about health goes to the runtime that calls this.
    pub(super) fn serve<M, S, B>(&self, listener: Listener, serving: Serving, clock: Clock, make: M) -> Task<()>
    where
        M: Fn(Origin) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        let main = Handle::current();
        let make = move |origin| OnMain { service: make(origin), main: main.clone() };
        let serve = async move {
            match listener.moved_here() {
                Ok(listener) => listener.serve(serving, clock, make).await,
                Err(error) => tracing::error!(%error, "the admin API cannot listen beside the S3 API"),
            }
        };
        self.handle.spawn(serve)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may be dropped by a task, which must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A service whose requests are carried out elsewhere, but for those about health.
struct OnMain<S> {
    service: S,
    main: Handle,
}

impl<S, R, B> Service<Request<R>> for OnMain<S>
where
    S: Service<Request<R>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Pieces<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Pieces<B>>, S::Error>> + Send>>;

    fn call(&self, request: Request<R>) -> Self::Future {
        let is_health = request.uri().path().starts_with(HEALTH);
        let answering = self.service.call(request);
        if is_health {
            return Box::pin(async move { Ok(answering.await?.map(|body| Pieces::Here { body: Box::pin(body) })) });
        }
        let main = self.main.clone();
        Box::pin(async move {
            let response = Elsewhere(main.spawn(answering)).await?;
            Ok(response.map(|body| Pieces::from(body, &main)))
        })
    }
}

/// The body of an answer.
enum Pieces<B: Body> {
    /// It is made here.
    Here { body: Pin<Box<B>> },
    /// It is made elsewhere, and comes from there.
    There { frames: Receiver<Result<Frame<B::Data>, B::Error>>, size: SizeHint, is_empty: bool },
}

impl<B> Pieces<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    fn from(body: B, main: &Handle) -> Self {
        let (size, is_empty) = (body.size_hint(), body.is_end_stream());
        let (to, frames) = channel(FRAMES_MAX);
        if !is_empty {
            main.spawn(async move {
                let mut body = Box::pin(body);
                loop {
                    // It ends when its client goes away, however long the next piece takes.
                    let frame = tokio::select! {
                        frame = poll_fn(|cx| body.as_mut().poll_frame(cx)) => frame,
                        () = to.closed() => return,
                    };
                    let Some(frame) = frame else { return };
                    if to.send(frame).await.is_err() {
                        return;
                    }
                }
            });
        }
        Self::There { frames, size, is_empty }
    }
}

// Nothing of it is pinned but in its box.
impl<B: Body> Unpin for Pieces<B> {}

impl<B: Body> Body for Pieces<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.get_mut() {
            Self::Here { body } => body.as_mut().poll_frame(cx),
            Self::There { frames, .. } => frames.poll_recv(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Here { body } => body.is_end_stream(),
            Self::There { is_empty, .. } => *is_empty,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Here { body } => body.size_hint(),
            Self::There { size, .. } => *size,
        }
    }
}

/// A task that ends with who waits for it.
struct Elsewhere<T>(Task<T>);

impl<T> Future for Elsewhere<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(done) => Poll::Ready(done),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // It is cancelled only while the process ends.
                Err(_) => Poll::Pending,
            },
        }
    }
}

impl<T> Drop for Elsewhere<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
