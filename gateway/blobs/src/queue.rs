//! The queue of blobs that are below their redundancy, those nearest loss first.

use crate::blobs::Blobs;
use crate::counts::spares;
use crate::error::BlobsError;
use cofre_catalog::records::{HealRecord, Record};
use cofre_catalog::{Batch, Entry, ReadExt, Scan, keys};
use cofre_types::{BlobId, ShardId};
use std::ops::Bound;

/// Most blobs that one step takes in the order of the queue.
const BLOBS_PER_STEP_MAX: usize = 64;
/// Most blobs that one step takes besides from those that have nothing to spare.
const URGENT_PER_STEP_MAX: usize = 16;

/// Where a walk of the queue goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealCursor {
    /// The last key that was taken in the order of the queue.
    at: Vec<u8>,
    /// The last key that was taken besides.
    urgent: Option<Vec<u8>>,
}

/// What a step takes off the queue.
pub(crate) struct QueuePage {
    pub(crate) entries: Vec<(Vec<u8>, Entry)>,
    pub(crate) next: Option<HealCursor>,
}

impl Blobs {
    /// Puts a blob in the heal queue because a copy of it was found bad.
    ///
    /// # Errors
    /// [`BlobsError`].
    pub async fn queue_heal(&self, blob: BlobId, suspect: ShardId) -> Result<(), BlobsError> {
        for _ in Self::tries() {
            let Some(held) = self.held_blob(blob).await? else { return Ok(()) };
            let places: Vec<_> = keys::heals(blob).collect();
            let entries = self.store().get_many(places.clone()).await?;
            let mut heal = match entries.iter().flatten().next() {
                Some(entry) => HealRecord::decode(&entry.value)?,
                None => HealRecord { since: self.now(), suspects: Vec::new() },
            };
            if heal.suspects.contains(&suspect) {
                return Ok(());
            }
            heal.suspects.push(suspect);
            let mut batch = Batch::new();
            batch.unchanged(keys::blob(blob), Some(held.revision));
            for (place, entry) in places.into_iter().zip(entries) {
                let there = entry.is_some();
                batch.unchanged(place.clone(), entry.map(|entry| entry.revision));
                if there {
                    batch.delete(place);
                }
            }
            // The later write of a key counts: it may stay where it was.
            batch.put(keys::heal(spares(&held.record, &heal.suspects), blob), heal.encode());
            if self.maintain(batch).await? {
                return Ok(());
            }
        }
        Err(BlobsError::Conflict)
    }

    /// Waits for a read to come upon a bad copy, and queues its blob; false once there is no pool that
    /// could tell. One caller at a time.
    ///
    /// # Errors
    /// [`BlobsError`]; the report is gone, and scrubbing finds the copy again.
    pub async fn queue_reported(&self) -> Result<bool, BlobsError> {
        let mut reports = self.0.reports.lock().await;
        let Some(reports) = reports.as_mut() else { return Ok(false) };
        let Some(report) = reports.next().await else { return Ok(false) };
        self.queue_heal(report.blob, report.shard).await?;
        Ok(true)
    }

    /// What comes next in the queue. Blobs that came to have nothing to spare after the walk had passed them are taken
    /// along, so that they do not wait for the walk of a long queue to end.
    pub(crate) async fn heal_queue(&self, after: Option<HealCursor>) -> Result<QueuePage, BlobsError> {
        let snapshot = self.store().snapshot().await?;
        let urgent_key = keys::heal(0, BlobId::from_bytes([0; 16]));
        let urgent_prefix = urgent_key.get(..2).unwrap_or_default();
        let mut entries = Vec::new();
        let mut urgent = None;
        if let Some(after) = after.as_ref().filter(|after| !after.at.starts_with(urgent_prefix)) {
            let mut scan = Scan::prefix(urgent_prefix);
            if let Some(urgent) = &after.urgent {
                scan.from = Bound::Excluded(urgent.clone());
            }
            entries = snapshot.page(scan, URGENT_PER_STEP_MAX).await?;
            // At their end they begin anew.
            urgent = entries.last().filter(|_| entries.len() == URGENT_PER_STEP_MAX).map(|(key, _)| key.clone());
        }
        let mut scan = Scan::prefix(&[keys::family::HEAL]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(after.at);
        }
        let page = snapshot.page(scan, BLOBS_PER_STEP_MAX).await?;
        let last = page.last().filter(|_| page.len() == BLOBS_PER_STEP_MAX).map(|(key, _)| key.clone());
        entries.extend(page);
        Ok(QueuePage { entries, next: last.map(|at| HealCursor { at, urgent }) })
    }
}
