//! How often someone may try to sign in.
//!
//! # Limits
//! By address (/64 of IPv6) [`BY_ADDRESS`] tries a minute, of one key [`BY_KEY`]. A key is counted for each address, so
//! that nobody locks another out. What is known is bounded by [`KNOWN_MAX`]; beyond it nobody new may try until someone
//! has rested for a minute.

use cofre_iam::Network;
use cofre_runtime::Clock;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;

/// Tries a minute from one address.
const BY_ADDRESS: u32 = 20;

/// Tries a minute of one key from one address.
const BY_KEY: u32 = 5;

const MINUTE: Duration = Duration::from_secs(REST_SECS as u64);

/// A minute, in seconds.
const REST_SECS: u32 = 60;

const KNOWN_MAX: usize = 10_000;

/// Longest text that is told apart as a key; no access key has more.
const KEY_CHARS_MAX: usize = 128;

type Who = (Option<Network>, Option<String>);

/// Counts tries. Each is a token of a bucket that fills again over a minute.
pub(crate) struct Attempts {
    clock: Clock,
    known: Mutex<HashMap<Who, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    used: f64,
    at: Duration,
}

impl Bucket {
    fn used_at(self, now: Duration, max: u32) -> f64 {
        let back = now.saturating_sub(self.at).as_secs_f64() * f64::from(max) / MINUTE.as_secs_f64();
        (self.used - back).max(0.0)
    }
}

/// Tries that are left of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left(pub(crate) u32);

/// How long to rest, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest(pub(crate) u32);

impl Attempts {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, known: Mutex::default() }
    }

    /// Takes a try of a key from an address.
    pub(crate) fn take(&self, address: Option<Network>, key: &str) -> Result<Left, Rest> {
        let (now, mut known) = (self.clock.elapsed(), self.known.lock());
        let [all, one] = names(address, key);
        if known.len() + 2 > KNOWN_MAX {
            known.retain(|who, bucket| bucket.used_at(now, max_of(who)) > 0.0);
        }
        if known.len() + 2 > KNOWN_MAX && !(known.contains_key(&all) && known.contains_key(&one)) {
            return Err(Rest(REST_SECS));
        }
        let mut left = 0;
        for who in [&all, &one] {
            let max = max_of(who);
            let used = known.get(who).map_or(0.0, |bucket| bucket.used_at(now, max)) + 1.0;
            if used > f64::from(max) {
                let secs = (used - f64::from(max)) * MINUTE.as_secs_f64() / f64::from(max);
                return Err(Rest(secs.ceil().max(1.0) as u32));
            }
            left = (f64::from(max) - used).floor() as u32;
        }
        for who in [all, one] {
            let used = known.get(&who).map_or(0.0, |bucket| bucket.used_at(now, max_of(&who))) + 1.0;
            known.insert(who, Bucket { used, at: now });
        }
        Ok(Left(left))
    }

    /// A try was right: it does not count.
    pub(crate) fn give_back(&self, address: Option<Network>, key: &str) {
        let mut known = self.known.lock();
        for who in names(address, key) {
            if let Some(bucket) = known.get_mut(&who) {
                bucket.used = (bucket.used - 1.0).max(0.0);
            }
        }
    }
}

fn names(address: Option<Network>, key: &str) -> [Who; 2] {
    [(address, None), (address, Some(key.chars().take(KEY_CHARS_MAX).collect()))]
}

const fn max_of(who: &Who) -> u32 {
    if who.1.is_some() { BY_KEY } else { BY_ADDRESS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_runtime::ManualClock;

    fn network(text: &str) -> Option<Network> {
        text.parse().ok().map(Network::of)
    }

    #[test]
    fn a_key_and_an_address_have_a_rate() {
        let clock = ManualClock::at(1_000);
        let attempts = Attempts::new(clock.clock());
        let (one, other) = (network("192.0.2.1"), network("192.0.2.2"));
        for left in (0..BY_KEY).rev() {
            assert_eq!(attempts.take(one, "a"), Ok(Left(left)));
        }
        assert_eq!(attempts.take(one, "a"), Err(Rest(12)));
        assert!(attempts.take(other, "a").is_ok(), "nobody locks another out");
        for key in 0..BY_ADDRESS - BY_KEY {
            assert!(attempts.take(one, &key.to_string()).is_ok());
        }
        assert_eq!(attempts.take(one, "b"), Err(Rest(3)));
        clock.advance(Duration::from_secs(12));
        assert!(attempts.take(one, "a").is_ok());
        assert!(attempts.take(one, "a").is_err());
        attempts.give_back(one, "a");
        assert!(attempts.take(one, "a").is_ok());
    }

    #[test]
    fn what_is_known_is_bounded_and_forgotten() {
        let clock = ManualClock::at(1_000);
        let attempts = Attempts::new(clock.clock());
        for number in 0..KNOWN_MAX as u32 {
            let _ = attempts.take(Some(Network::of(std::net::Ipv4Addr::from(number).into())), "key");
        }
        assert!(attempts.known.lock().len() <= KNOWN_MAX);
        assert!(attempts.take(network("2001:db8::1"), "key").is_err());
        clock.advance(MINUTE);
        assert!(attempts.take(network("2001:db8::1"), "key").is_ok());
        assert_eq!(attempts.known.lock().len(), 2);
    }
}
