//! What each client may do before anyone knows who it is: requests at once, and requests a second without a good
//! signature.
//!
//! # Limits
//! [`CLIENTS_MAX`] clients are known at once; one that has nothing in flight and has rested is forgotten. Beyond that all
//! further clients count as one.

use super::Overload;
use crate::caller::Network;
use cofre_runtime::Clock;
use cofre_types::AccountId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Clients that are known at once.
const CLIENTS_MAX: usize = 10_000;

/// Requests that a client may make at once after a rest, in seconds of its rate.
const BURST_SECS: u64 = 2;

/// What it costs a client to have a refusal explained, in nanoseconds: ten times what it takes, about, of which a step is
/// one and the rest a microsecond. So a client takes a tenth of a processor for it at the most.
const EXPLAINED_NANOS: u64 = 10_000;
const EXPLAINED_STEP_NANOS: u64 = 10;

/// How much a client may have explained at once after a rest.
const EXPLAINED_BURST_NANOS: u64 = 1_000_000_000;

/// The clients of all doors.
pub(crate) struct Clients {
    clock: Clock,
    /// Time of one request at the rate of those without a good signature; without a limit if absent.
    interval: Option<Duration>,
    known: Mutex<HashMap<Who, Arc<Client>>>,
    /// Stands for all that there is no room for.
    others: Arc<Client>,
}

/// Who a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    /// What comes from a network.
    Network(Network),
    /// What an account signed, wherever it comes from.
    Account(AccountId),
}

/// One client.
#[derive(Debug, Default)]
pub struct Client {
    pub(super) in_flight: AtomicUsize,
    /// When its requests so far would have been made at the rate, in nanoseconds of the clock's `elapsed`.
    due_nanos: AtomicU64,
    /// When what was explained to it would have been at a tenth of a processor, in the same.
    explained_nanos: AtomicU64,
    /// When what was refused to it would have been at the rate of refusals, in the same.
    refused_nanos: AtomicU64,
    /// Answers to it that wait.
    pub(super) waiting: AtomicUsize,
}

impl Clients {
    /// Clients that may make so many requests a second without a good signature.
    pub(crate) fn new(clock: Clock, anonymous_per_second: Option<u32>) -> Self {
        let interval = anonymous_per_second.map(|rate| Duration::from_secs(1) / rate.max(1));
        Self { clock, interval, known: Mutex::default(), others: Arc::default() }
    }

    /// A connection of the client at an address. What has no address is inside the process, and each its own client.
    pub(crate) fn connect(&self, ip: Option<IpAddr>) -> Connected {
        let client = ip.map_or_else(Arc::default, |ip| self.client(Who::Network(Network::of(ip))));
        Connected { client, is_proven: AtomicBool::new(false) }
    }

    /// An account as a client, whose signature was good.
    pub(crate) fn account(&self, account: AccountId) -> Arc<Client> {
        self.client(Who::Account(account))
    }

    /// An account, if it is known as a client.
    pub(super) fn known_account(&self, account: AccountId) -> Option<Arc<Client>> {
        self.known.lock().get(&Who::Account(account)).cloned()
    }

    fn client(&self, who: Who) -> Arc<Client> {
        let mut known = self.known.lock();
        if let Some(client) = known.get(&who) {
            return Arc::clone(client);
        }
        if known.len() >= CLIENTS_MAX {
            let now = nanos(self.clock.elapsed());
            known.retain(|_, client| Arc::strong_count(client) > 1 || client.rests_at() > now);
            if known.len() >= CLIENTS_MAX {
                return Arc::clone(&self.others);
            }
        }
        let client = Arc::<Client>::default();
        known.insert(who, Arc::clone(&client));
        client
    }

    /// Lets a request begin on a connection. One on a connection that has shown no good credentials yet, or that `claims`
    /// to bring none, takes of the client's rate.
    pub(crate) fn admit(&self, connected: &Connected, claims: bool) -> Result<Claim, Overload> {
        let counted = self.interval.filter(|_| !(claims && connected.is_proven.load(Ordering::Relaxed)));
        if let Some(interval) = counted
            && !connected.client.take(self.clock.elapsed(), interval)
        {
            return Err(Overload::WithoutCredentials);
        }
        Ok(Claim { claims, is_counted: counted.is_some() })
    }

