//! Uploads that are still under way.

use super::apply::{LifecycleStep, Outcome, Walk, object_key};
use super::cursor::{Cursor, Phase};
use super::log;
use crate::error::Error;
use crate::upload::UploadRef;
use cofre_catalog::records::{Record, UploadRecord};
use cofre_catalog::{ReadExt, Revision, Visit, VisitStep, keys};
use cofre_types::{ObjectKey, UploadId};

/// Most uploads that one step ends.
const UPLOADS_PER_STEP_MAX: usize = 100;

/// Most records that one step reads in search of them.
const RECORDS_PER_STEP_MAX: usize = 10_000;

impl Walk {
    pub(super) async fn uploads(&self, cursor: &Cursor, step: &mut LifecycleStep) -> Result<Option<Cursor>, Error> {
        let scan = self.scan(keys::family::UPLOAD, cursor);
        let search = Search { walk: self.clone(), found: Vec::new(), read: 0, last: Vec::new(), full: false };
        let search = self.objects.store().scan(scan, search).await?;
        step.looked_at += search.read as u64;
        for (key, upload) in search.found {
            let about = format!("{}/{key}", self.bucket.name);
            let at = UploadRef { bucket: self.bucket.name.clone(), key, upload };
            let outcome = match self.objects.upload_in(self.bucket.clone(), &at).await {
                Ok(found) => {
                    let change = self.objects.abort(&found, &at).await?;
                    let line = self.line(log::DELETE_UPLOAD, &at.key, None, None);
                    self.objects.try_commit_logged(&found.bucket, change, line.into_iter().collect()).await?.into()
                }
                // It ended meanwhile.
                Err(Error::NoSuchUpload) => Outcome::Changed,
                Err(error) => return Err(error),
            };
            step.note(&about, outcome, |counts| &mut counts.uploads_aborted);
        }
        Ok(search.full.then(|| Cursor { after: search.last, ..Cursor::begin(cursor.bucket, Phase::Uploads) }))
    }
}

struct Search {
    walk: Walk,
    found: Vec<(ObjectKey, UploadId)>,
    read: usize,
    last: Vec<u8>,
    full: bool,
}

impl Visit for Search {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        self.read += 1;
        self.last = key.to_vec();
        let Walk { rules, now, calendar, .. } = &self.walk;
        // An upload that cannot be read cannot be aborted: the job for stale uploads says the same.
        if let Ok(record) = UploadRecord::decode(value)
            && let Some(object) = object_key(key)
            && let Some((end, _)) = rules.end_of_upload(object.as_str(), record.initiated, *calendar)
            && end <= *now
        {
            self.found.push((object, record.id));
        }
        self.full = self.found.len() == UPLOADS_PER_STEP_MAX || self.read == RECORDS_PER_STEP_MAX;
        if self.full { VisitStep::Stop } else { VisitStep::Continue }
    }
}
