//! What can be wrong with a document by itself.

use super::plan::BucketSetting;
use super::{forms, rules, settings};
use crate::ApiError;
use cofre_admin_types::Quota;
use cofre_admin_types::provision::{
    Grant, Ownership, Provision, ProvisionAccount, ProvisionBucket, ProvisionKey, Versioning,
};
use cofre_iam::{
    ACCOUNT_NAME_CHARS_MAX, GivenKey, NOTE_CHARS_MAX, Policy, PolicyKind, ROOT_NAME, check_email, key_name,
};
use cofre_settings::Settings;
use cofre_types::{AccessKeyId, AccountId, BucketName, Region, Scheme};
use serde_json::Value;
use std::collections::HashSet;

type CheckResult = Result<(), ApiError>;

/// Checks a document by itself.
///
/// # Errors
/// [`ApiError::Invalid`] with the first field that is wrong, as `buckets[2].policy`.
pub fn check(document: &Provision) -> CheckResult {
    Settings::default().patched(Value::Object(document.settings.clone())).map_err(settings::wrong)?;
    check_accounts(&document.accounts)?;
    let mut names = HashSet::new();
    for (at, policy) in document.key_policies.iter().enumerate() {
        let field = format!("key_policies[{at}]");
        let name = key_name(&policy.key);
        once(&mut names, &field, "key", name)?;
        Policy::parse(&policy.policy, PolicyKind::Key(name))
            .map_err(|error| ApiError::invalid(format!("{field}.policy"), error.to_string()))?;
    }
    let mut names = HashSet::new();
    for (at, bucket) in document.buckets.iter().enumerate() {
        let field = format!("buckets[{at}]");
        once(&mut names, &field, "name", &bucket.name)?;
        check_bucket(bucket).map_err(|error| below(&field, error))?;
    }
    Ok(())
}

/// The error of a field below another.
pub(super) fn below(path: &str, error: ApiError) -> ApiError {
    match error {
        ApiError::Invalid { field, reason } => ApiError::invalid(format!("{path}.{field}"), reason),
        error => error,
    }
}

fn once(seen: &mut HashSet<String>, item: &str, field: &str, name: &str) -> CheckResult {
    if seen.insert(name.to_lowercase()) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("{item}.{field}"), format!("{name} stands in the document twice: keep one")))
}

fn check_accounts(accounts: &[ProvisionAccount]) -> CheckResult {
    let (mut names, mut ids, mut emails) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut keys = HashSet::new();
    for (at, account) in accounts.iter().enumerate() {
        let field = format!("accounts[{at}]");
        let name = &account.name;
        let legible = name.trim() == name && !name.chars().any(char::is_control);
        if name.is_empty() || !legible || name.chars().count() > ACCOUNT_NAME_CHARS_MAX {
            let rule =
                format!("has 1 to {ACCOUNT_NAME_CHARS_MAX} characters, all to be seen, and no space at its ends");
            return Err(ApiError::invalid(format!("{field}.name"), rule));
        }
        once(&mut names, &field, "name", name)?;
        if let Some(id) = &account.id {
            AccountId::parse(id).map_err(|error| ApiError::invalid(format!("{field}.id"), error.reason))?;
            once(&mut ids, &field, "id", id)?;
        }
        if let Some(email) = account.email.as_ref().filter(|email| !email.is_empty()) {
            check_email(email).map_err(|error| ApiError::invalid(format!("{field}.email"), error.reason))?;
            once(&mut emails, &field, "email", email)?;
        }
        if name.eq_ignore_ascii_case(ROOT_NAME) && account.disabled == Some(true) {
            return Err(ApiError::invalid(format!("{field}.disabled"), "the root account cannot be disabled"));
        }
        check_quota(account.quota.as_ref()).map_err(|error| below(&field, error))?;
        for (key_at, key) in account.keys.iter().enumerate() {
            let field = format!("{field}.keys[{key_at}]");
            // Ids of keys are told apart by their case.
            if !keys.insert(key.access_key_id.as_str()) {
                let twice = format!("{} stands in the document twice: keep one", key.access_key_id);
                return Err(ApiError::invalid(format!("{field}.access_key_id"), twice));
            }
            check_key(key).map_err(|error| below(&field, error))?;
        }
    }
    Ok(())
}

fn check_key(key: &ProvisionKey) -> CheckResult {
    AccessKeyId::parse(&key.access_key_id).map_err(|error| ApiError::invalid("access_key_id", error.reason))?;
    if let Some(secret) = &key.secret_access_key {
        given(&key.access_key_id, secret)?;
    }
    if let Some(expires) = &key.expires {
        forms::moment(expires).map_err(|why| ApiError::invalid("expires", why))?;
    }
    let note = key.note.as_deref().unwrap_or_default();
    if note.chars().count() > NOTE_CHARS_MAX || note.chars().any(char::is_control) {
        return Err(ApiError::invalid("note", format!("has at most {NOTE_CHARS_MAX} characters, all to be seen")));
    }
    Ok(())
}

