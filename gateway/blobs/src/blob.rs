//! A blob as its record names it.

use crate::blobs::Blobs;
use crate::counts::{Count, count_copy};
use crate::error::BlobsError;
use cofre_catalog::records::{BlobRecord, CopyRecord, DoomedRecord, Record};
use cofre_catalog::{Batch, Check, Entry, Revision, keys};
use cofre_shards::{BlobRef, Copy, CopyState, Locator};
use cofre_types::{BlobId, ShardId};
use futures_util::stream::{self, StreamExt};

/// Most copies of a blob that are read at once: each is on a shard of its own.
const CHECKS_AT_ONCE_MAX: usize = 8;

/// Most blobs of a step that are moved, healed or read back at once: enough to share a sync, few enough to leave
/// requests their turn.
pub(crate) const BLOBS_AT_ONCE_MAX: usize = 16;

/// What is wrong with a copy that can still be read and was deleted.
pub(crate) const DELETED: &str = "it was deleted there, though it can still be read";

/// A blob and the commit that wrote its record.
pub struct HeldBlob {
    /// Its id.
    pub id: BlobId,
    /// The commit that wrote its record.
    pub revision: Revision,
    /// Its record.
    pub record: BlobRecord,
}

impl Blobs {
    /// A blob by its id, if it has a record.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read.
    pub async fn held_blob(&self, id: BlobId) -> Result<Option<HeldBlob>, BlobsError> {
        self.get(keys::blob(id)).await?.map(|entry| HeldBlob::of(id, &entry)).transpose()
    }

    /// Reads some copies of a blob whole, side by side, and tells what each is, in their order.
    pub async fn check_copies(&self, blob: &BlobRef, copies: &[Copy]) -> Vec<(Copy, CopyState)> {
        let each: Vec<_> = copies.iter().map(|copy| self.shards().verify(blob, copy)).collect();
        let states: Vec<_> = stream::iter(each).buffered(CHECKS_AT_ONCE_MAX).collect().await;
        copies.iter().cloned().zip(states).collect()
    }

    /// Bucket and key of the object that a blob was written for, as the header of any copy tells. A copy shares the
    /// blob of its source, and a key may be written anew: it says where the bytes came from.
    pub(crate) async fn object_of(&self, blob: &BlobRef) -> Option<String> {
        self.shards().about(blob).await.map(|header| format!("{}/{}", header.bucket, header.key))
    }
}

impl HeldBlob {
    /// A blob as an entry of the catalog has it.
    pub(crate) fn of(id: BlobId, entry: &Entry) -> Result<Self, BlobsError> {
        Ok(Self { id, revision: entry.revision, record: BlobRecord::decode(&entry.value)? })
    }

    /// Adds to `batch` that `lost` copies go and `new` ones come. What is lost becomes doomed.
    pub(crate) fn change_copies(&self, lost: &[Copy], new: Vec<Copy>, batch: &mut Batch) {
        let mut record = self.record.clone();
        let goes = |copy: &CopyRecord| lost.iter().any(|lost| copy_record(lost.clone()) == *copy);
        batch.unchanged(keys::blob(self.id), Some(self.revision));
        for copy in self.record.copies.iter().filter(|copy| goes(copy)) {
            let bytes = copy_bytes(&self.record, copy.piece);
            doom(batch, self.id, copy.shard, copy.locator.clone(), bytes);
            count_copy(batch, copy.shard, bytes, Count::Remove);
        }
        record.copies.retain(|copy| !goes(copy));
        for copy in new {
            batch.checks.push(Check::Present(keys::shard(copy.shard)));
            batch.checks.push(Check::Absent(keys::doomed(copy.shard, self.id)));
            count_copy(batch, copy.shard, copy_bytes(&self.record, copy.piece), Count::Add);
            record.copies.push(copy_record(copy));
        }
        batch.put(keys::blob(self.id), record.encode());
    }
}

/// A blob as problems name it, with its object where that is known.
pub(crate) fn blob_subject(id: BlobId, object: Option<&str>) -> String {
    object.map_or_else(|| format!("blob {id}"), |object| format!("blob {id} ({object})"))
}

/// Names a copy that is to be deleted.
pub(crate) fn doom(batch: &mut Batch, blob: BlobId, shard: ShardId, locator: Vec<u8>, bytes: u64) {
    batch.put(keys::doomed(shard, blob), DoomedRecord { locator, size: bytes }.encode());
}

/// A blob as the shards take it, by its record.
pub fn blob_ref(id: BlobId, record: &BlobRecord) -> BlobRef {
    let copy =
        |copy: &CopyRecord| Copy { shard: copy.shard, locator: Locator(copy.locator.clone()), piece: copy.piece };
    BlobRef { id, size: record.size, scheme: record.scheme, copies: record.copies.iter().map(copy).collect() }
}

/// Bytes of one copy of a blob.
pub fn copy_bytes(record: &BlobRecord, piece: u8) -> u64 {
    cofre_shards::copy_bytes(record.scheme, record.size, piece)
}

pub(crate) fn copy_record(copy: Copy) -> CopyRecord {
    CopyRecord { shard: copy.shard, locator: copy.locator.0, piece: copy.piece }
}
