//! An object's access control list.

use crate::bucket::cached::Bucket;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::object::ObjectRef;
use crate::versions::Held;
use cofre_iam::{Acl, Action, Caller, GivenAcl};
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, ObjectKey, VersionId};
use std::sync::Arc;

/// The right to replace the access control list of a version, which was asked once, and the version.
pub struct AclTicket {
    objects: Objects,
    caller: Caller,
    bucket: Arc<Bucket>,
    at: ObjectRef,
    held: Held,
}

impl AclTicket {
    /// Replaces the list. Neither the version's owner nor its time changes.
    ///
    /// # Errors
    /// [`Error::AclNotSupported`] where lists are disabled; [`Error::AccessDenied`] for a public list that
    /// the public access block refuses.
    pub async fn store(self, given: GivenAcl) -> Result<Option<VersionId>, Error> {
        let Self { objects, caller, bucket, at, held } = self;
        uncancelled(async move { objects.commit_acl(&caller, (bucket, &at), held, &given).await }).await
    }
}

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

    /// Asks for the right to replace the access control list of a version, before the accounts that it names are known.
    ///
    /// # Errors
    /// As [`Objects::begin_get`].
    pub async fn begin_acl(&self, caller: &Caller, at: ObjectRef) -> Result<AclTicket, Error> {
        let bucket = self.bucket(&at.bucket).await?;
        let held = self.version_for(caller, action_of(&at), &bucket, &at.key, at.version).await?;
        Ok(AclTicket { objects: self.clone(), caller: caller.clone(), bucket, at, held })
    }

    async fn commit_acl(
        &self,
        caller: &Caller,
        (mut bucket, at): (Arc<Bucket>, &ObjectRef),
        mut held: Held,
        given: &GivenAcl,
    ) -> Result<Option<VersionId>, Error> {
        let key = &at.key;
        for _ in Self::tries() {
            let _turn = self.lock_key(&bucket, key).await;
            if bucket.access.acls_disabled() {
                return Err(Error::AclNotSupported);
            }
            let acl = given.of_object(held.record.owner, bucket.record.owner);
            self.refuse_public(caller, action_of(at), &bucket, Some(key), acl.as_ref())?;
            held.record.guards.acl = acl;
            let shown = bucket.shown(held.record.version);
            if matches!(self.try_rewrite(&bucket, key, held).await?, Tried::Done) {
                return Ok(shown);
            }
            bucket = self.same_bucket(&bucket).await?;
            held = self.version_for(caller, action_of(at), &bucket, key, at.version).await?;
        }
        Err(Error::Conflict)
    }
}

const fn action_of(at: &ObjectRef) -> Action {
    if at.version.is_some() { Action::PutObjectVersionAcl } else { Action::PutObjectAcl }
}
