//! Operations on buckets.

mod acl;
mod changes;
mod config;
mod create;
mod delete;
mod hand_over;
mod list;
mod requests;

pub use requests::*;

use crate::lock::lock_of;
use crate::rights::Makes;
use crate::{Error, GivenAcl, Objects};
use cofre_catalog::keys;
use cofre_catalog::records::{BucketRecord, Usage};
use cofre_iam::{Action, Caller, Details, Principal};
use cofre_types::{AccountId, BucketName, ObjectKey, Tags, VersionId};

/// Refuses accounts but the root account: what follows is for operators.
pub(crate) fn refuse_accounts(caller: &Caller) -> Result<(), Error> {
    match &caller.principal {
        Principal::Internal(_) => Ok(()),
        Principal::Account(account) if account.root => Ok(()),
        Principal::Account(_) | Principal::Anonymous | Principal::Service(_) => Err(Error::AccessDenied),
    }
}

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

    /// Whether the caller may put an object: for a door that asks before it reads
    /// the body of a request. The operation itself asks again.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn may_put(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        tags: &Tags,
        acl: Option<&GivenAcl>,
    ) -> Result<(), Error> {
        let bucket = self.bucket(name).await?;
        self.authorise_put(caller, &bucket, key, tags, Makes::Object)?;
        self.written_by(caller, &bucket, key, acl).map(drop)
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

    /// Whether the caller may put a part of an object: as [`Objects::may_put`].
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn may_put_part(&self, caller: &Caller, name: &BucketName, key: &ObjectKey) -> Result<(), Error> {
        let bucket = self.bucket(name).await?;
        let details = Details { creates: Some(false), ..Details::default() };
        self.authorise_with(caller, Action::PutObject, &bucket, Some(key), details)
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
