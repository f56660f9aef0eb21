//! Connections of each client.

use cofre_iam::Network;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Counts the connections that are open, by where they come from. Holds an entry for each client that has one, so it is
/// bounded by the connections.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    open: Arc<Mutex<HashMap<Network, usize>>>,
    max: usize,
}

impl Addresses {
    /// None is open yet; each client may have `max`.
    pub(super) fn new(max: usize) -> Self {
        Self { open: Arc::default(), max }
    }

    /// One more of a client, for as long as what this gives lives; none if it has as many as it may.
    pub(super) fn admit(&self, network: Network) -> Option<Admission> {
        let mut open = self.open.lock();
        let count = open.entry(network).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Admission { open: Arc::clone(&self.open), network })
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(super) struct Admission {
    open: Arc<Mutex<HashMap<Network, usize>>>,
    network: Network,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_bound() {
        let addresses = Addresses::new(2);
        let of = |text: &str| Network::of(text.parse().unwrap());
        let one = addresses.admit(of("2001:db8::1")).unwrap();
        let _two = addresses.admit(of("2001:db8::ffff:2")).unwrap();
        assert!(addresses.admit(of("2001:db8::3")).is_none(), "a /64 is one client");
        let _other = addresses.admit(of("192.0.2.1")).unwrap();
        drop(one);
        let again = addresses.admit(of("2001:db8::3")).unwrap();
        drop(again);
        drop(_two);
        drop(_other);
        assert!(addresses.open.lock().is_empty());
    }
}
