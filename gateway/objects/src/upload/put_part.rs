use super::{Found, check_number};
use crate::change::Change;
use crate::checksum_error::ChecksumError;
use crate::content::{Target, Written};
use crate::domain::{Objects, Tried};
use crate::encryption::{EncryptAs, Encrypted, check_part, entity_tag};
use crate::error::Error;
use crate::object::{DeclaredChecksum, PUT_BYTES_MAX, Upload};
use crate::room::{BodyBound, Brings, Reservation};
use crate::upload::{PartOutcome, PutPart, UploadRef};
use cofre_catalog::records::{PartRecord, UploadRecord};
use cofre_iam::{Action, Caller};
use cofre_keys::DataKey;
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, ChecksumAlgorithm, ChecksumKind, ObjectKey};
use std::sync::Arc;

/// The right to put one part, which was asked once, and the upload.
pub struct PartTicket {
    pub(super) objects: Objects,
    pub(super) caller: Caller,
    pub(super) found: Found,
    pub(super) at: UploadRef,
    pub(super) number: u16,
    reserved: Option<Reservation>,
}

impl PartTicket {
    /// Makes room under the quotas for a part of a declared length: as
    /// [`PutTicket::reserve`](crate::PutTicket::reserve).
    ///
    /// # Errors
    /// As of [`PartTicket::store`].
    pub async fn reserve(&mut self, size: u64) -> Result<(), Error> {
        let reserved = self.objects.reserve(&self.found.bucket, Brings::Part(&self.at, self.number), size).await;
        self.reserved = Some(reserved.map_err(|error| error.for_caller(&self.caller, &self.found.bucket))?);
        Ok(())
    }

    /// Puts the part. A part of the same number that was put before goes. `encryption` is what the request says of it:
    /// the customer's key, or nothing but what the upload says.
    ///
    /// # Errors
    /// [`Error`]; a part that was there before stays.
    pub async fn store(self, mut content: Upload, encryption: EncryptAs) -> Result<PartOutcome, Error> {
        fit_checksum(&self.found.record, &mut content.checksum)?;
        let key = self.objects.part_key(&self.caller, &self.found, &self.at.key, &encryption).await?;
        self.write(content, key).await
    }

    /// Writes the part and puts it, encrypted if the upload has a key.
    pub(super) async fn write(self, content: Upload, key: Option<DataKey>) -> Result<PartOutcome, Error> {
        let Self { objects, caller, found, at, number, reserved } = self;
        let target = Target {
            bucket: &found.bucket,
            key: &at.key,
            version: String::new(),
            part: Some((number, at.upload)),
            class: &found.record.storage_class,
            data_key: key.as_ref(),
            checksum: Some(kept_algorithm(&found.record)),
        };
        let checksum_sent = content.checksum.has_value();
        let told = |error: Error| error.for_caller(&caller, &found.bucket);
        let room = objects.room_of(reserved, &found.bucket, Brings::Part(&at, number), content.body.size()).await;
        let room = room.map_err(told)?;
        let bound = BodyBound { size_max: PUT_BYTES_MAX, room: room.clone() };
        let written = objects.write_blob(target, content, bound).await.map_err(told)?;
        let held = found.record.guards.encryption.as_ref();
        let record = PartRecord {
            size: written.digests.size,
            etag: entity_tag(held.zip(key.as_ref()), written.digests.md5),
            checksum: Some(written.digests.checksum.clone()),
            modified: objects.now(),
            segments: written.segments(),
            checksum_sent,
        };
        let asked = found.record.checksum;
        let outcome = PartOutcome {
            etag: record.etag,
            checksum: asked.and(record.checksum.clone()),
            modified: record.modified,
            source_version: None,
            encryption: Encrypted::of(held),
        };
        uncancelled(async move {
            let bucket = Arc::clone(&found.bucket);
            let committed = objects.commit_part(&caller, found, &at, number, &record, &written).await;
            if let Err(error) = &committed
                && error.is_definite()
            {
                objects.blobs().discard(written.blob).await;
            }
            drop(room);
            committed.map_err(|error| error.for_caller(&caller, &bucket))
        })
        .await?;
        Ok(outcome)
    }
}

