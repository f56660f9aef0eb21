use crate::blob::{HeldBlob, blob_ref, copy_bytes};
use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::records::ShardPass;
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_shards::CopyState;
use cofre_types::{BlobId, ShardId};
use std::ops::Bound;

/// Most blobs that one step reads whole.
const BLOBS_PER_STEP_MAX: usize = 16;

/// What a step of scrubbing found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Copies that were read whole.
    pub copies: u64,
    /// Bytes of content that were read.
    pub bytes: u64,
    /// Copies that are bad, and wait to be healed now.
    pub bad: u64,
    /// Copies that could not be reached, of which nothing is known.
    pub unreachable: u64,
    /// The same by shard.
    pub shards: Vec<ShardPass>,
    /// Where to go on; absent at the end of the catalog.
    pub next: Option<BlobId>,
}

impl Scrubbed {
    fn on(&mut self, shard: ShardId) -> &mut ShardPass {
        let at = self.shards.iter().position(|seen| seen.shard == shard).unwrap_or_else(|| {
            self.shards.push(ShardPass { shard, copies: 0, bytes: 0, bad: 0, unreachable: 0 });
            self.shards.len() - 1
        });
        &mut self.shards[at]
    }
}

impl Blobs {
    /// Reads every copy of some blobs after `after`, and queues those with a bad one to be healed.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn scrub(&self, after: Option<BlobId>) -> Result<Scrubbed, BlobsError> {
        let mut scan = Scan::prefix(&[keys::family::BLOB]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(keys::blob(after));
        }
        let entries = self.store().page(scan, BLOBS_PER_STEP_MAX).await?;
        let mut scrubbed = Scrubbed::default();
        if entries.len() == BLOBS_PER_STEP_MAX {
            scrubbed.next = entries.last().and_then(|(key, _)| keys::blob_of(key));
        }
        for (key, entry) in entries {
            let Some(id) = keys::blob_of(&key) else { continue };
            let held = HeldBlob::of(id, &entry)?;
            let blob = blob_ref(id, &held.record);
            for (copy, state) in self.check_copies(&blob, &blob.copies).await {
                match state {
                    CopyState::Whole => {
                        scrubbed.copies += 1;
                        let bytes = copy_bytes(&held.record, copy.piece);
                        scrubbed.bytes += bytes;
                        let seen = scrubbed.on(copy.shard);
                        seen.copies += 1;
                        seen.bytes += bytes;
                    }
                    CopyState::Missing | CopyState::Corrupt(_) | CopyState::Deleted => {
                        // It may have moved or gone since its record was read.
                        if self.held_blob(id).await?.is_some_and(|now| now.revision == held.revision) {
                            scrubbed.bad += 1;
                            scrubbed.on(copy.shard).bad += 1;
                            self.queue_heal(id, copy.shard).await?;
                        }
                    }
                    CopyState::Unreachable(_) => {
                        scrubbed.unreachable += 1;
                        scrubbed.on(copy.shard).unreachable += 1;
                    }
                }
            }
        }
        Ok(scrubbed)
    }
}
