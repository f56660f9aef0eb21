//! Operations on buckets.

mod config;
mod create;
mod delete;
mod list;
mod requests;

pub use requests::*;

use crate::domain::Bucket;
use crate::{Error, Objects};
use cofre_catalog::keys;
use cofre_catalog::records::Usage;
use cofre_iam::{Action, Caller};
use cofre_types::{BucketName, ObjectKey};

impl BucketInfo {
    pub(crate) fn of(bucket: &Bucket) -> Self {
        Self {
            name: bucket.name.clone(),
            id: bucket.record.id,
            owner: bucket.record.owner,
            created: bucket.record.created,
            region: bucket.record.region.clone(),
            versioning: bucket.record.versioning,
            object_lock: bucket.lock().is_some(),
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
        Ok(BucketInfo::of(&bucket))
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
        Ok(BucketInfo::of(&*self.bucket_for(caller, action, name, None).await?))
    }

    /// Whether the caller may do `action` to an object of a bucket: for a door that asks before it reads
    /// the body of a request. The operation itself asks again.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn object_allowing(
        &self,
        caller: &Caller,
        action: Action,
        name: &BucketName,
        key: &ObjectKey,
    ) -> Result<(), Error> {
        self.bucket_for(caller, action, name, Some(key)).await.map(drop)
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
