//! Buckets of a document in the form that those that are there have.

use super::read::found;
use super::shown::bucket_there;
use super::{forms, rules};
use crate::{Admin, ApiError};
use cofre_admin_types::provision::{Grant, Ownership, Provision, ProvisionAccount, ProvisionBucket, Versioning};
use cofre_types::{AccountId, Scheme};
use std::collections::{HashMap, HashSet};

/// Names of accounts by what a document calls them: those that it makes, and those that are there.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) fn of(desired: &Provision) -> Self {
        let called = |account: &ProvisionAccount| (account.name.to_lowercase(), account.name.clone());
        let mut names: HashMap<_, _> = desired.accounts.iter().map(called).collect();
        // An id goes before a name that looks like it.
        let by_id = |account: &ProvisionAccount| Some((account.id.clone()?, account.name.clone()));
        names.extend(desired.accounts.iter().filter_map(by_id));
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
    (found, owners): (Option<&ProvisionBucket>, Owners),
    names: &mut Names,
    targets: &HashSet<String>,
    is_class: impl Fn(&str) -> bool,
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
        fits(bucket, found, owners)?;
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

/// Whether a bucket may be taken from its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owners {
    /// It may: somebody looks at the plan.
    MayChange,
    /// It stays whose it is.
    Stay,
}

/// Refuses what the bucket that is there cannot become.
fn fits(wanted: &ProvisionBucket, found: &ProvisionBucket, owners: Owners) -> Result<(), ApiError> {
    let unset = |name: &str| wanted.unset.iter().any(|unset| unset == name);
    let enforced = Some(Ownership::BucketOwnerEnforced);
    if wanted.owner.is_some() && wanted.owner != found.owner {
        let lists = wanted.acl.is_some() || (wanted.ownership.is_some() && wanted.ownership != enforced);
        if owners == Owners::Stay {
            let why = format!(
                "the bucket is there and belongs to {}: cofre admin apply hands it over, or name another",
                found.owner.as_deref().unwrap_or("another account")
            );
            return Err(ApiError::invalid("owner", why));
        }
        if lists || unset("ownership") {
            let why =
                "the bucket is handed over, which disables access control lists for good: leave acl and ownership out";
            return Err(ApiError::invalid("owner", why));
        }
    }
    let stays_versioned = wanted.versioning.is_none() && found.versioning == Some(Versioning::Enabled);
    if found.object_lock.is_some() && wanted.versioning == Some(Versioning::Suspended) {
        let why = "the bucket is there and has object lock, which keeps versioning enabled";
        return Err(ApiError::invalid("versioning", why));
    }
    if wanted.object_lock.is_some() && !stays_versioned && wanted.versioning != Some(Versioning::Enabled) {
        return Err(ApiError::invalid(
            "object_lock",
            "the bucket is there unversioned: say versioning = \"enabled\" too",
        ));
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
