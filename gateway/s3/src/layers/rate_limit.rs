//! A token bucket for each access key.

use super::penalties::Penalties;
use super::requests::Requests;
use super::slow_down;
use crate::options::Traffic;
use arc_swap::ArcSwap;
use cofre_runtime::Clock;
use parking_lot::Mutex;
use s3s::S3Result;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Buckets that are kept. Only keys whose signature was good come here, and a bucket that has filled
/// up again is forgotten, so the bound is met only by as many keys at work at once.
const BUCKETS_MAX: usize = 10_000;

/// Holds access keys to their rate.
pub(crate) struct RateLimit {
    traffic: Arc<ArcSwap<Traffic>>,
    clock: Clock,
    buckets: Mutex<HashMap<String, Bucket>>,
    /// What is in flight.
    pub(crate) requests: Requests,
    /// Who had much refused.
    pub(crate) penalties: Arc<Penalties>,
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

impl RateLimit {
    pub(crate) fn new(
        traffic: Arc<ArcSwap<Traffic>>,
        clock: Clock,
        requests: Requests,
        penalties: Arc<Penalties>,
    ) -> Self {
        Self { traffic, clock, buckets: Mutex::default(), requests, penalties }
    }

    /// Takes a token of a key; the empty key is everyone without one.
    pub(crate) fn admit(&self, access_key: &str) -> S3Result<()> {
        let traffic = self.traffic.load();
        let Some(per_second) = traffic.requests_per_second_max else { return Ok(()) };
        let (per_second, burst) = (f64::from(per_second), f64::from(traffic.burst_max.max(1)));
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
                return Err(too_many());
            }
            buckets.insert(access_key.to_owned(), Bucket { tokens: burst, at: now });
        }
        let Some(bucket) = buckets.get_mut(access_key) else { return Err(too_many()) };
        bucket.fill(now, per_second, burst);
        if bucket.tokens < 1.0 {
            return Err(too_many());
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

fn too_many() -> s3s::S3Error {
    slow_down("Your access key makes more requests a second than it may.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::clients::Clients;
    use crate::options::RequestLimits;
    use cofre_runtime::ManualClock;

    fn limit(per_second: Option<u32>, burst: u32) -> (RateLimit, ManualClock) {
        let clock = ManualClock::at(0);
        let traffic = Traffic { requests_per_second_max: per_second, burst_max: burst, ..Traffic::default() };
        let (traffic, limits) = (Arc::new(ArcSwap::from_pointee(traffic)), RequestLimits::default());
        let clients = Arc::new(Clients::new(clock.clock(), None));
        let penalties = Arc::new(Penalties::new(clients, clock.clock(), &limits));
        (RateLimit::new(traffic, clock.clock(), Requests::new(limits), penalties), clock)
    }

    #[test]
    fn a_key_gets_its_burst_then_its_rate() {
        let (limit, clock) = limit(Some(10), 3);
        for _ in 0..3 {
            assert!(limit.admit("a").is_ok());
        }
        assert_eq!(limit.admit("a").unwrap_err().code().as_str(), "SlowDown");
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
