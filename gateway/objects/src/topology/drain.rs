use super::{Holdings, Topology, TopologyError};
use cofre_catalog::records::ShardMode;
use cofre_runtime::Clock;
use cofre_types::ShardId;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Least time between two counts: the rate is taken over them.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Over how many counts the rate is taken.
const RATE_COUNTS: usize = 16;

/// After so long without a copy moving, a drain counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// How far a drain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainState {
    /// The shard does not drain.
    NotDraining,
    /// Copies move to other shards.
    Moving,
    /// Nothing has moved for a minute.
    Stuck,
    /// No record names a copy on the shard: it can be removed.
    Drained,
}

/// Progress of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainProgress {
    /// How far it is.
    pub state: DrainState,
    /// What is left, as last counted.
    pub remaining: Holdings,
    /// What left since the first count of this process.
    pub moved: Holdings,
    /// Bytes a second lately; `None` while unknown.
    pub bytes_per_second: Option<u64>,
    /// How long it takes to the end at that rate; `None` while unknown.
    pub time_left: Option<Duration>,
}

/// What this process has counted of each drain.
pub(super) struct Drains {
    clock: Clock,
    seen: Mutex<HashMap<ShardId, Seen>>,
}

struct Seen {
    first: Holdings,
    /// Counts with their times, the latest last.
    counts: VecDeque<(Duration, Holdings)>,
    /// When something last left.
    moved_at: Duration,
    count_again_at: Duration,
}

impl Drains {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    pub(super) fn forget(&self, id: ShardId) {
        self.seen.lock().remove(&id);
    }

    /// The last count, if it is fresh enough.
    fn fresh(&self, id: ShardId) -> Option<DrainProgress> {
        let now = self.clock.elapsed();
        let seen = self.seen.lock();
        seen.get(&id).filter(|seen| now < seen.count_again_at).map(|seen| seen.progress(now))
    }

    fn note(&self, id: ShardId, held: Holdings) -> DrainProgress {
        let now = self.clock.elapsed();
        let mut all = self.seen.lock();
        let seen = all.entry(id).or_insert_with(|| Seen {
            first: held,
            counts: VecDeque::new(),
            moved_at: now,
            count_again_at: now,
        });
        if seen.counts.back().is_some_and(|(_, before)| before.blobs > held.blobs) {
            seen.moved_at = now;
        }
        seen.counts.push_back((now, held));
        if seen.counts.len() > RATE_COUNTS {
            seen.counts.pop_front();
        }
        seen.count_again_at = now + COUNT_EVERY;
        seen.progress(now)
    }
}

impl Seen {
    fn progress(&self, now: Duration) -> DrainProgress {
        let remaining = self.counts.back().map_or(self.first, |(_, held)| *held);
        let state = match remaining.blobs {
            0 => DrainState::Drained,
            _ if now.saturating_sub(self.moved_at) >= STUCK_AFTER => DrainState::Stuck,
            _ => DrainState::Moving,
        };
        let bytes_per_second = self.rate();
        let time_left = bytes_per_second
            .filter(|rate| *rate > 0 && state == DrainState::Moving)
            .map(|rate| Duration::from_secs(remaining.bytes.div_ceil(rate)));
        DrainProgress {
            state,
            remaining,
            moved: Holdings {
                blobs: self.first.blobs.saturating_sub(remaining.blobs),
                bytes: self.first.bytes.saturating_sub(remaining.bytes),
            },
            bytes_per_second,
            time_left,
        }
    }

    fn rate(&self) -> Option<u64> {
        let ((from, before), (to, after)) = (self.counts.front()?, self.counts.back()?);
        let seconds = to.saturating_sub(*from).as_secs_f64();
        (seconds > 0.0).then(|| (before.bytes.saturating_sub(after.bytes) as f64 / seconds) as u64)
    }
}

impl Topology {
    /// How far a drain is. A count that is not old serves again.
    ///
    /// # Errors
    /// [`TopologyError::NoSuchShard`].
    pub async fn drain_progress(&self, id: ShardId) -> Result<DrainProgress, TopologyError> {
        let draining = self.found(id).await?.record.mode == ShardMode::Draining;
        if let Some(progress) = self.0.drains.fresh(id).filter(|_| draining) {
            return Ok(progress);
        }
        let held = self.holdings(id).await?;
        if draining {
            return Ok(self.0.drains.note(id, held));
        }
        Ok(DrainProgress {
            state: DrainState::NotDraining,
            remaining: held,
            moved: Holdings::default(),
            bytes_per_second: None,
            time_left: None,
        })
    }
}
