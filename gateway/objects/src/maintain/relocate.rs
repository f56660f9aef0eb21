use crate::blobs::{blob_ref, copy_bytes};
use crate::{Error, Objects};
use cofre_catalog::records::{BlobRecord, Record, RecordError};
use cofre_catalog::{Batch, Revision, Scan, SnapshotExt, Visit, VisitStep, keys};
use cofre_shards::{BlobRef, Copy, CopyState};
use cofre_types::{BlobId, Scheme, ShardId};
use std::ops::Bound;

/// Most blobs that one step moves.
const BLOBS_PER_STEP_MAX: usize = 16;

/// Most records that one step reads in search of them.
const RECORDS_PER_STEP_MAX: usize = 10_000;

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
        let mut scan = Scan::prefix(&[keys::family::BLOB]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(keys::blob(after));
        }
        let search = Search { shard, found: Vec::new(), read: 0, last: None, error: None };
        let search = self.store().snapshot().await?.scan(scan, search).await?;
        if let Some(error) = search.error {
            return Err(error.into());
        }
        let full = search.read == RECORDS_PER_STEP_MAX || search.found.len() == BLOBS_PER_STEP_MAX;
        let mut moved = Relocated { next: search.last.filter(|_| full), ..Relocated::default() };
        for id in search.found {
            self.relocate_blob(id, shard, &mut moved).await?;
        }
        Ok(moved)
    }

    async fn relocate_blob(&self, id: BlobId, shard: ShardId, moved: &mut Relocated) -> Result<(), Error> {
        let Some(held) = self.held_blob(id).await? else { return Ok(()) };
        let blob = blob_ref(id, &held.record);
        if !blob.copies.iter().any(|copy| copy.shard == shard) {
            return Ok(());
        }
        let began = self.now();
        let new = match self.shards().add_copies(&blob, &blob.copies, held.record.scheme, &[shard]).await {
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

struct Search {
    shard: ShardId,
    found: Vec<BlobId>,
    read: usize,
    last: Option<BlobId>,
    error: Option<RecordError>,
}

impl Visit for Search {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        let Some(id) = keys::blob_of(key) else { return VisitStep::Continue };
        self.read += 1;
        self.last = Some(id);
        match BlobRecord::decode(value) {
            Ok(record) => {
                if record.copies.iter().any(|copy| copy.shard == self.shard) {
                    self.found.push(id);
                }
            }
            Err(error) => {
                self.error = Some(error);
                return VisitStep::Stop;
            }
        }
        let full = self.read == RECORDS_PER_STEP_MAX || self.found.len() == BLOBS_PER_STEP_MAX;
        if full { VisitStep::Stop } else { VisitStep::Continue }
    }
}
