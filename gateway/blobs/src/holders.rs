use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::keys;
use cofre_catalog::records::{BlobRecord, HealRecord, Record};
use cofre_types::{BlobId, ShardId};

impl Blobs {
    /// Some blobs after `after` that have a copy on a shard, at most `found_max`, and where to go on; absent at the
    /// end of the catalog.
    pub(crate) async fn blobs_on(
        &self,
        shard: ShardId,
        after: Option<BlobId>,
        found_max: usize,
    ) -> Result<(Vec<BlobId>, Option<BlobId>), BlobsError> {
        let holder = move |id, record: BlobRecord| record.copies.iter().any(|copy| copy.shard == shard).then_some(id);
        self.walk_blobs(after, found_max, holder).await
    }

    /// Why a blob waits to be healed, if it does.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read.
    pub async fn heal_record(&self, blob: BlobId) -> Result<Option<HealRecord>, BlobsError> {
        let found = self.store().get_many(keys::heals(blob).collect()).await?;
        Ok(found.into_iter().flatten().next().map(|entry| HealRecord::decode(&entry.value)).transpose()?)
    }
}
