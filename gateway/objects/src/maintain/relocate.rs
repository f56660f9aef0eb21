use super::BLOBS_AT_ONCE_MAX;
use super::given_up::GivenUp;
use crate::blobs::{blob_ref, copy_bytes};
use crate::{Error, Objects};
use cofre_catalog::Batch;
use cofre_shards::{BlobRef, Copy, CopyState};
use cofre_types::{BlobId, Scheme, ShardId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;

/// Most blobs that one step moves.
const BLOBS_PER_STEP_MAX: usize = 64;

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
        let moves = found.into_iter().map(|id| (id, shard, vec![shard])).collect();
        Ok(Relocated { next, ..self.relocate_blobs(moves).await? })
    }

    /// Moves blobs off a shard each, to one that is not in the list behind it, in which the shard itself is. Several go
    /// at once, so that they share the syncs of packs and catalog.
    pub(super) async fn relocate_blobs(&self, moves: Vec<(BlobId, ShardId, Vec<ShardId>)>) -> Result<Relocated, Error> {
        let given_up = Arc::new(self.given_up_shards().await?);
        let each = moves.into_iter().map(|(id, shard, avoid)| {
            let (objects, given_up) = (self.clone(), Arc::clone(&given_up));
            async move { objects.relocate_blob(id, shard, &avoid, &given_up).await }
        });
        let moved: Vec<_> = stream::iter(each).buffer_unordered(BLOBS_AT_ONCE_MAX).try_collect().await?;
        Ok(moved.into_iter().fold(Relocated::default(), Relocated::and))
    }

    /// Copies on shards that were given up count for nothing.
    async fn relocate_blob(
        &self,
        id: BlobId,
        shard: ShardId,
        avoid: &[ShardId],
        given_up: &GivenUp,
    ) -> Result<Relocated, Error> {
        let Some(held) = self.held_blob(id).await? else { return Ok(Relocated::default()) };
        let blob = blob_ref(id, &held.record);
        if !blob.copies.iter().any(|copy| copy.shard == shard) {
            return Ok(Relocated::default());
        }
        let counts = |copy: &&Copy| !given_up.contains_key(&copy.shard);
        let counting: Vec<Copy> = blob.copies.iter().filter(counts).cloned().collect();
        let began = self.now();
        let new = match self.shards().add_copies(&blob, &counting, held.record.scheme, avoid).await {
            Ok(new) => new,
            Err(error) => return Ok(Relocated::failed(error.to_string())),
        };
        self.refuse_stale(began)?;
        let enough = self.stands_without(&BlobRef { copies: counting, ..blob.clone() }, shard, &new).await;
        let mut moved = Relocated::default();
        if !enough {
            moved = Relocated::failed("too few other shards have room, or hold whole copies".to_owned());
            if new.is_empty() {
                return Ok(moved);
            }
        }
        let leaving = blob.copies.iter().filter(|copy| enough && copy.shard == shard);
        let leaving: Vec<Copy> = leaving.cloned().collect();
        let mut batch = Batch::new();
        held.change_copies(&leaving, new, &mut batch);
        if self.maintain(batch).await? && enough {
            moved.blobs = 1;
            moved.bytes = leaving.iter().map(|copy| copy_bytes(&held.record, copy.piece)).sum::<u64>();
        }
        Ok(moved)
    }
}

impl Relocated {
    fn failed(why: String) -> Self {
        Self { failed: 1, last_error: Some(why), ..Self::default() }
    }

    /// What both did.
    fn and(self, other: Self) -> Self {
        Self {
            blobs: self.blobs + other.blobs,
            bytes: self.bytes + other.bytes,
            failed: self.failed + other.failed,
            last_error: other.last_error.or(self.last_error),
            next: other.next.or(self.next),
        }
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