    /// Learns what became of a request's signature.
    pub(crate) fn judge(&self, connected: &Connected, claim: Claim, is_good: bool) {
        let Some(interval) = self.interval else {
            if claim.claims {
                connected.is_proven.store(is_good, Ordering::Relaxed);
            }
            return;
        };
        match (is_good, claim.is_counted) {
            (true, true) => {
                connected.is_proven.store(true, Ordering::Relaxed);
                connected.client.give_back(interval);
            }
            (false, false) if claim.claims => {
                connected.is_proven.store(false, Ordering::Relaxed);
                connected.client.charge(self.clock.elapsed(), interval);
            }
            (true, false) | (false, true | false) => {}
        }
    }
}

/// A connection of a client.
#[derive(Debug)]
pub struct Connected {
    pub(crate) client: Arc<Client>,
    /// Whether the last signature on it was good.
    is_proven: AtomicBool,
}

/// What a request says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Whether it brings a signature.
    claims: bool,
    /// Whether it took of the client's rate.
    is_counted: bool,
}

impl Connected {
    /// Whether nobody is known to have sent a request on it: it does not claim to bring credentials, or none were good.
    pub(super) fn is_unproven(&self, claims: bool) -> bool {
        !(claims && self.is_proven.load(Ordering::Relaxed))
    }

    /// Whose connection it is.
    pub fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }
}

impl Client {
    /// When it owes nothing any more.
    fn rests_at(&self) -> u64 {
        let times = [&self.due_nanos, &self.explained_nanos, &self.refused_nanos];
        times.iter().map(|time| time.load(Ordering::Relaxed)).max().unwrap_or(0)
    }

