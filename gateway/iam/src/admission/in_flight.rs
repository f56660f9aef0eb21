//! Requests in flight, bounded in all, for each client and for each account.

use super::clients::{Client, Connected};
use super::{Overload, RequestLimits};
use cofre_types::AccountId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Parts of the count by account, so that requests of different accounts seldom meet.
const ACCOUNT_SHARDS: usize = 16;

/// Counts requests in flight. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(crate) struct Requests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: RequestLimits,
    all: AtomicUsize,
    accounts: [Mutex<HashMap<AccountId, usize>>; ACCOUNT_SHARDS],
}

impl Requests {
    /// None is in flight yet.
    pub(crate) fn new(limits: RequestLimits) -> Self {
        Self(Arc::new(Inner { limits, all: AtomicUsize::new(0), accounts: Default::default() }))
    }

    /// One more of a client, for as long as what this gives lives.
    pub(crate) fn enter(&self, connected: &Connected) -> Result<InFlight, Overload> {
        let (limits, client) = (&self.0.limits, &connected.client);
        if !take(&self.0.all, limits.requests_max) {
            return Err(Overload::Requests);
        }
        if !take(&client.in_flight, limits.requests_per_address_max) {
            self.0.all.fetch_sub(1, Ordering::Relaxed);
            return Err(Overload::RequestsOfAddress);
        }
        Ok(InFlight { requests: self.clone(), client: Arc::clone(client) })
    }

    /// One of those is of this account, for as long as what this gives lives.
    pub(crate) fn enter_account(&self, account: AccountId) -> Result<InFlightOfAccount, Overload> {
        let mut accounts = self.shard(account).lock();
        let count = accounts.entry(account).or_default();
        if *count >= self.0.limits.requests_per_account_max {
            return Err(Overload::RequestsOfAccount);
        }
        *count += 1;
        Ok(InFlightOfAccount { requests: self.clone(), account })
    }

    fn shard(&self, account: AccountId) -> &Mutex<HashMap<AccountId, usize>> {
        let last = account.as_bytes().last().copied().unwrap_or_default();
        &self.0.accounts[usize::from(last) % ACCOUNT_SHARDS]
    }
}

fn take(count: &AtomicUsize, max: usize) -> bool {
    let had = count.fetch_add(1, Ordering::Relaxed);
    if had >= max {
        count.fetch_sub(1, Ordering::Relaxed);
    }
    had < max
}

/// A request in flight, until its answer's last byte went.
#[derive(Debug)]
pub struct InFlight {
    requests: Requests,
    client: Arc<Client>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.client.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.requests.0.all.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request in flight whose account is known.
#[derive(Debug)]
pub struct InFlightOfAccount {
    requests: Requests,
    account: AccountId,
}

impl Drop for InFlightOfAccount {
    fn drop(&mut self) {
        let mut accounts = self.requests.shard(self.account).lock();
        if let Some(count) = accounts.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                accounts.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::clients::Clients;
    use cofre_runtime::Clock;
    use std::net::IpAddr;

    #[test]
    fn each_bound_holds_and_is_freed() {
        let limits = RequestLimits {
            requests_max: 3,
            requests_per_address_max: 2,
            requests_per_account_max: 1,
            ..RequestLimits::default()
        };
        let requests = Requests::new(limits);
        let clients = Clients::new(Clock::system(), None);
        let of = |text: &str| clients.connect(Some(text.parse::<IpAddr>().unwrap()));
        let (one, other) = (of("192.0.2.1"), of("192.0.2.2"));
        let first = requests.enter(&one).unwrap();
        let _second = requests.enter(&one).unwrap();
        assert_eq!(requests.enter(&one).unwrap_err(), Overload::RequestsOfAddress);
        let _third = requests.enter(&other).unwrap();
        assert_eq!(requests.enter(&other).unwrap_err(), Overload::Requests);
        drop(first);
        let _fourth = requests.enter(&other).unwrap();

        let account = AccountId::from_bytes([7; 32]);
        let held = requests.enter_account(account).unwrap();
        assert_eq!(requests.enter_account(account).unwrap_err(), Overload::RequestsOfAccount);
        drop(held);
        drop(requests.enter_account(account).unwrap());
        assert!(requests.shard(account).lock().is_empty());
    }
}
