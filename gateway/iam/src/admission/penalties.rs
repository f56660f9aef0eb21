//! Penalties: once someone had many requests refused, the answers to further ones wait. However fast it asks, being refused
//! takes little of the processor; what it may do does not wait.
//!
//! Who that is says the signature, if it was good: an account, wherever it comes from. Without one it is an address.
//! A refusal stands for a time in proportion to what it cost, and a refused list of keys counts for each of them. What
//! clients ask all day is no refusal: that something is not there, is in the way or does not match; and, of an account,
//! what it may not read. Nor is what Cofre itself cannot do.
//!
//! The time is owed as soon as the answer is made, whether its client waits for it or goes away. Who owes more than an
//! answer may wait is refused before anything is done for it, and owes no more for that.
//!
//! # Limits
//! An answer waits for [`WAIT_MAX`] at the most, as a request in flight of its address and not of its account. No more
//! than [`WAITING_PERCENT`] of all requests that may be in flight wait, and of those of one address; what is beyond is
//! answered at once, and owed all the same.

use super::clients::{Client, Clients};
use super::{Overload, RequestLimits};
use cofre_runtime::Clock;
use cofre_types::AccountId;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What may be refused at once after a rest, in time of the rate.
const BURST: Duration = Duration::from_secs(2);

/// The longest that an answer waits.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The most that is owed.
const DEBT_MAX: Duration = Duration::from_secs(2 + 2 * 5);

/// How many of the requests that may be in flight may wait.
const WAITING_PERCENT: usize = 75;

/// What a byte of a refused request stands for, of a document that was read and of what is read and forgotten: ten times
/// what that takes, about.
const DOCUMENT_BYTE_NANOS: u64 = 60;
const BODY_BYTE_NANOS: u64 = 10;

/// Most bytes of a request that count.
const BYTES_MAX: u64 = 8 << 20;

/// What a refused key of a list stands for.
const KEY_NANOS: u64 = 100_000;

/// What came of a request, as far as penalties go by it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// Whether it should not have been made.
    pub is_refused: bool,
    /// Bytes of its document that were read in vain.
    pub document_bytes: u64,
    /// Bytes of its body, whatever it is, that are read and forgotten.
    pub body_bytes: u64,
    /// Keys of a list of them that were refused.
    pub refused_keys: u32,
    /// Whose credentials were good.
    pub account: Option<AccountId>,
}

