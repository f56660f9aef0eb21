//! What may be deleted from a shard, by what is known of it.

use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::records::{ComparisonRecord, IncarnationRecord, Record, ShardMode, ShardRecord};
use cofre_catalog::{Entry, ReadExt, Scan, StoreError, keys};
use cofre_types::{ShardId, Timestamp};

/// What may be deleted from a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing: it was given up and not held against the catalog since, or not gone through since the catalog was restored.
    Untouchable,
    /// What the catalog has deleted. What is in no record waits for an operator.
    Waiting,
    /// What the catalog has deleted, and what is in no record after its grace.
    Ordinary,
}

impl Blobs {
    /// What may be deleted from a shard now. Of one that is not registered, nothing is known that forbids it.
    pub(crate) async fn standing(&self, shard: ShardId) -> Result<Standing, BlobsError> {
        let wanted = vec![keys::shard(shard), keys::incarnation(), keys::comparison(shard)];
        let [record, incarnation, comparison] = three(self.store().get_many(wanted).await?)?;
        let mode = record.map(|entry| ShardRecord::decode(&entry.value)).transpose()?.map(|record| record.mode);
        if mode.is_some_and(ShardMode::is_unreconciled) {
            return Ok(Standing::Untouchable);
        }
        let Some(incarnation) = incarnation else { return Ok(Standing::Ordinary) };
        let incarnation = IncarnationRecord::decode(&incarnation.value)?;
        let comparison = comparison.map(|entry| ComparisonRecord::decode(&entry.value)).transpose()?;
        let comparison = comparison.filter(|comparison| comparison.incarnation == incarnation.id).unwrap_or_default();
        let unset = Timestamp::default();
        Ok(match (comparison.ended == unset, comparison.released == unset) {
            (true, _) => Standing::Untouchable,
            (false, true) => Standing::Waiting,
            (false, false) => Standing::Ordinary,
        })
    }

    /// Whether nothing may be deleted from a shard now.
    pub(crate) async fn is_untouchable(&self, shard: ShardId) -> Result<bool, BlobsError> {
        Ok(self.standing(shard).await? == Standing::Untouchable)
    }

    /// Whether every shard that was not given up was compared with the catalog, if that was restored.
    pub(crate) async fn all_compared(&self) -> Result<bool, BlobsError> {
        let Some(incarnation) = self.incarnation().await? else { return Ok(true) };
        let snapshot = self.store().snapshot().await?;
        let shards = snapshot.page(Scan::prefix(&[keys::family::SHARD]), crate::SHARDS_MAX).await?;
        let mut ids = Vec::with_capacity(shards.len());
        for (_, entry) in shards {
            let record = ShardRecord::decode(&entry.value)?;
            ids.extend(Some(record.id).filter(|_| !record.mode.is_given_up()));
        }
        for entry in snapshot.get_many(ids.into_iter().map(keys::comparison).collect()).await? {
            let record = entry.map(|entry| ComparisonRecord::decode(&entry.value)).transpose()?.unwrap_or_default();
            if record.incarnation != incarnation.id || record.ended == Timestamp::default() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// That the catalog was restored, if it was.
    pub(crate) async fn incarnation(&self) -> Result<Option<IncarnationRecord>, BlobsError> {
        let entry = self.get(keys::incarnation()).await?;
        Ok(entry.map(|entry| IncarnationRecord::decode(&entry.value)).transpose()?)
    }
}

fn three(entries: Vec<Option<Entry>>) -> Result<[Option<Entry>; 3], BlobsError> {
    let count = |_| BlobsError::from(StoreError::Engine("the catalog answered for another number of keys".to_owned()));
    entries.try_into().map_err(count)
}
