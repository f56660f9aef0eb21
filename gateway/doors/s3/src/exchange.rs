//! One request on its way through the door: what the layers around s3s and the operations behind it
//! tell each other. It travels as an extension of the request, never as a global or a task-local.

use bytes::Bytes;
use cofre_iam::{Client, Explanation, InFlightOfAccount, Origin, REPORT_DECISIONS_MAX, RequestId};
use cofre_runtime::Clock;
use cofre_types::AccountId;
use http::StatusCode;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Shared by the layers and the operation of one request. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(crate) struct Exchange(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    request_id: RequestId,
    origin: Origin,
    received_bytes: AtomicU64,
    /// Whether the body is a document.
    is_document: AtomicBool,
    is_turned_away: AtomicBool,
    /// Keys of DeleteObjects that were refused.
    refused_keys: AtomicU32,
    /// None in tests of what comes before.
    clock: Option<Clock>,
    /// Whether the request is logged: then when its bytes came matters.
    logged: bool,
    /// When the last byte of the body came, in microseconds.
    received_micros: AtomicU64,
    /// Whose request it is; none in tests of what comes before.
    client: Option<Arc<Client>>,
    noted: Mutex<Noted>,
}

/// What is learnt of a request while it is answered.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The operation, by S3's name; empty until s3s has found it.
    pub(crate) operation: &'static str,
    /// When the operation began.
    pub(crate) operation_at: Option<Duration>,
    /// When the signature was found good, or that there is none.
    pub(crate) admitted_at: Option<Duration>,
    /// How long the answer waits, since its sender had many refused.
    pub(crate) penalty: Option<Duration>,
    /// The code of an error whose answer is not XML.
    pub(crate) code: Option<String>,
    /// Why it failed, for the operator alone.
    pub(crate) cause: Option<String>,
    /// The access key whose signature was good.
    pub(crate) access_key: Option<String>,
    /// The account that it is of.
    pub(crate) requester: Option<AccountId>,
    /// Counts it among those of the account.
    pub(crate) in_flight: Option<InFlightOfAccount>,
    /// Whether something was allowed only by an access control list. Noted of requests that are logged.
    pub(crate) list_used: bool,
    /// Why it was refused.
    pub(crate) explanations: Vec<Explanation>,
    /// What became of each key of DeleteObjects. Noted of requests that are logged.
    pub(crate) deleted: Vec<DeletedKey>,
    /// Elements beside `Code` and `Message` of an error's XML, by S3's names.
    pub(crate) details: Vec<(&'static str, String)>,
    /// What an error's XML says instead of its own message.
    pub(crate) message: Option<String>,
    /// Whether names in the XML answer were escaped (see `translate::text`).
    pub(crate) escaped: bool,
    /// The body of a good answer that s3s would write otherwise.
    pub(crate) document: Option<Bytes>,
    /// The status of a good answer for which s3s has another one.
    pub(crate) status: Option<StatusCode>,
}

/// One key of DeleteObjects.
#[derive(Debug)]
pub(crate) struct DeletedKey {
    pub(crate) key: String,
    pub(crate) version: Option<String>,
    /// The code of its error; none if it is deleted.
    pub(crate) error: Option<String>,
}

impl Exchange {
    /// A request on its way, without a clock unless it is logged.
    #[cfg(test)]
    pub(crate) fn new(request_id: RequestId, origin: Origin, watch: Option<Clock>) -> Self {
        let logged = watch.is_some();
        Self::with(request_id, origin, watch, logged, None)
    }

    /// A request of a client on its way, and whether it is logged.
    pub(crate) fn timed(
        request_id: RequestId,
        origin: Origin,
        clock: Clock,
        logged: bool,
        client: Arc<Client>,
    ) -> Self {
        Self::with(request_id, origin, Some(clock), logged, Some(client))
    }

    fn with(
        request_id: RequestId,
        origin: Origin,
        clock: Option<Clock>,
        logged: bool,
        client: Option<Arc<Client>>,
    ) -> Self {
        Self(Arc::new(Inner {
            request_id,
            origin,
            received_bytes: AtomicU64::new(0),
            is_document: AtomicBool::new(false),
            is_turned_away: AtomicBool::new(false),
            refused_keys: AtomicU32::new(0),
            clock,
            logged,
            received_micros: AtomicU64::new(0),
            client,
            noted: Mutex::default(),
        }))
    }

