//! Sub-resources of a bucket: versioning, quota, and documents that are kept as they are.

use super::changes;
use crate::bucket::cached::Bucket;
use crate::bucket::{ConfigKind, Unset};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{BucketConfig, BucketRecord, EventRecord, Ownership, Record, Versioning};
use cofre_catalog::{Batch, CommitError, keys};
use cofre_iam::{Action, Caller, Details, OperatorAct, Policy, PolicyKind, Rule, is_public};
use cofre_rules::lock_of;
use cofre_types::{BucketName, Scheme};
use std::sync::Arc;

/// Largest sub-resource document, as it is kept. CORS rules and policies have smaller bounds of their own, which are
/// AWS's.
const DOCUMENT_BYTES_MAX: usize = 128 << 10;

impl ConfigKind {
    pub(super) const fn of(config: &BucketConfig) -> Self {
        match config {
            BucketConfig::Cors(_) => Self::Cors,
            BucketConfig::Lifecycle(_) => Self::Lifecycle,
            BucketConfig::Policy(_) => Self::Policy,
            BucketConfig::Acl(_) => Self::Acl,
            BucketConfig::Ownership(_) => Self::Ownership,
            BucketConfig::PublicAccess(_) => Self::PublicAccess,
            BucketConfig::Encryption(_) => Self::Encryption,
            BucketConfig::ObjectLock(_) => Self::ObjectLock,
            BucketConfig::Website(_) => Self::Website,
            BucketConfig::Logging(_) => Self::Logging,
            BucketConfig::RequestPayment(_) => Self::RequestPayment,
            BucketConfig::Accelerate(_) => Self::Accelerate,
            BucketConfig::EncryptionBlock(_) => Self::EncryptionBlock,
            BucketConfig::Abac(_) => Self::Abac,
        }
    }

    /// What reading, setting and deleting it is called.
    const fn actions(self) -> (Action, Action, Action) {
        use Action as A;
        match self {
            Self::Cors => (A::GetBucketCors, A::PutBucketCors, A::PutBucketCors),
            Self::Lifecycle => {
                (A::GetLifecycleConfiguration, A::PutLifecycleConfiguration, A::PutLifecycleConfiguration)
            }
            Self::Policy => (A::GetBucketPolicy, A::PutBucketPolicy, A::DeleteBucketPolicy),
            Self::Acl => (A::GetBucketAcl, A::PutBucketAcl, A::PutBucketAcl),
            Self::Ownership => {
                (A::GetBucketOwnershipControls, A::PutBucketOwnershipControls, A::PutBucketOwnershipControls)
            }
            Self::PublicAccess => {
                (A::GetBucketPublicAccessBlock, A::PutBucketPublicAccessBlock, A::PutBucketPublicAccessBlock)
            }
            Self::Encryption | Self::EncryptionBlock => {
                (A::GetEncryptionConfiguration, A::PutEncryptionConfiguration, A::PutEncryptionConfiguration)
            }
            Self::ObjectLock => (
                A::GetBucketObjectLockConfiguration,
                A::PutBucketObjectLockConfiguration,
                A::PutBucketObjectLockConfiguration,
            ),
            Self::Website => (A::GetBucketWebsite, A::PutBucketWebsite, A::DeleteBucketWebsite),
            Self::Logging => (A::GetBucketLogging, A::PutBucketLogging, A::PutBucketLogging),
            Self::RequestPayment => {
                (A::GetBucketRequestPayment, A::PutBucketRequestPayment, A::PutBucketRequestPayment)
            }
            Self::Accelerate => {
                (A::GetAccelerateConfiguration, A::PutAccelerateConfiguration, A::PutAccelerateConfiguration)
            }
            Self::Abac => (A::GetBucketAbac, A::PutBucketAbac, A::PutBucketAbac),
        }
    }
}

/// Bytes of a document that a client wrote; the other sub-resources are bounded by their types.
fn document_bytes(config: &BucketConfig) -> usize {
    match config {
        BucketConfig::Cors(text)
        | BucketConfig::Lifecycle(text)
        | BucketConfig::Policy(text)
        | BucketConfig::Website(text)
        | BucketConfig::Logging(text) => text.len(),
        _ => 0,
    }
}

/// What has a verb of its own: the lock, which is held against versioning and never deleted, and encryption, which asks
/// for the right to a key.
fn refuse_special(kind: ConfigKind) -> Result<(), Error> {
    match kind {
        ConfigKind::ObjectLock => Err(Error::InvalidRequest("object lock is set by its own request")),
        ConfigKind::Encryption | ConfigKind::EncryptionBlock => {
            Err(Error::InvalidRequest("encryption is set by its own request"))
        }
        _ => Ok(()),
    }
}

