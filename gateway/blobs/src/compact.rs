use crate::blobs::Blobs;
use crate::error::BlobsError;
use async_trait::async_trait;
use cofre_catalog::records::{BlobRecord, DoomedRecord, Record};
use cofre_catalog::{Batch, Check, Entry, keys};
use cofre_shards::{BackendError, Compacted, Liveness, Locator, Moved, Relocate};
use cofre_types::{BlobId, ShardId};

impl Blobs {
    /// Lets a shard do one step of giving the space of deleted copies back; `None` if there is nothing
    /// worth doing, or the shard was given up, or the catalog restored, and it has not been held against the catalog
    /// since.
    ///
    /// # Errors
    /// [`BlobsError::Unavailable`]; nothing is lost, and a later step goes on.
    pub async fn compact(&self, shard: ShardId) -> Result<Option<Compacted>, BlobsError> {
        if self.is_untouchable(shard).await? {
            return Ok(None);
        }
        let owner = Owner { blobs: self, shard };
        self.shards().compact(shard, &owner).await.map_err(|error| BlobsError::Unavailable(error.to_string()))
    }
}

/// The catalog as the owner of the locators on one shard.
struct Owner<'a> {
    blobs: &'a Blobs,
    shard: ShardId,
}

impl Owner<'_> {
    async fn entries(&self, blobs: &[BlobId]) -> Result<(Vec<Option<Entry>>, Vec<Option<Entry>>), BackendError> {
        let mut wanted: Vec<_> = blobs.iter().map(|id| keys::blob(*id)).collect();
        wanted.extend(blobs.iter().map(|id| keys::doomed(self.shard, *id)));
        let mut found = self.blobs.store().get_many(wanted).await.map_err(unreachable)?;
        let doomed = found.split_off(blobs.len());
        Ok((found, doomed))
    }

    fn at(&self, record: &BlobRecord, locator: &Locator) -> Option<usize> {
        record.copies.iter().position(|copy| copy.shard == self.shard && copy.locator == locator.0)
    }
}

#[async_trait]
impl Relocate for Owner<'_> {
    async fn live(&self, copies: &[(BlobId, Locator)]) -> Result<Vec<Liveness>, BackendError> {
        // It may have been given up since the step began.
        if self.blobs.is_untouchable(self.shard).await.map_err(unreachable)? {
            return Err(BackendError::Unreachable("the shard has yet to be held against the catalog".to_owned()));
        }
        let ids: Vec<_> = copies.iter().map(|(id, _)| *id).collect();
        let (blobs, doomed) = self.entries(&ids).await?;
        let mut live = Vec::with_capacity(copies.len());
        for (((_, locator), blob), doomed) in copies.iter().zip(blobs).zip(doomed) {
            let record = blob.map(|blob| BlobRecord::decode(&blob.value)).transpose().map_err(unreachable)?;
            let doomed = doomed.map(|doomed| DoomedRecord::decode(&doomed.value)).transpose().map_err(unreachable)?;
            live.push(match (record, doomed) {
                (Some(record), _) if self.at(&record, locator).is_some() => Liveness::Live,
                (_, Some(doomed)) if doomed.locator == locator.0 => Liveness::Dead,
                // Its commit may still come, or its blob may lack it: only the search for orphans can tell, after its
                // grace.
                (None | Some(_), None | Some(_)) => Liveness::Unknown,
            });
        }
        Ok(live)
    }

    async fn moved(&self, moves: &[Moved]) -> Result<(), BackendError> {
        for _ in Blobs::tries() {
            let ids: Vec<_> = moves.iter().map(|moved| moved.blob).collect();
            let (blobs, doomed) = self.entries(&ids).await?;
            let mut batch = Batch::new();
            for ((moved, blob), doomed) in moves.iter().zip(blobs).zip(doomed) {
                if let Some(entry) = blob {
                    let mut record = BlobRecord::decode(&entry.value).map_err(unreachable)?;
                    let key = keys::blob(moved.blob);
                    batch.unchanged(key.clone(), Some(entry.revision));
                    if let Some(at) = self.at(&record, &moved.from) {
                        record.copies[at].locator = moved.to.0.clone();
                        batch.put(key, record.encode());
                    }
                }
                if doomed.is_none() {
                    batch.checks.push(Check::Absent(keys::doomed(self.shard, moved.blob)));
                }
                if let Some(entry) = doomed {
                    let mut record = DoomedRecord::decode(&entry.value).map_err(unreachable)?;
                    let key = keys::doomed(self.shard, moved.blob);
                    batch.unchanged(key.clone(), Some(entry.revision));
                    if record.locator == moved.to.0 {
                        // It was taken for an orphan between its being written and this commit.
                        batch.delete(key);
                    } else if record.locator == moved.from.0 {
                        record.locator = moved.to.0.clone();
                        batch.put(key, record.encode());
                    }
                }
            }
            if self.blobs.maintain(batch).await.map_err(unreachable)? {
                return Ok(());
            }
        }
        Err(BackendError::Unreachable("the records of moved blobs keep changing".to_owned()))
    }
}

fn unreachable(error: impl ToString) -> BackendError {
    BackendError::Unreachable(error.to_string())
}
