use super::{Topology, TopologyError};
use cofre_catalog::records::{DoomedRecord, HealRecord, QueueTally, Record, RecordError};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, begin_tally, keys};
use cofre_types::Timestamp;

/// Most blobs or copies that are counted one by one, in a catalog that does not count them itself.
pub const WAITING_COUNTED_MAX: u64 = 100_000;

/// Most blobs of the heal queue whose age is looked at.
pub const AGES_LOOKED_AT_MAX: usize = 1_000;

/// Blobs below their redundancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many there are, or were counted.
    pub blobs: u64,
    /// How many of them are lost with the next copy or piece that is.
    pub without_spare: u64,
    /// Whether there are more than were counted.
    pub more: bool,
    /// Since when the longest waits, of the first [`AGES_LOOKED_AT_MAX`] in the order of the queue. Those that are
    /// equally near loss stand in it by chance, whatever their age.
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
    /// Begins to count what waits, once, in a catalog of a Cofre that did not. To be called before a door or a job opens.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read or written.
    pub async fn count_waiting(&self) -> Result<(), TopologyError> {
        for of in [keys::family::HEAL, keys::family::DOOMED] {
            begin_tally(self.0.store.as_ref(), of).await?;
        }
        Ok(())
    }

    /// How many copies wait to be deleted, exactly; in a catalog that does not count them, up to
    /// [`WAITING_COUNTED_MAX`].
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn waiting_to_be_deleted(&self) -> Result<Doomed, TopologyError> {
        if let Some(tally) = self.tally(keys::family::DOOMED).await? {
            return Ok(Doomed { copies: counted(tally.records), bytes: counted(tally.weight), more: false });
        }
        let count = self.0.store.scan(Scan::prefix(&[keys::family::DOOMED]), CountDoomed::default()).await?;
        count.damaged.map_or(Ok(count.doomed), |error| Err(error.into()))
    }

    /// How many blobs wait to be healed, exactly; in a catalog that does not count them, up to [`WAITING_COUNTED_MAX`].
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn waiting_for_heal(&self) -> Result<Waiting, TopologyError> {
        let (queue, tally) = (Scan::prefix(&[keys::family::HEAL]), self.tally(keys::family::HEAL).await?);
        let queue = if tally.is_some() { queue.at_most(AGES_LOOKED_AT_MAX) } else { queue };
        let count = self.0.store.scan(queue, CountWaiting::default()).await?;
        if let Some(error) = count.damaged {
            return Err(error.into());
        }
        Ok(match tally {
            Some(tally) => Waiting {
                blobs: counted(tally.records),
                without_spare: counted(tally.weight),
                more: false,
                oldest: count.waiting.oldest,
            },
            None => count.waiting,
        })
    }

    /// Whether no blob waits to be healed.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn is_healed(&self) -> Result<bool, TopologyError> {
        Ok(self.0.store.count(Scan::prefix(&[keys::family::HEAL]), 1).await? == 0)
    }

    /// Whether no copy waits to be deleted.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn is_rid_of_doomed(&self) -> Result<bool, TopologyError> {
        Ok(self.0.store.count(Scan::prefix(&[keys::family::DOOMED]), 1).await? == 0)
    }

    async fn tally(&self, of: u8) -> Result<Option<QueueTally>, TopologyError> {
        Ok(self.0.store.get(keys::waiting(of)).await?.map(|row| QueueTally::from_value(&row.value)))
    }
}

/// A counter as a number of what there is.
fn counted(counter: i64) -> u64 {
    u64::try_from(counter).unwrap_or(0)
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
