//! What a bucket and an object say about who may reach them, and what access control lists mean (AWS,
//! "Access control list (ACL) overview").

use crate::action::Action;
use crate::caller::{LOG_DELIVERY_NAME, Principal};
use crate::policy::{Policy, Requester};
use cofre_catalog::records::{
    AclGrant, AclGrantee, AclPermission, AclRecord, BucketConfig, BucketRecord, Ownership, PublicAccessBlock,
};
use cofre_types::{AccountId, BucketName, Tags, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a bucket says about who may reach it and its objects. Made once when the bucket is read.
#[derive(Debug, Clone, PartialEq)]
pub struct BucketAccess {
    /// Who owns the bucket.
    pub owner: AccountId,
    /// Its policy.
    pub policy: Option<Policy>,
    /// Its access control list; if absent, the owner alone may.
    pub acl: Option<AclRecord>,
    /// Who owns what others put in it; the writer if absent, as in a bucket of AWS without controls.
    pub ownership: Option<Ownership>,
    /// What it refuses to make public.
    pub block: PublicAccessBlock,
    /// Its tags, where they count in conditions of policies (AWS, "Using tags with S3 general purpose buckets").
    pub tags: Option<Tags>,
    /// When operators were last told that its policy costs too much.
    pub told: LastTold,
}

/// When something was last told, so that it is not told with every request.
#[derive(Debug, Default)]
pub struct LastTold(AtomicU64);

impl LastTold {
    /// Whether it is to be told again at a time: once a minute.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        const PAUSE: Duration = Duration::from_secs(60);
        let last = self.0.load(Ordering::Relaxed);
        let due = last == 0 || now.0.saturating_sub(last) >= u64::try_from(PAUSE.as_nanos()).unwrap_or(u64::MAX);
        due && self.0.compare_exchange(last, now.0.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Clone for LastTold {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// When something was told says nothing of what it is.
impl PartialEq for LastTold {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What an object that exists says about who may reach it.
#[derive(Debug, Clone, Copy)]
pub struct ObjectAccess<'a> {
    /// Who owns it, as its record says.
    pub owner: AccountId,
    /// Its access control list; if absent, the owner alone may.
    pub acl: Option<&'a AclRecord>,
    /// Its tags.
    pub tags: &'a Tags,
}

impl BucketAccess {
    /// A bucket that is its owner's alone.
    pub fn private(owner: AccountId) -> Self {
        let block = PublicAccessBlock::default();
        Self { owner, policy: None, acl: None, ownership: None, block, tags: None, told: LastTold::default() }
    }

    /// What the record of a bucket says. A policy that does not parse, which only another build can have
    /// written, is taken for one that denies everything.
    pub fn of(name: &BucketName, record: &BucketRecord) -> Self {
        let mut access = Self::private(record.owner);
        for config in &record.config {
            match config {
                BucketConfig::Policy(document) => {
                    let parsed = Policy::stored(document, crate::PolicyKind::Bucket(name.as_str()));
                    access.policy = Some(parsed.unwrap_or_else(|error| {
                        tracing::error!(bucket = %name, %error, "a bucket's policy does not parse: all is denied");
                        Policy::closed()
                    }));
                }
                BucketConfig::Acl(acl) => access.acl = Some(acl.clone()),
                BucketConfig::Ownership(ownership) => access.ownership = Some(*ownership),
                BucketConfig::PublicAccess(block) => access.block = *block,
                BucketConfig::Abac(true) => access.tags = Some(record.tags.clone()),
                _ => {}
            }
        }
        access
    }

    /// Whether access control lists are disabled.
    pub fn acls_disabled(&self) -> bool {
        self.ownership.is_some_and(Ownership::disables_lists)
    }

    /// Whether its list grants something to anyone but its owner.
    pub fn acl_reaches_others(&self) -> bool {
        let own = AclGrantee::Account(self.owner);
        self.acl.as_ref().is_some_and(|acl| acl.grants.iter().any(|grant| grant.grantee != own))
    }

    /// Who owns an object whose record names `owner`.
    pub fn object_owner(&self, owner: AccountId) -> AccountId {
        if self.acls_disabled() { self.owner } else { owner }
    }

    /// Whether its policy or its list lets the public in.
    pub fn is_public(&self) -> bool {
        let by_acl = !self.acls_disabled() && self.acl.as_ref().is_some_and(is_public);
        by_acl || self.policy.as_ref().is_some_and(Policy::is_public)
    }

    /// Whether a list lets `who`, none for someone without credentials, do an action.
    pub(crate) fn acl_allows(&self, action: Action, who: Option<AccountId>, object: Option<ObjectAccess<'_>>) -> bool {
        if self.acls_disabled() {
            return false;
        }
        let by = |list: Option<&AclRecord>, wanted| list.is_some_and(|list| self.grants(list, wanted, who));
        if let Some(wanted) = of_object(action) {
            return object.is_some_and(|object| by(object.acl, wanted));
        }
        let owns = who.is_some() && object.map(|object| object.owner) == who;
        of_bucket(action, owns).is_some_and(|wanted| by(self.acl.as_ref(), wanted))
    }

    /// Whether its list lets the delivery of access logs do an action (AWS, "Permissions for server access log
    /// delivery").
    pub(crate) fn acl_takes_logs(&self, action: Action) -> bool {
        let grants = self.acl.iter().filter(|_| !self.acls_disabled()).flat_map(|acl| &acl.grants);
        let mut to_delivery = grants.filter(|grant| grant.grantee == AclGrantee::LogDelivery);
        of_bucket(action, false).is_some_and(|wanted| {
            to_delivery.any(|grant| grant.permission == wanted || grant.permission == AclPermission::FullControl)
        })
    }

    /// Whether its policy or its list could let the delivery of access logs put an object of one of these keys (AWS,
    /// "Permissions for server access log delivery"). Conditions and denials are for each delivery.
    pub fn could_take_logs(&self, bucket: &BucketName, keys: [&str; 2]) -> bool {
        let by_policy = self.policy.as_ref().is_some_and(|policy| {
            keys.iter().any(|key| {
                let resource = format!("arn:aws:s3:::{bucket}/{key}");
                policy.could_allow(Requester::Service(LOG_DELIVERY_NAME), Action::PutObject, Some(&resource))
            })
        });
        by_policy || self.acl_takes_logs(Action::PutObject) || self.acl_allows(Action::PutObject, None, None)
    }

    /// Whether someone could be allowed an action on the bucket or on any object of it, whatever conditions and objects
    /// say. It is no right: the decision is made with all that is known then.
    pub fn could_allow(&self, principal: &Principal, action: Action) -> bool {
        let who = principal.account_id();
        let inside =
            matches!(principal, Principal::Internal(_)) || principal.account().is_some_and(|account| account.root);
        let by_policy = || {
            let arn = principal.arn();
            let requester = match (principal, who, &arn) {
                (Principal::Service(name), ..) => Requester::Service(name),
                (_, Some(account), Some(arn)) => Requester::Identity { account, arn },
                _ => Requester::Anonymous,
            };
            self.policy.as_ref().is_some_and(|policy| policy.could_allow(requester, action, None))
        };
        // Who may write to a bucket may own objects of it.
        let permission = of_bucket(action, true);
        let by_list = || permission.is_some_and(|wanted| self.acl.iter().any(|list| self.grants(list, wanted, who)));
        // Objects may be others', and let others in.
        let by_object = || action.is_of_the_object() && (who.is_some() || of_object(action).is_some());
        inside || who == Some(self.owner) || by_policy() || (!self.acls_disabled() && (by_list() || by_object()))
    }

    fn grants(&self, list: &AclRecord, wanted: AclPermission, who: Option<AccountId>) -> bool {
        list.grants.iter().any(|grant| {
            let permits = grant.permission == wanted || grant.permission == AclPermission::FullControl;
            permits
                && match grant.grantee {
                    AclGrantee::Account(account) => who == Some(account),
                    AclGrantee::AllUsers => !self.block.ignore_acls,
                    AclGrantee::AuthenticatedUsers => !self.block.ignore_acls && who.is_some(),
                    AclGrantee::LogDelivery => false,
                }
        })
    }
}

/// Whether a list grants something to everyone, or to everyone with credentials.
pub fn is_public(list: &AclRecord) -> bool {
    let public = |grant: &AclGrant| matches!(grant.grantee, AclGrantee::AllUsers | AclGrantee::AuthenticatedUsers);
    list.grants.iter().any(public)
}

/// The permission on an object that an action needs, by AWS's "Mapping of ACL permissions and access
/// policy permissions"; none if a list of an object does not give it.
fn of_object(action: Action) -> Option<AclPermission> {
    match action {
        Action::GetObject | Action::GetObjectVersion => Some(AclPermission::Read),
        Action::GetObjectAcl | Action::GetObjectVersionAcl => Some(AclPermission::ReadAcp),
        Action::PutObjectAcl | Action::PutObjectVersionAcl => Some(AclPermission::WriteAcp),
        _ => None,
    }
}

/// The permission on a bucket that an action needs. Who may write may delete only its own objects.
fn of_bucket(action: Action, owns_object: bool) -> Option<AclPermission> {
    match action {
        Action::ListBucket | Action::ListBucketVersions | Action::ListBucketMultipartUploads => {
            Some(AclPermission::Read)
        }
        Action::PutObject => Some(AclPermission::Write),
        Action::DeleteObject if owns_object => Some(AclPermission::Write),
        Action::GetBucketAcl => Some(AclPermission::ReadAcp),
        Action::PutBucketAcl => Some(AclPermission::WriteAcp),
        _ => None,
    }
}