    /// A request of a test.
    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        Self::new(RequestId::new(&cofre_runtime::Random::seeded(1)), Origin::default(), None)
    }

    /// Whether the request stands in a server access log.
    pub(crate) fn is_logged(&self) -> bool {
        self.0.logged
    }

    /// When the last byte of the body came; zero if none did.
    pub(crate) fn received_at(&self) -> Duration {
        Duration::from_micros(self.0.received_micros.load(Ordering::Relaxed))
    }

    pub(crate) fn request_id(&self) -> RequestId {
        self.0.request_id
    }

    pub(crate) fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Counts bytes of the request's body.
    pub(crate) fn received(&self, bytes: u64) {
        self.0.received_bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(clock) = self.0.clock.as_ref().filter(|_| self.0.logged) {
            let micros = u64::try_from(clock.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.0.received_micros.store(micros, Ordering::Relaxed);
        }
    }

    /// Bytes of the request's body that came.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.0.received_bytes.load(Ordering::Relaxed)
    }

    /// Notes that the body is a document.
    pub(crate) fn brings_document(&self) {
        self.0.is_document.store(true, Ordering::Relaxed);
    }

    /// Whether the body is a document that was read.
    pub(crate) fn is_document(&self) -> bool {
        self.0.is_document.load(Ordering::Relaxed)
    }

    /// Notes that it is refused for what its sender owes.
    pub(crate) fn turned_away(&self) {
        self.0.is_turned_away.store(true, Ordering::Relaxed);
    }

    /// Whether it is refused for what its sender owes.
    pub(crate) fn is_turned_away(&self) -> bool {
        self.0.is_turned_away.load(Ordering::Relaxed)
    }

    /// Notes that a key of DeleteObjects is refused.
    pub(crate) fn key_refused(&self) {
        self.0.refused_keys.fetch_add(1, Ordering::Relaxed);
    }

    /// How many keys of DeleteObjects were refused.
    pub(crate) fn refused_keys(&self) -> u32 {
        self.0.refused_keys.load(Ordering::Relaxed)
    }

    /// Now, on the scale of `Clock::elapsed`.
    pub(crate) fn now(&self) -> Option<Duration> {
        self.0.clock.as_ref().map(Clock::elapsed)
    }

    /// Notes something for the layers outside.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.noted.lock());
    }

    /// Whether it is to be found out why something is refused: of the first refusals of a request, as far as its client
    /// has not had so much explained that it would slow others down.
    pub(crate) fn wants_explanation(&self) -> bool {
        let Inner { clock, client, noted, .. } = &*self.0;
        let (Some(clock), Some(client)) = (clock, client) else { return false };
        client.may_have_explained(clock.elapsed()) && noted.lock().explanations.len() < REPORT_DECISIONS_MAX
    }

    /// Notes why something is refused.
    pub(crate) fn explained(&self, explanation: Explanation) {
        if let (Some(clock), Some(client)) = (&self.0.clock, &self.0.client) {
            client.had_explained(clock.elapsed(), explanation.steps);
        }
        self.note(|noted| noted.explanations.push(explanation));
    }

    /// Adds an element to the error's XML.
    pub(crate) fn detail(&self, name: &'static str, value: impl Into<String>) {
        self.note(|noted| noted.details.push((name, value.into())));
    }

    /// Names the argument that is refused, in the error's XML.
    pub(crate) fn argument(&self, name: &'static str, value: impl Into<String>) {
        self.note(|noted| noted.details.extend([("ArgumentName", name.to_owned()), ("ArgumentValue", value.into())]));
    }

    /// Takes what s3s would have otherwise in a good answer: its body, its status.
    pub(crate) fn take_answer(&self) -> (Option<Bytes>, Option<StatusCode>) {
        let mut noted = self.0.noted.lock();
        (noted.document.take(), noted.status.take())
    }

    /// Looks at what was noted.
    pub(crate) fn noted<T>(&self, look: impl FnOnce(&Noted) -> T) -> T {
        look(&self.0.noted.lock())
    }
}
