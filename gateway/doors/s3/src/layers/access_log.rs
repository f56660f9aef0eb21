//! One line for each request, when its answer's last byte went or its client went away. The target is
//! `cofre::access`. It names the key but never a signature, and the path but never the query, which
//! may hold one.

use super::report::Forwarded;
use super::server_log::ServerLog;
use crate::exchange::Exchange;
use crate::options::{Answered, Observe};
use cofre_iam::{InFlight, Reports};
use cofre_runtime::Clock;
use http::{HeaderValue, Method, StatusCode, Uri};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a client's header that a line shows.
const HEADER_BYTES_SHOWN: usize = 256;

/// A line that is written when it is dropped.
pub(crate) struct AccessLine {
    pub(crate) exchange: Exchange,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) host: Option<HeaderValue>,
    pub(crate) user_agent: Option<HeaderValue>,
    /// The code of an error.
    pub(crate) code: Option<String>,
    pub(crate) status: StatusCode,
    pub(crate) clock: Clock,
    pub(crate) began: Duration,
    pub(crate) sent_bytes: u64,
    /// How long the answer had to wait, since its client had many refused.
    pub(crate) waited: Duration,
    pub(crate) observe: Arc<dyn Observe>,
    pub(crate) forwarded: Forwarded,
    pub(crate) reports: Reports,
    /// What is to stand in the log of the bucket, if it is logged.
    pub(crate) server_log: Option<Box<ServerLog>>,
    /// Counts the request; none if there was no room for it.
    pub(crate) _in_flight: Option<InFlight>,
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        // What Cofre took: waiting is nobody's work.
        let duration = self.clock.elapsed().saturating_sub(self.began).saturating_sub(self.waited);
        let received_bytes = self.exchange.received_bytes();
        let (status, sent_bytes) = (self.status, self.sent_bytes);
        let code = self.code.take();
        if let Some(log) = self.server_log.take() {
            let _ = log.write(&self.exchange, sent_bytes);
        }
        self.exchange.noted(|noted| {
            let operation = noted.operation;
            tracing::info!(
                target: "cofre::access",
                request_id = %self.exchange.request_id(),
                ip = self.exchange.origin().ip.map(tracing::field::display),
                host = shown(self.host.as_ref()).or(self.uri.host()),
                method = %self.method,
                path = self.uri.path(),
                operation,
                status = status.as_u16(),
                code = code.as_deref(),
                key = noted.access_key.as_deref().unwrap_or_default(),
                user_agent = shown(self.user_agent.as_ref()),
                received_bytes,
                sent_bytes,
                waited_micros = (!self.waited.is_zero()).then(|| micros(self.waited)),
                micros = micros(duration),
            );
            self.observe.answered(Answered { operation, status, code, duration, received_bytes, sent_bytes });
        });
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The beginning of a header, if it is text.
pub(super) fn shown(value: Option<&HeaderValue>) -> Option<&str> {
    let text = value?.to_str().ok()?;
    Some(text.get(..HEADER_BYTES_SHOWN).unwrap_or(text))
}
