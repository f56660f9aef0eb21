use super::{Holdings, Topology, TopologyError};
use cofre_catalog::records::ShardMode;
use cofre_runtime::{Amount, Clock, PerSecond, Rate};
use cofre_types::ShardId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;

/// Least time between two counts: the rate is taken over them.
const COUNT_EVERY: Duration = Duration::from_secs(1);

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
    /// No record names a copy on the shard, so that it can be removed; that none is left on it has not been
    /// seen yet.
    Emptied,
    /// No record names a copy on the shard, and the shard lists none.
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
    last: Holdings,
    rate: Rate,
    /// When something last left.
    moved_at: Duration,
    count_again_at: Duration,
    /// Whether the shard listed nothing since no record names a copy on it.
    lists_none: bool,
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
            last: held,
            rate: Rate::default(),
            moved_at: now,
            count_again_at: now,
            lists_none: false,
        });
        if seen.last.blobs > held.blobs {
            seen.moved_at = now;
        }
        seen.last = held;
        seen.lists_none &= held.blobs == 0;
        let Holdings { blobs: objects, bytes } = seen.moved();
        seen.rate.note(now, Amount { objects, bytes });
        seen.count_again_at = now + COUNT_EVERY;
        seen.progress(now)
    }

    /// Notes that the shard lists nothing while no record names a copy on it.
    fn note_lists_none(&self, id: ShardId) {
        if let Some(seen) = self.seen.lock().get_mut(&id) {
            seen.lists_none = seen.last.blobs == 0;
        }
    }
}

impl Seen {
    fn moved(&self) -> Holdings {
        Holdings {
            blobs: self.first.blobs.saturating_sub(self.last.blobs),
            bytes: self.first.bytes.saturating_sub(self.last.bytes),
        }
    }

    fn progress(&self, now: Duration) -> DrainProgress {
        let remaining = self.last;
        let state = match remaining.blobs {
            0 if self.lists_none => DrainState::Drained,
            0 => DrainState::Emptied,
            _ if now.saturating_sub(self.moved_at) >= STUCK_AFTER => DrainState::Stuck,
            _ => DrainState::Moving,
        };
        let rate = self.rate.per_second(now);
        let moving = state == DrainState::Moving;
        let left = |rate: PerSecond| rate.time_for(Some(remaining.blobs), Some(remaining.bytes));
        DrainProgress {
            state,
            remaining,
            moved: self.moved(),
            bytes_per_second: rate.map(|rate| rate.bytes as u64),
            time_left: rate.filter(|_| moving).and_then(left),
        }
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

    /// Notes that a shard which drains was listed to its end, and nothing was on it.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn note_lists_none(&self, id: ShardId) -> Result<(), TopologyError> {
        let held = self.holdings(id).await?;
        self.0.drains.note(id, held);
        self.0.drains.note_lists_none(id);
        Ok(())
    }
}
