//! Good copies that a blob has beyond those that its scheme asks for: a piece that stands twice, say.

use crate::{Blobs, BlobsError};
use cofre_catalog::keys;
use cofre_catalog::records::{Record, ShardMode, ShardRecord};
use cofre_shards::Copy;
use cofre_types::{Scheme, ShardId};
use std::collections::HashMap;

/// The good copies of a blob.
#[derive(Debug, Default)]
pub(crate) struct Split {
    /// Those that count: one of each piece, or as many whole ones as the scheme asks for.
    pub(crate) kept: Vec<Copy>,
    /// The others, each with one among those that count that is the same.
    pub(crate) twins: Vec<Copy>,
}

/// How gladly a copy is kept: the least first.
type Rank = (u8, bool, ShardId);

impl Blobs {
    /// Tells twins from the copies that count. Of twins one is kept that stands where copies are to stay, and that shares no
    /// failure domain with another.
    pub(crate) async fn split_twins(&self, scheme: Scheme, good: Vec<Copy>) -> Result<Split, BlobsError> {
        if !has_twins(scheme, &good) {
            return Ok(Split { kept: good, twins: Vec::new() });
        }
        let shards: Vec<_> = good.iter().map(|copy| copy.shard).collect();
        let records = self.shard_records(&shards).await?;
        let rank = |copy: &Copy| -> Rank {
            let record = records.get(&copy.shard);
            let mode = match record.map(|record| record.mode) {
                Some(ShardMode::Active) => 0,
                Some(ShardMode::ReadOnly) => 1,
                _ => 2,
            };
            let domain = |shard: ShardId| records.get(&shard).and_then(|record| record.failure_domain.as_ref());
            let others = good.iter().filter(|other| other.shard != copy.shard);
            let shares = |other: &Copy| domain(copy.shard).is_some() && domain(copy.shard) == domain(other.shard);
            let beside = good.iter().filter(|other| other.shard == copy.shard).count() > 1;
            (mode, beside || others.into_iter().any(shares), copy.shard)
        };
        let mut ranked = good.clone();
        ranked.sort_by_key(rank);
        let mut split = Split::default();
        for copy in ranked {
            let counts = match scheme {
                Scheme::Replicas { .. } => split.kept.len() < scheme.width(),
                Scheme::Erasure { .. } => split.kept.iter().all(|kept| kept.piece != copy.piece),
            };
            if counts { &mut split.kept } else { &mut split.twins }.push(copy);
        }
        Ok(split)
    }

    /// The twins that have to go once there are new copies: all of them where the blob is `whole` without, else those that
    /// share a failure domain with a new one.
    pub(crate) async fn leaving_twins(
        &self,
        twins: &[Copy],
        new: &[Copy],
        whole: bool,
    ) -> Result<Vec<Copy>, BlobsError> {
        let mut leaving = Vec::new();
        for twin in twins {
            let beside = new.iter().any(|copy| copy.shard == twin.shard);
            if whole || beside || self.shares_domain(twin.shard, new).await? {
                leaving.push(twin.clone());
            }
        }
        Ok(leaving)
    }

    async fn shard_records(&self, shards: &[ShardId]) -> Result<HashMap<ShardId, ShardRecord>, BlobsError> {
        let entries = self.store().get_many(shards.iter().map(|shard| keys::shard(*shard)).collect()).await?;
        let records = entries.into_iter().flatten().map(|entry| ShardRecord::decode(&entry.value));
        records.map(|record| record.map(|record| (record.id, record)).map_err(BlobsError::from)).collect()
    }
}

fn has_twins(scheme: Scheme, good: &[Copy]) -> bool {
    match scheme {
        Scheme::Replicas { .. } => good.len() > scheme.width(),
        Scheme::Erasure { .. } => {
            good.iter().enumerate().any(|(at, copy)| good[..at].iter().any(|other| other.piece == copy.piece))
        }
    }
}
