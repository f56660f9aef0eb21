use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::content::{Target, Written};
use crate::domain::{Objects, Tried};
use crate::encryption::{Encrypted, entity_tag};
use crate::error::Error;
use crate::object::right::WriteRight;
use crate::object::{NewObject, PutContent, PutObject, PutOutcome};
use crate::rights::{Makes, Writer};
use crate::room::{BodyBound, Brings, Reservation};
use cofre_catalog::keys;
use cofre_catalog::records::{Content, Guards, Headers, VersionKind, VersionRecord, Versioning};
use cofre_iam::{Caller, GivenAcl};
use cofre_rules::{Removal, WriteConditions, default_retention};
use cofre_runtime::uncancelled;
use cofre_types::{AccountId, Checksum, ETag, ObjectKey, Tags, Timestamp, VersionId};
use std::sync::Arc;

/// Largest object that one PUT makes (AWS, "Uploading objects"): 5 GiB.
pub const PUT_BYTES_MAX: u64 = 5 << 30;

/// A version that is to be, without the place and time that its commit gives it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub owner: AccountId,
    pub size: u64,
    pub etag: ETag,
    pub checksum: Option<Checksum>,
    pub storage_class: String,
    pub headers: Headers,
    pub tags: Tags,
    pub content: Content,
    pub guards: Guards,
}

/// The right to put one object, which was asked once: what it was asked for is in it.
pub struct PutTicket {
    right: WriteRight,
    reserved: Option<Reservation>,
}

impl PutTicket {
    /// Gives the object another access control list than it was begun with: of accounts that could be looked up only
    /// once it was known that the caller may give one.
    ///
    /// # Errors
    /// As of [`Objects::begin_put`].
    pub fn give_acl(&mut self, given: GivenAcl) -> Result<(), Error> {
        self.right.give_acl(given)
    }

    /// Makes room under the quotas for an object of a declared length, with what it replaces, until the ticket is used:
    /// for a door that asks before it gathers a body. Costs nothing where there is no quota.
    ///
    /// # Errors
    /// As of [`PutTicket::store`].
    pub async fn reserve(&mut self, size: u64) -> Result<(), Error> {
        let WriteRight { objects, bucket, key, .. } = &self.right;
        let reserved = objects.reserve(bucket, Brings::Object(key), size).await;
        self.reserved = Some(reserved.map_err(|error| self.right.told(error))?);
        Ok(())
    }

    /// Puts the object. On return it is durable on its write quorum and in the catalog.
    ///
    /// # Errors
    /// [`Error`]; nothing of the object is visible then.
    pub async fn store(self, content: PutContent) -> Result<PutOutcome, Error> {
        let Self { right, reserved } = self;
        let WriteRight { objects, bucket, key, writer, .. } = &right;
        let PutContent { upload, headers, storage_class, encryption, conditions } = content;
        objects.check_class(&storage_class)?;
        let plan = objects.plan_for(&writer.caller, bucket, key, &encryption).await?;
        if !conditions.is_empty() {
            // Refused before the body is written. Checked again at the commit, where it counts.
            conditions.check(objects.key_state(bucket, key).await?.object())?;
        }
        let room = objects.room_of(reserved, bucket, Brings::Object(key), upload.body.size()).await;
        let room = room.map_err(|error| right.told(error))?;
        let seal = objects.new_seal(plan).await?;
        let data_key = seal.as_ref().map(|seal| &seal.key);
        let version = objects.planned_version(bucket);
        let target = Target {
            bucket,
            key,
            version: version.to_string(),
            part: None,
            class: &storage_class,
            data_key,
            checksum: None,
        };
        let bound = BodyBound { size_max: PUT_BYTES_MAX, room: room.clone() };
        let written = objects.write_blob(target, upload, bound).await.map_err(|error| right.told(error))?;
        let WriteRight { objects, bucket, key, tags, writer, owner, guards } = right;
        let draft = Draft {
            owner,
            size: written.digests.size,
            etag: entity_tag(seal.as_ref().map(|seal| (&seal.record, &seal.key)), written.digests.md5),
            checksum: Some(written.digests.checksum.clone()),
            storage_class,
            headers,
            tags,
            content: Content::Segments(written.segments()),
            guards: Guards { encryption: seal.map(|seal| seal.record), ..guards },
        };
        uncancelled(async move {
            let (bucket, record) =
                objects.commit_or_discard((&bucket, &key), draft, &writer, &conditions, written, version).await?;
            drop(room);
            Ok(put_outcome(&bucket, &key, record))
        })
        .await
    }
}

impl std::fmt::Debug for PutTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let WriteRight { bucket, key, .. } = &self.right;
        f.debug_struct("PutTicket").field("bucket", &bucket.name).field("key", key).finish_non_exhaustive()
    }
}

impl Objects {
    /// Asks for the right to put an object, before its body is at hand.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::AccessDenied`], and what refuses its list or its lock.
    pub async fn begin_put(&self, caller: &Caller, new: NewObject) -> Result<PutTicket, Error> {
        Ok(PutTicket { right: WriteRight::ask(self, caller, new, Makes::Object, None).await?, reserved: None })
    }

    /// Puts an object whose body is at hand: [`Objects::begin_put`] and [`PutTicket::store`].
    ///
    /// # Errors
    /// As of both.
    pub async fn put_object(&self, caller: &Caller, request: PutObject) -> Result<PutOutcome, Error> {
        let PutObject { bucket, key, upload, headers, tags, storage_class, encryption, lock, acl, conditions } =
            request;
        let ticket = self.begin_put(caller, NewObject { bucket, key, tags, lock, acl }).await?;
        ticket.store(PutContent { upload, headers, storage_class, encryption, conditions }).await
    }

