use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::records::{BlobRecord, DoomedRecord, Record};
use cofre_catalog::{Batch, Entry, ReadExt, Scan, keys};
use cofre_shards::{BackendError, Locator};
use cofre_types::{BlobId, ShardId};
use std::collections::HashSet;
use std::ops::Bound;

/// Most copies that one step deletes from a shard.
const COPIES_PER_STEP_MAX: usize = 1_000;

/// What a step of deleting did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Copies that were deleted.
    pub copies: u64,
    /// Where to go on; absent at the end of the shard's queue.
    pub next: Option<BlobId>,
}

impl Blobs {
    /// Deletes doomed copies after `after` from a shard.
    ///
    /// Whoever names a copy checks that it is not doomed, so a copy that is both can only be one that
    /// was moved onto: it is let off. A copy that cannot be deleted stays doomed and does not keep the others.
    ///
    /// Nothing is deleted from a shard that was given up, until it is back and was held against the catalog; nor from
    /// any, after the catalog was restored, until the shard was compared with it.
    ///
    /// # Errors
    /// [`BlobsError::Unavailable`] if the shard cannot be reached: the copies stay doomed.
    pub async fn delete_doomed(&self, shard: ShardId, after: Option<BlobId>) -> Result<Deleted, BlobsError> {
        if self.is_untouchable(shard).await? {
            return Ok(Deleted::default());
        }
        let mut scan = Scan::prefix(&keys::doomed_on(shard));
        if let Some(after) = after {
            scan.from = Bound::Excluded(keys::doomed(shard, after));
        }
        let snapshot = self.store().snapshot().await?;
        let entries = snapshot.page(scan, COPIES_PER_STEP_MAX).await?;
        if entries.is_empty() {
            return Ok(Deleted::default());
        }
        let ids: Vec<_> = entries.iter().filter_map(|(key, _)| keys::blob_of(key)).collect();
        let blobs = snapshot.get_many(ids.iter().map(|id| keys::blob(*id)).collect()).await?;
        let mut deleted = Deleted { copies: 0, next: ids.last().copied().filter(|_| ids.len() == COPIES_PER_STEP_MAX) };
        let mut copies = Vec::with_capacity(ids.len());
        for ((id, blob), (_, entry)) in ids.iter().zip(blobs).zip(&entries) {
            let locator = DoomedRecord::decode(&entry.value)?.locator;
            if !is_named(blob.as_ref(), shard, &locator)? {
                copies.push((*id, Locator(locator)));
            }
        }
        deleted.copies = copies.len() as u64;
        let failed = self
            .shards()
            .delete(shard, copies)
            .await
            .map_err(|error: BackendError| BlobsError::Unavailable(error.to_string()))?;
        if let Some(first) = failed.first() {
            tracing::warn!(%shard, copies = failed.len(), blob = %first.blob, why = first.why, "copies stay doomed");
            deleted.copies = deleted.copies.saturating_sub(failed.len() as u64);
        }
        let failed: HashSet<_> = failed.into_iter().map(|failed| failed.blob).collect();
        let mut batch = Batch::new();
        for (key, entry) in entries {
            if keys::blob_of(&key).is_some_and(|id| !failed.contains(&id)) {
                batch.unchanged(key.clone(), Some(entry.revision));
                batch.delete(key);
            }
        }
        if batch.writes.is_empty() {
            return Ok(deleted);
        }
        // A copy that compaction moved meanwhile has a new locator in its record: it stays doomed.
        self.maintain(batch).await?;
        Ok(deleted)
    }
}

fn is_named(blob: Option<&Entry>, shard: ShardId, locator: &[u8]) -> Result<bool, BlobsError> {
    let Some(entry) = blob else { return Ok(false) };
    let record = BlobRecord::decode(&entry.value)?;
    Ok(record.copies.iter().any(|copy| copy.shard == shard && copy.locator == locator))
}
