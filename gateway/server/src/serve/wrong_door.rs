//! Requests that are meant for the other door: an S3 client at the admin API, or the other way round.

use super::console_hint::ConsoleAt;
use super::listen::{Door, Refusal, Refuser};
use bytes::Bytes;
use cofre_runtime::Random;
use http::{Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::service::Service;
use std::future::{Future, Ready, ready};
use std::pin::Pin;

/// What `Authorization` begins with where a request is signed for S3, in version 4 and 2.
const S3_SCHEMES: [&[u8]; 2] = [b"AWS4-HMAC-SHA256", b"AWS "];

/// What an address has that was signed for S3.
const S3_PARAMETERS: [&str; 2] = ["X-Amz-Signature=", "AWSAccessKeyId="];

/// What `Authorization` begins with where a request brings a token.
const BEARER: &[u8] = b"Bearer ";

/// A service that tells who came to the wrong door where to go.
#[derive(Debug, Clone)]
pub(super) struct Guarded<S> {
    pub(super) service: S,
    pub(super) door: Door,
    /// Port of the S3 API.
    pub(super) s3_port: u16,
    /// Where browsers that come to the S3 API find the console.
    pub(super) console: Option<ConsoleAt>,
    /// Makes ids of requests.
    pub(super) random: Random,
}

impl<S> Guarded<S> {
    fn refusal<B>(&self, request: &Request<B>) -> Option<(Refusal, Door)> {
        let authorization = request.headers().get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        let query = request.uri().query().unwrap_or_default();
        let is_presigned = S3_PARAMETERS.iter().any(|name| query.contains(name));
        match self.door {
            Door::S3 => {
                let brings_token = authorization.is_some_and(|value| value.starts_with(BEARER));
                // Who reads the problem is the admin API's client. An address that is signed is for S3, which refuses
                // what comes beside its signature.
                (brings_token && !is_presigned).then(|| (for_admin(), Door::Admin))
            }
            Door::Challenges => None,
            Door::Admin | Door::Console => {
                let is_signed =
                    authorization.is_some_and(|value| S3_SCHEMES.iter().any(|scheme| value.starts_with(scheme)));
                (is_signed || is_presigned).then(|| (for_s3(self.door, self.s3_port), Door::S3))
            }
        }
    }
}

fn for_admin() -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        code: "InvalidRequest",
        advice:
            "This is the S3 API, and the request brings a token for the admin API: set --url or COFRE_ADMIN_URL to the \
                 address of --admin-listen, http://127.0.0.1:9001 unless set otherwise."
                .into(),
    }
}

fn for_s3(door: Door, port: u16) -> Refusal {
    let here = if door == Door::Console { "console" } else { "admin API" };
    let advice = format!(
        "This is the {here} of Cofre, and the request is signed for S3: set the endpoint URL to the address of --listen, \
         whose port is {port}."
    );
    Refusal { status: StatusCode::BAD_REQUEST, code: "InvalidRequest", advice: advice.into() }
}

impl<S, R, B> Service<Request<R>> for Guarded<S>
where
    S: Service<Request<R>, Response = Response<B>>,
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Answering<S::Future, S::Error, B>;

    fn call(&self, request: Request<R>) -> Self::Future {
        if let Some(page) = self.console.as_ref().and_then(|console| console.page(&request)) {
            return Answering::Refused { answer: ready(Ok(page.map(|text| Either::Right(Full::from(text))))) };
        }
        match self.refusal(&request) {
            None => Answering::Asked { answer: self.service.call(request) },
            Some((refusal, door)) => {
                let refuser = Refuser { door, random: self.random.clone() };
                let response = refusal.response(&refuser).map(|text| Either::Right(Full::from(text)));
                Answering::Refused { answer: ready(Ok(response)) }
            }
        }
    }
}

pin_project_lite::pin_project! {
    /// An answer of the service, or the advice.
    #[project = AnsweringProjection]
    pub(super) enum Answering<F, E, B> {
        Asked { #[pin] answer: F },
        Refused { answer: Ready<Result<Response<Either<B, Full<Bytes>>>, E>> },
    }
}

impl<F, E, B> Future for Answering<F, E, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Either<B, Full<Bytes>>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Asked { answer } => {
                answer.poll(cx).map(|answer| answer.map(|response| response.map(Either::Left)))
            }
            AnsweringProjection::Refused { answer } => Pin::new(answer).poll(cx),
        }
    }
}
