//! Operations on buckets.

mod acl;
pub(crate) mod cached;
mod changes;
mod config;
mod create;
mod delete;
mod encryption;
mod hand_over;
mod list;
mod requests;
mod tags;

pub use encryption::BucketEncryption;
pub use list::LargestBuckets;
pub use requests::*;

use crate::lock::lock_of;
use crate::rights::{Asking, Makes};
use crate::upload::UploadRef;
use crate::{Error, Objects};
use cofre_catalog::keys;
use cofre_catalog::records::{BucketRecord, Usage};
use cofre_iam::{Action, Caller, Resource};
use cofre_types::{AccountId, BucketName, ObjectKey, Tags, VersionId};

impl BucketInfo {
    pub(crate) fn of(name: &BucketName, record: &BucketRecord) -> Self {
        Self {
            name: name.clone(),
            id: record.id,
            owner: record.owner,
            created: record.created,
            region: record.region.clone(),
            versioning: record.versioning,
            object_lock: lock_of(record).is_some(),
        }
    }
}

impl Objects {
    /// Tells of a bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn head_bucket(&self, caller: &Caller, name: &BucketName) -> Result<BucketInfo, Error> {
        let bucket = self.bucket_for(caller, Action::ListBucket, name, None).await?;
        Ok(BucketInfo::of(name, &bucket.record))
    }

    /// Tells of a bucket if the caller may do `action` to it: for what a door answers by itself, such
    /// as a sub-resource that no bucket has.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn bucket_allowing(
        &self,
        caller: &Caller,
        action: Action,
        name: &BucketName,
    ) -> Result<BucketInfo, Error> {
        Ok(BucketInfo::of(name, &self.bucket_for(caller, action, name, None).await?.record))
    }

    /// Who owns a bucket: for a door that holds it against the owner that a request expects, whatever its
    /// caller may. Not for telling it.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn bucket_owner(&self, name: &BucketName) -> Result<AccountId, Error> {
        Ok(self.bucket(name).await?.record.owner)
    }

    /// Where a bucket is, whatever its caller may: for a door that tells it with every refusal, as AWS does. None if
    /// there is no such bucket.
    pub async fn bucket_region(&self, name: &BucketName) -> Option<String> {
        Some(self.bucket(name).await.ok()?.record.region.clone())
    }

    /// Whether the caller may put an object: for a door that asks before it reads
    /// the body of a request. The operation itself asks again.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn may_put(&self, caller: &Caller, put: WantedPut<'_>) -> Result<(), Error> {
        let WantedPut { bucket, key, tags, lock, acl, source, upload } = put;
        let bucket = self.bucket(bucket).await?;
        let makes = if upload { Makes::Upload } else { Makes::Object };
        let no_tags = Tags::default();
        let asking = Asking { tags: tags.unwrap_or(&no_tags), makes, lock, source };
        self.authorise_put(caller, &bucket, key, asking)?;
        self.written_by(caller, &bucket, key, acl).map(drop)
    }

    /// Whether the caller may replace the access control list of an object, which must be there: for a door that asks
    /// before it looks up whom the list names.
    ///
    /// # Errors
    /// As [`Objects::may_get`].
    pub async fn may_put_acl(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<(), Error> {
        let action = if version.is_some() { Action::PutObjectVersionAcl } else { Action::PutObjectAcl };
        let bucket = self.bucket(name).await?;
        self.version_for(caller, action, &bucket, key, version).await.map(drop)
    }

    /// Whether the caller may make a bucket: as [`Objects::may_put_acl`].
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub fn may_create_bucket(&self, caller: &Caller, name: &BucketName) -> Result<(), Error> {
        self.authorise_beyond_buckets(caller, Action::CreateBucket, Resource::NewBucket { bucket: name })
    }

    /// Whether the caller may get an object, or a version of it: as [`Objects::may_put`].
    ///
    /// # Errors
    /// [`Error::AccessDenied`], or that there is no such bucket, object or version.
    pub async fn may_get(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<(), Error> {
        let action = if version.is_some() { Action::GetObjectVersion } else { Action::GetObject };
        let bucket = self.bucket(name).await?;
        self.version_for(caller, action, &bucket, key, version).await.map(drop)
    }

    /// Whether the caller may restore an object, which must be there.
    ///
    /// # Errors
    /// As [`Objects::may_get`].
    pub async fn may_restore(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<(), Error> {
        let bucket = self.bucket(name).await?;
        self.version_for(caller, Action::RestoreObject, &bucket, key, version).await.map(drop)
    }

    /// Whether the caller may put a part of an upload, copied or not: as [`Objects::may_put`]. That there is no such
    /// upload is for the operation to tell.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn may_put_part(
        &self,
        caller: &Caller,
        at: &UploadRef,
        source: Option<(&BucketName, &ObjectKey)>,
    ) -> Result<(), Error> {
        match self.upload_for(caller, Action::PutObject, at, source).await {
            Ok(_) | Err(Error::NoSuchUpload) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the caller may complete an upload: as [`Objects::may_put_part`].
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn may_complete(&self, caller: &Caller, at: &UploadRef) -> Result<(), Error> {
        let bucket = self.bucket(&at.bucket).await?;
        self.authorise_completion(caller, &bucket, at).await
    }

    /// What a bucket holds, exactly, as of the last commit.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn bucket_usage(&self, caller: &Caller, name: &BucketName) -> Result<Usage, Error> {
        let bucket = self.bucket_for(caller, Action::ListBucket, name, None).await?;
        let entry = self.get(keys::usage(bucket.record.id)).await?;
        Ok(entry.map_or_else(Usage::default, |entry| Usage::from_value(&entry.value)))
    }
}