impl Outcome {
    /// What it stands for, where a refusal stands for `interval`.
    fn cost(&self, interval: Duration) -> Duration {
        let Self { is_refused, document_bytes, body_bytes, refused_keys, account: _ } = *self;
        let nanos = u64::from(refused_keys) * KEY_NANOS + document_bytes.min(BYTES_MAX) * DOCUMENT_BYTE_NANOS;
        let mut cost = Duration::from_nanos(nanos);
        if is_refused {
            cost += interval + Duration::from_nanos(body_bytes.min(BYTES_MAX) * BODY_BYTE_NANOS);
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
    waiting_per_address_max: usize,
}

impl Penalties {
    pub(crate) fn new(clock: Clock, limits: &RequestLimits) -> Self {
        let part = |max: usize| (max.saturating_mul(WAITING_PERCENT) / 100).max(1);
        Self {
            clock,
            interval: limits.refused_per_second.map(|rate| Duration::from_secs(1) / rate.max(1)),
            waiting: AtomicUsize::new(0),
            waiting_max: part(limits.requests_max),
            waiting_per_address_max: part(limits.requests_per_address_max),
        }
    }

    /// Refuses an address that owes too much.
    pub(crate) fn check(&self, client: &Client) -> Result<(), Overload> {
        if self.interval.is_none() || client.owes(self.clock.elapsed()) <= BURST + WAIT_MAX {
            return Ok(());
        }
        Err(Overload::Refused)
    }

    /// Refuses an account that owes too much.
    pub(crate) fn check_account(&self, clients: &Clients, account: AccountId) -> Result<(), Overload> {
        clients.known_account(account).map_or(Ok(()), |client| self.check(&client))
    }

    /// Notes what came of a client's request, and tells how long the answer has to wait.
    pub(crate) fn charge(&self, clients: &Clients, client: &Client, outcome: &Outcome) -> Duration {
        let cost = self.interval.map_or(Duration::ZERO, |interval| outcome.cost(interval));
        if cost.is_zero() {
            return cost;
        }
        let now = self.clock.elapsed();
        let owed = match outcome.account {
            Some(account) => clients.account(account).had_refused(now, cost, DEBT_MAX),
            None => client.had_refused(now, cost, DEBT_MAX),
        };
        owed.saturating_sub(BURST).min(WAIT_MAX)
    }

    /// Waits, if there is room to. Tells whether it did.
    pub(crate) async fn wait(&self, client: &Client, time: Duration) -> bool {
        let all = Place::take(&self.waiting, self.waiting_max);
        let own = Place::take(&client.waiting, self.waiting_per_address_max);
        let (Some(_all), Some(_own)) = (all, own) else { return false };
        self.clock.sleep(time).await;
        true
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
    use std::sync::Arc;

    const INTERVAL: Duration = Duration::from_millis(10);

    const REFUSED: Outcome =
        Outcome { is_refused: true, document_bytes: 0, body_bytes: 0, refused_keys: 0, account: None };

    const GOOD: Outcome = Outcome { is_refused: false, ..REFUSED };

    fn account(number: u8) -> Option<AccountId> {
        Some(AccountId::from_bytes([number; 32]))
    }

    struct Bed {
        clients: Clients,
        clock: ManualClock,
        penalties: Penalties,
    }

    impl Bed {
        fn new() -> Self {
            let limits = RequestLimits {
                refused_per_second: Some(100),
                requests_max: 8,
                requests_per_address_max: 4,
                ..RequestLimits::default()
            };
            let clock = ManualClock::at(1_000);
            let clients = Clients::new(clock.clock(), None);
            let penalties = Penalties::new(clock.clock(), &limits);
            Self { clients, clock, penalties }
        }

        fn charge(&self, client: &Client, outcome: &Outcome) -> Duration {
            self.penalties.charge(&self.clients, client, outcome)
        }

        fn client(&self, last: u8) -> Arc<Client> {
            self.clients.connect(Some([192, 0, 2, last].into())).client
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

    #[test]
    fn answers_wait_beyond_the_rate_alone() {
        let bed = Bed::new();
        let client = bed.client(1);
        let wait = |outcome: &Outcome| bed.charge(&client, outcome);
        assert!((0..200).all(|_| wait(&REFUSED).is_zero()));
        assert_eq!(wait(&REFUSED), INTERVAL);
        assert!(wait(&GOOD).is_zero(), "what is good does not wait");
        assert!(bed.charge(&bed.client(2), &REFUSED).is_zero(), "others do not wait");
        bed.clock.advance(INTERVAL);
        assert_eq!(wait(&REFUSED), INTERVAL);
        bed.clock.advance(3 * INTERVAL);
        assert!(wait(&REFUSED).is_zero());
    }

    #[test]
    fn who_does_not_wait_is_refused_before_anything_is_done() {
        let bed = Bed::new();
        let client = bed.client(1);
        let mut charged = 0;
        while bed.penalties.check(&client).is_ok() {
            bed.charge(&client, &REFUSED);
            charged += 1;
        }
        assert_eq!(charged, 701, "seven seconds at the rate");
        assert!(bed.penalties.check(&bed.client(2)).is_ok());
        for _ in 0..10_000 {
            assert_eq!(bed.charge(&client, &REFUSED), WAIT_MAX);
        }
        // Nobody owes more than what is over soon.
        bed.clock.advance(WAIT_MAX);
        assert!(bed.penalties.check(&client).is_ok());
    }

    #[test]
    fn an_account_owes_for_what_it_signs_wherever_it_comes_from() {
        let bed = Bed::new();
        let by = |number| Outcome { account: account(number), ..REFUSED };
        for number in 0..200 {
            assert!(bed.charge(&bed.client(number), &by(1)).is_zero());
        }
        assert_eq!(bed.charge(&bed.client(201), &by(1)), INTERVAL);
        let client = bed.client(1);
        assert!(bed.charge(&client, &by(2)).is_zero());
        for _ in 0..1_000 {
            bed.charge(&client, &by(1));
        }
        let check = |number| account(number).map(|account| bed.penalties.check_account(&bed.clients, account).is_ok());
        assert_eq!([check(1), check(2), check(3)], [Some(false), Some(true), Some(true)]);
        assert!(bed.penalties.check(&client).is_ok(), "its address owes nothing");
        assert!(bed.charge(&client, &REFUSED).is_zero());
    }

    #[tokio::test]
    async fn as_many_wait_as_may() {
        let bed = Bed::new();
        let all = [1, 2, 3].map(|last| bed.client(last));
        let mut waiting = Vec::new();
        let mut begin = |client| {
            let mut wait = Box::pin(bed.penalties.wait(client, INTERVAL));
            let first = wait.as_mut().now_or_never();
            waiting.push(wait);
            first
        };
        // Three of four of each, and six of eight in all.
        for client in &all[..2] {
            assert_eq!([(); 4].map(|()| begin(client)), [None, None, None, Some(false)]);
        }
        assert_eq!(begin(&all[2]), Some(false));
        drop(waiting);
        assert!(bed.penalties.wait(&all[2], INTERVAL).await);
        assert_eq!(bed.penalties.waiting.load(Ordering::Relaxed), 0);
        assert!(all.iter().all(|client| client.waiting.load(Ordering::Relaxed) == 0));
    }
}
