//! The calls that schemes make on single shards, and the choice of shards for new copies.

use super::types::{BadCopy, Copy, Fault, ShardMode, ShardState, WriteError};
use super::{Shard, Shards, health::Room};
use crate::backend::{Backend, BackendError, BlobHeader};
use crate::body::{Body, ByteStream};
use crate::placement::{Candidate, Domain, choose};
use cofre_types::{BlobId, ResolvedRange, ShardId};
use std::sync::Arc;

/// Shards that take no copy of a blob: they hold one, share a failure domain with one, or failed.
#[derive(Clone, Default)]
pub(crate) struct Excluded {
    shards: Vec<ShardId>,
    domains: Vec<String>,
    /// Devices that are avoided where there are enough others.
    devices: Vec<u64>,
}

impl Excluded {
    /// Excludes one shard alone.
    pub(crate) fn shard(&mut self, id: ShardId) {
        self.shards.push(id);
    }

    /// Excludes a shard and everything that fails with it.
    pub(crate) fn domain_of(&mut self, shard: &Shard) {
        self.domain(shard.info.id, shard.info.failure_domain.clone());
        self.devices.extend(shard.unlabelled_device());
    }

    fn domain(&mut self, id: ShardId, failure_domain: Option<String>) {
        self.shards.push(id);
        self.domains.extend(failure_domain);
    }

    fn has(&self, shard: &Shard) -> bool {
        self.shards.contains(&shard.info.id)
            || shard.info.failure_domain.as_ref().is_some_and(|domain| self.domains.contains(domain))
    }
}

/// Why fewer shards were found than asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shortage {
    /// Failure domains or copies that were had.
    pub(crate) reached: usize,
    /// Shards that would have taken the blob but for room.
    pub(crate) full: usize,
}

impl Shortage {
    /// What to tell the caller who needed `needed` copies.
    pub(crate) fn error(self, needed: usize) -> WriteError {
        if self.reached + self.full >= needed {
            WriteError::NoRoom
        } else {
            WriteError::TooFewShards { needed, reached: self.reached }
        }
    }
}

impl Shard {
    fn domain(&self) -> Domain<'_> {
        self.info.failure_domain.as_deref().map_or(Domain::Shard(self.info.id), Domain::Named)
    }

    /// As [`Shard::domain`], with all on one device that carry no label as one.
    fn wide_domain(&self) -> Domain<'_> {
        self.unlabelled_device().map_or_else(|| self.domain(), Domain::Device)
    }

    /// The device that it fails with, where no label says otherwise.
    fn unlabelled_device(&self) -> Option<u64> {
        self.device.filter(|_| self.info.failure_domain.is_none())
    }

    /// Writes one copy.
    pub(crate) async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<(Copy, u64), BackendError> {
        let outcome = self.backend.put(blob, header, body).await;
        self.health.record(&outcome);
        let stored = outcome?;
        self.health.took(stored.size);
        Ok((Copy { shard: self.info.id, locator: stored.locator, piece: header.piece }, stored.size))
    }

    /// Begins to read one copy.
    pub(crate) async fn get(
        &self,
        blob: BlobId,
        copy: &Copy,
        range: ResolvedRange,
    ) -> Result<ByteStream, BackendError> {
        let outcome = self.backend.get(blob, &copy.locator, range).await;
        self.health.record(&outcome);
        outcome
    }

    /// The header of one copy.
    pub(crate) async fn header(&self, blob: BlobId, copy: &Copy) -> Result<BlobHeader, BackendError> {
        let outcome = self.backend.header(blob, &copy.locator).await;
        self.health.record(&outcome);
        outcome
    }

    /// Whether one copy was deleted though it can still be read.
    pub(crate) async fn is_deleted(&self, blob: BlobId, copy: &Copy) -> Result<bool, BackendError> {
        let outcome = self.backend.is_deleted(blob, &copy.locator).await;
        self.health.record(&outcome);
        outcome
    }

    /// Deletes copies of a write that failed. If that fails too they are orphans, which reclaim finds.
    pub(crate) async fn undo(&self, blob: BlobId, copy: Copy) {
        let why = match self.backend.delete(vec![(blob, copy.locator)]).await {
            Ok(failed) => failed.into_iter().next().map(|failed| failed.why),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            tracing::debug!(%blob, shard = %self.info.id, why, "a copy of a failed write stays as an orphan");
        }
    }

    /// Notes that a call which had begun well failed later.
    pub(crate) fn failed(&self, error: &BackendError) {
        self.health.failed(error);
    }

    /// Notes that a read was begun elsewhere because it did not begin here in time.
    pub(crate) fn hesitated(&self) {
        self.health.hesitated();
    }

    /// Order in which copies are read: the least is the best.
    pub(crate) fn read_rank(&self) -> (u8, u64) {
        let state = match self.health.state() {
            ShardState::Healthy | ShardState::Full => u8::from(self.health.is_slow()),
            ShardState::Suspect => 1,
            ShardState::Unreachable => 2,
        };
        (state, self.backend.reads_in_flight())
    }
}

