//! Whether this process lives and should get requests, for balancers and supervisors that ask at the S3 API: without a
//! token, and at paths that no bucket can have.
//!
//! # Limits
//! However many ask, what it takes to know is looked at [`LOOK_EVERY`] at the most.

use super::listen::Answer;
use bytes::Bytes;
use cofre_admin_server::Admin;
use cofre_runtime::{Clock, Shutdown};
use cofre_s3::S3Door;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::service::Service;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Mutex;

/// Where balancers and supervisors ask. A bucket's name has three characters at least (AWS, "General purpose bucket
/// naming rules").
pub(crate) const LIVE: &str = "/-/health/live";
pub(crate) const READY: &str = "/-/health/ready";

/// How long what was seen is told to others who ask.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Live,
    Ready,
}

impl Question {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let asks = matches!(*method, Method::GET | Method::HEAD);
        match path {
            LIVE if asks => Some(Self::Live),
            READY if asks => Some(Self::Ready),
            _ => None,
        }
    }
}

/// Answers those who ask. Cloning costs a reference count.
#[derive(Clone)]
pub(super) struct Health(Arc<Inner>);

struct Inner {
    admin: Arc<Admin>,
    leaving: Shutdown,
    clock: Clock,
    /// Whether it was ready, and when, on the scale of `Clock::elapsed`.
    seen: Mutex<Option<(bool, Duration)>>,
}

impl Health {
    /// Tells what `admin` sees, until the process is about to end.
    pub(super) fn new(admin: Arc<Admin>, leaving: Shutdown, clock: Clock) -> Self {
        Self(Arc::new(Inner { admin, leaving, clock, seen: Mutex::default() }))
    }

    async fn is_ready(&self) -> bool {
        let Inner { admin, leaving, clock, seen } = &*self.0;
        // One looks, and the others wait for what it sees.
        let mut seen = seen.lock().await;
        let is_ready = match *seen {
            Some((is_ready, at)) if clock.elapsed().saturating_sub(at) < LOOK_EVERY => is_ready,
            _ => {
                let is_ready = admin.unready().await.is_empty();
                *seen = Some((is_ready, clock.elapsed()));
                is_ready
            }
        };
        is_ready && !leaving.has_begun()
    }

    async fn answer(self, question: Question) -> Response<String> {
        let good = question == Question::Live || self.is_ready().await;
        let mut response = Response::new(match question {
            Question::Live => "{\"live\":true}".to_owned(),
            Question::Ready => format!("{{\"ready\":{good}}}"),
        });
        if !good {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        tracing::debug!(?question, status = response.status().as_u16(), "was asked for its health");
        response
    }
}

impl super::listen::InTheClear for Health {
    fn answer(&self, method: &Method, path: &str) -> Option<Answer> {
        let question = Question::of(method, path)?;
        Some(Box::pin(self.clone().answer(question)))
    }
}

/// The S3 API, with health beside it.
#[derive(Clone)]
pub(super) struct WithHealth<S> {
    pub(super) service: S,
    pub(super) door: S3Door,
    pub(super) health: Health,
}

impl<S, R, B> Service<Request<R>> for WithHealth<S>
where
    S: Service<Request<R>, Response = Response<Either<B, Full<Bytes>>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn call(&self, request: Request<R>) -> Self::Future {
        match Question::of(request.method(), request.uri().path()) {
            // There its path is the key of an object.
            Some(question) if !self.door.has_bucket_in_host(&request) => {
                Answering::Told { answer: Box::pin(self.health.clone().answer(question)) }
            }
            _ => Answering::Asked { answer: self.service.call(request) },
        }
    }
}

pin_project_lite::pin_project! {
    /// An answer of the S3 API, or that of health.
    #[project = AnsweringProjection]
    pub(super) enum Answering<F> {
        Asked { #[pin] answer: F },
        Told { answer: Answer },
    }
}

impl<F, B, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<Either<B, Full<Bytes>>>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            AnsweringProjection::Asked { answer } => answer.poll(cx),
            AnsweringProjection::Told { answer } => {
                answer.as_mut().poll(cx).map(|answer| Ok(answer.map(|text| Either::Right(Full::from(text)))))
            }
        }
    }
}