    fn take(&self, now: Duration, interval: Duration) -> bool {
        let (now, interval) = (nanos(now), nanos(interval));
        let latest = now + BURST_SECS * 1_000_000_000;
        let taken = self.due_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| {
            let due = due.max(now) + interval;
            (due <= latest).then_some(due)
        });
        taken.is_ok()
    }

    /// Takes what was not taken before, whether it may or not.
    fn charge(&self, now: Duration, interval: Duration) {
        let (now, interval) = (nanos(now), nanos(interval));
        let charged = |due: u64| Some(due.max(now).saturating_add(interval));
        let _ = self.due_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charged);
    }

    /// Whether a refusal may be explained to it.
    pub fn may_have_explained(&self, now: Duration) -> bool {
        self.explained_nanos.load(Ordering::Relaxed) <= nanos(now) + EXPLAINED_BURST_NANOS
    }

    /// Learns that a refusal was explained, which took so many steps.
    pub fn had_explained(&self, now: Duration, steps: u64) {
        let (now, cost) = (nanos(now), EXPLAINED_NANOS + steps.saturating_mul(EXPLAINED_STEP_NANOS));
        let charged = |at: u64| Some(at.max(now).saturating_add(cost));
        let _ = self.explained_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charged);
    }

    /// Learns that something was refused that costs so much. Gives what it owes then, which is `max` at the most.
    pub(super) fn had_refused(&self, now: Duration, cost: Duration, max: Duration) -> Duration {
        let (now, cost, latest) = (nanos(now), nanos(cost), nanos(now + max));
        let charged = |at: u64| at.max(now).saturating_add(cost).min(latest);
        let before = self.refused_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(charged(at)));
        Duration::from_nanos(charged(before.unwrap_or_else(|at| at)) - now)
    }

    /// What it owes for what was refused.
    pub(super) fn owes(&self, now: Duration) -> Duration {
        Duration::from_nanos(self.refused_nanos.load(Ordering::Relaxed).saturating_sub(nanos(now)))
    }

    fn give_back(&self, interval: Duration) {
        let _ = self
            .due_nanos
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| Some(due.saturating_sub(nanos(interval))));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_runtime::ManualClock;

    fn clients(rate: Option<u32>) -> (Clients, ManualClock) {
        let clock = ManualClock::at(1_000);
        (Clients::new(clock.clock(), rate), clock)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn requests_without_a_good_signature_have_a_rate() {
        let (clients, clock) = clients(Some(10));
        let connected = clients.connect(ip("2001:db8::1"));
        let ask = |signed: bool, good: bool| {
            let claim = clients.admit(&connected, signed)?;
            clients.judge(&connected, claim, good);
            Ok::<_, Overload>(())
        };
        for turn in 0..20 {
            assert!(ask(turn % 2 == 0, false).is_ok(), "{turn}");
        }
        for signed in [false, true] {
            assert_eq!(ask(signed, true), Err(Overload::WithoutCredentials));
        }
        let neighbour = clients.connect(ip("2001:db8::2"));
        assert!(clients.admit(&neighbour, false).is_err(), "a /64 is one client");
        assert!(clients.admit(&clients.connect(ip("192.0.2.1")), false).is_ok());
        clock.advance(Duration::from_millis(100));
        assert!(ask(true, true).is_ok());
        // Who has shown a good signature is not held up by a neighbour that shows none.
        assert!(ask(false, false).is_ok(), "a good signature costs nothing");
        for _ in 0..1_000 {
            assert!(ask(true, true).is_ok());
        }
        assert!(ask(false, false).is_err());
        // A signature that is refused on such a connection counts, and ends the trust.
        assert!(ask(true, false).is_ok());
        assert!(ask(true, true).is_err());
    }

    #[test]
    fn bad_signatures_count_after_a_rest() {
        let (clients, clock) = clients(Some(10));
        let ask = |connected: &Connected, is_good: bool| {
            let claim = clients.admit(connected, true)?;
            clients.judge(connected, claim, is_good);
            Ok::<_, Overload>(())
        };
        // Connections that have shown a good signature, and rested.
        let connections: Vec<_> = (0..100).map(|_| clients.connect(ip("192.0.2.1"))).collect();
        assert!(connections.iter().all(|connected| ask(connected, true).is_ok()));
        clock.advance(Duration::from_secs(1_000));
        assert!(connections.iter().all(|connected| ask(connected, false).is_ok()));
        // Ten seconds of the rate were taken, of which two may be at once.
        assert!(connections.iter().all(|connected| ask(connected, true).is_err()));
        clock.advance(Duration::from_secs(9));
        assert!(ask(&connections[0], true).is_ok());
    }

    #[test]
    fn a_client_has_a_tenth_of_a_processor_explained() {
        let (clients, clock) = clients(None);
        let client = clients.connect(ip("192.0.2.1")).client;
        let mut explained = Duration::ZERO;
        for _ in 0..100 {
            while client.may_have_explained(clock.clock().elapsed()) {
                // A step takes a nanosecond, about.
                client.had_explained(clock.clock().elapsed(), 1_000_000);
                explained += Duration::from_millis(1);
            }
            clock.advance(Duration::from_millis(100));
        }
        assert!((Duration::from_millis(1_000)..Duration::from_millis(1_200)).contains(&explained), "{explained:?}");
    }

    #[test]
    fn no_rate_is_no_limit() {
        let (clients, _) = clients(None);
        let connected = clients.connect(ip("192.0.2.1"));
        assert!((0..10_000).all(|_| clients.admit(&connected, false).is_ok()));
    }

    #[test]
    fn clients_are_bounded_and_forgotten() {
        let (clients, clock) = clients(Some(1));
        for number in 0..CLIENTS_MAX as u32 {
            let connected = clients.connect(Some(IpAddr::V4(number.into())));
            assert!(clients.admit(&connected, false).is_ok());
        }
        let one = clients.connect(ip("2001:db8::1"));
        assert!(Arc::ptr_eq(&one.client, &clients.others));
        clock.advance(Duration::from_secs(2));
        let other = clients.connect(ip("2001:db8:1::1"));
        assert!(!Arc::ptr_eq(&other.client, &clients.others));
        assert_eq!(clients.known.lock().len(), 1);
    }
}
