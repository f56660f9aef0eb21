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
use super::outcome::Outcome;
use super::slow_down;
use crate::options::RequestLimits;
use cofre_runtime::Clock;
use cofre_types::AccountId;
use s3s::S3Result;
use std::sync::Arc;
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

/// Has the answers to refused requests wait.
#[derive(Debug)]
pub(crate) struct Penalties {
    clients: Arc<Clients>,
    clock: Clock,
    /// Time of one refusal at the rate; none is without penalties.
    interval: Option<Duration>,
    waiting: AtomicUsize,
    waiting_max: usize,
    waiting_per_address_max: usize,
}

impl Penalties {
    pub(crate) fn new(clients: Arc<Clients>, clock: Clock, limits: &RequestLimits) -> Self {
        let part = |max: usize| (max.saturating_mul(WAITING_PERCENT) / 100).max(1);
        Self {
            clients,
            clock,
            interval: limits.refused_per_second.map(|rate| Duration::from_secs(1) / rate.max(1)),
            waiting: AtomicUsize::new(0),
            waiting_max: part(limits.requests_max),
            waiting_per_address_max: part(limits.requests_per_address_max),
        }
    }

    /// Refuses an address that owes too much.
    pub(crate) fn check(&self, client: &Client) -> S3Result<()> {
        if self.interval.is_none() || client.owes(self.clock.elapsed()) <= BURST + WAIT_MAX {
            return Ok(());
        }
        Err(slow_down("Too many of your requests were refused."))
    }

    /// Refuses an account that owes too much.
    pub(crate) fn check_account(&self, account: AccountId) -> S3Result<()> {
        self.clients.known_account(account).map_or(Ok(()), |client| self.check(&client))
    }

    /// Notes what came of a client's request, and tells how long the answer has to wait.
    pub(crate) fn charge(&self, client: &Client, outcome: &Outcome) -> Duration {
        let cost = self.interval.map_or(Duration::ZERO, |interval| outcome.cost(interval));
        if cost.is_zero() {
            return cost;
        }
        let now = self.clock.elapsed();
        let owed = match outcome.account {
            Some(account) => self.clients.account(account).had_refused(now, cost, DEBT_MAX),
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
    use crate::layers::outcome::tests::of;
    use cofre_runtime::ManualClock;
    use futures_util::FutureExt;

    const INTERVAL: Duration = Duration::from_millis(10);

    fn account(number: u8) -> Option<AccountId> {
        Some(AccountId::from_bytes([number; 32]))
    }

    struct Bed {
        clients: Arc<Clients>,
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
            let clients = Arc::new(Clients::new(clock.clock(), None));
            let penalties = Penalties::new(Arc::clone(&clients), clock.clock(), &limits);
            Self { clients, clock, penalties }
        }

        fn client(&self, last: u8) -> Arc<Client> {
            self.clients.connect(Some([192, 0, 2, last].into())).client
        }
    }

    #[test]
    fn answers_wait_beyond_the_rate_alone() {
        let bed = Bed::new();
        let client = bed.client(1);
        let wait = |outcome: &Outcome| bed.penalties.charge(&client, outcome);
        assert!((0..200).all(|_| wait(&of(403)).is_zero()));
        assert_eq!(wait(&of(403)), INTERVAL);
        assert!(wait(&of(200)).is_zero() && wait(&of(404)).is_zero(), "what is good does not wait");
        assert!(bed.penalties.charge(&bed.client(2), &of(403)).is_zero(), "others do not wait");
        bed.clock.advance(INTERVAL);
        assert_eq!(wait(&of(403)), INTERVAL);
        bed.clock.advance(3 * INTERVAL);
        assert!(wait(&of(403)).is_zero());
    }

    #[test]
    fn who_does_not_wait_is_refused_before_anything_is_done() {
        let bed = Bed::new();
        let client = bed.client(1);
        let mut charged = 0;
        while bed.penalties.check(&client).is_ok() {
            bed.penalties.charge(&client, &of(403));
            charged += 1;
        }
        assert_eq!(charged, 701, "seven seconds at the rate");
        assert!(bed.penalties.check(&bed.client(2)).is_ok());
        for _ in 0..10_000 {
            assert_eq!(bed.penalties.charge(&client, &of(403)), WAIT_MAX);
        }
        // Nobody owes more than what is over soon.
        bed.clock.advance(WAIT_MAX);
        assert!(bed.penalties.check(&client).is_ok());
    }

    #[test]
    fn an_account_owes_for_what_it_signs_wherever_it_comes_from() {
        let bed = Bed::new();
        let by = |number| Outcome { account: account(number), ..of(403) };
        for number in 0..200 {
            assert!(bed.penalties.charge(&bed.client(number), &by(1)).is_zero());
        }
        assert_eq!(bed.penalties.charge(&bed.client(201), &by(1)), INTERVAL);
        let client = bed.client(1);
        assert!(bed.penalties.charge(&client, &by(2)).is_zero());
        for _ in 0..1_000 {
            bed.penalties.charge(&client, &by(1));
        }
        let check = |number| account(number).map(|account| bed.penalties.check_account(account).is_ok());
        assert_eq!([check(1), check(2), check(3)], [Some(false), Some(true), Some(true)]);
        assert!(bed.penalties.check(&client).is_ok(), "its address owes nothing");
        assert!(bed.penalties.charge(&client, &of(403)).is_zero());
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
