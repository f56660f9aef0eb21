use super::{Topology, TopologyError};
use cofre_catalog::records::{DoomedRecord, HealRecord, Record, RecordError};
use cofre_catalog::{Revision, Scan, SnapshotExt, Visit, VisitStep, keys};
use cofre_types::Timestamp;

/// Most blobs that [`Topology::waiting_for_heal`] counts.
pub const WAITING_COUNTED_MAX: u64 = 100_000;

/// Blobs below their redundancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many there are, or were counted.
    pub blobs: u64,
    /// How many of them are lost with the next copy or piece that is.
    pub without_spare: u64,
    /// Whether there are more than were counted.
    pub more: bool,
    /// Since when the longest of the counted waits.
    pub oldest: Option<Timestamp>,
}

/// Copies that wait to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doomed {
    /// How many there are, or were counted.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether there are more than were counted.
    pub more: bool,
}

impl Topology {
    /// How many copies wait to be deleted, up to [`WAITING_COUNTED_MAX`].
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn waiting_to_be_deleted(&self) -> Result<Doomed, TopologyError> {
        let snapshot = self.0.store.snapshot().await?;
        let count = snapshot.scan(Scan::prefix(&[keys::family::DOOMED]), CountDoomed::default()).await?;
        count.damaged.map_or(Ok(count.doomed), |error| Err(error.into()))
    }

    /// How many blobs wait to be healed, up to [`WAITING_COUNTED_MAX`].
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn waiting_for_heal(&self) -> Result<Waiting, TopologyError> {
        let snapshot = self.0.store.snapshot().await?;
        let count = snapshot.scan(Scan::prefix(&[keys::family::HEAL]), CountWaiting::default()).await?;
        count.damaged.map_or(Ok(count.waiting), |error| Err(error.into()))
    }
}

#[derive(Default)]
struct CountWaiting {
    waiting: Waiting,
    damaged: Option<RecordError>,
}

impl Visit for CountWaiting {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        if self.waiting.blobs == WAITING_COUNTED_MAX {
            self.waiting.more = true;
            return VisitStep::Stop;
        }
        match HealRecord::decode(value) {
            Ok(record) => {
                self.waiting.blobs += 1;
                self.waiting.without_spare += u64::from(keys::heal_spares(key) == Some(0));
                let oldest = self.waiting.oldest.unwrap_or(record.since);
                self.waiting.oldest = Some(oldest.min(record.since));
                VisitStep::Continue
            }
            Err(error) => {
                self.damaged = Some(error);
                VisitStep::Stop
            }
        }
    }
}

#[derive(Default)]
struct CountDoomed {
    doomed: Doomed,
    damaged: Option<RecordError>,
}

impl Visit for CountDoomed {
    fn visit(&mut self, _: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        if self.doomed.copies == WAITING_COUNTED_MAX {
            self.doomed.more = true;
            return VisitStep::Stop;
        }
        match DoomedRecord::decode(value) {
            Ok(record) => {
                self.doomed.copies += 1;
                self.doomed.bytes += record.size;
                VisitStep::Continue
            }
            Err(error) => {
                self.damaged = Some(error);
                VisitStep::Stop
            }
        }
    }
}
