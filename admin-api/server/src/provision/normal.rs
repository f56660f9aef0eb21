//! Buckets of a document in the form that those that are there have.

use super::read::found;
use super::shown::bucket_there;
use super::{forms, rules};
use crate::{Admin, ApiError};
use cofre_admin_types::provision::{Grant, Ownership, Provision, ProvisionBucket, Versioning};
use cofre_types::{AccountId, Scheme};
use std::collections::{HashMap, HashSet};

/// Names of accounts by what a document calls them: those that it makes, and those that are there.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) fn of(desired: &Provision) -> Self {
        let mut names = HashMap::new();
        for account in &desired.accounts {
            names.insert(account.name.to_lowercase(), account.name.clone());
            names.extend(account.id.clone().map(|id| (id, account.name.clone())));
        }
        Self(names)
    }

    /// The name of the account that a document calls so.
    async fn resolve(&mut self, admin: &Admin, field: &str, called: &str) -> Result<String, ApiError> {
        let by_id = match AccountId::parse(called) {
            Ok(id) => found(admin.iam.account(id).await)?,
            Err(_) => None,
        };
        let there = match by_id {
            Some(account) => Some(account),
            None => found(admin.iam.account_by_name(called).await)?,
        };
        match there.map(|account| account.name).or_else(|| self.0.get(&called.to_lowercase()).cloned()) {
            Some(name) => Ok(name),
            None => {
                Err(ApiError::invalid(field, format!("there is no account {called}, neither here nor in the document")))
            }
        }
    }
}

/// Brings a bucket of a document into the form of those that are there, and refuses what it cannot become.
pub(super) async fn normalise(
    admin: &Admin,
    bucket: &mut ProvisionBucket,
    found: Option<&ProvisionBucket>,
    names: &mut Names,
    (targets, is_class): (&HashSet<String>, &(dyn Fn(&str) -> bool + Sync)),
) -> Result<(), ApiError> {
    if let Some(owner) = &mut bucket.owner {
        *owner = names.resolve(admin, "owner", owner).await?;
    }
    if let (Some(region), Some(there)) = (&bucket.region, found.and_then(|found| found.region.as_ref()))
        && region != there
    {
        return Err(ApiError::invalid("region", format!("the bucket is there and in {there}, which does not change")));
    }
    if let Some(found) = found {
        fits(bucket, found)?;
    }
    if let Some(text) = &mut bucket.redundancy {
        let scheme: Scheme = text.parse()?;
        *text = scheme.to_string();
        if found.and_then(|found| found.redundancy.as_ref()) != Some(text) {
            admin.topology.check_reach("redundancy", scheme).await?;
        }
    }
    if let Some(encryption) = &mut bucket.encryption
        && let Some(shown) = forms::shown_encryption(&forms::encryption(encryption)?)
    {
        *encryption = shown;
    }
    if let Some(types) = &mut bucket.blocked_encryption_types {
        *types = forms::shown_block(forms::block(types));
    }
    if let Some(cors) = &mut bucket.cors {
        *cors = rules::shown_cors(&rules::cors(cors)?);
    }
    if let Some(lifecycle) = &mut bucket.lifecycle {
        let minimum = bucket.transition_default_minimum_object_size;
        *lifecycle = rules::shown_lifecycle(&rules::lifecycle(lifecycle, minimum, is_class)?);
    }
    if let Some(website) = &mut bucket.website {
        *website = rules::shown_website(&rules::website(website)?);
    }
    let owner = bucket.owner.clone().or_else(|| found.and_then(|found| found.owner.clone()));
    if let Some(acl) = &mut bucket.acl {
        resolve_grants(admin, "acl", acl, names).await?;
    }
    if let Some(logging) = &mut bucket.logging {
        if !targets.contains(&logging.target_bucket) && bucket_there(admin, &logging.target_bucket).await?.is_none() {
            let why = format!("there is no bucket {}, neither here nor in the document", logging.target_bucket);
            return Err(ApiError::invalid("logging.target_bucket", why));
        }
        resolve_grants(admin, "logging.target_grants", &mut logging.target_grants, names).await?;
        // A grant to the owner says nothing that does not hold, and is not kept.
        logging.target_grants.retain(|grant| grant.account.is_none() || grant.account != owner);
    }
    Ok(())
}

/// Refuses what the bucket that is there cannot become.
fn fits(wanted: &ProvisionBucket, found: &ProvisionBucket) -> Result<(), ApiError> {
    let unset = |name: &str| wanted.unset.iter().any(|unset| unset == name);
    if found.object_lock.is_some() && wanted.versioning == Some(Versioning::Suspended) {
        return Err(ApiError::invalid(
            "versioning",
            "the bucket is there and has object lock, which keeps versioning enabled",
        ));
    }
    let enforced = Some(Ownership::BucketOwnerEnforced);
    if wanted.ownership == enforced && wanted.acl.is_none() && found.acl.is_some() && !unset("acl") {
        let why = "the bucket is there and its access control list grants something: say unset = [\"acl\"] too";
        return Err(ApiError::invalid("ownership", why));
    }
    if wanted.acl.is_some() && wanted.ownership.is_none() && found.ownership == enforced && !unset("ownership") {
        let why = "the bucket is there and its ownership disables lists: say ownership = \"object_writer\" too";
        return Err(ApiError::invalid("acl", why));
    }
    Ok(())
}

async fn resolve_grants(admin: &Admin, field: &str, grants: &mut [Grant], names: &mut Names) -> Result<(), ApiError> {
    for (at, grant) in grants.iter_mut().enumerate() {
        if let Some(account) = &mut grant.account {
            *account = names.resolve(admin, &format!("{field}[{at}].account"), account).await?;
        }
    }
    // Those of groups first, as they are kept.
    grants.sort_by_key(|grant| grant.group.map_or(3, |group| group as u8));
    Ok(())
}
