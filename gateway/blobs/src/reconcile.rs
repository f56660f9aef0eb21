use crate::blob::{blob_ref, copy_bytes, copy_record};
use crate::blobs::Blobs;
use crate::counts::{Count, count_copy};
use crate::error::BlobsError;
use crate::judge::{Judgement, OutOfReach};
use cofre_catalog::records::{DoomedRecord, Record};
use cofre_catalog::{Batch, Check, Entry, ReadExt, Scan, keys};
use cofre_shards::{CopyState, Locator, standing};
use cofre_types::{BlobId, ShardId};

/// Most copies that one step looks at.
const COPIES_PER_STEP_MAX: usize = 16;

/// Where a pass over a shard that came back is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciling {
    /// In the copies that records let go while it was away, after this one.
    LetGo(Option<BlobId>),
    /// In the copies that records name, after this one.
    Named(Option<BlobId>),
}

/// What a step of holding a shard against the catalog found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Copies that records name, or name again, and that were read whole.
    pub good: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of those, copies that had been let go and that their blobs lack.
    pub taken_back: u64,
    /// Copies that records name and that are bad: their blobs wait to be healed.
    pub bad: u64,
    /// Copies that could not be read: the pass proves nothing.
    pub unreachable: u64,
    /// Where to go on; absent at the end.
    pub next: Option<Reconciling>,
}

impl Blobs {
    /// Holds some copies on a shard that came back against the catalog, before anything on it is deleted or counts
    /// for more than its record says.
    ///
    /// A copy that was let go while the shard was away is read, and named again if its blob lacks one. A copy that a
    /// record still names is read, and its blob queued to be healed if it is bad.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn reconcile(&self, shard: ShardId, at: Reconciling) -> Result<Reconciled, BlobsError> {
        match at {
            Reconciling::LetGo(after) => self.reconcile_let_go(shard, after).await,
            Reconciling::Named(after) => self.reconcile_named(shard, after).await,
        }
    }

    async fn reconcile_let_go(&self, shard: ShardId, after: Option<BlobId>) -> Result<Reconciled, BlobsError> {
        let mut scan = Scan::prefix(&keys::doomed_on(shard));
        if let Some(after) = after {
            scan = scan.after(keys::doomed(shard, after));
        }
        let entries = self.store().page(scan, COPIES_PER_STEP_MAX).await?;
        let last = entries.last().and_then(|(key, _)| keys::blob_of(key));
        let full = entries.len() == COPIES_PER_STEP_MAX;
        let next = if full { Reconciling::LetGo(last) } else { Reconciling::Named(None) };
        let mut reconciled = Reconciled { next: Some(next), ..Reconciled::default() };
        for (key, entry) in entries {
            if let Some(blob) = keys::blob_of(&key) {
                self.take_back(shard, blob, entry, &mut reconciled).await?;
            }
        }
        Ok(reconciled)
    }

    /// Names a copy again that was let go, if its blob lacks one and it is whole.
    async fn take_back(
        &self,
        shard: ShardId,
        blob: BlobId,
        doomed: Entry,
        reconciled: &mut Reconciled,
    ) -> Result<(), BlobsError> {
        let Some(held) = self.held_blob(blob).await? else { return Ok(()) };
        let scheme = held.record.scheme;
        let named = standing(scheme, held.record.copies.iter().map(|copy| copy.piece));
        let doubted = named < scheme.width() || self.heal_record(blob).await?.is_some();
        if !doubted || held.record.copies.iter().any(|copy| copy.shard == shard) {
            return Ok(());
        }
        let let_go = DoomedRecord::decode(&doomed.value)?;
        let found = (shard, Locator(let_go.locator));
        let Ok(_turn) = self.shards().naming(shard).await else {
            reconciled.unreachable += 1;
            return Ok(());
        };
        let copy = match self.judge(&held, found, OutOfReach::NotWhole).await? {
            Judgement::Lacks { copy, .. } => copy,
            Judgement::Needless => return Ok(()),
            Judgement::Unknown => {
                reconciled.unreachable += 1;
                return Ok(());
            }
        };
        let bytes = copy_bytes(&held.record, copy.piece);
        let mut record = held.record.clone();
        let mut batch = Batch::new();
        batch.unchanged(keys::blob(blob), Some(held.revision));
        batch.unchanged(keys::doomed(shard, blob), Some(doomed.revision));
        batch.checks.push(Check::Present(keys::shard(shard)));
        batch.delete(keys::doomed(shard, blob));
        count_copy(&mut batch, shard, bytes, Count::Add);
        record.copies.push(copy_record(copy));
        batch.put(keys::blob(blob), record.encode());
        if self.maintain(batch).await? {
            reconciled.good += 1;
            reconciled.taken_back += 1;
            reconciled.bytes += bytes;
        } else {
            // It changed meanwhile: the next pass decides anew.
            reconciled.unreachable += 1;
        }
        Ok(())
    }

    async fn reconcile_named(&self, shard: ShardId, after: Option<BlobId>) -> Result<Reconciled, BlobsError> {
        let (found, next) = self.blobs_on(shard, after, COPIES_PER_STEP_MAX).await?;
        let mut reconciled =
            Reconciled { next: next.map(|last| Reconciling::Named(Some(last))), ..Reconciled::default() };
        for blob in found {
            let Some(held) = self.held_blob(blob).await? else { continue };
            let known = blob_ref(blob, &held.record);
            let Some(copy) = known.copies.iter().find(|copy| copy.shard == shard) else { continue };
            match self.shards().verify(&known, copy).await {
                CopyState::Whole => {
                    reconciled.good += 1;
                    reconciled.bytes += copy_bytes(&held.record, copy.piece);
                }
                CopyState::Missing | CopyState::Corrupt(_) | CopyState::Deleted => {
                    reconciled.bad += 1;
                    self.queue_heal(blob, shard).await?;
                }
                CopyState::Unreachable(_) => reconciled.unreachable += 1,
            }
        }
        Ok(reconciled)
    }
}

impl Reconciling {
    /// The bytes that a job's record keeps.
    pub fn encode(self) -> Vec<u8> {
        let (phase, after) = match self {
            Self::LetGo(after) => (0, after),
            Self::Named(after) => (1, after),
        };
        let mut bytes = vec![phase];
        bytes.extend(after.iter().flat_map(|id| *id.as_bytes()));
        bytes
    }

    /// Undoes [`Reconciling::encode`]; the beginning for other bytes.
    pub fn decode(bytes: &[u8]) -> Self {
        let after = |rest: &[u8]| rest.try_into().ok().map(BlobId::from_bytes);
        match bytes.split_first() {
            Some((1, rest)) => Self::Named(after(rest)),
            Some((_, rest)) => Self::LetGo(after(rest)),
            None => Self::LetGo(None),
        }
    }
}
