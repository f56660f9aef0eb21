use super::{Found, check_number};
use crate::blobs::{Target, Written};
use crate::change::Change;
use crate::domain::Tried;
use crate::encryption::entity_tag;
use crate::object::PUT_BYTES_MAX;
use crate::{DeclaredChecksum, Encrypted, Error, Objects, PartOutcome, PutPart, Upload, UploadRef};
use cofre_catalog::records::{PartRecord, UploadRecord};
use cofre_iam::{Action, Caller};
use cofre_keys::DataKey;
use cofre_runtime::uncancelled;
use cofre_types::ChecksumAlgorithm;
use std::sync::Arc;

impl Objects {
    /// Puts a part. A part of the same number that was put before goes.
    ///
    /// # Errors
    /// [`Error`]; a part that was there before stays.
    pub async fn put_part(&self, caller: &Caller, request: PutPart) -> Result<PartOutcome, Error> {
        let PutPart { upload: at, number, content, encryption } = request;
        check_number(number)?;
        let found = self.upload_for(caller, Action::PutObject, &at, None).await?;
        let key = self.part_key(found.record.guards.encryption.as_ref(), &encryption).await?;
        self.write_part(caller, found, at, number, content, key).await
    }

    /// Writes a part and puts it, encrypted if the upload has a key.
    pub(super) async fn write_part(
        &self,
        caller: &Caller,
        found: Found,
        at: UploadRef,
        number: u16,
        mut content: Upload,
        key: Option<DataKey>,
    ) -> Result<PartOutcome, Error> {
        fit_checksum(&found.record, &mut content.checksum)?;
        let target = Target {
            bucket: &found.bucket,
            key: &at.key,
            version: String::new(),
            part: Some((number, at.upload)),
            class: &found.record.storage_class,
            data_key: key.as_ref(),
        };
        let written = self.write_blob(target, content, PUT_BYTES_MAX).await?;
        let held = found.record.guards.encryption.as_ref();
        let record = PartRecord {
            size: written.digests.size,
            etag: entity_tag(held.zip(key.as_ref()), written.digests.md5),
            checksum: Some(written.digests.checksum.clone()),
            modified: self.now(),
            segments: written.segments(),
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
                && !matches!(error, Error::Internal(_) | Error::Unavailable(_))
            {
                objects.discard(&bucket, written.blob).await;
            }
            committed
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
                change.add_blob(blob);
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

/// A part has its upload's checksum algorithm, whether its sender names one or not.
fn fit_checksum(upload: &UploadRecord, declared: &mut DeclaredChecksum) -> Result<(), Error> {
    let wanted = upload.checksum.map_or(ChecksumAlgorithm::Crc64Nvme, |(algorithm, _)| algorithm);
    let given = match declared {
        DeclaredChecksum::None => {
            *declared = DeclaredChecksum::Compute(wanted);
            return Ok(());
        }
        DeclaredChecksum::Compute(algorithm) | DeclaredChecksum::Trailer(algorithm, _) => *algorithm,
        DeclaredChecksum::Value(value) => value.algorithm(),
    };
    // An upload that named no algorithm takes parts with any: each is verified and kept with its own.
    if upload.checksum.is_some() && given != wanted {
        return Err(Error::InvalidRequest("the checksum algorithm is not the one that the upload was begun with"));
    }
    Ok(())
}