impl Objects {
    /// Asks for the right to put a part of an upload, before its body is at hand.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::AccessDenied`] or [`Error::NoSuchUpload`].
    pub async fn begin_part(&self, caller: &Caller, at: UploadRef, number: u16) -> Result<PartTicket, Error> {
        self.part_ticket(caller, at, number, None).await
    }

    pub(super) async fn part_ticket(
        &self,
        caller: &Caller,
        at: UploadRef,
        number: u16,
        source: Option<(&BucketName, &ObjectKey)>,
    ) -> Result<PartTicket, Error> {
        check_number(number)?;
        let found = self.upload_for(caller, Action::PutObject, &at, source).await?;
        Ok(PartTicket { objects: self.clone(), caller: caller.clone(), found, at, number, reserved: None })
    }

    /// Puts a part whose body is at hand: [`Objects::begin_part`] and [`PartTicket::store`].
    ///
    /// # Errors
    /// As of both.
    pub async fn put_part(&self, caller: &Caller, request: PutPart) -> Result<PartOutcome, Error> {
        let PutPart { upload, number, content, encryption } = request;
        self.begin_part(caller, upload, number).await?.store(content, encryption).await
    }

    /// The data key of an upload, for one of its parts, if the caller may use it and the bucket takes such parts.
    pub(super) async fn part_key(
        &self,
        caller: &Caller,
        upload: &Found,
        key: &ObjectKey,
        said: &EncryptAs,
    ) -> Result<Option<DataKey>, Error> {
        let held = upload.record.guards.encryption.as_ref();
        if let Some(held) = held {
            upload.bucket.refuse_blocked(&held.method)?;
        }
        self.authorise_reading(caller, &upload.bucket, key, held).await?;
        let key = check_part(held, said)?;
        self.or_unsealed(held, key).await
    }

    async fn commit_part(
        &self,
        caller: &Caller,
        mut found: Found,
        at: &UploadRef,
        number: u16,
        record: &PartRecord,
        written: &Written,
    ) -> Result<(), Error> {
        for _ in Self::tries() {
            let mut change = Change::default();
            if let Some(blob) = &written.blob {
                change.bring_blob(blob);
            }
            self.change_part(&found, at, number, record, &mut change).await?;
            if matches!(self.try_commit(&found.bucket, change).await?, Tried::Done) {
                return Ok(());
            }
            let bucket = self.same_bucket(&found.bucket).await?;
            found = self.upload_for_in(caller, Action::PutObject, bucket, at, None).await?;
        }
        Err(Error::Conflict)
    }
}

/// The algorithm of the checksum that is kept of an upload's parts.
pub(super) fn kept_algorithm(upload: &UploadRecord) -> ChecksumAlgorithm {
    upload.checksum.map_or(ChecksumAlgorithm::Crc64Nvme, |(algorithm, _)| algorithm)
}

/// Holds what a part's sender declares against what its upload was begun with. Parts of a composite checksum come with
/// theirs; that of others is computed where its sender names none. An upload that named no algorithm takes parts with
/// any: each is held against its own.
fn fit_checksum(upload: &UploadRecord, declared: &mut DeclaredChecksum) -> Result<(), ChecksumError> {
    let Some((expected, kind)) = upload.checksum else { return Ok(()) };
    let given = declared.algorithm();
    let comes_along = kind == ChecksumKind::FullObject || declared.has_value();
    if given.is_some_and(|given| given != expected) || !comes_along {
        return Err(ChecksumError::OtherAlgorithm { expected, given: given.filter(|given| *given != expected) });
    }
    if given.is_none() {
        *declared = DeclaredChecksum::Compute(expected);
    }
    Ok(())
}