/// Its objects name their old owners still.
const HANDED_OVER: Error = Error::InvalidBucketState(
    "The bucket was handed over from another account, so its ownership controls stay BucketOwnerEnforced.",
);

/// Refuses what contradicts what the bucket is, or says about who may reach it. `refused_by` refuses by a rule of its
/// public access block.
fn check_against(bucket: &Bucket, config: &BucketConfig, refused_by: impl Fn(Rule) -> Error) -> Result<(), Error> {
    let access = &bucket.access;
    match config {
        BucketConfig::Ownership(wanted)
            if access.ownership == Some(Ownership::HandedOver) && *wanted != Ownership::BucketOwnerEnforced =>
        {
            return Err(HANDED_OVER);
        }
        BucketConfig::Policy(document) => {
            let policy = Policy::parse(document, PolicyKind::Bucket(bucket.name.as_str()))?;
            if access.block.block_policy && policy.is_public() {
                return Err(refused_by(Rule::PublicPolicy));
            }
        }
        // Lists that are disabled must not be all that kept something open.
        BucketConfig::Ownership(Ownership::BucketOwnerEnforced) if access.acl_reaches_others() => {
            return Err(Error::AclWithOwnership);
        }
        BucketConfig::Accelerate(_) if bucket.name.as_str().contains('.') => {
            return Err(Error::InvalidRequest(
                "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
            ));
        }
        BucketConfig::Acl(_) if access.acls_disabled() => return Err(Error::AclNotSupported),
        BucketConfig::Acl(acl) if access.block.block_acls && is_public(acl) => {
            return Err(refused_by(Rule::PublicList));
        }
        _ => {}
    }
    Ok(())
}

