//! What is answered in plain HTTP on a listener that speaks TLS: what asks whether it lives, or proves whose it is, and
//! holds no secret.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::Service;
use std::convert::Infallible;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;

/// An answer that is on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response<String>> + Send>>;

/// Answers some requests in the clear.
pub(crate) trait InTheClear: Send + Sync {
    /// The answer to a request for a path, if it is one of those.
    fn answer(&self, method: &Method, path: &str) -> Option<Answer>;
}

/// What the one answers, and what the other does.
impl<A: InTheClear, B: InTheClear> InTheClear for (A, Option<B>) {
    fn answer(&self, method: &Method, path: &str) -> Option<Answer> {
        self.0.answer(method, path).or_else(|| self.1.as_ref()?.answer(method, path))
    }
}

/// A service of that and nothing else.
pub(crate) struct Only<A>(pub(crate) A);

impl<A: InTheClear, R> Service<Request<R>> for Only<A> {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<R>) -> Self::Future {
        let answer = self.0.answer(request.method(), request.uri().path());
        Box::pin(async move {
            let response = match answer {
                Some(answer) => answer.await,
                None => {
                    let mut response = Response::new("There is nothing here but answers to challenges.\n".to_owned());
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    response
                }
            };
            Ok(response.map(Full::from))
        })
    }
}

/// The answer to what a connection began with, if that is the whole first line of a request that is answered so.
pub(super) fn answer(served: &dyn InTheClear, begun: &[u8]) -> Option<Answer> {
    let end = begun.windows(2).position(|two| two == b"\r\n")?;
    let mut words = std::str::from_utf8(&begun[..end]).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let answer = served.answer(&method, target)?;
    let is_request = words.next().is_none() && version.starts_with("HTTP/1.");
    is_request.then_some(match method == Method::HEAD {
        true => Box::pin(async move { answer.await.map(|_| String::new()) }),
        false => answer,
    })
}

/// An answer as it goes over HTTP/1, on a connection that is served no further.
pub(super) fn bytes(response: Response<String>) -> Vec<u8> {
    let (head, text) = response.into_parts();
    let mut bytes = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\nconnection: close\r\n", head.status, text.len());
    for (name, value) in &head.headers {
        // Writing to a string cannot fail.
        let _ = write!(bytes, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    bytes.push_str("\r\n");
    bytes.push_str(&text);
    bytes.into_bytes()
}
