use super::{Found, check_number};
use crate::change::Change;
use crate::content::{Target, Written};
use crate::domain::Tried;
use crate::encryption::entity_tag;
use crate::object::PUT_BYTES_MAX;
use crate::room::{BodyBound, Brings};
use crate::{ChecksumError, DeclaredChecksum, Encrypted, Error, Objects, PartOutcome, PutPart, Upload, UploadRef};
use cofre_catalog::records::{PartRecord, UploadRecord};
use cofre_iam::{Action, Caller};
use cofre_keys::DataKey;
use cofre_runtime::uncancelled;
use cofre_types::{ChecksumAlgorithm, ChecksumKind};
use std::sync::Arc;

impl Objects {
    /// Puts a part. A part of the same number that was put before goes.
    ///
    /// # Errors
    /// [`Error`]; a part that was there before stays.
    pub async fn put_part(&self, caller: &Caller, request: PutPart) -> Result<PartOutcome, Error> {
        let PutPart { upload: at, number, mut content, encryption } = request;
        check_number(number)?;
        let found = self.upload_for(caller, Action::PutObject, &at, None).await?;
        fit_checksum(&found.record, &mut content.checksum)?;
        let key = self.part_key(caller, &found, &at.key, &encryption).await?;
        self.write_part(caller, found, at, number, content, key).await
    }

    /// Writes a part and puts it, encrypted if the upload has a key.
    pub(super) async fn write_part(
        &self,
        caller: &Caller,
        found: Found,
        at: UploadRef,
        number: u16,
        content: Upload,
        key: Option<DataKey>,
    ) -> Result<PartOutcome, Error> {
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
        let told = |error: Error| error.for_caller(caller, &found.bucket);
        let room = self.room(&found.bucket, Brings::Part(&at, number), content.body.size()).await.map_err(told)?;
        let bound = BodyBound { size_max: PUT_BYTES_MAX, room: room.clone() };
        let written = self.write_blob(target, content, bound).await.map_err(told)?;
        let held = found.record.guards.encryption.as_ref();
        let record = PartRecord {
            size: written.digests.size,
            etag: entity_tag(held.zip(key.as_ref()), written.digests.md5),
            checksum: Some(written.digests.checksum.clone()),
            modified: self.now(),
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
        let (objects, caller) = (self.clone(), caller.clone());
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
