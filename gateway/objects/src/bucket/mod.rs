//! Operations on buckets.

mod acl;
pub(crate) mod cached;
mod changes;
mod config;
mod cors;
mod create;
mod delete;
mod encryption;
mod hand_over;
mod list;
mod requests;
mod tags;
mod website;

pub use create::BucketTicket;
pub use encryption::BucketEncryption;
pub use list::LargestBuckets;
pub use requests::*;

use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::keys;
use cofre_catalog::records::{BucketRecord, Usage};
use cofre_iam::{Action, Caller};
use cofre_rules::lock_of;
use cofre_types::{AccountId, BucketName};

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
