//! A thread of its own for the admin API's listener and for health, so that they answer whatever the S3 door is busy with.
//!
//! Connections are accepted and read there, and health is looked at there, with threads of its own that wait for the
//! catalog. All other requests are carried out where the S3 door's are: what takes long must not hold up health.

use super::listen::{Listener, RequestBody, Serving};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use cofre_iam::Origin;
use cofre_runtime::{Clock, Task};
use http::{Request, Response};
use hyper::body::Body;
use hyper::service::Service;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads that wait for the catalog, at the most.
const BLOCKING_THREADS_MAX: usize = 4;

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
        B::Error: Into<Box<dyn Error + Send + Sync>>,
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
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn call(&self, request: Request<R>) -> Self::Future {
        let is_health = request.uri().path().starts_with(HEALTH);
        let answering = self.service.call(request);
        match is_health {
            true => Box::pin(answering),
            false => Box::pin(Elsewhere(self.main.spawn(answering))),
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
