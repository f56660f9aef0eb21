//! Multipart uploads: an upload's parts become an object's manifest where they stand.

mod abort;
mod complete;
mod copy_part;
mod create;
mod list;
mod put_part;
mod requests;
mod stale;

pub use complete::CompletionTicket;
pub use copy_part::CopyPartTicket;
pub use create::UploadTicket;
pub use put_part::PartTicket;
pub use requests::*;
pub use stale::StaleUploads;

use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::domain::Objects;
use crate::encryption::Encrypted;
use crate::error::Error;
use cofre_blobs::Count;
use cofre_catalog::records::{EncryptionMethod, PartRecord, Record, UploadRecord};
use cofre_catalog::{Revision, keys};
use cofre_iam::{Action, AskedEncryption, AskedLock, Caller, Details};
use cofre_types::{BucketName, ObjectKey};
use std::sync::Arc;

/// An upload under way and the bucket it is in.
pub(crate) struct Found {
    pub bucket: Arc<Bucket>,
    pub revision: Revision,
    pub record: UploadRecord,
}

impl Objects {
    /// An upload under way, if the caller may do `action` to its key.
    pub(crate) async fn upload_for(
        &self,
        caller: &Caller,
        action: Action,
        at: &UploadRef,
        source: Option<(&BucketName, &ObjectKey)>,
    ) -> Result<Found, Error> {
        let bucket = self.bucket(&at.bucket).await?;
        self.upload_for_in(caller, action, bucket, at, source).await
    }

    /// As [`Objects::upload_for`], in a bucket as it stands now.
    pub(crate) async fn upload_for_in(
        &self,
        caller: &Caller,
        action: Action,
        bucket: Arc<Bucket>,
        at: &UploadRef,
        source: Option<(&BucketName, &ObjectKey)>,
    ) -> Result<Found, Error> {
        let found = self.upload_in(Arc::clone(&bucket), at).await;
        let record = found.as_ref().ok().map(|found| &found.record);
        let initiator = record.map(|record| record.initiator);
        let initiated = initiator.is_some() && initiator == caller.principal.account_id();
        let details = Details { initiated, creates: Some(false), copy_source: source, ..details_of(record) };
        self.authorise_with(caller, action, &bucket, Some(&at.key), details)?;
        found
    }

    pub(crate) async fn upload_in(&self, bucket: Arc<Bucket>, at: &UploadRef) -> Result<Found, Error> {
        let entry = self.get(keys::upload(bucket.record.id, &at.key, at.upload)).await?.ok_or(Error::NoSuchUpload)?;
        Ok(Found { bucket, revision: entry.revision, record: UploadRecord::decode(&entry.value)? })
    }

    /// Adds to a change that a part is put: the upload is still under way, the part before it goes.
    pub(crate) async fn change_part(
        &self,
        found: &Found,
        at: &UploadRef,
        number: u16,
        part: &PartRecord,
        change: &mut Change,
    ) -> Result<(), Error> {
        let key = keys::part(at.upload, number);
        let before = self.get(key.clone()).await?;
        let upload_key = keys::upload(found.bucket.record.id, &at.key, at.upload);
        change.batch.unchanged(upload_key, Some(found.revision));
        change.batch.unchanged(key.clone(), before.as_ref().map(|entry| entry.revision));
        if let Some(before) = before {
            let before = PartRecord::decode(&before.value)?;
            change.release_blobs(before.segments.iter().map(|segment| segment.blob), before.size);
            change.count_part(before.size, Count::Remove);
        }
        change.batch.put(key, part.encode());
        change.batch.add(keys::upload_activity(at.upload), vec![1]);
        change.count_part(part.size, Count::Add);
        Ok(())
    }
}

/// Refuses a part number that is not 1 to [`PARTS_MAX`].
pub(crate) fn check_number(number: u16) -> Result<(), Error> {
    if (1..=PARTS_MAX).contains(&number) {
        Ok(())
    } else {
        Err(Error::InvalidRequest("Part number must be an integer between 1 and 10000, inclusive"))
    }
}

impl UploadInfo {
    pub(crate) fn of(record: &UploadRecord) -> Self {
        Self {
            id: record.id,
            initiator: record.initiator,
            owner: record.owner,
            initiated: record.initiated,
            storage_class: record.storage_class.clone(),
            checksum: record.checksum,
            encryption: Encrypted::of(record.guards.encryption.as_ref()),
            ending: None,
        }
    }
}

/// What conditions of policies see of the object that an upload is to be: a part and a completion do not say it
/// again.
pub(crate) fn details_of(upload: Option<&UploadRecord>) -> Details<'_> {
    let Some(guards) = upload.map(|upload| &upload.guards) else { return Details::default() };
    let lock = AskedLock { retention: guards.retention, legal_hold: guards.legal_hold.get() };
    let encryption = guards.encryption.as_ref().and_then(|encryption| match &encryption.method {
        EncryptionMethod::S3 => Some(AskedEncryption { method: "AES256", key: None }),
        EncryptionMethod::Kms { key, dual_layer: false } => Some(AskedEncryption { method: "aws:kms", key: Some(key) }),
        EncryptionMethod::Kms { key, dual_layer: true } => {
            Some(AskedEncryption { method: "aws:kms:dsse", key: Some(key) })
        }
        EncryptionMethod::Customer => None,
    });
    Details { lock: Some(lock), encryption, ..Details::default() }
}