impl Objects {
    /// Whether a bucket keeps old versions.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bucket_versioning(&self, caller: &Caller, name: &BucketName) -> Result<Versioning, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketVersioning, name, None).await?;
        Ok(bucket.record.versioning)
    }

    /// Enables or suspends versioning. What was enabled once is never unversioned again.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for [`Versioning::Unversioned`]; [`Error::InvalidBucketState`] for a
    /// suspension while object lock is enabled.
    pub async fn put_bucket_versioning(
        &self,
        caller: &Caller,
        name: &BucketName,
        versioning: Versioning,
    ) -> Result<(), Error> {
        if versioning == Versioning::Unversioned {
            return Err(Error::InvalidRequest("versioning is Enabled or Suspended"));
        }
        let set = |_: &Bucket, record: &mut BucketRecord| {
            if versioning != Versioning::Enabled && lock_of(record).is_some() {
                return Err(Error::InvalidBucketState(
                    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
                ));
            }
            record.versioning = versioning;
            Ok(())
        };
        self.try_change_bucket(caller, Action::PutBucketVersioning, name, "bucket.versioning_changed", set).await
    }

    /// Sets a bucket's own quota, over all versions; absent bounds are those of the settings. A bound
    /// below what is there deletes nothing and stops further writes.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`]; [`Error::AccessDenied`] for everyone but operators.
    pub async fn set_bucket_quota(
        &self,
        caller: &Caller,
        name: &BucketName,
        bytes_max: Option<u64>,
        objects_max: Option<u64>,
    ) -> Result<(), Error> {
        self.authorise_operator(caller, OperatorAct::SetBucketQuota)?;
        let set = |_: &Bucket, record: &mut BucketRecord| {
            record.bytes_max = bytes_max;
            record.objects_max = objects_max;
            Ok(())
        };
        self.commit_bucket(caller, None, name, "bucket.quota_changed", set).await
    }

    /// Sets a bucket's own redundancy, or leaves it to the settings. New blobs are written under it at once; those that
    /// exist are converted in the background.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`]; [`Error::AccessDenied`] for everyone but operators.
    pub async fn set_bucket_redundancy(
        &self,
        caller: &Caller,
        name: &BucketName,
        scheme: Option<Scheme>,
    ) -> Result<(), Error> {
        self.authorise_operator(caller, OperatorAct::SetBucketRedundancy)?;
        let set = |_: &Bucket, record: &mut BucketRecord| {
            record.scheme = scheme;
            Ok(())
        };
        self.commit_bucket(caller, None, name, "bucket.redundancy_changed", set).await
    }

    /// A bucket's own redundancy, if it has one, and the one that new blobs of its class `STANDARD` get.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bucket_redundancy(
        &self,
        caller: &Caller,
        name: &BucketName,
    ) -> Result<(Option<Scheme>, Scheme), Error> {
        let bucket = self.bucket_for(caller, Action::ListBucket, name, None).await?;
        Ok((bucket.record.scheme, self.scheme_of(&bucket, "")))
    }

    /// A bucket's own quota in bytes and objects.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bucket_quota(&self, caller: &Caller, name: &BucketName) -> Result<(Option<u64>, Option<u64>), Error> {
        let bucket = self.bucket_for(caller, Action::ListBucket, name, None).await?;
        Ok((bucket.record.bytes_max, bucket.record.objects_max))
    }

    /// A sub-resource.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it is not set.
    pub async fn bucket_config(
        &self,
        caller: &Caller,
        name: &BucketName,
        kind: ConfigKind,
    ) -> Result<BucketConfig, Error> {
        let bucket = self.bucket_for(caller, kind.actions().0, name, None).await?;
        let found = bucket.record.config.iter().find(|config| ConfigKind::of(config) == kind);
        found.cloned().ok_or(Error::NoSuchConfiguration(Unset::Config(kind)))
    }

    /// Sets a sub-resource, which the door has validated; a policy is parsed here.
    ///
    /// # Errors
    /// [`Error::MalformedPolicy`]; [`Error::AccessDenied`] for a policy or list that the bucket's public
    /// access block refuses; [`Error::AclWithOwnership`] where lists are to be disabled and the bucket's
    /// own grants something; [`Error::InvalidRequest`] for acceleration of a bucket with a dot in its name.
    pub async fn put_bucket_config(
        &self,
        caller: &Caller,
        name: &BucketName,
        config: BucketConfig,
    ) -> Result<(), Error> {
        if document_bytes(&config) > DOCUMENT_BYTES_MAX {
            return Err(Error::InvalidRequest("The configuration has more than 128 KiB"));
        }
        let kind = ConfigKind::of(&config);
        refuse_special(kind)?;
        let set = |bucket: &Bucket, record: &mut BucketRecord| {
            check_against(bucket, &config, |rule| self.refused_by(rule, caller, kind.actions().1, bucket, None))?;
            if kind == ConfigKind::Ownership && bucket.access.ownership == Some(Ownership::HandedOver) {
                return Ok(());
            }
            record.config.retain(|other| ConfigKind::of(other) != kind);
            record.config.push(config.clone());
            Ok(())
        };
        self.try_change_bucket(caller, kind.actions().1, name, "bucket.configured", set).await
    }

    /// Deletes a sub-resource; fine if it is not set.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delete_bucket_config(
        &self,
        caller: &Caller,
        name: &BucketName,
        kind: ConfigKind,
    ) -> Result<(), Error> {
        refuse_special(kind)?;
        let set = |bucket: &Bucket, record: &mut BucketRecord| {
            if kind == ConfigKind::Ownership && bucket.access.ownership == Some(Ownership::HandedOver) {
                return Err(HANDED_OVER);
            }
            record.config.retain(|other| ConfigKind::of(other) != kind);
            Ok(())
        };
        self.try_change_bucket(caller, kind.actions().2, name, "bucket.configured", set).await
    }

    /// Changes a bucket's record, unless `set` refuses it as it stands.
    pub(crate) async fn try_change_bucket(
        &self,
        caller: &Caller,
        action: Action,
        name: &BucketName,
        event: &'static str,
        set: impl Fn(&Bucket, &mut BucketRecord) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        self.commit_bucket(caller, Some(action), name, event, set).await
    }

    /// Changes a bucket's record if the caller may do `action`; without one it is decided already that it may.
    async fn commit_bucket(
        &self,
        caller: &Caller,
        action: Option<Action>,
        name: &BucketName,
        event: &'static str,
        set: impl Fn(&Bucket, &mut BucketRecord) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        self.commit_bucket_with(caller, action, name, Details::default(), event, set).await
    }

    /// As [`Objects::commit_bucket`], with what conditions of a policy may look at.
    pub(super) async fn commit_bucket_with(
        &self,
        caller: &Caller,
        action: Option<Action>,
        name: &BucketName,
        details: Details<'_>,
        event: &'static str,
        set: impl Fn(&Bucket, &mut BucketRecord) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        for _ in Self::tries() {
            let bucket: Arc<Bucket> = self.bucket(name).await?;
            if let Some(action) = action {
                self.authorise_with(caller, action, &bucket, None, details)?;
            }
            let mut record = bucket.record.clone();
            set(&bucket, &mut record)?;
            let mut batch = Batch::new();
            batch.unchanged(keys::bucket(name), Some(bucket.revision));
            batch.put(keys::bucket(name), record.encode());
            let event = EventRecord {
                at: self.now(),
                kind: event.to_owned(),
                subject: name.to_string(),
                actor: caller.actor(),
                details: changes::details(&bucket.record, &record),
            };
            batch.writes.push(event.append(0));
            match self.store().commit(batch).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Failed(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Error::Conflict)
    }
}
