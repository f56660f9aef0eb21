//! What came of a request, as far as penalties go by it.

use crate::exchange::Exchange;
use cofre_types::AccountId;
use http::{Method, Request, StatusCode, header};
use http_body::Body;
use s3s::HttpResponse;
use std::time::Duration;

/// What a byte of a refused request stands for, of a document that was read and of what is read and forgotten: ten times
/// what that takes, about.
const DOCUMENT_BYTE_NANOS: u64 = 60;
const BODY_BYTE_NANOS: u64 = 10;

/// Most bytes of a request that count, and those of a body of which nobody said how long it is.
const BYTES_MAX: u64 = 8 << 20;
const UNDECLARED_BYTES: u64 = 1 << 20;

/// What a refused key of DeleteObjects stands for.
const KEY_NANOS: u64 = 100_000;

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

/// What came of a request.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) method: Method,
    pub(crate) status: StatusCode,
    /// Whether the client asked too much: of a 503, what is not Cofre's own fault.
    pub(crate) slows_down: bool,
    pub(crate) length: BodyLength,
    /// Bytes of the body that were read, and whether it is a document.
    pub(crate) received_bytes: u64,
    pub(crate) is_document: bool,
    /// Keys of DeleteObjects that were refused.
    pub(crate) refused_keys: u32,
    /// Who signed it.
    pub(crate) account: Option<AccountId>,
}

impl Outcome {
    /// That of an exchange; none where nothing was refused.
    pub(crate) fn of(
        method: &Method,
        length: BodyLength,
        response: &HttpResponse,
        exchange: &Exchange,
    ) -> Option<Self> {
        let (status, refused_keys) = (response.status(), exchange.refused_keys());
        let is_refused = status.is_client_error() || status.is_server_error() || refused_keys > 0;
        is_refused.then(|| Self {
            method: method.clone(),
            status,
            slows_down: status == StatusCode::SERVICE_UNAVAILABLE && is_slow_down(response),
            length,
            received_bytes: exchange.received_bytes(),
            is_document: exchange.is_document(),
            refused_keys,
            account: exchange.noted(|noted| noted.requester),
        })
    }

    /// What it stands for, where a refusal stands for `interval`.
    pub(super) fn cost(&self, interval: Duration) -> Duration {
        let bytes = |count: u64, nanos: u64| Duration::from_nanos(count.min(BYTES_MAX) * nanos);
        let mut cost = Duration::from_nanos(u64::from(self.refused_keys) * KEY_NANOS);
        if self.is_document && (self.status.is_client_error() || self.slows_down) {
            cost += bytes(self.received_bytes, DOCUMENT_BYTE_NANOS);
        }
        if self.is_refusal() {
            let read = match self.length {
                BodyLength::Declared(declared) => self.received_bytes.max(declared),
                BodyLength::Undeclared => self.received_bytes.saturating_add(UNDECLARED_BYTES),
                BodyLength::Held => self.received_bytes,
            };
            cost += interval + bytes(read, BODY_BYTE_NANOS);
        }
        cost
    }

    /// Whether it should not have been made.
    fn is_refusal(&self) -> bool {
        match self.status {
            StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::CONFLICT
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::RANGE_NOT_SATISFIABLE => false,
            StatusCode::SERVICE_UNAVAILABLE => self.slows_down,
            // Clients look what they may read by reading it.
            status => status.is_client_error() && (self.account.is_none() || !self.method.is_safe()),
        }
    }
}

/// Whether an answer says that its client asks too much.
fn is_slow_down(response: &HttpResponse) -> bool {
    let body = response.body().bytes().unwrap_or_default();
    memchr::memmem::find(&body, b"<Code>SlowDown</Code>").is_some()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(10);

    pub(crate) fn of(status: u16) -> Outcome {
        Outcome {
            method: Method::PUT,
            status: StatusCode::from_u16(status).unwrap(),
            slows_down: false,
            length: BodyLength::Declared(0),
            received_bytes: 0,
            is_document: false,
            refused_keys: 0,
            account: None,
        }
    }

    #[test]
    fn what_is_refused_costs_what_it_took() {
        let cost = |outcome: Outcome| outcome.cost(INTERVAL).as_micros();
        for status in [200, 204, 206, 304, 404, 405, 409, 412, 416, 500, 503, 507] {
            assert_eq!(cost(of(status)), 0, "{status}");
        }
        for status in [400, 401, 403, 411, 413] {
            assert_eq!(cost(of(status)), 10_000, "{status}");
            assert_eq!(cost(Outcome { method: Method::HEAD, ..of(status) }), 10_000, "{status}");
            assert_eq!(
                cost(Outcome { account: Some(AccountId::from_bytes([1; 32])), ..of(status) }),
                10_000,
                "{status}"
            );
            assert_eq!(
                cost(Outcome { account: Some(AccountId::from_bytes([1; 32])), method: Method::HEAD, ..of(status) }),
                0,
                "{status}"
            );
        }
        assert_eq!(cost(Outcome { slows_down: true, ..of(503) }), 10_000);
        let mib = 1 << 20;
        let body = |length, received_bytes| Outcome { length, received_bytes, ..of(403) };
        assert_eq!(cost(body(BodyLength::Declared(mib), 0)), 10_000 + 10_485);
        assert_eq!(cost(body(BodyLength::Declared(u64::MAX), 0)), 10_000 + 83_886);
        assert_eq!(cost(body(BodyLength::Held, 0)), 10_000);
        assert_eq!(cost(body(BodyLength::Held, mib)), 10_000 + 10_485);
        assert_eq!(cost(body(BodyLength::Undeclared, mib)), 10_000 + 20_971);
        let document = |status| Outcome { is_document: true, received_bytes: mib, ..of(status) };
        assert_eq!(cost(document(404)), 62_914);
        assert_eq!(cost(document(400)), 10_000 + 62_914 + 10_485);
        assert_eq!(cost(document(200)), 0);
        assert_eq!(cost(Outcome { refused_keys: 1_000, ..of(200) }), 100_000);
    }
}
