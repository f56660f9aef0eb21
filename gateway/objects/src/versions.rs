//! How the versions of one key change: pure steps from what stands to a batch.
//!
//! A key's current version stands in family `c` if it is an object. Everything else stands in `v`,
//! newest first: older objects, and delete markers, current or not. So listings of current objects
//! walk past nothing that they do not show. The place of a null version in `v` stands in `n`.
//!
//! # Ordering
//! Every step checks each record that it decided by, so of two concurrent changes of one key one is done
//! anew on what the other left. What adds a version to a key that has a current object changes that object's record, so
//! a check of it covers what stands behind it too.

use crate::change::Change;
use crate::error::Error;
use cofre_blobs::Count;
use cofre_catalog::records::{Record, VersionKind, VersionRecord, Versioning};
use cofre_catalog::{Revision, Write, keys};
use cofre_rules::{Removal, check_removal};
use cofre_types::{BucketId, ObjectKey, Timestamp, VersionId};

/// A version and the commit that wrote its record.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub revision: Revision,
    pub record: VersionRecord,
    /// Whether it was read from `c`: it is the current object.
    pub current: bool,
}

impl Held {
    /// The key that its record stands at.
    pub(crate) fn place(&self, bucket: BucketId, key: &ObjectKey) -> Vec<u8> {
        if self.current { keys::current(bucket, key) } else { keys::version(bucket, key, self.record.place) }
    }
}

/// What stands at one key.
#[derive(Debug, Clone)]
pub(crate) struct KeyState {
    pub bucket: BucketId,
    pub key: ObjectKey,
    /// The record in `c`.
    pub current: Option<Held>,
    /// The newest two records in `v`; not read for a bucket that never had versioning.
    pub older: Vec<Held>,
    /// The null version in `v`, and the revision of its pointer in `n`.
    pub null: Option<(Revision, Held)>,
}

impl KeyState {
    /// What is known of a key of which only the current object was read. That is enough to delete it where versioning
    /// is not suspended, and to remove an older version: the current object is the newest one, and whoever changes what
    /// these depend on changes its record.
    pub(crate) fn of_current(bucket: BucketId, key: ObjectKey, current: Held) -> Self {
        Self { bucket, key, current: Some(current), older: Vec::new(), null: None }
    }

    /// The object that a condition of a write is held against.
    pub(crate) fn object(&self) -> Option<&VersionRecord> {
        self.current.as_ref().map(|held| &held.record)
    }

    /// The newest version, object or delete marker.
    pub(crate) fn newest(&self) -> Option<&VersionRecord> {
        self.object().or_else(|| self.older.first().map(|held| &held.record))
    }

    /// The place of the newest version, object or delete marker.
    pub(crate) fn newest_place(&self) -> Option<u64> {
        self.current.iter().chain(&self.older).map(|held| held.record.place).max()
    }

    /// A place after every version of the key.
    pub(crate) fn next_place(&self, now: Timestamp) -> u64 {
        self.newest_place().map_or(now.0, |newest| now.0.max(newest + 1))
    }

    fn version_key(&self, place: u64) -> Vec<u8> {
        keys::version(self.bucket, &self.key, place)
    }

    fn current_key(&self) -> Vec<u8> {
        keys::current(self.bucket, &self.key)
    }

    fn null_key(&self) -> Vec<u8> {
        keys::null_version(self.bucket, &self.key)
    }

    fn check_current(&self, change: &mut Change) {
        change.batch.unchanged(self.current_key(), self.current.as_ref().map(|held| held.revision));
    }

    /// Makes `record` the current object.
    pub(crate) fn put(
        &self,
        versioning: Versioning,
        record: &VersionRecord,
        removal: Removal,
        change: &mut Change,
    ) -> Result<(), Error> {
        self.check_current(change);
        match versioning {
            Versioning::Unversioned => self.drop_current(removal, change)?,
            Versioning::Enabled => self.age_current(change),
            Versioning::Suspended => self.make_room_for_null(removal, change)?,
        }
        change.batch.put(self.current_key(), record.encode());
        change.count_current(record, Count::Add);
        Ok(())
    }

    /// Deletes without naming a version. Gives the delete marker that was made, if one was.
    pub(crate) fn delete(
        &self,
        versioning: Versioning,
        marker: VersionRecord,
        removal: Removal,
        change: &mut Change,
    ) -> Result<Option<VersionRecord>, Error> {
        self.check_current(change);
        match versioning {
            Versioning::Unversioned => {
                if self.current.is_some() {
                    self.drop_current(removal, change)?;
                    change.batch.delete(self.current_key());
                }
                return Ok(None);
            }
            Versioning::Enabled => self.age_current(change),
            Versioning::Suspended => self.make_room_for_null(removal, change)?,
        }
        if self.current.is_some() {
            change.batch.delete(self.current_key());
        }
        self.put_old(&marker, change);
        Ok(Some(marker))
    }

