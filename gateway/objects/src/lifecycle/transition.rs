//! Moves a version to another storage class: its bytes are written anew under the class's redundancy,
//! and its record refers to them from one commit on. Nothing else of it changes.
//!
//! # Failure and recovery
//! Until the commit the version stands as it did; bytes that were written and are not wanted become
//! garbage, and after a crash the search for orphans finds them.

use super::apply::{Outcome, Walk};
use crate::Error;
use crate::rewrite::Restated;
use cofre_catalog::Revision;
use cofre_catalog::records::VersionRecord;
use cofre_types::ObjectKey;

impl Walk {
    /// Moves the version whose record stands `at` a catalog key, if it still is as it was read and
    /// `kept` are there.
    pub(super) async fn transition(
        &self,
        key: &ObjectKey,
        at: (Vec<u8>, Revision),
        record: VersionRecord,
        class: String,
        kept: Option<Vec<(Vec<u8>, Revision)>>,
    ) -> Result<Outcome, Error> {
        let (objects, bucket) = (&self.objects, &self.bucket);
        if !objects.is_class(&class) {
            return Ok(Outcome::Failed(format!("there is no storage class {class} any more")));
        }
        let size = record.size;
        let kept = kept.unwrap_or_default();
        Ok(match objects.restate(bucket, key, at, record, class, kept).await? {
            Restated::Anew | Restated::AsItWas => Outcome::Moved(size),
            Restated::Changed => Outcome::Changed,
            Restated::Failed(why) => Outcome::Failed(why),
        })
    }
}
