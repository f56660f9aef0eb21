//! Penalties: once an address or an account had many requests refused, the answers to further ones wait. However fast it
//! asks, being refused takes little of the processor; what it may do does not wait.
//!
//! What stands for a refusal is in proportion to what it cost, and a refused list of keys counts for each of them. That
//! something is not there, is in the way or does not match is no refusal: clients ask such things all day.
//!
//! # Limits
//! An answer waits for [`WAIT_MAX`] at the most, as a request in flight. No more than [`WAITING_PERCENT`] of all requests
//! that may be in flight wait, and of those of one client; what is beyond is answered at once, and ends its connection.

use super::RequestLimits;
use super::clients::{Client, Clients};
use cofre_runtime::Clock;
use cofre_types::AccountId;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a client may have refused at once after a rest, in time of its rate.
const BURST: Duration = Duration::from_secs(2);

/// The longest that an answer waits.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// How many of the requests that may be in flight may wait.
const WAITING_PERCENT: usize = 75;

/// What a byte of a refused request stands for, of a document and of content: ten times what it takes to read, about.
const DOCUMENT_BYTE_NANOS: u64 = 60;
const CONTENT_BYTE_NANOS: u64 = 10;

/// Most bytes of a request that count.
const BYTES_MAX: u64 = 8 << 20;

/// What a refused key of DeleteObjects stands for.
const KEY_NANOS: u64 = 100_000;

/// What came of a request, as far as penalties go by it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// Whether it should not have been made.
    pub is_refused: bool,
    /// Bytes of its document, if it was not answered well.
    pub document_bytes: u64,
    /// Bytes of its body, whatever it is.
    pub body_bytes: u64,
    /// Keys of a list of them that were refused.
    pub refused_keys: u32,
    /// Who signed it.
    pub account: Option<AccountId>,
}

impl Outcome {
    /// What it stands for, where a refusal stands for `interval`.
    fn cost(&self, interval: Duration) -> Duration {
        let Self { is_refused, document_bytes, body_bytes, refused_keys, account: _ } = *self;
        let nanos = u64::from(refused_keys) * KEY_NANOS + document_bytes.min(BYTES_MAX) * DOCUMENT_BYTE_NANOS;
        let mut cost = Duration::from_nanos(nanos);
        if is_refused {
            cost += interval + Duration::from_nanos(body_bytes.min(BYTES_MAX) * CONTENT_BYTE_NANOS);
        }
        cost
    }
}

/// Has the answers to refused requests wait.
#[derive(Debug)]
pub(crate) struct Penalties {
    clock: Clock,
    /// Time of one refusal at the rate; none is without penalties.
    interval: Option<Duration>,
    waiting: AtomicUsize,
    waiting_max: usize,
    waiting_per_client_max: usize,
}

/// What became of an answer that was to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It waited for so long.
    For(Duration),
    /// As many wait as may.
    NoRoom,
}

impl Penalties {
    pub(crate) fn new(clock: Clock, limits: &RequestLimits) -> Self {
        let part = |max: usize| (max.saturating_mul(WAITING_PERCENT) / 100).max(1);
        Self {
            clock,
            interval: limits.refused_per_second.map(|rate| Duration::from_secs(1) / rate.max(1)),
            waiting: AtomicUsize::new(0),
            waiting_max: part(limits.requests_max),
            waiting_per_client_max: part(limits.requests_per_address_max),
        }
    }

    /// Waits for as long as the answer to a request has to: of the client that sent it, and of the account that signed it.
    pub(crate) async fn wait(&self, clients: &Clients, client: &Client, outcome: Outcome) -> Waited {
        let cost = match self.interval.map(|interval| outcome.cost(interval)) {
            None | Some(Duration::ZERO) => return Waited::For(Duration::ZERO),
            Some(cost) => cost,
        };
        let now = self.clock.elapsed();
        let mut wait = client.had_refused(now, cost, BURST, WAIT_MAX);
        if let Some(account) = outcome.account {
            wait = wait.max(clients.account(account).had_refused(now, cost, BURST, WAIT_MAX));
        }
        if wait.is_zero() {
            return Waited::For(wait);
        }
        let all = Place::take(&self.waiting, self.waiting_max);
        let own = Place::take(&client.waiting, self.waiting_per_client_max);
        let (Some(_all), Some(_own)) = (all, own) else { return Waited::NoRoom };
        self.clock.sleep(wait).await;
        Waited::For(wait)
    }
}

