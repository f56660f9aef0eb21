use crate::error::Error;
use crate::upkeep::Upkeep;
use crate::upload::UploadRef;
use cofre_catalog::records::{Record, UploadRecord};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_iam::Caller;
use cofre_types::{BucketId, BucketName, ObjectKey, Timestamp, UploadId};
use std::ops::Bound;
use std::time::Duration;

/// Most uploads that one step ends.
const UPLOADS_PER_STEP_MAX: usize = 100;

/// Most records that one step reads in search of them.
const RECORDS_PER_STEP_MAX: usize = 10_000;

/// Most uploads under way among which [`Upkeep::stale_uploads_left`] counts.
const RECORDS_COUNTED_MAX: usize = 100_000;

/// What a step of ending stale uploads did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaleUploads {
    /// Uploads that were looked at.
    pub looked_at: u64,
    /// Uploads that were aborted.
    pub aborted: u64,
    /// Where to go on; absent at the end of the catalog.
    pub next: Option<Vec<u8>>,
}

impl Upkeep {
    /// Aborts uploads that began more than `age` ago and are still under way.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn abort_stale_uploads(&self, after: Option<Vec<u8>>, age: Duration) -> Result<StaleUploads, Error> {
        let mut scan = Scan::prefix(&[keys::family::UPLOAD]);
        if let Some(after) = after {
            scan.from = Bound::Excluded(after);
        }
        let caller = Caller::internal("stale-uploads", self.objects.random());
        let search = Search { now: self.objects.now(), age, found: Vec::new(), read: 0, last: Vec::new(), full: false };
        let search = self.objects.store().scan(scan, search).await?;
        let next = search.full.then_some(search.last);
        let mut stale = StaleUploads { looked_at: search.read as u64, aborted: 0, next };
        for (bucket, key, upload) in search.found {
            let Some(entry) = self.objects.get(keys::bucket_id(bucket)).await? else { continue };
            let name = std::str::from_utf8(&entry.value).ok().and_then(|name| BucketName::parse(name).ok());
            let Some(bucket) = name else { continue };
            match self.objects.abort_upload(&caller, UploadRef { bucket, key, upload }, None).await {
                Ok(()) => stale.aborted += 1,
                // It ended meanwhile.
                Err(Error::NoSuchUpload | Error::NoSuchBucket) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(stale)
    }

    /// How many uploads began more than `age` ago and are still under way; absent if more than 100,000 are under way.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read.
    pub async fn stale_uploads_left(&self, age: Duration) -> Result<Option<u64>, Error> {
        let count = Count { now: self.objects.now(), age, stale: 0, read: 0 };
        let count = self.objects.store().scan(Scan::prefix(&[keys::family::UPLOAD]), count).await?;
        Ok(Some(count.stale).filter(|_| count.read <= RECORDS_COUNTED_MAX))
    }
}

struct Count {
    now: Timestamp,
    age: Duration,
    stale: u64,
    read: usize,
}

impl Visit for Count {
    fn visit(&mut self, _: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        self.read += 1;
        let stale = |record: UploadRecord| self.now.since(record.initiated) > self.age;
        self.stale += u64::from(UploadRecord::decode(value).is_ok_and(stale));
        if self.read > RECORDS_COUNTED_MAX { VisitStep::Stop } else { VisitStep::Continue }
    }
}

struct Search {
    now: Timestamp,
    age: Duration,
    found: Vec<(BucketId, ObjectKey, UploadId)>,
    read: usize,
    last: Vec<u8>,
    full: bool,
}

impl Visit for Search {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        self.read += 1;
        self.last = key.to_vec();
        if let Ok(record) = UploadRecord::decode(value)
            && self.now.since(record.initiated) > self.age
            && let Some((bucket, object, _)) = keys::object_of(key)
            && let Some(object) = String::from_utf8(object).ok().and_then(|text| ObjectKey::try_from(text).ok())
        {
            self.found.push((bucket, object, record.id));
        }
        self.full = self.found.len() == UPLOADS_PER_STEP_MAX || self.read == RECORDS_PER_STEP_MAX;
        if self.full { VisitStep::Stop } else { VisitStep::Continue }
    }
}