/// A key and its secret, which cannot be guessed.
pub(super) fn given(id: &str, secret: &str) -> Result<GivenKey, ApiError> {
    GivenKey::import(id, secret).map_err(|error| {
        let field = if error.field == "access key id" { "access_key_id" } else { "secret_access_key" };
        ApiError::invalid(field, error.reason)
    })
}

fn check_quota(quota: Option<&Quota>) -> CheckResult {
    let Some(quota) = quota else { return Ok(()) };
    for (field, max) in [("quota.bytes_max", quota.bytes_max), ("quota.objects_max", quota.objects_max)] {
        if max.is_some_and(|max| i64::try_from(max).is_err()) {
            return Err(ApiError::invalid(field, "must be less than 2^63"));
        }
    }
    Ok(())
}

fn check_bucket(bucket: &ProvisionBucket) -> CheckResult {
    BucketName::parse(&bucket.name).map_err(|error| ApiError::invalid("name", error.reason))?;
    if let Some(region) = &bucket.region {
        Region::parse(region.clone()).map_err(|error| ApiError::invalid("region", error.reason))?;
    }
    check_unset(bucket)?;
    check_quota(bucket.quota.as_ref())?;
    if let Some(text) = &bucket.redundancy {
        text.parse::<Scheme>().map_err(|error| ApiError::invalid("redundancy", error.reason))?;
    }
    if let Some(lock) = bucket.object_lock {
        forms::lock(lock)?;
        if bucket.versioning == Some(Versioning::Suspended) {
            return Err(ApiError::invalid("versioning", "is enabled where object_lock is"));
        }
    }
    bucket.encryption.as_ref().map(forms::encryption).transpose()?;
    bucket.tags.as_ref().map(forms::tags).transpose()?;
    if let Some(policy) = &bucket.policy {
        Policy::parse(policy, PolicyKind::Bucket(&bucket.name))
            .map_err(|error| ApiError::invalid("policy", error.to_string()))?;
    }
    check_grants("acl", bucket.acl.as_deref().unwrap_or_default())?;
    if bucket.acl.is_some() && bucket.ownership == Some(Ownership::BucketOwnerEnforced) {
        return Err(ApiError::invalid("acl", "does not go with ownership bucket_owner_enforced, which disables lists"));
    }
    bucket.cors.as_deref().map(rules::cors).transpose()?;
    bucket.website.as_ref().map(rules::website).transpose()?;
    match (&bucket.lifecycle, bucket.transition_default_minimum_object_size) {
        (Some(lifecycle), minimum) => rules::lifecycle(lifecycle, minimum, |_| true).map(drop)?,
        (None, Some(_)) => {
            return Err(ApiError::invalid("transition_default_minimum_object_size", "goes with lifecycle rules only"));
        }
        (None, None) => {}
    }
    if let Some(logging) = &bucket.logging {
        BucketName::parse(&logging.target_bucket)
            .map_err(|error| ApiError::invalid("logging.target_bucket", error.reason))?;
        check_grants("logging.target_grants", &logging.target_grants)?;
    }
    Ok(())
}

fn check_unset(bucket: &ProvisionBucket) -> CheckResult {
    let fields = serde_json::to_value(bucket).map_err(|error| ApiError::Internal(error.to_string()))?;
    for (at, name) in bucket.unset.iter().enumerate() {
        let field = format!("unset[{at}]");
        let Some(setting) = BucketSetting::parse(name) else {
            let names: Vec<_> = BucketSetting::ALL.iter().map(|setting| setting.name()).collect();
            return Err(ApiError::invalid(
                field,
                format!("{name:?} is no setting of a bucket; those are {}", names.join(", ")),
            ));
        };
        if setting.is_for_good() {
            return Err(ApiError::invalid(field, format!("{name} cannot be taken from a bucket again")));
        }
        if fields.get(name).is_some() {
            return Err(ApiError::invalid(field, format!("{name} is set in the same bucket: keep one of the two")));
        }
    }
    Ok(())
}

fn check_grants(field: &str, grants: &[Grant]) -> CheckResult {
    for (at, grant) in grants.iter().enumerate() {
        if grant.account.is_some() == grant.group.is_some() {
            return Err(ApiError::invalid(format!("{field}[{at}]"), "has either an account or a group"));
        }
    }
    Ok(())
}
