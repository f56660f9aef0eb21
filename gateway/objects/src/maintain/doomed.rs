use crate::{Error, Objects};
use cofre_catalog::records::{DoomedRecord, Record};
use cofre_catalog::{Batch, Scan, SnapshotExt, keys};
use cofre_shards::{BackendError, Locator};
use cofre_types::ShardId;

/// Most copies that one step deletes from a shard.
const COPIES_PER_STEP_MAX: usize = 1_000;

impl Objects {
    /// Deletes doomed copies from a shard; says how many. Fewer than asked for means that none is left.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the shard cannot be reached: the copies stay doomed.
    pub async fn delete_doomed(&self, shard: ShardId) -> Result<u64, Error> {
        let scan = Scan::prefix(&keys::doomed_on(shard));
        let entries = self.store().snapshot().await?.page(scan, COPIES_PER_STEP_MAX).await?;
        if entries.is_empty() {
            return Ok(0);
        }
        let mut copies = Vec::with_capacity(entries.len());
        let mut batch = Batch::new();
        for (key, entry) in &entries {
            let Some(blob) = keys::blob_of(key) else { continue };
            copies.push((blob, Locator(DoomedRecord::decode(&entry.value)?.locator)));
            batch.unchanged(key.clone(), Some(entry.revision));
            batch.delete(key.clone());
        }
        self.shards()
            .delete(shard, copies)
            .await
            .map_err(|error: BackendError| Error::Unavailable(error.to_string()))?;
        // A copy that compaction moved meanwhile has a new locator in its record: it stays doomed.
        if self.maintain(batch).await? { Ok(entries.len() as u64) } else { Ok(1) }
    }
}
