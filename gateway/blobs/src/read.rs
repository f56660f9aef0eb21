use crate::blob::blob_ref;
use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::keys;
use cofre_catalog::records::{BlobRecord, Record};
use cofre_shards::{ByteStream, ReadError};
use cofre_types::{BlobId, ResolvedRange};

/// How often a read begins anew because the blob's copies moved meanwhile.
const MOVES_FOLLOWED_MAX: usize = 4;

impl Blobs {
    /// Reads a blob, and tells which one its bytes were sealed for if they are encrypted. If no copy is where it was, the
    /// blob may have moved: its record tells.
    ///
    /// # Errors
    /// [`BlobsError::Unreadable`], or [`BlobsError::Lost`] if every copy is proved bad.
    pub async fn read(&self, id: BlobId, range: ResolvedRange) -> Result<(ByteStream, BlobId), BlobsError> {
        let mut seen = None;
        for _ in 0..MOVES_FOLLOWED_MAX {
            let entry = self.get(keys::blob(id)).await?;
            let entry = entry.ok_or_else(|| BlobsError::Unreadable(format!("blob {id} has no record")))?;
            let moved = seen.replace(entry.revision) != Some(entry.revision);
            let record = BlobRecord::decode(&entry.value)?;
            match self.shards().read(&blob_ref(id, &record), range).await {
                Ok(stream) => return Ok((stream, record.sealed_for.unwrap_or(id))),
                Err(_) if moved => {}
                Err(error) => return Err(self.read_error(id, &error).await),
            }
        }
        Err(BlobsError::Unreadable(format!("blob {id} keeps moving")))
    }

    /// What it means that a blob could not be read. Copies that are proved bad are all that there are, unless the catalog
    /// was restored and some shard has yet to tell what it holds.
    async fn read_error(&self, id: BlobId, error: &ReadError) -> BlobsError {
        let why = format!("blob {id}: {error}");
        match error {
            ReadError::Unreachable(_) => BlobsError::Unreadable(why),
            ReadError::AllMissing | ReadError::Corrupt(_) => match self.all_compared().await {
                Ok(true) => BlobsError::Lost(why),
                Ok(false) => {
                    BlobsError::Unreadable(format!("{why}; shards have yet to be compared with the restored catalog"))
                }
                Err(error) => error,
            },
        }
    }
}
