//! A bucket's access control list, and whether it is public.

use crate::bucket::ConfigKind;
use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{BucketConfig, BucketRecord};
use cofre_iam::{Acl, Action, Caller, GivenAcl};
use cofre_types::BucketName;

impl Objects {
    /// A bucket's access control list; where lists are disabled, the one that holds then.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn bucket_acl(&self, caller: &Caller, name: &BucketName) -> Result<Acl, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketAcl, name, None).await?;
        let list = bucket.access.acl.as_ref().filter(|_| !bucket.access.acls_disabled());
        Ok(Acl::of(bucket.record.owner, list))
    }

    /// Replaces a bucket's access control list.
    ///
    /// # Errors
    /// [`Error::AclNotSupported`] where lists are disabled; [`Error::AccessDenied`] for a public list that
    /// the public access block refuses.
    pub async fn put_bucket_acl(&self, caller: &Caller, name: &BucketName, given: GivenAcl) -> Result<(), Error> {
        let set = |bucket: &Bucket, record: &mut BucketRecord| {
            if bucket.access.acls_disabled() {
                return Err(Error::AclNotSupported);
            }
            let acl = given.of_bucket(record.owner);
            self.refuse_public(caller, Action::PutBucketAcl, bucket, None, acl.as_ref())?;
            record.config.retain(|config| ConfigKind::of(config) != ConfigKind::Acl);
            record.config.extend(acl.map(BucketConfig::Acl));
            Ok(())
        };
        self.try_change_bucket(caller, Action::PutBucketAcl, name, "bucket.configured", set).await
    }

    /// Whether a bucket's policy or access control list lets the public in (AWS, "The meaning of public").
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn bucket_is_public(&self, caller: &Caller, name: &BucketName) -> Result<bool, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketPolicyStatus, name, None).await?;
        Ok(bucket.access.is_public())
    }
}