/// One that waits, for as long as this lives.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let place = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < max).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_runtime::ManualClock;
    use futures_util::FutureExt;

    const INTERVAL: Duration = Duration::from_millis(10);

    const REFUSED: Outcome =
        Outcome { is_refused: true, document_bytes: 0, body_bytes: 0, refused_keys: 0, account: None };

    const GOOD: Outcome = Outcome { is_refused: false, ..REFUSED };

    fn limits(requests: usize) -> RequestLimits {
        RequestLimits {
            refused_per_second: Some(100),
            requests_max: requests,
            requests_per_address_max: requests / 2,
            ..RequestLimits::default()
        }
    }

    #[test]
    fn what_is_refused_costs_what_it_took() {
        assert_eq!((GOOD.cost(INTERVAL), REFUSED.cost(INTERVAL)), (Duration::ZERO, INTERVAL));
        let mib = 1 << 20;
        let cost = |outcome: Outcome| outcome.cost(INTERVAL).as_micros();
        assert_eq!(cost(Outcome { body_bytes: mib, ..REFUSED }), 10_000 + 10_485);
        assert_eq!(cost(Outcome { body_bytes: u64::MAX, ..REFUSED }), 10_000 + 83_886);
        assert_eq!(cost(Outcome { body_bytes: mib, ..GOOD }), 0);
        assert_eq!(cost(Outcome { document_bytes: mib, body_bytes: mib, ..GOOD }), 62_914);
        assert_eq!(cost(Outcome { refused_keys: 1_000, ..GOOD }), 100_000);
    }

    #[tokio::test]
    async fn answers_wait_beyond_the_rate_alone() {
        let clock = ManualClock::at(1_000);
        let clients = Clients::new(clock.clock(), None);
        let penalties = Penalties::new(clock.clock(), &limits(8));
        let client = clients.connect(Some([192, 0, 2, 1].into())).client;
        let waits = |outcome| penalties.wait(&clients, &client, outcome).now_or_never().is_none();
        assert!((0..200).all(|_| !waits(REFUSED)));
        assert!(waits(REFUSED));
        assert!(!waits(GOOD), "what is good does not wait");
        let other = clients.connect(Some([192, 0, 2, 2].into())).client;
        assert_eq!(penalties.wait(&clients, &other, REFUSED).now_or_never(), Some(Waited::For(Duration::ZERO)));
        // What asked on was charged.
        clock.advance(INTERVAL);
        assert!(waits(REFUSED));
        clock.advance(3 * INTERVAL);
        assert!(!waits(REFUSED));
        // Nothing is owed beyond the longest wait.
        for _ in 0..10_000 {
            waits(Outcome { refused_keys: 1_000, ..REFUSED });
        }
        clock.advance(WAIT_MAX + INTERVAL);
        assert!(!waits(REFUSED));
    }

    #[tokio::test]
    async fn an_account_is_one_wherever_it_comes_from() {
        let clock = ManualClock::at(1_000);
        let clients = Clients::new(clock.clock(), None);
        let penalties = Penalties::new(clock.clock(), &limits(8));
        let connect = |last| clients.connect(Some([192, 0, 2, last].into())).client;
        let by = |account| Outcome { account: Some(AccountId::from_bytes([account; 32])), ..REFUSED };
        for number in 0..200 {
            let waited = penalties.wait(&clients, &connect(number), by(1)).now_or_never();
            assert_eq!(waited, Some(Waited::For(Duration::ZERO)));
        }
        assert!(penalties.wait(&clients, &connect(201), by(1)).now_or_never().is_none());
        let other = penalties.wait(&clients, &connect(201), by(2)).now_or_never();
        assert_eq!(other, Some(Waited::For(Duration::ZERO)));
    }

    #[tokio::test]
    async fn as_many_wait_as_may() {
        let clock = ManualClock::at(1_000);
        let clients = Clients::new(clock.clock(), None);
        let penalties = Penalties::new(clock.clock(), &limits(8));
        let connect = |last| clients.connect(Some([192, 0, 2, last].into())).client;
        let busy = |client: &Client| {
            for _ in 0..200 {
                assert_eq!(penalties.wait(&clients, client, REFUSED).now_or_never(), Some(Waited::For(Duration::ZERO)));
            }
        };
        let all: Vec<_> = (1..=3).map(connect).collect();
        all.iter().for_each(|client| busy(client));
        let mut waiting = Vec::new();
        let mut begin = |client| {
            let mut wait = Box::pin(penalties.wait(&clients, client, REFUSED));
            let first = wait.as_mut().now_or_never();
            waiting.push(wait);
            first
        };
        // Three of four of each, and six of eight in all.
        for client in &all[..2] {
            assert_eq!([(); 4].map(|()| begin(client)), [None, None, None, Some(Waited::NoRoom)]);
        }
        assert_eq!(begin(&all[2]), Some(Waited::NoRoom));
        drop(waiting);
        assert!(penalties.wait(&clients, &all[2], REFUSED).now_or_never().is_none());
        assert_eq!(penalties.waiting.load(Ordering::Relaxed), 0);
        assert!(all.iter().all(|client| client.waiting.load(Ordering::Relaxed) == 0));
    }
}
