use super::types::ShardState;
use crate::backend::{Backend, BackendError, Capacity};
use cofre_runtime::{Clock, spawn};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Failures in a row after which a shard is given up until one call succeeds.
const FAILURES_TO_UNREACHABLE: u32 = 3;
/// How long an unreachable shard is left alone before a write puts it to a trial.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long a shard that failed once or twice is left alone before that.
const RETRY_SUSPECT_AFTER: Duration = Duration::from_secs(1);
/// How long a write waits for a trial.
const TRIAL_WAIT: Duration = Duration::from_millis(500);
/// How long a trial may take: it goes on behind the write, for a shard that is far away.
const TRIAL_MAX: Duration = Duration::from_secs(10);
/// How long a shard that did not begin a read in time is read last.
const SLOW_FOR: Duration = Duration::from_secs(5);
/// How long a capacity that was seen holds.
const CAPACITY_TTL: Duration = Duration::from_secs(1);

/// What is known of a shard's health.
pub(super) struct Health {
    clock: Clock,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    failures: u32,
    failed_at: Duration,
    last_error: Option<String>,
    full_until: Duration,
    slow_until: Duration,
    capacity: Option<Capacity>,
    /// When the backend was last asked for its capacity.
    asked_at: Duration,
}

/// Whether a shard can take a blob now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Yes; so many bytes are free.
    Free(u64),
    /// No: it is full.
    Full,
    /// No: it does not answer.
    Away,
}

impl Health {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    /// Notes that a call succeeded.
    pub(super) fn succeeded(&self) {
        let mut seen = self.seen.lock();
        if seen.failures > 0 {
            seen.failures = 0;
            seen.last_error = None;
        }
    }

    /// Notes why a call failed. Missing and corrupt blobs, and bodies that end early, say nothing of
    /// the shard.
    pub(super) fn failed(&self, error: &BackendError) {
        let now = self.clock.elapsed();
        let mut seen = self.seen.lock();
        match error {
            BackendError::Unreachable(_) => {
                seen.failures += 1;
                seen.failed_at = now;
                seen.last_error = Some(error.to_string());
            }
            BackendError::Full => {
                seen.full_until = now + CAPACITY_TTL;
                seen.last_error = Some(error.to_string());
            }
            BackendError::Missing | BackendError::Corrupt(_) | BackendError::Body(_) => {}
        }
    }

    /// Notes that a read did not begin in time. That says less than a failure: writes still go there.
    pub(super) fn hesitated(&self) {
        self.seen.lock().slow_until = self.clock.elapsed() + SLOW_FOR;
    }

    /// Whether a read lately did not begin in time.
    pub(super) fn is_slow(&self) -> bool {
        self.seen.lock().slow_until > self.clock.elapsed()
    }

    pub(super) fn record<T>(&self, outcome: &Result<T, BackendError>) {
        match outcome {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(error),
        }
    }

    /// How the shard does.
    pub(super) fn state(&self) -> ShardState {
        let now = self.clock.elapsed();
        let seen = self.seen.lock();
        let no_room = seen.capacity.is_some_and(|capacity| capacity.free_bytes == 0);
        match seen.failures {
            FAILURES_TO_UNREACHABLE.. => ShardState::Unreachable,
            _ if no_room || seen.full_until > now => ShardState::Full,
            0 => ShardState::Healthy,
            _ => ShardState::Suspect,
        }
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.seen.lock().last_error.clone()
    }

    pub(super) fn capacity(&self) -> Option<Capacity> {
        self.seen.lock().capacity
    }

    /// Whether the shard can take `size_bytes`, by a capacity at most a second old. One caller at a
    /// time asks the backend; the others go by what was seen last, if anything was.
    pub(super) async fn room(self: &Arc<Self>, backend: &Arc<dyn Backend>, size_bytes: u64) -> Room {
        if self.claim_trial() {
            self.try_out(backend).await;
        }
        if self.away() {
            return Room::Away;
        }
        if self.claim_refresh() {
            self.refresh(&**backend).await;
        }
        let now = self.clock.elapsed();
        let seen = self.seen.lock();
        match seen.capacity {
            None => Room::Away,
            Some(_) if seen.full_until > now => Room::Full,
            Some(capacity) if capacity.free_bytes == 0 || capacity.free_bytes < size_bytes => Room::Full,
            Some(capacity) => Room::Free(capacity.free_bytes),
        }
    }

    /// Asks the backend for its room.
    pub(super) async fn refresh(&self, backend: &dyn Backend) {
        let outcome = backend.capacity().await;
        let mut seen = self.seen.lock();
        match outcome {
            Ok(capacity) => seen.capacity = Some(capacity),
            Err(error) => {
                drop(seen);
                self.failed(&error);
            }
        }
    }

    /// Asks the backend for its room, and asks again at once where it gives none: a shard that is away is known to be
    /// after one look.
    pub(super) async fn look(&self, backend: &dyn Backend) {
        for _ in 0..FAILURES_TO_UNREACHABLE {
            match backend.capacity().await {
                Ok(capacity) => {
                    self.seen.lock().capacity = Some(capacity);
                    return;
                }
                Err(error) => self.failed(&error),
            }
        }
    }

    /// Counts bytes that were written since the capacity was seen.
    pub(super) fn took(&self, bytes: u64) {
        if let Some(capacity) = &mut self.seen.lock().capacity {
            capacity.free_bytes = capacity.free_bytes.saturating_sub(bytes);
        }
    }

    fn away(&self) -> bool {
        self.seen.lock().failures >= FAILURES_TO_UNREACHABLE
    }

    /// Whether the caller is to put the shard to a trial: one caller a while, after failures.
    fn claim_trial(&self) -> bool {
        let now = self.clock.elapsed();
        let mut seen = self.seen.lock();
        let rest = if seen.failures < FAILURES_TO_UNREACHABLE { RETRY_SUSPECT_AFTER } else { RETRY_AFTER };
        let claimed = seen.failures > 0 && now.saturating_sub(seen.failed_at) >= rest;
        if claimed {
            seen.failed_at = now;
        }
        claimed
    }

    /// Probes a shard that failed, so that it comes back without an operator and without risking a blob.
    async fn try_out(self: &Arc<Self>, backend: &Arc<dyn Backend>) {
        let (health, backend) = (self.clone(), backend.clone());
        let trial = spawn(async move {
            match timeout(TRIAL_MAX, backend.probe()).await {
                Ok(Ok(_)) => health.succeeded(),
                Ok(Err(BackendError::Full)) => {
                    health.succeeded();
                    health.failed(&BackendError::Full);
                }
                Ok(Err(error)) => health.failed(&error),
                // The write that waited has noted it.
                Err(_) => {}
            }
        });
        if timeout(TRIAL_WAIT, trial).await.is_err() {
            self.failed(&BackendError::Unreachable("no quick answer to a probe".into()));
        }
    }

    fn claim_refresh(&self) -> bool {
        let now = self.clock.elapsed();
        let mut seen = self.seen.lock();
        // Before the first answer everyone asks, so that nobody takes a new shard to be away. A caller
        // that is dropped while it asks holds nobody up: the next one asks a second later.
        let claimed = seen.capacity.is_none() || now.saturating_sub(seen.asked_at) >= CAPACITY_TTL;
        if claimed {
            seen.asked_at = now;
        }
        claimed
    }
}
