use crate::bucket::cached::Bucket;
use crate::domain::{held, held_current};
use crate::encryption::check_customer_key;
use crate::versions::Held;
use crate::{Encrypted, Error, GetObject, GetOutcome, HeadOutcome, ObjectInfo, Objects};
use cofre_catalog::records::{Content, VersionKind, VersionRecord};
use cofre_catalog::{Scan, SnapshotExt, keys};
use cofre_iam::{Action, Caller};
use cofre_types::{Checksum, ObjectKey, ResolvedRange, VersionId};
use std::sync::Arc;

/// A version that was found, and the part of it that was asked for.
struct Found {
    bucket: Arc<Bucket>,
    record: VersionRecord,
    head: HeadOutcome,
    range: ResolvedRange,
}

impl Objects {
    /// Gets an object, a range of it or a part.
    ///
    /// # Errors
    /// [`Error`]; once the outcome is there, a failure to read ends its body with an error.
    pub async fn get_object(&self, caller: &Caller, request: GetObject) -> Result<GetOutcome, Error> {
        let found = self.find(caller, &request).await?;
        let held = found.record.guards.encryption.as_ref();
        self.authorise_reading(caller, &found.bucket, &request.key, held).await?;
        let key = self.data_key(held, request.customer_key.as_ref()).await?;
        let body = self.read_content(&found.record.content, found.range, key.as_ref()).await?;
        Ok(GetOutcome { head: found.head, body })
    }

    /// Tells of an object what getting it would, without the bytes.
    ///
    /// # Errors
    /// As [`Objects::get_object`].
    pub async fn head_object(&self, caller: &Caller, request: GetObject) -> Result<HeadOutcome, Error> {
        Ok(self.find(caller, &request).await?.head)
    }

    async fn find(&self, caller: &Caller, request: &GetObject) -> Result<Found, Error> {
        let action = if request.version.is_some() { Action::GetObjectVersion } else { Action::GetObject };
        let bucket = self.bucket(&request.bucket).await?;
        let record = self.version_for(caller, action, &bucket, &request.key, request.version).await?.record;
        check_customer_key(record.guards.encryption.as_ref(), request.customer_key.as_ref())?;
        request.conditions.check(&record)?;
        let whole = ResolvedRange { start: 0, end: record.size };
        let range = request.range.filter(|_| request.range_of.holds(&record));
        let (range, part_checksum) = match (request.part, range) {
            (Some(_), Some(_)) => return Err(Error::InvalidRequest("a range and a part number do not go together")),
            (Some(number), None) => {
                let (range, checksum) = self.part_range(&record, number).await?;
                (Some(range), checksum)
            }
            (None, Some(range)) => {
                (Some(range.resolve(record.size).ok_or(Error::InvalidRange { size: record.size })?), None)
            }
            (None, None) => (None, None),
        };
        let mut info = info(&bucket, &record, self.part_count(&record));
        if request.version.is_none() {
            info.ending = Self::ending(&bucket, &request.key, &record);
        }
        self.hide_lock(caller, &bucket, &request.key, &mut info);
        let head = HeadOutcome { info, range, part_checksum };
        Ok(Found { bucket, record, head, range: range.unwrap_or(whole) })
    }

    /// Leaves out of what is shown the lock that the caller may not read.
    fn hide_lock(&self, caller: &Caller, bucket: &Bucket, key: &ObjectKey, info: &mut ObjectInfo) {
        let may = |action| self.authorise(caller, action, bucket, Some(key)).is_ok();
        if info.retention.is_some() && !may(Action::GetObjectRetention) {
            info.retention = None;
        }
        info.legal_hold = info.legal_hold.filter(|_| may(Action::GetObjectLegalHold));
    }

    /// The bytes of one part, and its checksum. An object that was put whole has one part.
    async fn part_range(
        &self,
        record: &VersionRecord,
        number: u16,
    ) -> Result<(ResolvedRange, Option<Checksum>), Error> {
        let Content::Manifest(id) = record.content else {
            let whole = ResolvedRange { start: 0, end: record.size };
            return if number == 1 { Ok((whole, record.checksum.clone())) } else { Err(Error::InvalidPartNumber) };
        };
        let manifest = self.manifest(id).await?;
        // Part numbers of a completed object count from 1 whatever the numbers it was uploaded under.
        let index = usize::from(number).checked_sub(1).ok_or(Error::InvalidPartNumber)?;
        let (stored, size) = *manifest.parts.get(index).ok_or(Error::InvalidPartNumber)?;
        let start: u64 = manifest.parts[..index].iter().map(|(_, size)| size).sum();
        let part = self.part(id, stored).await?;
        Ok((ResolvedRange { start, end: start + size }, part.checksum))
    }

    pub(crate) fn part_count(&self, record: &VersionRecord) -> Option<u16> {
        match record.content {
            Content::Manifest(_) => record.etag.parts(),
            Content::Segments(_) => None,
        }
    }

    /// A version that is an object, or what AWS says where it is not.
    pub(crate) async fn object_version(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<Held, Error> {
        match version {
            None => self.current_object(bucket, key).await,
            Some(version) => {
                let held = self.any_version(bucket, key, version).await?.ok_or(Error::NoSuchVersion)?;
                match held.record.kind {
                    VersionKind::Object => Ok(held),
                    VersionKind::DeleteMarker => {
                        Err(Error::IsDeleteMarker { version: held.record.version, modified: held.record.modified })
                    }
                }
            }
        }
    }

    async fn current_object(&self, bucket: &Bucket, key: &ObjectKey) -> Result<Held, Error> {
        if let Some(entry) = self.get(keys::current(bucket.record.id, key)).await? {
            return held_current(entry);
        }
        if !bucket.names_versions() {
            return Err(Error::NoSuchKey { delete_marker: None });
        }
        let prefix = keys::object(keys::family::VERSION, bucket.record.id, key);
        let snapshot = self.store().snapshot().await?;
        let newest = snapshot.page(Scan::prefix(&prefix), 1).await?.pop();
        let marker = newest.map(|(_, entry)| held(entry)).transpose()?;
        Err(Error::NoSuchKey { delete_marker: marker.map(|held| held.record.version) })
    }

    /// A version, object or delete marker, current or not.
    pub(crate) async fn any_version(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        version: VersionId,
    ) -> Result<Option<Held>, Error> {
        let state = self.key_state(bucket, key).await?;
        if let Some(current) = state.current
            && current.record.version == version
        {
            return Ok(Some(current));
        }
        let Some(place) = keys::place_of(version) else { return Ok(state.null.map(|(_, held)| held)) };
        let entry = self.get(keys::version(bucket.record.id, key, place)).await?;
        Ok(entry.map(held).transpose()?.filter(|held| held.record.version == version))
    }
}

/// What is shown of a version.
pub(crate) fn info(bucket: &Bucket, record: &VersionRecord, parts: Option<u16>) -> ObjectInfo {
    ObjectInfo {
        version: bucket.shown(record.version),
        etag: record.etag,
        size: record.size,
        modified: record.modified,
        owner: bucket.owner_of(record),
        checksum: record.checksum.clone(),
        storage_class: record.storage_class.clone(),
        headers: record.headers.clone(),
        tag_count: record.tags.pairs().len(),
        parts,
        ending: None,
        retention: record.guards.retention,
        legal_hold: record.guards.legal_hold.get(),
        encryption: Encrypted::of(record.guards.encryption.as_ref()),
    }
}
