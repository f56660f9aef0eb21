use super::rollup::{Place, Rollup};
use crate::domain::Objects;
use crate::error::Error;
use crate::list::{ListObjects, ListPage, ListedObject, PAGE_ENTRIES_MAX};
use cofre_catalog::records::{Record, RecordError, VersionRecord};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_iam::{Action, Caller};
use std::ops::Bound;

impl Objects {
    /// Lists current objects.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_objects(&self, caller: &Caller, request: ListObjects) -> Result<ListPage, Error> {
        let bucket = self.bucket_for(caller, Action::ListBucket, &request.bucket, None).await?;
        let max = request.max.min(PAGE_ENTRIES_MAX);
        if max == 0 {
            return Ok(ListPage::default());
        }
        let rollup = Rollup {
            family: keys::family::CURRENT,
            bucket: bucket.record.id,
            prefix: request.prefix,
            delimiter: request.delimiter,
        };
        let mut scan = Scan::prefix(&rollup.scan_prefix());
        if let Some(after) = &request.after {
            let Some(start) = rollup.start(after) else { return Ok(ListPage::default()) };
            if start > rollup.scan_prefix() {
                scan.from = Bound::Included(start);
            }
        }
        let walk = Walk { rollup, max, last: None, page: ListPage::default(), error: None };
        let walk = self.store().scan(scan, walk).await?;
        match walk.error {
            Some(error) => Err(error.into()),
            None => {
                let mut page = walk.page;
                if bucket.access.acls_disabled() {
                    page.objects.iter_mut().for_each(|object| object.owner = bucket.record.owner);
                }
                Ok(page)
            }
        }
    }
}

struct Walk {
    rollup: Rollup,
    max: usize,
    last: Option<String>,
    page: ListPage,
    error: Option<RecordError>,
}

impl Visit for Walk {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        let Some(object) = key_text(key) else { return VisitStep::Continue };
        if self.page.objects.len() + self.page.common_prefixes.len() == self.max {
            self.page.next = self.last.take();
            return VisitStep::Stop;
        }
        match self.rollup.place(object.as_bytes()) {
            Place::Rolled(length) => {
                // A delimiter is whole characters, so the prefix that it ends is too.
                let common = object[..length].to_owned();
                let next = self.rollup.behind(common.as_bytes());
                self.last = Some(common.clone());
                self.page.common_prefixes.push(common);
                next.map_or(VisitStep::Stop, VisitStep::Seek)
            }
            Place::Shown => match VersionRecord::decode(value) {
                Ok(record) => {
                    self.last = Some(object.clone());
                    self.page.objects.push(listed(object, record));
                    VisitStep::Continue
                }
                Err(error) => {
                    self.error = Some(error);
                    VisitStep::Stop
                }
            },
        }
    }
}

/// The object key in a catalog key, as text.
pub(super) fn key_text(key: &[u8]) -> Option<String> {
    let (_, object, _) = keys::object_of(key)?;
    String::from_utf8(object).ok()
}

pub(super) fn listed(key: String, record: VersionRecord) -> ListedObject {
    ListedObject {
        key,
        etag: record.etag,
        size: record.size,
        modified: record.modified,
        owner: record.owner,
        storage_class: record.storage_class,
        checksum: record.checksum,
    }
}
