use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets of a [`Distribution`]: up to 2^23, which is eight seconds in microseconds.
const BUCKETS: usize = 24;

/// What the writer of a catalog has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStats {
    /// Commits that became durable.
    pub commits: u64,
    /// Commits that a check turned away.
    pub turned_away: u64,
    /// Microseconds from asking for a commit to its answer.
    pub commit_micros: Distribution,
    /// Microseconds that making a group durable took.
    pub sync_micros: Distribution,
    /// Commits in one group, which share one sync.
    pub group_commits: Distribution,
}

/// How often values fell into which bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Inclusive upper bound of each bucket, and the values in it and in no bucket before it. The
    /// last bucket also holds what is greater.
    pub buckets: Vec<(u64, u64)>,
    /// Number of values.
    pub count: u64,
    /// Sum of the values.
    pub sum: u64,
}

#[derive(Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn record(&self, value: u64) {
        // The bucket of 2^i holds what is greater than 2^(i-1): 0 and 1 fall into the first.
        let bucket = (u64::BITS - value.saturating_sub(1).leading_zeros()) as usize;
        self.buckets[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(super) fn record_micros(&self, time: Duration) {
        self.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn read(&self) -> Distribution {
        let counts = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let buckets: Vec<_> = counts.enumerate().map(|(power, count)| (1 << power, count)).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Distribution { buckets, count, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// The counters behind [`CommitStats`].
#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) commit_micros: Histogram,
    pub(super) sync_micros: Histogram,
    pub(super) group_commits: Histogram,
}

impl Counters {
    pub(super) fn read(&self) -> CommitStats {
        CommitStats {
            commits: self.commits.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
            commit_micros: self.commit_micros.read(),
            sync_micros: self.sync_micros.read(),
            group_commits: self.group_commits.read(),
        }
    }
}