    /// Deletes the current version for good, and makes the next older object current.
    pub(crate) fn remove_current(&self, removal: Removal, change: &mut Change) -> Result<(), Error> {
        self.check_current(change);
        self.drop_current(removal, change)?;
        match self.older.first() {
            Some(next) if next.record.kind == VersionKind::Object => self.promote(next, change),
            marker => {
                self.check_stands(marker, change);
                change.batch.delete(self.current_key());
            }
        }
        Ok(())
    }

    /// Deletes an older version for good. If it was a delete marker and the newest of the key, the
    /// next object becomes current.
    pub(crate) fn remove_old(&self, held: &Held, removal: Removal, change: &mut Change) -> Result<(), Error> {
        check_removal(&held.record, removal)?;
        let place = held.record.place;
        self.check_current(change);
        change.batch.unchanged(self.version_key(place), Some(held.revision));
        change.batch.delete(self.version_key(place));
        self.forget_null(&held.record, change);
        change.count_old(&held.record, Count::Remove);
        change.release(&held.record.content, held.record.size);
        match self.hiding() {
            Some(marker) if marker.record.place == place => match self.older.get(1) {
                Some(next) if next.record.kind == VersionKind::Object => self.promote(next, change),
                marker => self.check_stands(marker, change),
            },
            marker => self.check_stands(marker, change),
        }
        Ok(())
    }

    /// The delete marker that hides the key.
    pub(crate) fn hiding(&self) -> Option<&Held> {
        self.older.first().filter(|_| self.current.is_none())
    }

    /// Checks that the marker which hides the key from now on is still there: without it an object behind it would have
    /// to become current.
    fn check_stands(&self, marker: Option<&Held>, change: &mut Change) {
        if let Some(marker) = marker {
            change.batch.unchanged(self.version_key(marker.record.place), Some(marker.revision));
        }
    }

    /// Moves an older object to be the current one.
    fn promote(&self, next: &Held, change: &mut Change) {
        let key = self.version_key(next.record.place);
        change.batch.unchanged(key.clone(), Some(next.revision));
        change.batch.delete(key);
        self.forget_null(&next.record, change);
        change.batch.put(self.current_key(), next.record.encode());
        change.count_old(&next.record, Count::Remove);
        change.count_current(&next.record, Count::Add);
    }

    /// Lets the current version go.
    fn drop_current(&self, removal: Removal, change: &mut Change) -> Result<(), Error> {
        if let Some(held) = &self.current {
            check_removal(&held.record, removal)?;
            change.count_current(&held.record, Count::Remove);
            change.release(&held.record.content, held.record.size);
        }
        Ok(())
    }

    /// Moves the current version to the older ones.
    fn age_current(&self, change: &mut Change) {
        if let Some(held) = &self.current {
            change.count_current(&held.record, Count::Remove);
            self.put_old(&held.record, change);
        }
    }

    /// Removes the null version, wherever it stands, and ages a current version that is not null.
    fn make_room_for_null(&self, removal: Removal, change: &mut Change) -> Result<(), Error> {
        match &self.current {
            Some(held) if held.record.version == VersionId::Null => self.drop_current(removal, change)?,
            _ => self.age_current(change),
        }
        if let Some((pointer, held)) = &self.null {
            check_removal(&held.record, removal)?;
            let place = held.record.place;
            change.batch.unchanged(self.null_key(), Some(*pointer));
            change.batch.unchanged(self.version_key(place), Some(held.revision));
            change.batch.delete(self.version_key(place));
            change.batch.delete(self.null_key());
            change.count_old(&held.record, Count::Remove);
            change.release(&held.record.content, held.record.size);
        }
        Ok(())
    }

    fn put_old(&self, record: &VersionRecord, change: &mut Change) {
        change.batch.put(self.version_key(record.place), record.encode());
        if record.version == VersionId::Null {
            change.batch.put(self.null_key(), record.place.to_be_bytes().to_vec());
        }
        change.count_old(record, Count::Add);
    }

    fn forget_null(&self, record: &VersionRecord, change: &mut Change) {
        if record.version == VersionId::Null {
            change.batch.writes.push(Write::Delete(self.null_key()));
        }
    }
}
