//! What is counted of the copies on each shard, and of what a blob has to spare.

use cofre_catalog::records::{BlobRecord, ShardUsage, as_delta};
use cofre_catalog::{Batch, keys};
use cofre_shards::standing;
use cofre_types::ShardId;
use std::collections::BTreeMap;

/// Copies or pieces of a blob beyond those that reading takes, without those on suspect shards.
pub(crate) fn spares(record: &BlobRecord, suspects: &[ShardId]) -> usize {
    let sound = record.copies.iter().filter(|copy| !suspects.contains(&copy.shard));
    standing(record.scheme, sound.map(|copy| copy.piece)).saturating_sub(record.scheme.needed())
}

/// Counts a copy of so many bytes on its shard.
pub(crate) fn count_copy(batch: &mut Batch, shard: ShardId, bytes: u64, by: Count) {
    let usage = ShardUsage { copies: by.sign(), bytes: by.sign() * as_delta(bytes) };
    batch.add(keys::shard_usage(shard), usage.row());
}

/// Copies that come and go on shards, summed up, so that a commit about many changes each shard's counters once.
#[derive(Debug, Default)]
pub(crate) struct CopyCounts(BTreeMap<ShardId, ShardUsage>);

impl CopyCounts {
    pub(crate) fn count(&mut self, shard: ShardId, bytes: u64, by: Count) {
        let usage = self.0.entry(shard).or_default();
        usage.copies += by.sign();
        usage.bytes += by.sign() * as_delta(bytes);
    }

    pub(crate) fn add_to(&self, batch: &mut Batch) {
        for (shard, usage) in &self.0 {
            batch.add(keys::shard_usage(*shard), usage.row());
        }
    }
}

/// More or fewer by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One more.
    Add,
    /// One fewer.
    Remove,
}

impl Count {
    /// 1 or -1.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Add => 1,
            Self::Remove => -1,
        }
    }
}
