//! Retention and legal hold of one version, and the lock of a bucket.

use crate::bucket::Unset;
use crate::bucket::cached::Bucket;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::rights::asked_lock;
use cofre_catalog::records::{Guards, LegalHold, LockConfig, Retention};
use cofre_iam::{Action, AskedLock, Caller, Details};
use cofre_rules::{LockError, Removal, WantedLock, check_change, set_lock, starting, wanted_lock};
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, ObjectKey, VersionId};

impl Objects {
    /// Enables the lock of a bucket, or changes its default retention. Nothing disables it again.
    ///
    /// # Errors
    /// [`Error::InvalidBucketState`] unless versioning is enabled.
    pub async fn put_object_lock(&self, caller: &Caller, name: &BucketName, lock: LockConfig) -> Result<(), Error> {
        let action = Action::PutBucketObjectLockConfiguration;
        self.try_change_bucket(caller, action, name, "bucket.configured", |_, record| Ok(set_lock(record, lock)?)).await
    }

    /// Until when a version is kept.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it has no retention.
    pub async fn object_retention(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<Retention, Error> {
        let guards = self.locked_guards(caller, Action::GetObjectRetention, name, key, version).await?;
        guards.retention.ok_or(Error::NoSuchConfiguration(Unset::Retention))
    }

    /// Whether a version has a legal hold.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if nobody ever said.
    pub async fn object_legal_hold(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<bool, Error> {
        let guards = self.locked_guards(caller, Action::GetObjectLegalHold, name, key, version).await?;
        guards.legal_hold.get().ok_or(Error::NoSuchConfiguration(Unset::LegalHold))
    }

    async fn locked_guards(
        &self,
        caller: &Caller,
        action: Action,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<Guards, Error> {
        let bucket = self.bucket_for(caller, action, name, Some(key)).await?;
        if bucket.lock().is_none() {
            return Err(LockError::Missing.into());
        }
        Ok(self.object_version(&bucket, key, version).await?.record.guards)
    }

    /// Sets until when a version is kept, or takes that back. Weakening what is in force needs
    /// governance mode, `bypass`, and the right to it.
    ///
    /// # Errors
    /// [`Error::Locked`]; the version is kept as before.
    pub async fn put_object_retention(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
        retention: Option<Retention>,
        bypass: bool,
    ) -> Result<(), Error> {
        let about = (name.clone(), key.clone(), version);
        let asked = AskedLock { retention, legal_hold: None };
        self.change_guards(caller, Action::PutObjectRetention, about, asked, bypass, move |guards, removal| {
            let wanted = retention.map(|retention| starting(retention, removal.now)).transpose()?;
            check_change(guards.retention, wanted, removal)?;
            guards.retention = wanted;
            Ok(())
        })
        .await
    }

    /// Sets or takes back the legal hold of a version.
    ///
    /// # Errors
    /// [`Error`]; the version stands as it did.
    pub async fn put_object_legal_hold(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
        hold: bool,
    ) -> Result<(), Error> {
        let about = (name.clone(), key.clone(), version);
        let set = move |guards: &mut Guards, _| {
            guards.legal_hold = LegalHold::set(hold);
            Ok(())
        };
        let asked = AskedLock { retention: None, legal_hold: Some(hold) };
        self.change_guards(caller, Action::PutObjectLegalHold, about, asked, false, set).await
    }

    async fn change_guards(
        &self,
        caller: &Caller,
        action: Action,
        (name, key, version): (BucketName, ObjectKey, Option<VersionId>),
        asked: AskedLock,
        bypass: bool,
        set: impl Fn(&mut Guards, Removal) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let mut bucket = self.bucket(&name).await?;
        let (objects, caller) = (self.clone(), caller.clone());
        uncancelled(async move {
            let details = Details { lock: Some(asked), ..Details::default() };
            for _ in Self::tries() {
                objects.authorise_with(&caller, action, &bucket, Some(&key), details)?;
                let bypass = bypass && objects.may_bypass(&caller, &bucket, &key, details);
                if bucket.lock().is_none() {
                    return Err(LockError::Missing.into());
                }
                let _turn = objects.lock_key(&bucket, &key).await;
                let mut held = objects.object_version(&bucket, &key, version).await?;
                set(&mut held.record.guards, Removal { bypass, ..Removal::at(objects.now()) })?;
                if matches!(objects.try_rewrite(&bucket, &key, held).await?, Tried::Done) {
                    return Ok(());
                }
                bucket = objects.same_bucket(&bucket).await?;
            }
            Err(Error::Conflict)
        })
        .await
    }

    /// Whether a caller may do away with what governance mode keeps.
    pub(crate) fn may_bypass(&self, caller: &Caller, bucket: &Bucket, key: &ObjectKey, details: Details<'_>) -> bool {
        self.authorise_with(caller, Action::BypassGovernanceRetention, bucket, Some(key), details).is_ok()
    }

    /// The lock of a version to be, once the caller may ask for it.
    pub(crate) fn lock_for(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        key: &ObjectKey,
        wanted: WantedLock,
    ) -> Result<WantedLock, Error> {
        let details = Details { lock: Some(asked_lock(wanted)), ..Details::default() };
        if wanted.retention.is_some() {
            self.authorise_with(caller, Action::PutObjectRetention, bucket, Some(key), details)?;
        }
        if wanted.legal_hold.is_some() {
            self.authorise_with(caller, Action::PutObjectLegalHold, bucket, Some(key), details)?;
        }
        Ok(wanted_lock(bucket.lock(), wanted, self.now())?)
    }
}
