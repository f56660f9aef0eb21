//! Who is let in, whatever door it comes to: requests in flight, requests a second of those who show no credentials, requests
//! a second of each access key, and answers that wait for who has much refused.
//!
//! Every door of a process shares one [`Admission`]: what a client takes at one door it does not have at another.
//!
//! # Order
//! [`Admission::connect`] for each connection; [`Admission::enter`] before anything of a request is read;
//! [`Admission::admit`] once its credentials were good; [`Admission::judge`] when that is known either way;
//! [`Admission::charge`] before its answer goes, which [`Admission::wait`]s for what that says.

mod clients;
mod in_flight;
mod key_rates;
mod penalties;

pub use clients::{Claim, Client, Connected};
pub use in_flight::{InFlight, InFlightOfAccount};
pub use penalties::Outcome;

use clients::Clients;
use cofre_runtime::Clock;
use cofre_types::AccountId;
use in_flight::Requests;
use key_rates::KeyRates;
use penalties::Penalties;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What bounds requests, whatever clients do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLimits {
    /// Most requests in flight.
    pub requests_max: usize,
    /// Most requests in flight of one account.
    pub requests_per_account_max: usize,
    /// Most requests in flight of one address; an IPv6 address counts by its /64.
    pub requests_per_address_max: usize,
    /// Requests a second that one address may make without good credentials; none is unlimited.
    pub anonymous_per_second: Option<u32>,
    /// Requests a second of one account, or of one address without good credentials, that may be refused before the answers
    /// to more of them wait; none is unlimited.
    pub refused_per_second: Option<u32>,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            requests_max: 2_048,
            requests_per_account_max: 1_536,
            requests_per_address_max: 1_536,
            anonymous_per_second: Some(1_000),
            refused_per_second: Some(100),
        }
    }
}

/// The rate of each access key. May change at any time, from the dynamic settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRate {
    /// Requests a second.
    pub per_second: u32,
    /// Requests that a key may make at once after a rest; at least one.
    pub burst: u32,
}

/// What there is too much of. A door tells its client to ask less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overload {
    /// Requests in flight.
    #[error("As many requests are in flight as may be.")]
    Requests,
    /// Those of one address.
    #[error("As many requests of your address are in flight as may be.")]
    RequestsOfAddress,
    /// Those of one account.
    #[error("As many requests of your account are in flight as may be.")]
    RequestsOfAccount,
    /// Requests a second of one address that shows no good credentials.
    #[error("Your address makes more requests without a good signature than it may.")]
    WithoutCredentials,
    /// What was refused of one account or address.
    #[error("Too many of your requests were refused.")]
    Refused,
    /// Requests a second of one access key.
    #[error("Your access key makes more requests a second than it may.")]
    Key,
}

/// Lets requests in. Cloning costs a reference count.
#[derive(Clone)]
pub struct Admission(Arc<Inner>);

struct Inner {
    clients: Clients,
    requests: Requests,
    key_rates: KeyRates,
    penalties: Penalties,
}

impl Admission {
    /// Nobody was let in yet, and no key has a rate.
    pub fn new(clock: Clock, limits: &RequestLimits) -> Self {
        Self(Arc::new(Inner {
            clients: Clients::new(clock.clone(), limits.anonymous_per_second),
            penalties: Penalties::new(clock.clone(), limits),
            requests: Requests::new(limits.clone()),
            key_rates: KeyRates::new(clock),
        }))
    }

    /// Sets the rate of every access key, for the requests that come from now on; none is unlimited.
    pub fn set_key_rate(&self, rate: Option<KeyRate>) {
        self.0.key_rates.set(rate);
    }

    /// A connection of the client at an address. What has no address is inside the process, and each its own client.
    pub fn connect(&self, ip: Option<IpAddr>) -> Connected {
        self.0.clients.connect(ip)
    }

    /// Makes room for a request for as long as what this gives lives, if there is some, and lets its client make it.
    /// `claims` says whether the request brings credentials, good or not.
    pub fn enter(&self, connected: &Connected, claims: bool) -> (Option<InFlight>, Result<Claim, Overload>) {
        let in_flight = match self.0.requests.enter(connected) {
            Ok(in_flight) => in_flight,
            Err(overload) => return (None, Err(overload)),
        };
        if connected.is_unproven(claims)
            && let Err(overload) = self.0.penalties.check(&connected.client)
        {
            return (Some(in_flight), Err(overload));
        }
        (Some(in_flight), self.0.clients.admit(connected, claims))
    }

    /// Learns whether the credentials of a request were good.
    pub fn judge(&self, connected: &Connected, claim: Claim, is_good: bool) {
        self.0.clients.judge(connected, claim, is_good);
    }

    /// Lets a request go on whose credentials were good, for as long as what this gives lives. The empty key is everyone
    /// without one.
    ///
    /// # Errors
    /// [`Overload::Key`], [`Overload::Refused`] or [`Overload::RequestsOfAccount`].
    pub fn admit(&self, access_key: &str, account: Option<AccountId>) -> Result<Option<InFlightOfAccount>, Overload> {
        self.0.key_rates.admit(access_key)?;
        if let Some(account) = account {
            self.0.penalties.check_account(&self.0.clients, account)?;
        }
        account.map(|account| self.0.requests.enter_account(account)).transpose()
    }

    /// Notes what came of a request, and tells how long its answer has to wait. What is [`Overload::Refused`], and what was
    /// no room for, is not to be noted.
    pub fn charge(&self, connected: &Connected, outcome: &Outcome) -> Duration {
        self.0.penalties.charge(&self.0.clients, &connected.client, outcome)
    }

    /// Has an answer wait, if there is room to. Tells whether it did.
    pub async fn wait(&self, connected: &Connected, time: Duration) -> bool {
        self.0.penalties.wait(&connected.client, time).await
    }
}
