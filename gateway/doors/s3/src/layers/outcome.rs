//! What came of a request, as far as penalties go by it.

use crate::exchange::Exchange;
use cofre_iam::Outcome;
use http::{Method, Request, StatusCode, header};
use http_body::Body;
use s3s::HttpResponse;

/// What a body stands for of which nobody said how long it is, in bytes.
const UNDECLARED_BYTES: u64 = 1 << 20;

/// How long the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// So many bytes come.
    Declared(u64),
    /// Nobody said.
    Undeclared,
    /// It comes once it is asked for (`Expect: 100-continue`).
    Held,
}

impl BodyLength {
    /// How much of it is read, of which so much was received, if its request is refused.
    const fn read(self, received: u64) -> u64 {
        match self {
            Self::Declared(declared) if declared > received => declared,
            Self::Declared(_) | Self::Held => received,
            Self::Undeclared => received.saturating_add(UNDECLARED_BYTES),
        }
    }

    /// That of a request.
    pub(crate) fn of<B: Body>(request: &Request<B>) -> Self {
        let body = request.body();
        match body.size_hint().exact() {
            _ if body.is_end_stream() => Self::Declared(0),
            _ if request.headers().contains_key(header::EXPECT) => Self::Held,
            Some(declared) => Self::Declared(declared),
            None => Self::Undeclared,
        }
    }
}

/// That of an exchange; none where nothing was refused.
pub(crate) fn of(method: &Method, length: BodyLength, response: &HttpResponse, exchange: &Exchange) -> Option<Outcome> {
    let (status, refused_keys) = (response.status(), exchange.refused_keys());
    if !(status.is_client_error() || status.is_server_error() || refused_keys > 0) {
        return None;
    }
    let account = exchange.noted(|noted| noted.requester);
    let slows_down = status == StatusCode::SERVICE_UNAVAILABLE && is_slow_down(response);
    let received = exchange.received_bytes();
    let is_wasted = exchange.is_document() && (status.is_client_error() || slows_down);
    Some(Outcome {
        is_refused: is_refusal(method, status, slows_down, account.is_some()),
        document_bytes: if is_wasted { received } else { 0 },
        body_bytes: length.read(received),
        refused_keys,
        account,
    })
}

/// Whether an answer says that a request should not have been made. What clients ask all day is no refusal: that something
/// is not there, is in the way or does not match; and, of who is known, what it may not read. Nor is what Cofre itself
/// cannot do.
fn is_refusal(method: &Method, status: StatusCode, slows_down: bool, is_known: bool) -> bool {
    match status {
        StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::RANGE_NOT_SATISFIABLE => false,
        StatusCode::SERVICE_UNAVAILABLE => slows_down,
        status => status.is_client_error() && !(is_known && method.is_safe()),
    }
}

/// Whether an answer says that its client asks too much.
fn is_slow_down(response: &HttpResponse) -> bool {
    let body = response.body().bytes().unwrap_or_default();
    memchr::memmem::find(&body, b"<Code>SlowDown</Code>").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_ask_all_day_is_no_refusal() {
        let refused = |code, method: Method, slows_down, is_known| {
            is_refusal(&method, StatusCode::from_u16(code).unwrap(), slows_down, is_known)
        };
        for code in [200, 204, 206, 304, 404, 405, 409, 412, 416, 500, 503, 507] {
            assert!(!refused(code, Method::PUT, false, false), "{code}");
        }
        for code in [400, 401, 403, 411, 413] {
            assert!(refused(code, Method::PUT, false, true) && refused(code, Method::HEAD, false, false), "{code}");
            assert!(!refused(code, Method::HEAD, false, true), "{code}");
        }
        assert!(refused(503, Method::GET, true, true));
    }

    #[test]
    fn a_body_counts_as_far_as_it_is_read() {
        assert_eq!([0, 9].map(|received| BodyLength::Declared(5).read(received)), [5, 9]);
        assert_eq!([0, 9].map(|received| BodyLength::Held.read(received)), [0, 9]);
        assert_eq!(BodyLength::Undeclared.read(9), UNDECLARED_BYTES + 9);
    }
}
