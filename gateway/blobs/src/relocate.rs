use crate::blob::{BLOBS_AT_ONCE_MAX, blob_ref, copy_bytes, doom};
use crate::blobs::Blobs;
use crate::error::BlobsError;
use crate::given_up::GivenUp;
use cofre_catalog::{Batch, keys};
use cofre_shards::{BlobRef, Copy, CopyState};
use cofre_types::{BlobId, Scheme, ShardId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::sync::Arc;

/// Most blobs that one step moves.
const BLOBS_PER_STEP_MAX: usize = 64;

/// Why a copy stays where it is.
const TOO_FEW: &str = "too few other shards have room, or hold whole copies";

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

impl Blobs {
    /// Moves some copies off a shard: each is written elsewhere and committed before it is doomed.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn relocate(&self, shard: ShardId, after: Option<BlobId>) -> Result<Relocated, BlobsError> {
        let (found, next) = self.blobs_on(shard, after, BLOBS_PER_STEP_MAX).await?;
        let moves = found.into_iter().map(|id| (id, shard, vec![shard])).collect();
        Ok(Relocated { next, ..self.relocate_blobs(moves).await? })
    }

    /// Moves blobs off a shard each, to one that is not in the list behind it, in which the shard itself is. Several go
    /// at once, so that they share the syncs of packs and catalog.
    pub(crate) async fn relocate_blobs(
        &self,
        moves: Vec<(BlobId, ShardId, Vec<ShardId>)>,
    ) -> Result<Relocated, BlobsError> {
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
    ) -> Result<Relocated, BlobsError> {
        let Some(held) = self.held_blob(id).await? else { return Ok(Relocated::default()) };
        let blob = blob_ref(id, &held.record);
        if !blob.copies.iter().any(|copy| copy.shard == shard) {
            return Ok(Relocated::default());
        }
        let counts = |copy: &&Copy| !given_up.contains_key(&copy.shard);
        let counting: Vec<Copy> = blob.copies.iter().filter(counts).cloned().collect();
        let counted = BlobRef { copies: counting, ..blob.clone() };
        let whole_elsewhere = match blob.scheme {
            Scheme::Replicas { .. } => self.whole_elsewhere(&counted, shard).await,
            Scheme::Erasure { .. } => 0,
        };
        // A copy that is out of reach counts for none, and is not written anew: the one here could not go.
        let others = counted.copies.iter().filter(|copy| copy.shard != shard).count();
        if matches!(blob.scheme, Scheme::Replicas { .. }) && whole_elsewhere < others.min(blob.scheme.width()) {
            return Ok(Relocated::failed(TOO_FEW));
        }
        let began = self.now();
        let new = match self.shards().add_copies(&blob, &counted.copies, held.record.scheme, avoid).await {
            Ok(new) => new,
            Err(error) => return Ok(Relocated::failed(error)),
        };
        self.refuse_stale(began)?;
        let mut batch = Batch::new();
        if self.stands_without(&counted, shard, &new, whole_elsewhere).await {
            let leaving: Vec<Copy> = blob.copies.iter().filter(|copy| copy.shard == shard).cloned().collect();
            held.change_copies(&leaving, new, &mut batch);
            if !self.maintain(batch).await? {
                return Ok(Relocated::default());
            }
            let bytes = leaving.iter().map(|copy| copy_bytes(&held.record, copy.piece)).sum();
            return Ok(Relocated { blobs: 1, bytes, ..Relocated::default() });
        }
        let (beside, apart) = self.split_beside(shard, new).await?;
        if !(beside.is_empty() && apart.is_empty()) {
            for copy in beside {
                batch.unchanged(keys::doomed(copy.shard, id), None);
                doom(&mut batch, id, copy.shard, copy.locator.0, copy_bytes(&held.record, copy.piece));
            }
            held.change_copies(&[], apart, &mut batch);
            self.maintain(batch).await?;
        }
        Ok(Relocated::failed(TOO_FEW))
    }

    /// New copies that stand on the failure domain of a shard whose copy stays after all, and the others.
    async fn split_beside(&self, stays: ShardId, new: Vec<Copy>) -> Result<(Vec<Copy>, Vec<Copy>), BlobsError> {
        let shards: Vec<_> = std::iter::once(stays).chain(new.iter().map(|copy| copy.shard)).collect();
        let mut domains = self.failure_domains(&shards).await?.into_iter();
        let own = domains.next().flatten();
        let (beside, apart): (Vec<_>, Vec<_>) =
            new.into_iter().zip(domains).partition(|(_, domain)| own.is_some() && *domain == own);
        let copies = |some: Vec<(Copy, Option<String>)>| some.into_iter().map(|(copy, _)| copy).collect();
        Ok((copies(beside), copies(apart)))
    }
}

impl Relocated {
    fn failed(why: impl ToString) -> Self {
        Self { failed: 1, last_error: Some(why.to_string()), ..Self::default() }
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

impl Blobs {
    /// Whether the copies on a shard can go: the others, with the new ones, are proved to be as many as the scheme asks
    /// for, or the same pieces stand elsewhere.
    async fn stands_without(&self, blob: &BlobRef, shard: ShardId, new: &[Copy], whole_elsewhere: usize) -> bool {
        match blob.scheme {
            Scheme::Replicas { .. } => whole_elsewhere + new.len() >= blob.scheme.width(),
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
        let others: Vec<_> = blob.copies.iter().filter(|copy| copy.shard != shard).cloned().collect();
        let seen = self.check_copies(blob, &others).await;
        seen.iter().filter(|(_, state)| *state == CopyState::Whole).count()
    }
}
