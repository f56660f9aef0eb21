use super::doom;
use crate::{Error, Objects};
use cofre_catalog::records::{BlobRecord, Record};
use cofre_catalog::{Batch, Entry, keys};
use cofre_shards::Listed;
use cofre_types::ShardId;
use std::time::Duration;

/// What a step of searching orphans found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Copies that were looked at.
    pub seen: u64,
    /// Copies that no record names, and that are doomed now.
    pub doomed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where to go on; absent at the end of the shard.
    pub next: Option<Vec<u8>>,
}

impl Objects {
    /// Looks for copies on a shard that no record names: what a crash between writing a blob and its
    /// commit left. Only those that are older than `grace` count, for a younger one may still be
    /// committed. A shard that was given up is left alone until it was held against the catalog.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the shard cannot be listed.
    pub async fn find_orphans(
        &self,
        shard: ShardId,
        after: Option<Vec<u8>>,
        grace: Duration,
    ) -> Result<Orphans, Error> {
        if self.is_unreconciled(shard).await? {
            return Ok(Orphans::default());
        }
        let (listed, next) =
            self.shards().list(shard, after).await.map_err(|error| Error::Unavailable(error.to_string()))?;
        let mut orphans = Orphans { seen: listed.len() as u64, next, ..Orphans::default() };
        let now = self.now();
        let old: Vec<&Listed> =
            listed.iter().filter(|copy| now.since(cofre_types::Timestamp(copy.written_nanos)) > grace).collect();
        let mut wanted: Vec<_> = old.iter().map(|copy| keys::blob(copy.blob)).collect();
        wanted.extend(old.iter().map(|copy| keys::doomed(shard, copy.blob)));
        let mut blobs = self.store().get_many(wanted).await?;
        let dooms = blobs.split_off(old.len());
        let mut batch = Batch::new();
        for ((copy, blob), doomed) in old.into_iter().zip(blobs).zip(dooms) {
            if doomed.is_some() || names(blob.as_ref(), shard, copy)? {
                continue;
            }
            batch.unchanged(keys::blob(copy.blob), blob.map(|entry| entry.revision));
            batch.unchanged(keys::doomed(shard, copy.blob), None);
            doom(&mut batch, copy.blob, shard, copy.locator.0.clone(), copy.size);
            orphans.doomed += 1;
            orphans.bytes += copy.size;
        }
        if orphans.doomed > 0 && !self.maintain(batch).await? {
            return Err(Error::Conflict);
        }
        Ok(orphans)
    }
}

/// Whether a blob's record names this copy.
fn names(blob: Option<&Entry>, shard: ShardId, copy: &Listed) -> Result<bool, Error> {
    let Some(entry) = blob else { return Ok(false) };
    let record = BlobRecord::decode(&entry.value)?;
    Ok(record.copies.iter().any(|known| known.shard == shard && known.locator == copy.locator.0))
}
