//! Identity and access through the public face, over the memory engine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod bootstrap;
mod condition_keys;
mod decisions;
mod embedded;
mod evaluate;
mod explain;
mod key_policies;
mod keys;
mod limits;
mod lookup;
mod master_key;
mod policy;
mod policy_bounds;
mod policy_conditions;
mod policy_parsing;
mod policy_public;
mod reads;
mod reports;
mod sessions;
mod tokens;

use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{Memory, ReadExt, Scan, Store};
use cofre_iam::{Account, CreatedAccount, Iam, MasterKey, NewAccount};
use cofre_runtime::{ManualClock, Random};
use cofre_types::Timestamp;
use std::sync::Arc;

struct Bench {
    store: Arc<dyn Store>,
    clock: ManualClock,
    iam: Iam,
}

impl Bench {
    fn new() -> Self {
        Self::over(Arc::new(Memory::new()))
    }

    fn over(store: Arc<dyn Store>) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_000_000).0);
        let iam = iam(&store, &clock, 7);
        Self { store, clock, iam }
    }

    async fn account(&self, name: &str) -> CreatedAccount {
        self.iam.create_account(new_account(name), "test").await.unwrap()
    }

    /// Everything that stands in the catalog, keys and values.
    async fn dump(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let page = self.store.page(Scan::prefix(&[]), 100_000).await.unwrap();
        page.into_iter().map(|(key, entry)| (key, entry.value)).collect()
    }

    /// Kinds and subjects of all events, in order.
    async fn events(&self) -> Vec<(String, String)> {
        let events = self.dump().await.into_iter().filter(|(key, _)| key[0] == b'E');
        events.map(|(_, value)| EventRecord::decode(&value).unwrap()).map(|e| (e.kind, e.subject)).collect()
    }
}

/// An iam of its own over a store, with the master key of 32 bytes `master`: another process.
fn iam(store: &Arc<dyn Store>, clock: &ManualClock, master: u8) -> Iam {
    Iam::new(Arc::clone(store), MasterKey::from_bytes([master; 32]).unwrap(), clock.clock(), Random::system())
}

fn new_account(name: &str) -> NewAccount {
    NewAccount { name: name.to_owned(), email: format!("{name}@example.com"), ..NewAccount::default() }
}

fn names(accounts: &[Account]) -> Vec<&str> {
    accounts.iter().map(|account| account.name.as_str()).collect()
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}
