use crate::blob::{copy_bytes, doom};
use crate::blobs::Blobs;
use crate::counts::{CopyCounts, Count};
use crate::error::BlobsError;
use cofre_catalog::records::{BlobRecord, Record};
use cofre_catalog::{Batch, keys};
use cofre_types::BlobId;
use std::collections::BTreeMap;

/// What dropping references takes off the catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// References that are dropped.
    pub references: u64,
    /// Blobs that nothing refers to any more, whose copies become doomed.
    pub blobs: u64,
    /// Their bytes of content.
    pub bytes: u64,
}

impl Blobs {
    /// Adds to a commit that so many references to each of some blobs are dropped. Copies of a blob that has none left
    /// become doomed.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read.
    pub async fn drop_references(
        &self,
        blobs: BTreeMap<BlobId, u32>,
        batch: &mut Batch,
    ) -> Result<Dropped, BlobsError> {
        let (mut dropped, mut gone, mut counts) = (Dropped::default(), Vec::new(), CopyCounts::default());
        let entries = self.store().get_many(blobs.keys().map(|id| keys::blob(*id)).collect()).await?;
        for ((id, count), entry) in blobs.into_iter().zip(entries) {
            let Some(entry) = entry else { continue };
            let mut blob = BlobRecord::decode(&entry.value)?;
            dropped.references += u64::from(count);
            batch.unchanged(keys::blob(id), Some(entry.revision));
            if blob.references > count {
                blob.references -= count;
                batch.put(keys::blob(id), blob.encode());
                continue;
            }
            dropped.blobs += 1;
            dropped.bytes += blob.size;
            batch.delete(keys::blob(id));
            gone.push(id);
            for copy in &blob.copies {
                let bytes = copy_bytes(&blob, copy.piece);
                counts.count(copy.shard, bytes, Count::Remove);
                doom(batch, id, copy.shard, copy.locator.clone(), bytes);
            }
        }
        counts.add_to(batch);
        // One that is queued after this look is taken off the queue when its turn comes.
        let queued: Vec<_> = gone.iter().flat_map(|id| keys::heals(*id)).collect();
        let entries = self.store().get_many(queued.clone()).await?;
        for (key, _) in queued.into_iter().zip(entries).filter(|(_, entry)| entry.is_some()) {
            batch.delete(key);
        }
        Ok(dropped)
    }
}
