//! UpdateObjectEncryption: the key of an object's bytes goes under another named key, and nothing else changes.

use crate::bucket::cached::Bucket;
use crate::domain::{Objects, Tried};
use crate::encryption::EncryptionError;
use crate::error::Error;
use cofre_catalog::records::{Encryption, EncryptionMethod, Guards};
use cofre_iam::{Action, Caller, Details};
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, ObjectKey, Timestamp, VersionId};

const IN_THE_CLEAR: Error = Error::InvalidRequest(
    "The UpdateObjectEncryption operation doesn't support unencrypted source objects. Only source objects encrypted with \
     SSE-S3 or SSE-KMS are supported.",
);
const OTHER_SOURCE: Error = Error::InvalidRequest(
    "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only \
     source objects encrypted with SSE-S3 or SSE-KMS are supported.",
);

/// The named key that an object's is to be sealed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its name, or an ARN of it.
    pub key: String,
    /// Whether a bucket key is asked for: it is told, and changes nothing.
    pub bucket_key: bool,
}

impl Objects {
    /// Seals the key of an object that is encrypted under Cofre's own key or a named one under another named key, or anew
    /// under the same. No byte is moved; version, entity tag and time of modification stay. Copies that were made before
    /// keep the key that theirs is sealed under.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for an object in the clear, of two layers or under a client's key;
    /// [`EncryptionError::Locked`] and [`EncryptionError::KeyAccess`]; [`Error::NoSuchEncryptionKey`].
    pub async fn update_object_encryption(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
        to: NewKey,
    ) -> Result<(), Error> {
        let (objects, caller, name, key) = (self.clone(), caller.clone(), name.clone(), key.clone());
        uncancelled(async move {
            let mut bucket = objects.bucket(&name).await?;
            let details = Details { version, ..Details::default() };
            for _ in Self::tries() {
                let mut held =
                    objects.version_with(&caller, Action::UpdateObjectEncryption, &bucket, &key, details).await?;
                let guards = &mut held.record.guards;
                refuse_locked(guards, objects.now())?;
                guards.encryption = Some(objects.resealed(&caller, (&bucket, &key), guards, &to).await?);
                let _turn = objects.lock_key(&bucket, &key).await;
                if matches!(objects.try_rewrite(&bucket, &key, held).await?, Tried::Done) {
                    return Ok(());
                }
                bucket = objects.same_bucket(&bucket).await?;
            }
            Err(Error::Conflict)
        })
        .await
    }

    /// The encryption of an object with its key sealed anew, which is bound to the context that it was bound to.
    async fn resealed(
        &self,
        caller: &Caller,
        (bucket, key): (&Bucket, &ObjectKey),
        guards: &Guards,
        to: &NewKey,
    ) -> Result<Encryption, Error> {
        let before = guards.encryption.as_ref().ok_or(IN_THE_CLEAR)?;
        if matches!(before.method, EncryptionMethod::Customer | EncryptionMethod::Kms { dual_layer: true, .. }) {
            return Err(OTHER_SOURCE);
        }
        let method = self.with_key_name(EncryptionMethod::Kms { key: to.key.clone(), dual_layer: false }).await;
        let EncryptionMethod::Kms { key: name, .. } = &method else { return Err(OTHER_SOURCE) };
        let at = (bucket, Some(key));
        // AWS, "UpdateObjectEncryption", "Permissions".
        self.authorise_key(caller, &[Action::Decrypt, Action::ReEncryptFrom], &before.method, at).await?;
        let new = [Action::GenerateDataKey, Action::Encrypt, Action::ReEncryptTo];
        self.authorise_key(caller, &new, &method, at).await?;
        let data_key = self.data_key(Some(before), None).await?.ok_or(IN_THE_CLEAR)?;
        let bound = before.context.as_deref().unwrap_or_default().as_bytes();
        let sealed_key = self.key_ring().seal(Some(name), bound, &data_key).await?;
        let (context, bucket_key) = (before.context.clone(), to.bucket_key);
        Ok(Encryption { method, sealed_key, key_md5: None, context, bucket_key })
    }
}

/// Refuses what is locked, by either mode or a legal hold (AWS, "UpdateObjectEncryption", "Errors").
fn refuse_locked(guards: &Guards, now: Timestamp) -> Result<(), EncryptionError> {
    let kept = guards.retention.is_some_and(|retention| retention.until > now);
    if kept || guards.legal_hold.get() == Some(true) { Err(EncryptionError::Locked) } else { Ok(()) }
}