impl Shards {
    /// Chooses shards for `count` copies of `size_bytes` each, on different failure domains; fewer if
    /// there are fewer. Shards that failed lately are taken only where no other is left.
    pub(crate) async fn choose(
        &self,
        count: usize,
        size_bytes: u64,
        excluded: &Excluded,
    ) -> (Vec<Arc<Shard>>, Shortage) {
        let shards: Vec<_> = self.0.shards.read().values().filter(|shard| takes(shard, excluded)).cloned().collect();
        let mut shortage = Shortage::default();
        let (mut sound, mut suspect) = (Vec::new(), Vec::new());
        for shard in &shards {
            let backend: Arc<dyn Backend> = shard.backend.clone();
            match shard.health.room(&backend, size_bytes).await {
                Room::Free(free_bytes) if shard.health.state() == ShardState::Healthy => {
                    sound.push((shard, free_bytes))
                }
                Room::Free(free_bytes) => suspect.push((shard, free_bytes)),
                Room::Full => shortage.full += 1,
                Room::Away => {}
            }
        }
        let mut chosen: Vec<Arc<Shard>> = Vec::with_capacity(count);
        // What fails with one that was chosen, or is excluded for that, comes last: where there is nothing else.
        for (candidates, wide) in [(&sound, true), (&suspect, true), (&sound, false), (&suspect, false)] {
            let apart = |(shard, _): &&(&Arc<Shard>, u64)| match wide {
                true => {
                    let avoided = shard.unlabelled_device().is_some_and(|device| excluded.devices.contains(&device));
                    !avoided && chosen.iter().all(|other| other.wide_domain() != shard.wide_domain())
                }
                false => chosen.iter().all(|other| other.domain() != shard.domain()),
            };
            let left: Vec<_> = candidates.iter().filter(apart).copied().collect();
            if chosen.len() < count && !left.is_empty() {
                chosen.extend(self.draw(&left, count - chosen.len(), wide));
            }
        }
        shortage.reached = chosen.len();
        (chosen, shortage)
    }

    /// How many shards share the room of a shard's device, itself among them.
    pub(super) fn sharers(&self, shard: &Shard) -> u64 {
        let count = shard.device.and_then(|device| self.0.devices.read().get(&device).copied());
        count.unwrap_or(1).max(1)
    }

    /// Excludes everything that fails with a shard, whether it is attached or away.
    pub(crate) fn exclude_domain_of(&self, id: ShardId, excluded: &mut Excluded) {
        // Held to the end: a shard that is being attached is in one of the two.
        let shards = self.0.shards.read();
        match shards.get(&id) {
            Some(shard) => excluded.domain_of(shard),
            None => excluded.domain(id, self.0.unattached.read().get(&id).cloned().flatten()),
        }
    }

    /// Draws some of these shards, on different domains.
    fn draw(&self, shards: &[(&Arc<Shard>, u64)], count: usize, wide: bool) -> Vec<Arc<Shard>> {
        let candidates: Vec<_> = shards
            .iter()
            .map(|(shard, free_bytes)| Candidate {
                domain: if wide { shard.wide_domain() } else { shard.domain() },
                weight: *free_bytes as f64 / self.sharers(shard) as f64 * f64::from(shard.info.weight_percent),
                load: shard.backend.writes_in_flight(),
            })
            .collect();
        choose(&candidates, count, &self.0.random).into_iter().map(|i| shards[i].0.clone()).collect()
    }

    /// Reports a copy that is proved bad; an error that proves nothing is not reported.
    pub(crate) fn report(&self, blob: BlobId, shard: ShardId, error: &BackendError) {
        let fault = match error {
            BackendError::Missing => Fault::Missing,
            BackendError::Corrupt(_) => Fault::Corrupt,
            BackendError::Full | BackendError::Unreachable(_) | BackendError::Body(_) => return,
        };
        self.0.bad_copies.report(BadCopy { blob, shard, fault });
    }
}

fn takes(shard: &Shard, excluded: &Excluded) -> bool {
    shard.info.mode == ShardMode::Active && shard.info.weight_percent > 0 && !excluded.has(shard)
}
