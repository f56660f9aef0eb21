use super::{Topology, TopologyError};
use cofre_catalog::records::{DoomedRecord, Record, RecordError, ShardUsage};
use cofre_catalog::{Revision, Scan, SnapshotExt, Visit, VisitStep, keys};
use cofre_types::ShardId;

/// What stands on a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Copies that a record names, those that wait to be deleted included.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Topology {
    /// Counts what stands on a shard, from one state of the catalog: the copies that records name,
    /// which every commit keeps count of, and those that wait to be deleted.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn holdings(&self, shard: ShardId) -> Result<Holdings, TopologyError> {
        let snapshot = self.0.store.snapshot().await?;
        let row = snapshot.get(keys::shard_usage(shard)).await?;
        let named = row.map_or_else(ShardUsage::default, |entry| ShardUsage::from_value(&entry.value));
        let held = Holdings { blobs: named.copies.unsigned_abs(), bytes: named.bytes.unsigned_abs() };
        let count = CountDoomed { held, damaged: None };
        snapshot.scan(Scan::prefix(&keys::doomed_on(shard)), count).await?.finish()
    }
}

struct CountDoomed {
    held: Holdings,
    damaged: Option<RecordError>,
}

impl Visit for CountDoomed {
    fn visit(&mut self, _: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        match DoomedRecord::decode(value) {
            Ok(record) => {
                self.held.blobs += 1;
                self.held.bytes += record.size;
                VisitStep::Continue
            }
            Err(error) => {
                self.damaged = Some(error);
                VisitStep::Stop
            }
        }
    }
}

impl CountDoomed {
    fn finish(self) -> Result<Holdings, TopologyError> {
        self.damaged.map_or(Ok(self.held), |error| Err(error.into()))
    }
}
