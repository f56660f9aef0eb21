//! The maintenance verbs. Jobs pace them and go on where they stopped; what they mean is here.
//!
//! # Invariants
//! - A copy is deleted only when no record names it: first the record goes, in a commit, and names
//!   the copy as doomed; then the copy goes; then the doomed record.
//! - Repair writes the new copy and commits it before a bad one becomes doomed. A copy that cannot
//!   be reached is neither good nor bad: it stays. A corrupt piece stays until the same piece stands whole elsewhere.
//! - Nothing is deleted from a shard that was given up before it was held against the catalog, nor from any before it
//!   was compared with a catalog that was restored.
//! - A copy that no record names is doomed only if its blob is gone, or whole without it; after a restore, only once an
//!   operator let go of what is in no record.
//! - A copy that its shard has deleted and can still read counts for nothing but a source.
//! - Every verb does a bounded step and can be interrupted anywhere.

mod catalog_backup;
mod compact;
mod compare;
mod confirm;
mod doomed;
mod garbage;
mod given_up;
mod heal;
mod holders;
mod orphans;
mod progress;
mod queue;
mod rebalance;
mod reconcile;
mod relocate;
mod scrub;
mod stale_uploads;
mod standing;
mod twins;
mod walk;

pub use catalog_backup::CatalogBackup;
pub use compare::Compared;
pub use doomed::Deleted;
pub use garbage::Reclaimed;
pub use given_up::Queued;
pub use heal::{Damaged, Healed};
pub use orphans::Orphans;
pub use queue::HealCursor;
pub use rebalance::{Imbalance, Rebalanced};
pub use reconcile::{Reconciled, Reconciling};
pub use relocate::Relocated;
pub use scrub::Scrubbed;
pub use stale_uploads::StaleUploads;

use crate::blobs::{copy_bytes, copy_record};
use crate::change::{Count, count_copy};
use crate::{Error, Objects};
use cofre_catalog::records::{BlobRecord, CopyRecord, DoomedRecord, Record};
use cofre_catalog::{Batch, Check, CommitError, Revision, keys};
use cofre_shards::{BlobRef, Copy, CopyState};
use cofre_types::{BlobId, ShardId};
use futures_util::stream::{self, StreamExt};

/// Most copies of a blob that are read at once: each is on a shard of its own.
const CHECKS_AT_ONCE_MAX: usize = 8;

/// Most blobs of a step that are moved, healed or read back at once: enough to share a sync, few enough to leave
/// requests their turn.
const BLOBS_AT_ONCE_MAX: usize = 16;

/// What is wrong with a copy that can still be read and was deleted.
pub(crate) const DELETED: &str = "it was deleted there, though it can still be read";

/// A blob and the commit that wrote its record.
pub(crate) struct HeldBlob {
    pub id: BlobId,
    pub revision: Revision,
    pub record: BlobRecord,
}

impl Objects {
    pub(crate) async fn held_blob(&self, id: BlobId) -> Result<Option<HeldBlob>, Error> {
        let Some(entry) = self.get(keys::blob(id)).await? else { return Ok(None) };
        Ok(Some(HeldBlob { id, revision: entry.revision, record: BlobRecord::decode(&entry.value)? }))
    }

    /// Reads some copies of a blob whole, side by side, and tells what each is, in their order.
    pub(crate) async fn check_copies(&self, blob: &BlobRef, copies: &[Copy]) -> Vec<(Copy, CopyState)> {
        let each: Vec<_> = copies.iter().map(|copy| self.shards().verify(blob, copy)).collect();
        let states: Vec<_> = stream::iter(each).buffered(CHECKS_AT_ONCE_MAX).collect().await;
        copies.iter().cloned().zip(states).collect()
    }

    /// Bucket and key of the object that a blob was written for, as the header of any copy tells. A copy shares the
    /// blob of its source, and a key may be written anew: it says where the bytes came from.
    pub(crate) async fn object_of(&self, blob: &BlobRef) -> Option<String> {
        self.shards().about(blob).await.map(|header| format!("{}/{}", header.bucket, header.key))
    }

    /// Commits a batch of maintenance; false if a check failed, so that the step is done anew.
    pub(crate) async fn maintain(&self, mut batch: Batch) -> Result<bool, Error> {
        // On a full disk it is what leads to room.
        batch.frees = true;
        match self.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Failed(_)) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

impl HeldBlob {
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
