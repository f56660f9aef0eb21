use super::rollup::{Place, Rollup};
use crate::domain::Objects;
use crate::error::Error;
use crate::list::{ListUploads, ListedUpload, PAGE_ENTRIES_MAX, UploadsPage};
use crate::upload::UploadInfo;
use cofre_catalog::records::{Record, RecordError, UploadRecord};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_iam::{Action, Caller};
use cofre_types::{ObjectKey, UploadId};
use std::ops::Bound;

impl Objects {
    /// Lists the uploads under way in a bucket.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_uploads(&self, caller: &Caller, request: ListUploads) -> Result<UploadsPage, Error> {
        let action = Action::ListBucketMultipartUploads;
        let bucket = self.bucket_for(caller, action, &request.bucket, None).await?;
        let max = request.max.min(PAGE_ENTRIES_MAX);
        if max == 0 {
            return Ok(UploadsPage::default());
        }
        let rollup = Rollup {
            family: keys::family::UPLOAD,
            bucket: bucket.record.id,
            prefix: request.prefix,
            delimiter: request.delimiter,
        };
        let mut scan = Scan::prefix(&rollup.scan_prefix());
        if let Some(after) = &request.key_after {
            let marker = request.upload_after.as_deref().and_then(|id| UploadId::parse(id).ok());
            let start = match (marker, ObjectKey::parse(after)) {
                (Some(id), Ok(key)) => Some(Bound::Excluded(keys::upload(bucket.record.id, &key, id))),
                _ => rollup.start(after).map(Bound::Included),
            };
            let Some(start) = start else { return Ok(UploadsPage::default()) };
            scan.from = later(start, scan.from);
        }
        let walk = Walk { rollup, max, last: None, page: UploadsPage::default(), error: None };
        let walk = self.store().scan(scan, walk).await?;
        match walk.error {
            Some(error) => Err(error.into()),
            None => Ok(walk.page),
        }
    }
}

/// The bound that begins later.
fn later(a: Bound<Vec<u8>>, b: Bound<Vec<u8>>) -> Bound<Vec<u8>> {
    let key = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Included(key) | Bound::Excluded(key) => key.clone(),
        Bound::Unbounded => Vec::new(),
    };
    if key(&a) >= key(&b) { a } else { b }
}

struct Walk {
    rollup: Rollup,
    max: usize,
    last: Option<(String, Option<String>)>,
    page: UploadsPage,
    error: Option<RecordError>,
}

impl Visit for Walk {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        let Some(object) = super::objects::key_text(key) else { return VisitStep::Continue };
        if self.page.uploads.len() + self.page.common_prefixes.len() == self.max {
            self.page.next = self.last.take();
            return VisitStep::Stop;
        }
        if let Place::Rolled(length) = self.rollup.place(object.as_bytes()) {
            let common = object[..length].to_owned();
            let next = self.rollup.behind(common.as_bytes());
            self.last = Some((common.clone(), None));
            self.page.common_prefixes.push(common);
            return next.map_or(VisitStep::Stop, VisitStep::Seek);
        }
        match (UploadRecord::decode(value), ObjectKey::try_from(object)) {
            (Ok(record), Ok(key)) => {
                self.last = Some((key.to_string(), Some(record.id.to_string())));
                self.page.uploads.push(ListedUpload { key, upload: UploadInfo::of(&record) });
                VisitStep::Continue
            }
            (Err(error), _) => {
                self.error = Some(error);
                VisitStep::Stop
            }
            (Ok(_), Err(_)) => VisitStep::Continue,
        }
    }
}
