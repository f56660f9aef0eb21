use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::records::{BlobRecord, Record, RecordError};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_types::BlobId;
use std::ops::Bound;

/// Most records that one step reads in search of blobs.
const RECORDS_PER_STEP_MAX: usize = 10_000;

impl Blobs {
    /// What `choose` takes of some blobs after `after`, at most `found_max`, and where to go on; absent at the end of
    /// the catalog.
    pub(crate) async fn walk_blobs<T: Send + 'static>(
        &self,
        after: Option<BlobId>,
        found_max: usize,
        choose: impl FnMut(BlobId, BlobRecord) -> Option<T> + Send + 'static,
    ) -> Result<(Vec<T>, Option<BlobId>), BlobsError> {
        let mut scan = Scan::prefix(&[keys::family::BLOB]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(keys::blob(after));
        }
        let walk = Walk { choose, found_max, found: Vec::new(), read: 0, last: None, error: None };
        let walk = self.store().scan(scan, walk).await?;
        if let Some(error) = walk.error {
            return Err(error.into());
        }
        let next = walk.last.filter(|_| walk.is_full());
        Ok((walk.found, next))
    }
}

struct Walk<T, F> {
    choose: F,
    found_max: usize,
    found: Vec<T>,
    read: usize,
    last: Option<BlobId>,
    error: Option<RecordError>,
}

impl<T, F> Walk<T, F> {
    fn is_full(&self) -> bool {
        self.read == RECORDS_PER_STEP_MAX || self.found.len() == self.found_max
    }
}

impl<T: Send + 'static, F: FnMut(BlobId, BlobRecord) -> Option<T> + Send + 'static> Visit for Walk<T, F> {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        let Some(id) = keys::blob_of(key) else { return VisitStep::Continue };
        self.read += 1;
        self.last = Some(id);
        match BlobRecord::decode(value) {
            Ok(record) => self.found.extend((self.choose)(id, record)),
            Err(error) => {
                self.error = Some(error);
                return VisitStep::Stop;
            }
        }
        if self.is_full() { VisitStep::Stop } else { VisitStep::Continue }
    }
}
