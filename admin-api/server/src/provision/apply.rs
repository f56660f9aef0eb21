//! The steps of a plan, carried out.

use super::checked::given;
use super::plan::{AccountSetting, BucketSetting, Op};
use super::{Prepared, Problems, forms, public_refused, rules};
use crate::{Admin, ApiError};
use cofre_admin_types::provision::{Grant, Logging, Provision, ProvisionBucket, ProvisionKey};
use cofre_iam::{Caller, IamError, KeyChange, NewAccount, NewKey, ROOT_NAME, Secret};
use cofre_objects::{
    AclGrant, AclGrantee, BucketConfig, BucketEncryption, ConfigKind, CreateBucket, Error, GivenAcl, Ownership,
    PublicAccessBlock,
};
use cofre_settings::{JobName, Patch};
use cofre_types::{AccessKeyId, AccountId, BucketName, Timestamp};
use serde_json::Value;

/// Carries every step out, in their order. Events name `actor`.
///
/// With `problems`, a step that is refused goes there, and the others are carried out.
pub(super) async fn carry_out(
    admin: &Admin,
    actor: &str,
    prepared: &Prepared,
    mut problems: Option<&mut Problems>,
) -> Result<(), ApiError> {
    let document = &prepared.document;
    for planned in &prepared.planned {
        if let Op::CreateKey(account, key) = planned.op
            && document.accounts[account].keys[key].secret_access_key.is_none()
        {
            let field = format!("{}.secret_access_key", planned.step.field);
            return Err(ApiError::invalid(field, "is needed, for there is no such key yet"));
        }
    }
    let run = Run { admin, actor, document, caller: admin.caller().on_behalf_of(actor) };
    let mut kept = Ok(());
    for planned in &prepared.planned {
        let step = &planned.step;
        let field = if step.field.is_empty() { &step.subject } else { &step.field };
        match run.step(&planned.op).await.map_err(|error| at(field, error)) {
            Ok(()) => {}
            // What cannot be deleted, as a bucket that is not empty, holds up nothing of the others.
            Err(error @ ApiError::Invalid { .. }) if planned.op.deletes() => kept = kept.and(Err(error)),
            Err(error @ ApiError::Invalid { .. }) => match &mut problems {
                Some(problems) => problems.push(error),
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
    kept
}

/// The error of a step, as one of its field unless the server is at fault.
fn at(field: &str, error: ApiError) -> ApiError {
    match error {
        ApiError::Internal(_) | ApiError::Unavailable(_) => error,
        ApiError::Invalid { reason, .. } => ApiError::invalid(field, reason),
        error => ApiError::invalid(field, error.to_string()),
    }
}

/// What may let others into a bucket.
enum Opening {
    Policy(String),
    List(GivenAcl),
}

struct Run<'a> {
    admin: &'a Admin,
    actor: &'a str,
    document: &'a Provision,
    caller: Caller,
}

impl Run<'_> {
    async fn step(&self, op: &Op) -> Result<(), ApiError> {
        let (iam, objects, actor) = (&self.admin.iam, &self.admin.objects, self.actor);
        match op {
            Op::Included => {}
            Op::Settings => {
                let expected = self.admin.settings.revised().revision;
                let merge = Value::Object(self.document.settings.clone());
                let (author, note) = (actor.to_owned(), "provisioned".to_owned());
                self.admin.settings.patch(Patch { expected, merge, author, note }).await?;
            }
            Op::CreateAccount(at) => {
                let wanted = &self.document.accounts[*at];
                let new = NewAccount {
                    name: wanted.name.clone(),
                    email: wanted.email.clone().unwrap_or_default(),
                    id: wanted.id.as_deref().map(AccountId::parse).transpose()?,
                    buckets_max: wanted.buckets_max,
                    key: None,
                };
                iam.create_account_without_key(new, actor).await?;
            }
            Op::SetAccount(at, setting) => self.set_account(*at, *setting).await?,
            Op::CreateKey(account, key) => self.create_key(*account, *key).await?,
            Op::ChangeKey(account, key) => {
                let key = &self.document.accounts[*account].keys[*key];
                let change = KeyChange {
                    secret: key.secret_access_key.clone().map(Secret::new),
                    disabled: key.disabled,
                    expires: expires_of(key)?,
                    note: key.note.clone(),
                };
                iam.change_key(&AccessKeyId::parse(&key.access_key_id)?, change, actor).await?;
            }
            Op::SetKeyPolicy(at) => {
                let wanted = &self.document.key_policies[*at];
                objects.set_key_policy(&self.caller, &wanted.key, wanted.policy.clone()).await?;
            }
            Op::CreateBucket(at) => self.create_bucket(*at).await?,
            Op::HandOver(at) => {
                let wanted = &self.document.buckets[*at];
                let owner = self.account(wanted.owner.as_deref().unwrap_or(ROOT_NAME)).await?;
                objects.hand_bucket_over(&self.caller, &BucketName::parse(&wanted.name)?, owner).await?;
            }
            Op::SetBucket(at, setting) => self.set_bucket(&self.document.buckets[*at], *setting).await?,
            Op::UnsetBucket(name, setting) => self.unset_bucket(&BucketName::parse(name)?, *setting).await?,
            Op::DeleteBucket(name) => objects.delete_bucket(&self.caller, &BucketName::parse(name)?).await?,
            Op::DeleteKeyPolicy(key) => objects.delete_key_policy(&self.caller, key).await?,
            Op::DeleteKey(id) => iam.delete_key(&AccessKeyId::parse(id)?, actor).await?,
            Op::DeleteAccount(name) => iam.delete_account(self.account(name).await?, actor).await?,
        }
        Ok(())
    }

    /// The account of a name, which may look like an id, or of an id.
    async fn account(&self, called: &str) -> Result<AccountId, ApiError> {
        match (self.admin.iam.account_by_name(called).await, AccountId::parse(called)) {
            (Ok(account), _) => Ok(account.id),
            (Err(IamError::NotFound { .. }), Ok(id)) => Ok(id),
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn set_account(&self, at: usize, setting: AccountSetting) -> Result<(), ApiError> {
        let (iam, wanted) = (&self.admin.iam, &self.document.accounts[at]);
        let id = self.account(&wanted.name).await?;
        match setting {
            AccountSetting::Disabled => {
                iam.set_account_disabled(id, wanted.disabled.unwrap_or(false), self.actor).await?;
            }
            AccountSetting::BucketsMax => {
                iam.set_account_buckets_max(id, wanted.buckets_max, self.actor).await?;
            }
            AccountSetting::Quota => {
                let quota = wanted.quota.unwrap_or_default();
                iam.set_account_quota(id, quota.bytes_max, quota.objects_max, self.actor).await?;
            }
        }
        Ok(())
    }

    async fn create_key(&self, account: usize, key: usize) -> Result<(), ApiError> {
        let account = &self.document.accounts[account];
        let key = &account.keys[key];
        let secret = key.secret_access_key.as_deref().unwrap_or_default();
        let new = NewKey {
            given: Some(given(&key.access_key_id, secret)?),
            expires: expires_of(key)?,
            note: key.note.clone().unwrap_or_default(),
        };
        let made = self.admin.iam.create_key(self.account(&account.name).await?, new, self.actor).await?;
        if key.disabled == Some(true) {
            self.admin.iam.set_key_disabled(&made.id, true, self.actor).await?;
        }
        Ok(())
    }

    async fn create_bucket(&self, at: usize) -> Result<(), ApiError> {
        let wanted = &self.document.buckets[at];
        let owner = self.account(wanted.owner.as_deref().unwrap_or(ROOT_NAME)).await?;
        let new = CreateBucket {
            name: BucketName::parse(&wanted.name)?,
            region: wanted.region.clone().unwrap_or_default(),
            object_lock: wanted.object_lock.is_some(),
            acl: None,
            ownership: None,
        };
        self.admin.objects.create_bucket_for(&self.caller, owner, new).await?;
        Ok(())
    }

    async fn set_bucket(&self, wanted: &ProvisionBucket, setting: BucketSetting) -> Result<(), ApiError> {
        let (objects, caller, name) = (&self.admin.objects, &self.caller, &BucketName::parse(&wanted.name)?);
        let put = async |config: Option<BucketConfig>| match config {
            Some(config) => objects.put_bucket_config(caller, name, config).await.map_err(public_refused),
            None => Ok(()),
        };
        match setting {
            BucketSetting::Quota => {
                let quota = wanted.quota.unwrap_or_default();
                objects.set_bucket_quota(caller, name, quota.bytes_max, quota.objects_max).await?;
            }
            BucketSetting::Redundancy => {
                let scheme = wanted.redundancy.as_deref().map(str::parse).transpose()?;
                objects.set_bucket_redundancy(caller, name, scheme).await?;
                self.admin.jobs.wake(JobName::Convert);
            }
            BucketSetting::Versioning => {
                if let Some(versioning) = wanted.versioning {
                    objects.put_bucket_versioning(caller, name, forms::versioning(versioning)).await?;
                }
            }
            BucketSetting::ObjectLock => {
                let lock = forms::lock(wanted.object_lock.unwrap_or_default())?;
                objects.put_object_lock(caller, name, lock).await?;
            }
            BucketSetting::Encryption => {
                let default = wanted.encryption.as_ref().map(forms::encryption).transpose()?;
                objects.put_bucket_encryption(caller, name, BucketEncryption { default, block: None }).await?;
            }
            BucketSetting::BlockedEncryptionTypes => {
                let block = wanted.blocked_encryption_types.as_deref().map(forms::block);
                objects.put_bucket_encryption(caller, name, BucketEncryption { default: None, block }).await?;
            }
            BucketSetting::Tags => self.set_tags(wanted).await?,
            BucketSetting::Abac => put(wanted.abac.map(BucketConfig::Abac)).await?,
            BucketSetting::Ownership => {
                let ownership = wanted.ownership.map(forms::ownership);
                // Lists are disabled only where the bucket's own grants nothing.
                if ownership == Some(Ownership::BucketOwnerEnforced) {
                    objects.put_bucket_acl(caller, name, GivenAcl::Grants(Vec::new())).await?;
                }
                put(ownership.map(BucketConfig::Ownership)).await?
            }
            BucketSetting::Acl => {
                let grants = self.grants(wanted.acl.as_deref().unwrap_or_default()).await?;
                self.put_opening(wanted, name, &Opening::List(GivenAcl::Grants(grants))).await?;
            }
            BucketSetting::Policy => {
                if let Some(policy) = wanted.policy.clone() {
                    self.put_opening(wanted, name, &Opening::Policy(policy)).await?;
                }
            }
            BucketSetting::PublicAccessBlock => {
                put(wanted.public_access_block.map(forms::public_access).map(BucketConfig::PublicAccess)).await?;
            }
            BucketSetting::Cors => {
                objects.put_cors(caller, name, &rules::cors(wanted.cors.as_deref().unwrap_or_default())?).await?;
            }
            BucketSetting::Lifecycle | BucketSetting::TransitionMinimum => {
                let (lifecycle, minimum) = (&wanted.lifecycle, wanted.transition_default_minimum_object_size);
                let mut rules = rules::lifecycle(lifecycle.as_deref().unwrap_or_default(), minimum, |_| true)?;
                if minimum.is_none() {
                    // What the document does not say stays; to unset it is a step of its own.
                    rules.small_stay = match objects.lifecycle(caller, name).await {
                        Ok(before) => before.small_stay,
                        Err(Error::NoSuchConfiguration(_)) => false,
                        Err(error) => return Err(error.into()),
                    };
                }
                objects.put_lifecycle(caller, name, rules).await?;
            }
            BucketSetting::Website => {
                if let Some(website) = &wanted.website {
                    objects.put_website(caller, name, &rules::website(website)?).await?;
                }
            }
            BucketSetting::RequestPayer => {
                put(wanted.request_payer.map(forms::payer).map(BucketConfig::RequestPayment)).await?;
            }
            BucketSetting::Acceleration => put(wanted.acceleration.map(BucketConfig::Accelerate)).await?,
            BucketSetting::Logging => {
                if let Some(logging) = &wanted.logging {
                    let logging = self.logging(logging).await?;
                    objects.put_bucket_logging(caller, name, Some(logging)).await?;
                }
            }
        }
        Ok(())
    }

    /// Puts what may open a bucket. Where the document says a public access block beside it, which S3 takes in this order
    /// alone, that is lifted for the moment.
    async fn put_opening(
        &self,
        wanted: &ProvisionBucket,
        name: &BucketName,
        opening: &Opening,
    ) -> Result<(), ApiError> {
        let block = match (self.open(name, opening).await, wanted.public_access_block.map(forms::public_access)) {
            (Err(Error::AccessDenied), Some(block)) => block,
            (other, _) => return other.map_err(public_refused),
        };
        let (objects, caller) = (&self.admin.objects, &self.caller);
        let lifted = PublicAccessBlock { block_acls: false, block_policy: false, ..block };
        objects.put_bucket_config(caller, name, BucketConfig::PublicAccess(lifted)).await?;
        let outcome = self.open(name, opening).await;
        objects.put_bucket_config(caller, name, BucketConfig::PublicAccess(block)).await?;
        outcome.map_err(public_refused)
    }

    async fn open(&self, name: &BucketName, opening: &Opening) -> Result<(), Error> {
        let (objects, caller) = (&self.admin.objects, &self.caller);
        match opening {
            Opening::Policy(policy) => {
                objects.put_bucket_config(caller, name, BucketConfig::Policy(policy.clone())).await
            }
            Opening::List(list) => objects.put_bucket_acl(caller, name, list.clone()).await,
        }
    }

    /// Where tags count in conditions of policies, they are not replaced as a whole.
    async fn set_tags(&self, wanted: &ProvisionBucket) -> Result<(), ApiError> {
        let (objects, caller, name) = (&self.admin.objects, &self.caller, &BucketName::parse(&wanted.name)?);
        let tags = forms::tags(wanted.tags.as_ref().unwrap_or(&Default::default()))?;
        match objects.put_bucket_tags(caller, name, tags.clone()).await {
            Err(Error::InvalidBucketState(_)) => {}
            other => return Ok(other?),
        }
        let before = objects.resource_tags(caller, name).await?;
        let stays = |key: &str| tags.pairs().iter().any(|(kept, _)| kept == key);
        let gone: Vec<_> = before.pairs().iter().map(|(key, _)| key.clone()).filter(|key| !stays(key)).collect();
        objects.untag_bucket(caller, name, &gone).await?;
        Ok(objects.tag_bucket(caller, name, tags).await?)
    }

    async fn grants(&self, grants: &[Grant]) -> Result<Vec<AclGrant>, ApiError> {
        let mut made = Vec::with_capacity(grants.len());
        for grant in grants {
            let grantee = match (&grant.account, grant.group) {
                (Some(account), _) => AclGrantee::Account(self.account(account).await?),
                (None, Some(group)) => forms::group(group),
                (None, None) => return Err(ApiError::invalid("acl", "has a grant to nobody")),
            };
            made.push(AclGrant { grantee, permission: forms::permission(grant.permission) });
        }
        Ok(made)
    }

    async fn logging(&self, wanted: &Logging) -> Result<cofre_objects::Logging, ApiError> {
        Ok(cofre_objects::Logging {
            bucket: BucketName::parse(&wanted.target_bucket)?,
            prefix: wanted.target_prefix.clone(),
            keys: forms::log_keys(wanted.key_format),
            grants: self.grants(&wanted.target_grants).await?,
        })
    }

    async fn unset_bucket(&self, name: &BucketName, setting: BucketSetting) -> Result<(), ApiError> {
        let (objects, caller) = (&self.admin.objects, &self.caller);
        let kind = match setting {
            BucketSetting::Quota => return Ok(objects.set_bucket_quota(caller, name, None, None).await?),
            BucketSetting::Redundancy => {
                objects.set_bucket_redundancy(caller, name, None).await?;
                self.admin.jobs.wake(JobName::Convert);
                return Ok(());
            }
            BucketSetting::Tags => {
                let bare = ProvisionBucket { name: name.to_string(), ..ProvisionBucket::default() };
                return self.set_tags(&bare).await;
            }
            BucketSetting::Encryption => return Ok(objects.delete_bucket_encryption(caller, name).await?),
            BucketSetting::BlockedEncryptionTypes => {
                let block = Some(forms::block(&[]));
                return Ok(objects
                    .put_bucket_encryption(caller, name, BucketEncryption { default: None, block })
                    .await?);
            }
            BucketSetting::TransitionMinimum => {
                let rules = match objects.lifecycle(caller, name).await {
                    Err(Error::NoSuchConfiguration(_)) => return Ok(()),
                    rules => cofre_objects::Lifecycle { small_stay: false, ..rules? },
                };
                return Ok(objects.put_lifecycle(caller, name, rules).await?);
            }
            BucketSetting::Versioning | BucketSetting::ObjectLock => {
                return Err(ApiError::Conflict("it cannot be taken from a bucket again".to_owned()));
            }
            BucketSetting::Ownership => ConfigKind::Ownership,
            BucketSetting::Acl => ConfigKind::Acl,
            BucketSetting::Policy => ConfigKind::Policy,
            BucketSetting::PublicAccessBlock => ConfigKind::PublicAccess,
            BucketSetting::Abac => ConfigKind::Abac,
            BucketSetting::Cors => ConfigKind::Cors,
            BucketSetting::Lifecycle => ConfigKind::Lifecycle,
            BucketSetting::Website => ConfigKind::Website,
            BucketSetting::RequestPayer => ConfigKind::RequestPayment,
            BucketSetting::Acceleration => ConfigKind::Accelerate,
            BucketSetting::Logging => ConfigKind::Logging,
        };
        Ok(objects.delete_bucket_config(caller, name, kind).await?)
    }
}

fn expires_of(key: &ProvisionKey) -> Result<Option<Timestamp>, ApiError> {
    let moment = |text: &String| forms::moment(text).map_err(|why| ApiError::invalid("expires", why));
    key.expires.as_ref().map(moment).transpose()
}
