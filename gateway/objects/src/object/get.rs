use crate::bucket::cached::Bucket;
use crate::domain::{Objects, held, held_current};
use crate::encryption::{Encrypted, check_customer_key};
use crate::error::Error;
use crate::object::{GetObject, GetOutcome, HeadOutcome, ObjectInfo, ObjectRef, ReadObject};
use crate::versions::Held;
use cofre_catalog::records::{Content, VersionKind, VersionRecord};
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_iam::{Action, Caller};
use cofre_types::{Checksum, ObjectKey, ResolvedRange, VersionId};
use std::sync::Arc;

/// The right to read a version, which was asked once, and the version.
pub struct GetTicket<'a> {
    pub(super) objects: &'a Objects,
    caller: &'a Caller,
    pub(super) bucket: Arc<Bucket>,
    at: ObjectRef,
    pub(super) record: VersionRecord,
}

impl GetTicket<'_> {
    /// Gets the object, a range of it or a part.
    ///
    /// # Errors
    /// [`Error`]; once the outcome is there, a failure to read ends its body with an error.
    pub async fn get(self, read: ReadObject) -> Result<GetOutcome, Error> {
        let head = self.look(&read).await?;
        let Self { objects, caller, bucket, at, record } = self;
        let held = record.guards.encryption.as_ref();
        objects.authorise_reading(caller, &bucket, &at.key, held).await?;
        let key = objects.data_key(held, read.customer_key.as_ref()).await?;
        let range = head.range.unwrap_or(ResolvedRange { start: 0, end: record.size });
        let body = objects.read_content(&record.content, range, key.as_ref()).await?;
        Ok(GetOutcome { head, body })
    }

    /// Tells of the object what getting it would, without the bytes.
    ///
    /// # Errors
    /// As [`GetTicket::get`].
    pub async fn head(self, read: ReadObject) -> Result<HeadOutcome, Error> {
        self.look(&read).await
    }

    async fn look(&self, read: &ReadObject) -> Result<HeadOutcome, Error> {
        let Self { objects, caller, bucket, at, record } = self;
        self.check(read)?;
        let range = read.range.filter(|_| read.range_of.holds(record));
        let (range, part_checksum) = match (read.part, range) {
            (Some(_), Some(_)) => return Err(Error::InvalidRequest("a range and a part number do not go together")),
            (Some(number), None) => {
                let (range, checksum) = objects.part_range(record, number).await?;
                (Some(range), checksum)
            }
            (None, Some(range)) => {
                (Some(range.resolve(record.size).ok_or(Error::InvalidRange { size: record.size })?), None)
            }
            (None, None) => (None, None),
        };
        let mut info = info(bucket, record);
        if at.version.is_none() {
            info.ending = Objects::ending(bucket, &at.key, record);
        }
        objects.hide_lock(caller, bucket, &at.key, &mut info);
        Ok(HeadOutcome { info, range, part_checksum })
    }

    /// Refuses what does not fit the version: the customer's key and the conditions.
    pub(super) fn check(&self, read: &ReadObject) -> Result<(), Error> {
        check_customer_key(self.record.guards.encryption.as_ref(), read.customer_key.as_ref())?;
        Ok(read.conditions.check(&self.record)?)
    }
}

impl Objects {
    /// Asks for the right to read an object, before the rest of the request is known to be good.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], or that there is no such bucket, object or version.
    pub async fn begin_get<'a>(&'a self, caller: &'a Caller, at: ObjectRef) -> Result<GetTicket<'a>, Error> {
        let action = if at.version.is_some() { Action::GetObjectVersion } else { Action::GetObject };
        self.ticket_for(caller, action, at).await
    }

    /// The version that is there, and the right to do something to it.
    pub(super) async fn ticket_for<'a>(
        &'a self,
        caller: &'a Caller,
        action: Action,
        at: ObjectRef,
    ) -> Result<GetTicket<'a>, Error> {
        let bucket = self.bucket(&at.bucket).await?;
        let record = self.version_for(caller, action, &bucket, &at.key, at.version).await?.record;
        Ok(GetTicket { objects: self, caller, bucket, at, record })
    }

    /// Gets an object, a range of it or a part: [`Objects::begin_get`] and [`GetTicket::get`].
    ///
    /// # Errors
    /// As of both.
    pub async fn get_object(&self, caller: &Caller, request: GetObject) -> Result<GetOutcome, Error> {
        let (at, read) = request.split();
        self.begin_get(caller, at).await?.get(read).await
    }

    /// Tells of an object what getting it would, without the bytes.
    ///
    /// # Errors
    /// As [`Objects::get_object`].
    pub async fn head_object(&self, caller: &Caller, request: GetObject) -> Result<HeadOutcome, Error> {
        let (at, read) = request.split();
        self.begin_get(caller, at).await?.head(read).await
    }

    /// Restores an object from an archive. Objects of every storage class can be read as they are, so this refuses.
    ///
    /// # Errors
    /// [`Error::NotArchived`] for who may restore it; else as [`Objects::begin_get`].
    pub async fn restore_object(&self, caller: &Caller, at: ObjectRef) -> Result<(), Error> {
        self.ticket_for(caller, Action::RestoreObject, at).await?;
        Err(Error::NotArchived)
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
        let newest = self.store().page(Scan::prefix(&prefix), 1).await?.pop();
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
        let Some(place) = keys::place_of(version) else {
            let state = self.key_state(bucket, key).await?;
            let current = state.current.filter(|current| current.record.version == version);
            return Ok(current.or(state.null.map(|(_, held)| held)));
        };
        let id = bucket.record.id;
        let mut found = self.store().get_many(vec![keys::current(id, key), keys::version(id, key, place)]).await?;
        let older = found.pop().flatten().map(held).transpose()?;
        let current = found.pop().flatten().map(held_current).transpose()?;
        Ok([current, older].into_iter().flatten().find(|held| held.record.version == version))
    }
}

/// What is shown of a version.
pub(super) fn info(bucket: &Bucket, record: &VersionRecord) -> ObjectInfo {
    let parts = match record.content {
        Content::Manifest(_) => record.etag.parts(),
        Content::Segments(_) => None,
    };
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
