use super::HeldBlob;
use crate::blobs::blob_ref;
use crate::{Error, Objects};
use cofre_catalog::records::{HealRecord, Record};
use cofre_catalog::{Batch, Scan, SnapshotExt, keys};
use cofre_shards::{AddError, Copy, CopyState};
use cofre_types::{BlobId, ShardId};
use std::ops::Bound;

/// Most blobs that one step looks at.
const BLOBS_PER_STEP_MAX: usize = 16;

/// What a step of healing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healed {
    /// Blobs whose redundancy was proved whole again.
    pub blobs: u64,
    /// Bytes of the copies that were written.
    pub bytes: u64,
    /// Blobs that wait: no shard to write to, or a copy that cannot be reached.
    pub waiting: u64,
    /// Blobs of which no whole copy was found, with why. Nothing of them is deleted.
    pub damaged: Vec<(BlobId, String)>,
    /// Where to go on; absent at the end of the queue.
    pub next: Option<BlobId>,
}

/// The copies of a blob, by what looking at them proved.
#[derive(Default)]
struct Sorted {
    good: Vec<Copy>,
    bad: Vec<ShardId>,
    unknown: Vec<Copy>,
    why: String,
}

impl Objects {
    /// Puts a blob in the heal queue because a copy of it was found bad.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn queue_heal(&self, blob: BlobId, suspect: ShardId) -> Result<(), Error> {
        for _ in Self::tries() {
            let Some(held) = self.held_blob(blob).await? else { return Ok(()) };
            let entry = self.get(keys::heal(blob)).await?;
            let mut heal = match &entry {
                Some(entry) => HealRecord::decode(&entry.value)?,
                None => HealRecord { since: self.now(), suspects: Vec::new() },
            };
            if heal.suspects.contains(&suspect) {
                return Ok(());
            }
            heal.suspects.push(suspect);
            let mut batch = Batch::new();
            batch.unchanged(keys::blob(blob), Some(held.revision));
            batch.unchanged(keys::heal(blob), entry.map(|entry| entry.revision));
            batch.put(keys::heal(blob), heal.encode());
            if self.maintain(batch).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict)
    }

    /// Waits for a read to come upon a bad copy, and queues its blob; false once there is no pool that
    /// could tell. One caller at a time.
    ///
    /// # Errors
    /// [`Error`]; the report is gone, and scrubbing finds the copy again.
    pub async fn queue_reported(&self) -> Result<bool, Error> {
        let mut reports = self.0.reports.lock().await;
        let Some(reports) = reports.as_mut() else { return Ok(false) };
        let Some(report) = reports.next().await else { return Ok(false) };
        self.queue_heal(report.blob, report.shard).await?;
        Ok(true)
    }

    /// Heals some blobs of the queue after `after`.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read or written.
    pub async fn heal(&self, after: Option<BlobId>) -> Result<Healed, Error> {
        let mut scan = Scan::prefix(&[keys::family::HEAL]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(keys::heal(after));
        }
        let queue = self.store().snapshot().await?.page(scan, BLOBS_PER_STEP_MAX).await?;
        let mut healed = Healed::default();
        if queue.len() == BLOBS_PER_STEP_MAX {
            healed.next = queue.last().and_then(|(key, _)| keys::blob_of(key));
        }
        for (key, entry) in queue {
            let Some(id) = keys::blob_of(&key) else { continue };
            let Some(held) = self.held_blob(id).await? else {
                let mut batch = Batch::new();
                batch.unchanged(key.clone(), Some(entry.revision));
                batch.delete(key);
                self.maintain(batch).await?;
                continue;
            };
            let mut batch = Batch::new();
            batch.unchanged(key.clone(), Some(entry.revision));
            batch.delete(key);
            self.heal_blob(&held, batch, &mut healed).await?;
        }
        Ok(healed)
    }

    /// `unqueue` takes the blob off the queue; it is part of the commit that makes the blob whole.
    async fn heal_blob(&self, held: &HeldBlob, unqueue: Batch, healed: &mut Healed) -> Result<(), Error> {
        let sorted = self.sort_copies(held).await;
        if sorted.good.is_empty() {
            if sorted.unknown.is_empty() {
                healed.damaged.push((held.id, sorted.why));
            } else {
                healed.waiting += 1;
            }
            return Ok(());
        }
        let kept: Vec<Copy> = sorted.good.iter().chain(&sorted.unknown).cloned().collect();
        let blob = blob_ref(held.id, &held.record);
        let began = self.now();
        let new = match self.shards().add_copies(&blob, &kept, held.record.scheme, &[]).await {
            Ok(new) => new,
            Err(AddError::Read(_) | AddError::Write(_)) => {
                healed.waiting += 1;
                return Ok(());
            }
        };
        self.refuse_stale(began)?;
        let whole = kept.len() + new.len() >= held.record.scheme.width() && sorted.unknown.is_empty();
        let bytes = held.record.size * new.len() as u64;
        if !whole && new.is_empty() && sorted.bad.is_empty() {
            healed.waiting += 1;
            return Ok(());
        }
        let mut batch = if whole { unqueue } else { Batch::new() };
        held.change_copies(&sorted.bad, new, &mut batch);
        if self.maintain(batch).await? {
            healed.bytes += bytes;
            healed.blobs += u64::from(whole);
            healed.waiting += u64::from(!whole);
        }
        Ok(())
    }

    async fn sort_copies(&self, held: &HeldBlob) -> Sorted {
        let mut sorted = Sorted::default();
        let blob = blob_ref(held.id, &held.record);
        for copy in blob.copies.clone() {
            match self.shards().verify(&blob, &copy).await {
                CopyState::Whole => sorted.good.push(copy),
                CopyState::Missing => {
                    sorted.why = format!("shard {}: missing", copy.shard);
                    sorted.bad.push(copy.shard);
                }
                CopyState::Corrupt(why) => {
                    sorted.why = format!("shard {}: {why}", copy.shard);
                    sorted.bad.push(copy.shard);
                }
                CopyState::Unreachable(_) => sorted.unknown.push(copy),
            }
        }
        sorted
    }
}
