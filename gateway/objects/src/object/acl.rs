//! An object's access control list.

use crate::bucket::cached::Bucket;
use crate::domain::Tried;
use crate::{Acl, Error, GivenAcl, Objects};
use cofre_iam::{Action, Caller};
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, ObjectKey, VersionId};
use std::sync::Arc;

impl Objects {
    /// The access control list of a version; where lists are disabled, the one that holds then.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn object_acl(
        &self,
        caller: &Caller,
        bucket: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<Acl, Error> {
        let action = if version.is_some() { Action::GetObjectVersionAcl } else { Action::GetObjectAcl };
        let bucket = self.bucket(bucket).await?;
        let record = self.version_for(caller, action, &bucket, key, version).await?.record;
        let list = record.guards.acl.as_ref().filter(|_| !bucket.access.acls_disabled());
        Ok(Acl::of(bucket.owner_of(&record), list))
    }

    /// Replaces the access control list of a version. Neither its owner nor its time changes.
    ///
    /// # Errors
    /// [`Error::AclNotSupported`] where lists are disabled; [`Error::AccessDenied`] for a public list that
    /// the public access block refuses.
    pub async fn put_object_acl(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
        given: GivenAcl,
    ) -> Result<Option<VersionId>, Error> {
        let bucket = self.bucket(name).await?;
        let (objects, caller, key) = (self.clone(), caller.clone(), key.clone());
        uncancelled(async move { objects.commit_acl(&caller, bucket, &key, version, &given).await }).await
    }

    async fn commit_acl(
        &self,
        caller: &Caller,
        mut bucket: Arc<Bucket>,
        key: &ObjectKey,
        version: Option<VersionId>,
        given: &GivenAcl,
    ) -> Result<Option<VersionId>, Error> {
        let action = if version.is_some() { Action::PutObjectVersionAcl } else { Action::PutObjectAcl };
        for _ in Self::tries() {
            let _turn = self.lock_key(&bucket, key).await;
            let mut held = self.version_for(caller, action, &bucket, key, version).await?;
            if bucket.access.acls_disabled() {
                return Err(Error::AclNotSupported);
            }
            let acl = given.of_object(held.record.owner, bucket.record.owner);
            self.refuse_public(caller, action, &bucket, Some(key), acl.as_ref())?;
            held.record.guards.acl = acl;
            let shown = bucket.shown(held.record.version);
            if matches!(self.try_rewrite(&bucket, key, held).await?, Tried::Done) {
                return Ok(shown);
            }
            bucket = self.same_bucket(&bucket).await?;
        }
        Err(Error::Conflict)
    }
}
