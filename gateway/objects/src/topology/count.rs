use super::{Topology, TopologyError};
use cofre_catalog::records::{BlobRecord, DoomedRecord, Record, RecordError};
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
    /// Counts what stands on a shard, from one state of the catalog. It reads every blob's record:
    /// about a second for a million blobs.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn holdings(&self, shard: ShardId) -> Result<Holdings, TopologyError> {
        let snapshot = self.0.store.snapshot().await?;
        let count = Count { shard, held: Holdings::default(), damaged: None };
        let blobs = snapshot.scan(Scan::prefix(&[keys::family::BLOB]), count).await?.finish()?;
        let count = CountDoomed { held: blobs, damaged: None };
        snapshot.scan(Scan::prefix(&keys::doomed_on(shard)), count).await?.finish()
    }
}

struct Count {
    shard: ShardId,
    held: Holdings,
    damaged: Option<RecordError>,
}

impl Visit for Count {
    fn visit(&mut self, _: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        match BlobRecord::decode(value) {
            Ok(record) => {
                if record.copies.iter().any(|copy| copy.shard == self.shard) {
                    self.held.blobs += 1;
                    self.held.bytes += record.size;
                }
                VisitStep::Continue
            }
            Err(error) => {
                self.damaged = Some(error);
                VisitStep::Stop
            }
        }
    }
}

impl Count {
    fn finish(self) -> Result<Holdings, TopologyError> {
        self.damaged.map_or(Ok(self.held), |error| Err(error.into()))
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
