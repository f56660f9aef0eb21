//! Moves a version to another storage class: its bytes are written anew under the class's redundancy,
//! and its record refers to them from one commit on. Nothing else of it changes.
//!
//! # Failure and recovery
//! Until the commit the version stands as it did; bytes that were written and are not wanted become
//! garbage, and after a crash the search for orphans finds them.

use super::apply::{Outcome, Walk};
use crate::Error;
use crate::change::Change;
use crate::domain::Tried;
use cofre_catalog::Revision;
use cofre_catalog::records::{Record, VersionRecord};
use cofre_types::ObjectKey;

impl Walk {
    /// Moves the version whose record stands `at` a catalog key, if it still is as it was read and
    /// `kept` are there.
    pub(super) async fn transition(
        &self,
        key: &ObjectKey,
        (at, revision): (Vec<u8>, Revision),
        record: VersionRecord,
        class: String,
        kept: Option<Vec<(Vec<u8>, Revision)>>,
    ) -> Result<Outcome, Error> {
        let (objects, bucket) = (&self.objects, &self.bucket);
        if !objects.is_class(&class) {
            return Ok(Outcome::Failed(format!("there is no storage class {class} any more")));
        }
        let scheme = objects.scheme_of(bucket, &class);
        let encryption = record.guards.encryption.as_ref();
        let rewritten = match objects.rewrite(bucket, key, encryption, &record.content, scheme).await {
            Ok(rewritten) => rewritten,
            Err(error @ (Error::NoRoom | Error::Unavailable(_) | Error::Unreadable(_))) => {
                return Ok(Outcome::Failed(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let mut change = Change::default();
        let mut moved = VersionRecord { storage_class: class, ..record };
        if let Some(rewritten) = &rewritten {
            rewritten.add_to(&mut change);
            change.release(&moved.content);
            moved.content = rewritten.content.clone();
        }
        change.batch.unchanged(at.clone(), Some(revision));
        change.batch.put(at, moved.encode());
        for (at, revision) in kept.into_iter().flatten() {
            change.batch.unchanged(at, Some(revision));
        }
        let tried = {
            let _turn = objects.lock_key(bucket, key).await;
            objects.try_commit(bucket, change).await
        };
        match tried {
            Ok(Tried::Done) => Ok(Outcome::Moved(moved.size)),
            Ok(Tried::Again) => {
                objects.discard_rewritten(bucket, rewritten).await;
                Ok(Outcome::Changed)
            }
            // A shard that the bytes went to was removed meanwhile.
            Err(Error::Unavailable(why)) => Ok(Outcome::Failed(why)),
            Err(error) => Err(error),
        }
    }
}
