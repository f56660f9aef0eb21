//! The memory of bodies that are gathered, all of them together.
//!
//! # Limits
//! A holder has at most as much as it leaves free for others: alone half of the budget, beside one that does its worst a
//! quarter. Whoever comes next finds room, whatever those before took and however long they keep it. Without credentials
//! a holder is a site, since nobody has many of them.

use crate::layers::slow_down;
use cofre_iam::{Caller, Network};
use cofre_types::AccountId;
use parking_lot::Mutex;
use s3s::S3Result;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Whose memory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// An account whose signature was good.
    Account(AccountId),
    /// A site whose client showed none.
    Site(Network),
    /// What is inside the process.
    Inside,
}

impl Holder {
    /// Who sends a request.
    pub(crate) fn of(caller: &Caller) -> Self {
        let site = || caller.origin.ip.map_or(Self::Inside, |ip| Self::Site(Network::site(ip)));
        caller.principal.account_id().map_or_else(site, Self::Account)
    }
}

/// Bytes that may be held at a time. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<Held>,
    max: usize,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// Of each holder that has any.
    holders: HashMap<Holder, usize>,
}

impl Budget {
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Inner { held: Mutex::default(), max }))
    }

    /// Nothing of it yet.
    pub(super) fn share(&self, holder: Holder) -> Share {
        Share { budget: self.clone(), holder, bytes: 0 }
    }
}

/// What one request holds of a budget, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    holder: Holder,
    bytes: usize,
}

impl Share {
    /// Takes more of the budget.
    pub(super) fn grow(&mut self, bytes: usize) -> S3Result<()> {
        let Inner { held, max } = &*self.budget.0;
        let mut held = held.lock();
        let own = held.holders.get(&self.holder).copied().unwrap_or_default() + bytes;
        let all = held.all + bytes;
        if all > *max {
            return Err(slow_down("Too many large documents are being read."));
        }
        if own > *max - all {
            return Err(slow_down("Your account or address has too many large documents being read."));
        }
        held.all = all;
        held.holders.insert(self.holder, own);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.budget.0.held.lock();
        held.all -= self.bytes;
        if let Entry::Occupied(mut own) = held.holders.entry(self.holder) {
            *own.get_mut() -= self.bytes;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u8) -> Holder {
        Holder::Account(AccountId::from_bytes([number; 32]))
    }

    fn code(grown: S3Result<()>) -> Option<String> {
        grown.err().map(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn a_holder_leaves_as_much_as_it_has() {
        let budget = Budget::new(120);
        let (mut one, mut again) = (budget.share(account(1)), budget.share(account(1)));
        one.grow(40).unwrap();
        assert_eq!(code(again.grow(21)).as_deref(), Some("SlowDown"), "requests of one holder are one");
        again.grow(20).unwrap();
        // The first has half of all, the next a third of that, and so on: none finds nothing.
        let mut others: Vec<_> = (2..6).map(|number| budget.share(account(number))).collect();
        for (other, bytes) in others.iter_mut().zip([30, 15, 7, 4]) {
            assert_eq!(code(other.grow(bytes + 1)).as_deref(), Some("SlowDown"), "{bytes}");
            other.grow(bytes).unwrap();
        }
        drop(others);
        assert!(one.grow(1).is_err());
        drop(again);
        one.grow(20).unwrap();
        drop(one);
        assert_eq!(budget.0.held.lock().all, 0);
        assert!(budget.0.held.lock().holders.is_empty());
    }

    #[test]
    fn all_holders_have_the_whole_at_the_most() {
        let budget = Budget::new(64);
        let shares: Vec<_> = (0..=255)
            .map(|number| {
                let mut share = budget.share(account(number));
                while share.grow(1).is_ok() {}
                share
            })
            .collect();
        let held: usize = shares.iter().map(|share| share.bytes).sum();
        assert!((60..=64).contains(&held), "{held}");
        assert_eq!(budget.0.held.lock().all, held);
    }

    #[test]
    fn a_site_is_one_holder() {
        let of = |ip: &str| Holder::Site(Network::site(ip.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:ffff::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
    }
}
