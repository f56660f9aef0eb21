use crate::blobs::{blob_ref, copy_bytes};
use crate::{Error, Objects};
use cofre_catalog::Batch;
use cofre_shards::{BlobRef, Copy, CopyState};
use cofre_types::{BlobId, Scheme, ShardId};

/// Most blobs that one step moves.
const BLOBS_PER_STEP_MAX: usize = 16;

/// What a step of draining did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relocated {
    /// Copies that stand elsewhere now.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies that could not be moved yet, with the last reason.
    pub failed: u64,
    /// Why the last of them could not.
    pub last_error: Option<String>,
    /// Where to go on; absent at the end of the catalog.
    pub next: Option<BlobId>,
}

impl Objects {
    /// Moves some copies off a shard: each is written elsewhere and committed before it is doomed.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read or written.
    pub async fn relocate(&self, shard: ShardId, after: Option<BlobId>) -> Result<Relocated, Error> {
        let (found, next) = self.blobs_on(shard, after, BLOBS_PER_STEP_MAX).await?;
        let mut moved = Relocated { next, ..Relocated::default() };
        for id in found {
            self.relocate_blob(id, shard, &[shard], &mut moved).await?;
        }
        Ok(moved)
    }

    /// Moves a blob's copy off a shard to one that is not in `avoid`, in which the shard itself is.
    pub(super) async fn relocate_blob(
        &self,
        id: BlobId,
        shard: ShardId,
        avoid: &[ShardId],
        moved: &mut Relocated,
    ) -> Result<(), Error> {
        let Some(held) = self.held_blob(id).await? else { return Ok(()) };
        let blob = blob_ref(id, &held.record);
        if !blob.copies.iter().any(|copy| copy.shard == shard) {
            return Ok(());
        }
        let began = self.now();
        let new = match self.shards().add_copies(&blob, &blob.copies, held.record.scheme, avoid).await {
            Ok(new) => new,
            Err(error) => {
                moved.failed += 1;
                moved.last_error = Some(error.to_string());
                return Ok(());
            }
        };
        self.refuse_stale(began)?;
        let enough = self.stands_without(&blob, shard, &new).await;
        if !enough {
            moved.failed += 1;
            moved.last_error = Some("too few other shards have room, or hold whole copies".to_owned());
            if new.is_empty() {
                return Ok(());
            }
        }
        let lost: &[ShardId] = if enough { &[shard] } else { &[] };
        let mut batch = Batch::new();
        held.change_copies(lost, new, &mut batch);
        if self.maintain(batch).await? && !lost.is_empty() {
            moved.blobs += 1;
            let leaving = held.record.copies.iter().filter(|copy| copy.shard == shard);
            moved.bytes += leaving.map(|copy| copy_bytes(&held.record, copy.piece)).sum::<u64>();
        }
        Ok(())
    }
}

impl Objects {
    /// Whether the copies on a shard can go: the others, with the new ones, are proved to be as many as the scheme asks
    /// for, or the same pieces stand elsewhere.
    async fn stands_without(&self, blob: &BlobRef, shard: ShardId, new: &[Copy]) -> bool {
        match blob.scheme {
            Scheme::Replicas { .. } => self.whole_elsewhere(blob, shard).await + new.len() >= blob.scheme.width(),
            Scheme::Erasure { .. } => {
                for leaving in blob.copies.iter().filter(|copy| copy.shard == shard) {
                    let moved = new.iter().any(|copy| copy.piece == leaving.piece);
                    if !moved && !self.piece_elsewhere(blob, leaving).await {
                        return false;
                    }
                }
                true
            }
        }
    }

    /// Whether a piece is proved to stand whole on another shard as well.
    async fn piece_elsewhere(&self, blob: &BlobRef, piece: &Copy) -> bool {
        for copy in blob.copies.iter().filter(|copy| copy.piece == piece.piece && copy.shard != piece.shard) {
            if self.shards().verify(blob, copy).await == CopyState::Whole {
                return true;
            }
        }
        false
    }

    async fn whole_elsewhere(&self, blob: &BlobRef, shard: ShardId) -> usize {
        let mut whole = 0;
        for copy in blob.copies.iter().filter(|copy| copy.shard != shard) {
            if self.shards().verify(blob, copy).await == CopyState::Whole {
                whole += 1;
            }
        }
        whole
    }
}
