use crate::blob::{BLOBS_AT_ONCE_MAX, DELETED, blob_ref};
use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_shards::CopyState;
use cofre_types::{BlobId, ShardId};
use futures_util::stream::{self, StreamExt, TryStreamExt};

impl Blobs {
    /// Reads what was written back, as a step of healing tells it, and gives for each blob `None` if its copies are
    /// whole, or it is gone meanwhile; else why not, and the blob waits to be healed again.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn confirm(
        &self,
        written: Vec<(BlobId, Vec<ShardId>)>,
    ) -> Result<Vec<(BlobId, Option<String>)>, BlobsError> {
        let each = written.into_iter().map(|(blob, shards)| {
            let objects = self.clone();
            async move { Ok((blob, objects.confirm_blob(blob, &shards).await?)) }
        });
        stream::iter(each).buffer_unordered(BLOBS_AT_ONCE_MAX).try_collect().await
    }

    async fn confirm_blob(&self, blob: BlobId, shards: &[ShardId]) -> Result<Option<String>, BlobsError> {
        let Some(held) = self.held_blob(blob).await? else { return Ok(None) };
        let blob = blob_ref(blob, &held.record);
        let new: Vec<_> = blob.copies.iter().filter(|copy| shards.contains(&copy.shard)).cloned().collect();
        for (copy, state) in self.check_copies(&blob, &new).await {
            let why = match state {
                CopyState::Whole => continue,
                CopyState::Missing => "it is not there".to_owned(),
                CopyState::Deleted => DELETED.to_owned(),
                CopyState::Corrupt(why) | CopyState::Unreachable(why) => why,
            };
            // It may have moved or gone since its record was read.
            if self.held_blob(blob.id).await?.is_none_or(|now| now.revision != held.revision) {
                continue;
            }
            self.queue_heal(blob.id, copy.shard).await?;
            return Ok(Some(format!("the copy that was written to shard {} does not read back: {why}", copy.shard)));
        }
        Ok(None)
    }

    /// Whether a shard lists nothing, once what waits to be deleted on it is.
    ///
    /// # Errors
    /// [`BlobsError::Unavailable`] if the shard cannot be reached: nothing is known then.
    pub async fn is_empty(&self, shard: ShardId) -> Result<bool, BlobsError> {
        let mut after = None;
        loop {
            let deleted = self.delete_doomed(shard, after).await?;
            after = deleted.next;
            if after.is_none() {
                break;
            }
        }
        let mut cursor = None;
        for _ in 0..LIST_PAGES_MAX {
            let listed = self.shards().list(shard, cursor).await;
            let (listed, next) = listed.map_err(|error| BlobsError::Unavailable(error.to_string()))?;
            match (listed.is_empty(), next) {
                (false, _) => return Ok(false),
                (true, None) => return Ok(true),
                (true, next) => cursor = next,
            }
        }
        Ok(false)
    }
}

/// Most pages that are read in search of anything: each is a pack or a directory.
const LIST_PAGES_MAX: usize = 100_000;
