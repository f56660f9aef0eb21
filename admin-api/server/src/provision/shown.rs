//! A bucket that is there, in the form of a document.

use super::{forms, rules};
use crate::{Admin, ApiError};
use cofre_admin_types::Quota;
use cofre_admin_types::provision::{Grant, Logging, Ownership, ProvisionBucket};
use cofre_objects::{AclGrant, AclGrantee, BucketConfig, BucketInfo, ConfigKind, Error};
use cofre_types::{AccountId, BucketName};
use std::collections::HashMap;

pub(super) async fn bucket_there(admin: &Admin, name: &str) -> Result<Option<ProvisionBucket>, ApiError> {
    let name = BucketName::parse(name)?;
    match admin.objects.head_bucket(&admin.caller(), &name).await {
        Ok(info) => shown_bucket(admin, info).await,
        Err(Error::NoSuchBucket) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A bucket with all its settings; none if it was deleted meanwhile.
pub(super) async fn shown_bucket(admin: &Admin, info: BucketInfo) -> Result<Option<ProvisionBucket>, ApiError> {
    match settings_of(admin, &info).await {
        Ok(bucket) => Ok(Some(bucket)),
        Err(Error::NoSuchBucket) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn settings_of(admin: &Admin, info: &BucketInfo) -> Result<ProvisionBucket, Error> {
    let (objects, caller, name) = (&admin.objects, &admin.caller(), &info.name);
    let (bytes_max, objects_max) = objects.bucket_quota(caller, name).await?;
    let tags = objects.resource_tags(caller, name).await?;
    let mut bucket = ProvisionBucket {
        name: name.to_string(),
        region: Some(info.region.clone()),
        quota: Some(Quota { bytes_max, objects_max }).filter(|quota| *quota != Quota::default()),
        redundancy: objects.bucket_redundancy(caller, name).await?.0.map(|scheme| scheme.to_string()),
        versioning: forms::shown_versioning(info.versioning),
        tags: Some(tags.pairs().iter().cloned().collect()).filter(|_| !tags.is_empty()),
        ..ProvisionBucket::default()
    };
    let mut grants = None;
    let mut log_grants = Vec::new();
    for kind in ConfigKind::ALL {
        let config = match objects.bucket_config(caller, name, kind).await {
            Ok(config) => config,
            Err(Error::NoSuchConfiguration(_)) => continue,
            Err(error) => return Err(error),
        };
        match config {
            BucketConfig::Cors(_) => bucket.cors = Some(rules::shown_cors(&objects.cors(caller, name).await?)),
            BucketConfig::Lifecycle(_) => {
                let lifecycle = objects.lifecycle(caller, name).await?;
                bucket.lifecycle = Some(rules::shown_lifecycle(&lifecycle));
                bucket.transition_default_minimum_object_size = rules::shown_minimum(&lifecycle);
            }
            BucketConfig::Policy(policy) => bucket.policy = Some(policy),
            BucketConfig::Acl(acl) => grants = Some(acl.grants),
            BucketConfig::Ownership(of) => bucket.ownership = Some(forms::shown_ownership(of)),
            BucketConfig::PublicAccess(of) => bucket.public_access_block = Some(forms::shown_public_access(of)),
            BucketConfig::Encryption(of) => bucket.encryption = forms::shown_encryption(&of),
            BucketConfig::EncryptionBlock(of) => bucket.blocked_encryption_types = Some(forms::shown_block(of)),
            BucketConfig::ObjectLock(of) => bucket.object_lock = Some(forms::shown_lock(of)),
            BucketConfig::Website(_) => {
                bucket.website = Some(rules::shown_website(&objects.website(caller, name).await?));
            }
            BucketConfig::Logging(_) => {
                if let Some(of) = objects.bucket_logging(caller, name).await? {
                    log_grants = of.grants;
                    bucket.logging = Some(Logging {
                        target_bucket: of.bucket.to_string(),
                        target_prefix: of.prefix,
                        key_format: forms::shown_log_keys(of.keys),
                        target_grants: Vec::new(),
                    });
                }
            }
            BucketConfig::RequestPayment(of) => bucket.request_payer = Some(forms::shown_payer(of)),
            BucketConfig::Accelerate(of) => bucket.acceleration = Some(of),
            BucketConfig::Abac(of) => bucket.abac = Some(of),
        }
    }
    let accounts = grants.iter().flatten().chain(&log_grants).filter_map(|grant| account_of(grant.grantee));
    let accounts = accounts.chain([info.owner]).collect();
    let names = admin.iam.account_names(accounts).await.map_err(|error| Error::Internal(error.to_string()))?;
    let names: HashMap<AccountId, String> = names.into_iter().collect();
    bucket.owner = Some(name_in(&names, info.owner));
    let lists_count = bucket.ownership != Some(Ownership::BucketOwnerEnforced);
    bucket.acl = grants.filter(|_| lists_count).map(|grants| shown_grants(&grants, &names));
    if let Some(logging) = &mut bucket.logging {
        // One to the owner says nothing that does not hold.
        log_grants.retain(|grant| grant.grantee != AclGrantee::Account(info.owner));
        logging.target_grants = shown_grants(&log_grants, &names);
    }
    Ok(bucket)
}

const fn account_of(grantee: AclGrantee) -> Option<AccountId> {
    match grantee {
        AclGrantee::Account(id) => Some(id),
        _ => None,
    }
}

fn name_in(names: &HashMap<AccountId, String>, id: AccountId) -> String {
    names.get(&id).cloned().unwrap_or_else(|| id.to_string())
}

fn shown_grants(grants: &[AclGrant], names: &HashMap<AccountId, String>) -> Vec<Grant> {
    let shown = |grant: &AclGrant| Grant {
        account: account_of(grant.grantee).map(|id| name_in(names, id)),
        group: forms::shown_group(grant.grantee),
        permission: forms::shown_permission(grant.permission),
    };
    grants.iter().map(shown).collect()
}
