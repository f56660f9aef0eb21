use crate::{Error, Objects};
use cofre_catalog::records::{BlobRecord, HealRecord, Record, RecordError};
use cofre_catalog::{Revision, Scan, SnapshotExt, Visit, VisitStep, keys};
use cofre_types::{BlobId, ShardId};
use std::ops::Bound;

/// Most records that one step reads in search of blobs.
const RECORDS_PER_STEP_MAX: usize = 10_000;

impl Objects {
    /// Some blobs after `after` that have a copy on a shard, at most `found_max`, and where to go on; absent at the
    /// end of the catalog.
    pub(crate) async fn blobs_on(
        &self,
        shard: ShardId,
        after: Option<BlobId>,
        found_max: usize,
    ) -> Result<(Vec<BlobId>, Option<BlobId>), Error> {
        let mut scan = Scan::prefix(&[keys::family::BLOB]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(keys::blob(after));
        }
        let search = Search { shard, found_max, found: Vec::new(), read: 0, last: None, error: None };
        let search = self.store().snapshot().await?.scan(scan, search).await?;
        if let Some(error) = search.error {
            return Err(error.into());
        }
        let next = search.last.filter(|_| search.is_full());
        Ok((search.found, next))
    }

    /// Why a blob waits to be healed, if it does.
    pub(crate) async fn heal_record(&self, blob: BlobId) -> Result<Option<HealRecord>, Error> {
        let found = self.store().get_many(keys::heals(blob).collect()).await?;
        Ok(found.into_iter().flatten().next().map(|entry| HealRecord::decode(&entry.value)).transpose()?)
    }
}

struct Search {
    shard: ShardId,
    found_max: usize,
    found: Vec<BlobId>,
    read: usize,
    last: Option<BlobId>,
    error: Option<RecordError>,
}

impl Search {
    fn is_full(&self) -> bool {
        self.read == RECORDS_PER_STEP_MAX || self.found.len() == self.found_max
    }
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
        if self.is_full() { VisitStep::Stop } else { VisitStep::Continue }
    }
}
