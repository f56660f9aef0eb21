//! Requests a second that each access key may make.

use super::{KeyRate, Overload};
use cofre_runtime::Clock;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets that are kept. Only keys whose signature was good come here, and a bucket that has filled
/// up again is forgotten, so the bound is met only by as many keys at work at once.
const BUCKETS_MAX: usize = 10_000;

/// Holds access keys to their rate.
pub(crate) struct KeyRates {
    /// Requests a second in the upper half, and the burst in the lower one; 0 is without a limit.
    rate: AtomicU64,
    clock: Clock,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    fn fill(&mut self, now: Duration, per_second: f64, burst: f64) {
        self.tokens = (self.tokens + now.saturating_sub(self.at).as_secs_f64() * per_second).min(burst);
        self.at = now;
    }
}

impl KeyRates {
    /// No key has a limit yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { rate: AtomicU64::new(0), clock, buckets: Mutex::default() }
    }

    /// Sets the rate of every key.
    pub(crate) fn set(&self, rate: Option<KeyRate>) {
        let packed = rate.map_or(0, |rate| u64::from(rate.per_second.max(1)) << 32 | u64::from(rate.burst.max(1)));
        self.rate.store(packed, Ordering::Relaxed);
    }

    /// Takes a token of a key; the empty key is everyone without one.
    pub(crate) fn admit(&self, access_key: &str) -> Result<(), Overload> {
        let packed = self.rate.load(Ordering::Relaxed);
        if packed == 0 {
            return Ok(());
        }
        let (per_second, burst) = ((packed >> 32) as f64, (packed & u64::from(u32::MAX)) as f64);
        let now = self.clock.elapsed();
        let mut buckets = self.buckets.lock();
        if !buckets.contains_key(access_key) {
            if buckets.len() >= BUCKETS_MAX {
                buckets.retain(|_, bucket| {
                    bucket.fill(now, per_second, burst);
                    bucket.tokens < burst
                });
            }
            if buckets.len() >= BUCKETS_MAX {
                return Err(Overload::Key);
            }
            buckets.insert(access_key.to_owned(), Bucket { tokens: burst, at: now });
        }
        let Some(bucket) = buckets.get_mut(access_key) else { return Err(Overload::Key) };
        bucket.fill(now, per_second, burst);
        if bucket.tokens < 1.0 {
            return Err(Overload::Key);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_runtime::ManualClock;

    fn limit(per_second: Option<u32>, burst: u32) -> (KeyRates, ManualClock) {
        let clock = ManualClock::at(0);
        let limit = KeyRates::new(clock.clock());
        limit.set(per_second.map(|per_second| KeyRate { per_second, burst }));
        (limit, clock)
    }

    #[test]
    fn a_key_gets_its_burst_then_its_rate() {
        let (limit, clock) = limit(Some(10), 3);
        for _ in 0..3 {
            assert!(limit.admit("a").is_ok());
        }
        assert_eq!(limit.admit("a"), Err(Overload::Key));
        assert!(limit.admit("b").is_ok(), "keys do not share a bucket");
        clock.advance(Duration::from_millis(100));
        assert!(limit.admit("a").is_ok());
        assert!(limit.admit("a").is_err());
    }

    #[test]
    fn no_limit_is_none() {
        let (limit, _) = limit(None, 0);
        assert!((0..10_000).all(|_| limit.admit("a").is_ok()));
        assert!(limit.buckets.lock().is_empty());
    }

    #[test]
    fn the_map_is_bounded_and_forgets_full_buckets() {
        let (limit, clock) = limit(Some(1), 1);
        for key in 0..BUCKETS_MAX {
            limit.admit(&key.to_string()).unwrap();
        }
        assert!(limit.admit("one more").is_err());
        clock.advance(Duration::from_secs(2));
        assert!(limit.admit("one more").is_ok());
        assert_eq!(limit.buckets.lock().len(), 1);
    }
}
