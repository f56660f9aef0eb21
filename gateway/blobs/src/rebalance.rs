//! Moves copies from fuller shards to emptier ones.
//!
//! Fill is what records name on a shard, over its room times its weight. A copy moves only from above the mean to below
//! it, and only if the shard that it comes from stays at least as full as the one that it goes to: so no copy ever
//! moves back, and the spread only shrinks.

use crate::blob::copy_bytes;
use crate::blobs::Blobs;
use crate::error::BlobsError;
use crate::relocate::Relocated;
use cofre_catalog::records::{BlobRecord, Record, ShardMode, ShardRecord, ShardUsage};
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_shards::{ShardState, standing};
use cofre_types::{BlobId, ShardId};
use std::collections::BTreeMap;

/// Most copies that one step moves.
const MOVES_PER_STEP_MAX: usize = 64;

/// How far apart the fill of shards is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Imbalance {
    /// Fill of the fullest shard less that of the emptiest.
    pub spread: f64,
    /// Bytes that must leave fuller shards so that the spread is within the settings; 0 while it is.
    pub bytes_to_move: u64,
    /// Shards that take part: they take new blobs, and answer.
    pub shards: usize,
}

/// What a step of moving did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rebalanced {
    /// The moves, as a drain tells them.
    pub moved: Relocated,
    /// How far apart the fill was before the step.
    pub spread: f64,
}

/// A shard that takes part.
#[derive(Debug, Clone)]
struct Part {
    bytes: f64,
    room: f64,
    domain: Option<String>,
}

impl Part {
    fn fill(&self) -> f64 {
        self.bytes / self.room
    }
}

/// A copy that may move.
#[derive(Debug, Clone, Copy)]
struct Move {
    from: ShardId,
    to: ShardId,
    bytes: f64,
}

/// The shards that take part, and the failure domains of all.
#[derive(Debug, Default)]
struct Parts {
    parts: BTreeMap<ShardId, Part>,
    domains: BTreeMap<ShardId, Option<String>>,
}

impl Blobs {
    /// How far apart the fill of shards is.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read.
    pub async fn imbalance(&self) -> Result<Imbalance, BlobsError> {
        let parts = self.parts().await?;
        let (spread, mean) = (parts.spread(), parts.mean());
        let band = self.0.settings.current().repair.rebalance_spread;
        let over = |part: &Part| (part.bytes - (mean + band / 2.0) * part.room).max(0.0);
        let bytes_to_move = if spread > band { parts.parts.values().map(over).sum::<f64>() as u64 } else { 0 };
        Ok(Imbalance { spread, bytes_to_move, shards: parts.parts.len() })
    }

    /// Moves some copies of blobs after `after` from fuller shards to emptier ones, each as a drain would: it is
    /// written and committed before the old one is doomed, and shares no failure domain with another.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn rebalance(&self, after: Option<BlobId>) -> Result<Rebalanced, BlobsError> {
        let mut parts = self.parts().await?;
        let spread = parts.spread();
        let movable = move |id: BlobId, record: BlobRecord| {
            let Move { from, to, bytes } = parts.choose(&record)?;
            // As if it had moved, so that a step does not go too far.
            parts.note(from, -bytes);
            parts.note(to, bytes);
            Some((id, from, parts.avoid(&record, from, to)))
        };
        let (found, next) = self.walk_blobs(after, MOVES_PER_STEP_MAX, movable).await?;
        let moved = self.relocate_blobs(found).await?;
        Ok(Rebalanced { moved: Relocated { next, ..moved }, spread })
    }

    async fn parts(&self) -> Result<Parts, BlobsError> {
        let snapshot = self.store().snapshot().await?;
        let page = snapshot.page(Scan::prefix(&[keys::family::SHARD]), crate::SHARDS_MAX).await?;
        let records = page.iter().map(|(_, entry)| ShardRecord::decode(&entry.value)).collect::<Result<Vec<_>, _>>()?;
        let usage = snapshot.get_many(records.iter().map(|record| keys::shard_usage(record.id)).collect()).await?;
        let statuses = self.shards().status();
        let mut parts = Parts::default();
        for (record, usage) in records.into_iter().zip(usage) {
            parts.domains.insert(record.id, record.failure_domain.clone());
            let status = statuses.iter().find(|status| status.id == record.id);
            let answers = status.filter(|status| matches!(status.state, ShardState::Healthy | ShardState::Full));
            let Some(capacity) = answers.and_then(|status| status.capacity) else { continue };
            if record.mode != ShardMode::Active || record.weight_percent == 0 {
                continue;
            }
            let usage = usage.map_or_else(ShardUsage::default, |entry| ShardUsage::from_value(&entry.value));
            let bytes = usage.bytes.max(0) as f64;
            let room = (bytes + capacity.free_bytes as f64) * f64::from(record.weight_percent) / 100.0;
            if room > 0.0 {
                parts.parts.insert(record.id, Part { bytes, room, domain: record.failure_domain });
            }
        }
        Ok(parts)
    }
}

impl Parts {
    fn mean(&self) -> f64 {
        let (bytes, room) =
            self.parts.values().fold((0.0, 0.0), |(bytes, room), part| (bytes + part.bytes, room + part.room));
        if room > 0.0 { bytes / room } else { 0.0 }
    }

    fn spread(&self) -> f64 {
        let fills = || self.parts.values().map(Part::fill);
        let (most, least) = (fills().max_by(f64::total_cmp), fills().min_by(f64::total_cmp));
        most.zip(least).map_or(0.0, |(most, least)| most - least)
    }

    fn note(&mut self, shard: ShardId, bytes: f64) {
        if let Some(part) = self.parts.get_mut(&shard) {
            part.bytes = (part.bytes + bytes).max(0.0);
        }
    }

    /// From where to where a copy of a blob may move: from the fullest that holds one to the emptiest that may.
    fn choose(&self, record: &BlobRecord) -> Option<Move> {
        if standing(record.scheme, record.copies.iter().map(|copy| copy.piece)) < record.scheme.width() {
            return None;
        }
        let mean = self.mean();
        let by_fill = |a: &(&ShardId, &Part), b: &(&ShardId, &Part)| a.1.fill().total_cmp(&b.1.fill());
        let holds = |id: &ShardId| record.copies.iter().any(|copy| copy.shard == *id);
        let sources = self.parts.iter().filter(|(id, part)| holds(id) && part.fill() > mean);
        let (from, source) = sources.max_by(by_fill)?;
        let leaving = record.copies.iter().filter(|copy| copy.shard == *from);
        let size = leaving.map(|copy| copy_bytes(record, copy.piece)).sum::<u64>() as f64;
        let shared = |part: &Part| {
            let others = record.copies.iter().map(|copy| copy.shard).filter(|id| id != from);
            part.domain.is_some() && others.into_iter().any(|id| self.domains.get(&id) == Some(&part.domain))
        };
        let fits = |part: &Part| (part.bytes + size) / part.room <= (source.bytes - size) / source.room;
        let targets = self.parts.iter().filter(|(id, part)| !holds(id) && part.fill() < mean);
        let (to, _) = targets.filter(|(_, part)| !shared(part) && fits(part)).min_by(by_fill)?;
        Some(Move { from: *from, to: *to, bytes: size })
    }

    /// The shards that a copy which leaves `from` must not go to, so that it goes to `to`.
    fn avoid(&self, record: &BlobRecord, from: ShardId, to: ShardId) -> Vec<ShardId> {
        let holds = |id: &ShardId| record.copies.iter().any(|copy| copy.shard == *id);
        self.domains.keys().copied().filter(|id| *id == from || (*id != to && !holds(id))).collect()
    }
}