    /// Makes a draft whose bytes were written the current object. If that is refused they are given up.
    pub(crate) async fn commit_or_discard(
        &self,
        (bucket, key): (&Arc<Bucket>, &ObjectKey),
        draft: Draft,
        writer: &Writer,
        conditions: &WriteConditions,
        written: Written,
        version: VersionId,
    ) -> Result<(Arc<Bucket>, VersionRecord), Error> {
        let outcome = self.commit_put((bucket, key), draft, writer, conditions, &written, version).await;
        // Whether an engine that failed has committed is not known, so only a clear no discards.
        if let Err(error) = &outcome
            && error.is_definite()
        {
            self.blobs().discard(written.blob).await;
        }
        outcome.map_err(|error| error.for_caller(&writer.caller, bucket))
    }

    async fn commit_put(
        &self,
        (before, key): (&Arc<Bucket>, &ObjectKey),
        mut draft: Draft,
        writer: &Writer,
        conditions: &WriteConditions,
        written: &Written,
        version: VersionId,
    ) -> Result<(Arc<Bucket>, VersionRecord), Error> {
        let mut bucket = Arc::clone(before);
        for _ in Self::tries() {
            let _turn = self.lock_key(&bucket, key).await;
            let mut change = Change::default();
            if let Some(blob) = &written.blob {
                change.bring_blob(blob);
            }
            let (tried, record) = self.try_put(&bucket, key, &draft, conditions, change, Some(version)).await?;
            if matches!(tried, Tried::Done) {
                return Ok((bucket, record));
            }
            let now = self.same_bucket(&bucket).await?;
            if now.revision != bucket.revision {
                // What the writer might do in the bucket as it was says nothing of the bucket as it is.
                let (owner, guards) = self.authorise_write(writer, &now, key, &draft.tags, Makes::Object)?;
                draft.owner = owner;
                draft.guards = Guards { encryption: draft.guards.encryption.take(), ..guards };
            }
            bucket = now;
        }
        Err(Error::Conflict)
    }

    /// One try to make `draft` the current object, with what else `change` holds.
    pub(crate) async fn try_put(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        draft: &Draft,
        conditions: &WriteConditions,
        mut change: Change,
        planned: Option<VersionId>,
    ) -> Result<(Tried, VersionRecord), Error> {
        if let Some(encryption) = &draft.guards.encryption {
            bucket.refuse_blocked(&encryption.method)?;
        }
        let state = self.key_state(bucket, key).await?;
        conditions.check(state.object())?;
        let now = self.now();
        // A version that was planned is used only if the bucket still gives versions ids.
        let planned = planned.filter(|_| bucket.record.versioning == Versioning::Enabled);
        let (place, version) = match planned.and_then(|id| Some((keys::place_of(id)?, id))) {
            Some((place, id)) if state.newest_place().is_none_or(|newest| newest < place) => (place, id),
            // Another version came meanwhile; or the version is null, whose id says no place.
            _ => {
                let place = state.next_place(now);
                (place, self.version_at(bucket, place))
            }
        };
        let mut record = draft.record(version, place, now);
        if record.guards.retention.is_none() {
            record.guards.retention = default_retention(bucket.lock(), now);
        }
        state.put(bucket.record.versioning, &record, Removal::at(now), &mut change)?;
        Ok((self.try_commit(bucket, change).await?, record))
    }

    /// The id of a version that begins to be written now.
    pub(crate) fn planned_version(&self, bucket: &Bucket) -> VersionId {
        self.version_at(bucket, self.now().0)
    }

    /// The id of a version at a place: null unless versioning is enabled.
    pub(crate) fn version_at(&self, bucket: &Bucket, place: u64) -> VersionId {
        match bucket.record.versioning {
            Versioning::Enabled => keys::version_id(place, self.random().u64()),
            Versioning::Unversioned | Versioning::Suspended => VersionId::Null,
        }
    }

    /// The bucket as it is now, if it is still the one that was found before.
    pub(crate) async fn same_bucket(&self, before: &Bucket) -> Result<Arc<Bucket>, Error> {
        let bucket = self.bucket(&before.name).await?;
        if bucket.record.id == before.record.id { Ok(bucket) } else { Err(Error::NoSuchBucket) }
    }
}

impl Draft {
    fn record(&self, version: VersionId, place: u64, now: Timestamp) -> VersionRecord {
        VersionRecord {
            version,
            place,
            kind: VersionKind::Object,
            modified: now,
            owner: self.owner,
            size: self.size,
            etag: self.etag,
            checksum: self.checksum.clone(),
            storage_class: self.storage_class.clone(),
            headers: self.headers.clone(),
            tags: self.tags.clone(),
            content: self.content.clone(),
            guards: self.guards.clone(),
        }
    }
}

pub(crate) fn put_outcome(bucket: &Bucket, key: &ObjectKey, record: VersionRecord) -> PutOutcome {
    PutOutcome {
        etag: record.etag,
        version: bucket.shown(record.version),
        ending: Objects::ending(bucket, key, &record),
        checksum: record.checksum,
        size: record.size,
        encryption: Encrypted::of(record.guards.encryption.as_ref()),
    }
}
