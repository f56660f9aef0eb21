//! What is there, in the form of a document.

use super::checked::below;
use super::normal::{Names, Owners, normalise};
use super::shown::{bucket_there, shown_bucket};
use super::{Problems, forms, settings};
use crate::convert::time_text;
use crate::resources::settings::check_reach;
use crate::{Admin, ApiError};
use cofre_admin_types::Quota;
use cofre_admin_types::provision::{
    PROVISION_ITEMS_MAX, Provision, ProvisionAccount, ProvisionBucket, ProvisionKey, ProvisionKeyPolicy,
};
use cofre_iam::{AccessKey, Account, IamError, PAGE_ITEMS_MAX, Secret, key_name};
use cofre_objects::{BucketInfo, ListBuckets};
use cofre_types::{AccessKeyId, AccountId, Timestamp};
use serde_json::Value;
use std::collections::HashSet;

/// What is there of what a document names.
pub(super) struct Actual {
    pub(super) document: Provision,
    /// Keys whose secret is another one than the document's.
    pub(super) other_secrets: HashSet<String>,
}

/// Buckets of a page.
const BUCKETS_PER_PAGE: usize = 1_000;

/// A document in the form that plans compare, and what is there of what it names; all there is of its kinds to prune.
///
/// With `problems`, what cannot become what the document says goes there, and the document asks nothing of it any more.
pub(super) async fn actual(
    admin: &Admin,
    desired: Provision,
    prune: bool,
    mut problems: Option<&mut Problems>,
) -> Result<(Provision, Actual), ApiError> {
    let mut desired = desired;
    let mut there = Provision::default();
    let current = admin.settings.current();
    let wanted = current.patched(Value::Object(desired.settings.clone())).map_err(settings::wrong)?;
    there.settings = settings::document(&current)?;
    desired.settings = settings::named(&desired.settings, &settings::document(&wanted)?);
    check_reach(admin, &wanted).await.map_err(|error| below("settings", error))?;

    let mut names = Names::of(&desired);
    let mut other_secrets = HashSet::new();
    let now = now(admin);
    for (at, account) in desired.accounts.iter_mut().enumerate() {
        let found = match account_there(admin, account).await.map_err(|error| below(&format!("accounts[{at}]"), error))
        {
            Ok(found) => found,
            Err(error) => {
                let there = found(admin.iam.account_by_name(&account.name).await)?;
                note(&mut problems, there.is_some(), error)?;
                *account = ProvisionAccount { name: account.name.clone(), ..ProvisionAccount::default() };
                there
            }
        };
        if let Some(found) = &found {
            account.name.clone_from(&found.name);
        }
        let mut foreign = HashSet::new();
        for (key_at, key) in account.keys.iter_mut().enumerate() {
            let field = format!("accounts[{at}].keys[{key_at}]");
            match key_there(admin, key, found.as_ref()).await.map_err(|error| below(&field, error)) {
                Ok(true) => {}
                Ok(false) => {
                    other_secrets.insert(key.access_key_id.clone());
                }
                Err(error) => {
                    note(&mut problems, true, error)?;
                    foreign.insert(key.access_key_id.clone());
                }
            }
        }
        account.keys.retain(|key| !foreign.contains(&key.access_key_id));
        if let Some(found) = found {
            let mut shown = shown_account(admin, found).await?;
            // A key that has expired opens nothing, and is in no export: it is not to be pruned.
            let named =
                |key: &ProvisionKey| account.keys.iter().any(|wanted| wanted.access_key_id == key.access_key_id);
            shown.keys.retain(|key| !has_expired(key, &now) || named(key));
            there.accounts.push(shown);
        }
    }
    for policy in &mut desired.key_policies {
        policy.key = key_name(&policy.key).to_owned();
    }
    let policies = admin.objects.key_policies(&admin.caller()).await?.into_iter();
    let policies = policies.map(|policy| ProvisionKeyPolicy { key: policy.key, policy: policy.document });
    let named = |key: &str| desired.key_policies.iter().any(|policy| policy.key == key);
    there.key_policies = policies.filter(|policy| prune || named(&policy.key)).collect();

    let targets: HashSet<String> = desired.buckets.iter().map(|bucket| bucket.name.clone()).collect();
    let is_class = |class: &str| class == "STANDARD" || wanted.storage_classes.contains_key(class);
    for (at, bucket) in desired.buckets.iter_mut().enumerate() {
        let field = format!("buckets[{at}]");
        let found = bucket_there(admin, &bucket.name).await?;
        let owners = if problems.is_some() { Owners::Stay } else { Owners::MayChange };
        let normal = normalise(admin, bucket, (found.as_ref(), owners), &mut names, &targets, &is_class).await;
        if let Err(error) = normal {
            note(&mut problems, found.is_some(), below(&field, error))?;
            *bucket = ProvisionBucket { name: bucket.name.clone(), ..ProvisionBucket::default() };
        }
        there.buckets.extend(found);
    }
    if prune {
        add_others(admin, &desired, &mut there).await?;
    }
    Ok((desired, Actual { document: there, other_secrets }))
}

/// Notes what is wrong with something that is there, and goes on; else it is an error.
fn note(problems: &mut Option<&mut Problems>, is_there: bool, error: ApiError) -> Result<(), ApiError> {
    let is_of_the_document = matches!(error, ApiError::Invalid { .. });
    match problems {
        Some(problems) if is_there && is_of_the_document => {
            problems.push(error);
            Ok(())
        }
        _ => Err(error),
    }
}

/// The account of a document that is there; one that cannot become what the document says is refused.
async fn account_there(admin: &Admin, wanted: &ProvisionAccount) -> Result<Option<Account>, ApiError> {
    let by_id = match wanted.id.as_deref().map(AccountId::parse).transpose()? {
        Some(id) => found(admin.iam.account(id).await)?,
        None => None,
    };
    let by_name = found(admin.iam.account_by_name(&wanted.name).await)?;
    let Some(account) = by_name else {
        if let Some(other) = by_id {
            return Err(ApiError::invalid("id", format!("is that of the account {}: name that one", other.name)));
        }
        if let Some(email) = wanted.email.as_ref().filter(|email| !email.is_empty())
            && let Some(other) = found(admin.iam.account_by_email(email).await)?
        {
            return Err(ApiError::invalid("email", format!("is that of the account {}: take another", other.name)));
        }
        return Ok(None);
    };
    if wanted.id.as_ref().is_some_and(|id| *id != account.id.to_string()) {
        let why = format!("the account {} is there and has the id {}, which does not change", account.name, account.id);
        return Err(ApiError::invalid("id", why));
    }
    if wanted.email.as_ref().is_some_and(|email| *email != account.email) {
        let why = format!("the account {} is there and has {:?}, which does not change", account.name, account.email);
        return Err(ApiError::invalid("email", why));
    }
    Ok(Some(account))
}

pub(super) fn found<T>(result: Result<T, IamError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(IamError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a key of a document that is there has its secret; one of another account is refused.
async fn key_there(admin: &Admin, wanted: &mut ProvisionKey, account: Option<&Account>) -> Result<bool, ApiError> {
    if let Some(expires) = &mut wanted.expires {
        *expires = time_text(forms::moment(expires).map_err(|why| ApiError::invalid("expires", why))?);
    }
    let id = AccessKeyId::parse(&wanted.access_key_id)?;
    let Some(key) = found(admin.iam.key(&id).await)? else { return Ok(true) };
    if account.is_none_or(|account| account.id != key.account) {
        let names = admin.iam.account_names(vec![key.account]).await?;
        let owner = names.into_iter().next().map(|(_, name)| name).unwrap_or_default();
        let why = format!("is a key of the account {owner}: choose another id, or delete that key first");
        return Err(ApiError::invalid("access_key_id", why));
    }
    match &wanted.secret_access_key {
        Some(secret) => Ok(admin.iam.key_has_secret(&id, &Secret::new(secret.clone())).await?),
        None => Ok(true),
    }
}

async fn shown_account(admin: &Admin, account: Account) -> Result<ProvisionAccount, ApiError> {
    let mut keys = Vec::new();
    let mut after = None;
    loop {
        let page = admin.iam.list_keys(account.id, after.as_ref(), PAGE_ITEMS_MAX).await?;
        keys.extend(page.items.into_iter().map(shown_key));
        match page.next {
            Some(next) => after = Some(AccessKeyId::parse(&next)?),
            None => break,
        }
    }
    Ok(ProvisionAccount {
        id: Some(account.id.to_string()).filter(|_| !account.root),
        name: account.name,
        email: Some(account.email).filter(|email| !email.is_empty()),
        disabled: Some(account.disabled),
        buckets_max: account.buckets_max,
        quota: Some(Quota { bytes_max: account.bytes_max, objects_max: account.objects_max }),
        keys,
    })
}

fn shown_key(key: AccessKey) -> ProvisionKey {
    ProvisionKey {
        access_key_id: key.id.to_string(),
        secret_access_key: None,
        disabled: Some(key.disabled),
        expires: key.expires.map(time_text),
        note: Some(key.note),
    }
}

/// Adds what is there beside a document, of the kinds that it has.
async fn add_others(admin: &Admin, desired: &Provision, there: &mut Provision) -> Result<(), ApiError> {
    if !desired.accounts.is_empty() {
        let named: HashSet<_> = desired.accounts.iter().map(|account| account.name.clone()).collect();
        let others = accounts(admin).await?.into_iter().filter(|account| !named.contains(&account.name));
        there.accounts.extend(others.map(|other| ProvisionAccount { name: other.name, ..ProvisionAccount::default() }));
    }
    if !desired.buckets.is_empty() {
        let named: HashSet<_> = desired.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
        let others = buckets(admin).await?.into_iter().map(|info| info.name.to_string());
        let others = others.filter(|name| !named.contains(name.as_str()));
        there.buckets.extend(others.map(|name| ProvisionBucket { name, ..ProvisionBucket::default() }));
    }
    Ok(())
}

fn now(admin: &Admin) -> String {
    time_text(Timestamp(admin.clock.now_nanos()))
}

/// Texts of one form sort as their times do.
fn has_expired(key: &ProvisionKey, now: &str) -> bool {
    key.expires.as_ref().is_some_and(|expires| expires.as_str() <= now)
}

async fn accounts(admin: &Admin) -> Result<Vec<Account>, ApiError> {
    let mut accounts = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = admin.iam.list_accounts(after.as_deref(), PAGE_ITEMS_MAX).await?;
        accounts.extend(page.items);
        bound("accounts", accounts.len())?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(accounts),
        }
    }
}

async fn buckets(admin: &Admin) -> Result<Vec<BucketInfo>, ApiError> {
    let mut buckets = Vec::new();
    let mut after = None;
    loop {
        let request = ListBuckets { prefix: String::new(), after, max: BUCKETS_PER_PAGE };
        let page = admin.objects.list_buckets(&admin.caller(), request).await?;
        buckets.extend(page.buckets);
        bound("buckets", buckets.len())?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(buckets),
        }
    }
}

fn bound(what: &str, count: usize) -> Result<(), ApiError> {
    if count <= PROVISION_ITEMS_MAX {
        return Ok(());
    }
    Err(ApiError::Conflict(format!(
        "there are more than {PROVISION_ITEMS_MAX} {what}, which is the most that a document has"
    )))
}

/// All there is, without secrets, as a document that makes another Cofre equal. The keys of the root account, and keys
/// that have expired, are not in it.
pub(crate) async fn export(admin: &Admin) -> Result<Provision, ApiError> {
    let current = admin.settings.current();
    let mut document = Provision { settings: settings::beyond_defaults(&current)?, ..Provision::default() };
    let now = now(admin);
    for account in accounts(admin).await? {
        let root = account.root;
        let mut shown = shown_account(admin, account).await?;
        shown.disabled = shown.disabled.filter(|disabled| *disabled);
        shown.quota = shown.quota.filter(|quota| *quota != Quota::default());
        shown.keys.retain(|key| !root && !has_expired(key, &now));
        for key in &mut shown.keys {
            key.disabled = key.disabled.filter(|disabled| *disabled);
            key.note = key.note.take().filter(|note| !note.is_empty());
        }
        if !root || shown.quota.is_some() || shown.buckets_max.is_some() {
            document.accounts.push(shown);
        }
    }
    let policies = admin.objects.key_policies(&admin.caller()).await?.into_iter();
    document.key_policies =
        policies.map(|policy| ProvisionKeyPolicy { key: policy.key, policy: policy.document }).collect();
    let new = &current.new_buckets;
    for info in buckets(admin).await? {
        let Some(mut bucket) = shown_bucket(admin, info).await? else { continue };
        // What a new bucket has by the settings, and this one has not.
        let unset = [
            ("ownership", new.ownership.is_some() && bucket.ownership.is_none()),
            ("public_access_block", new.public_access_block && bucket.public_access_block.is_none()),
            ("blocked_encryption_types", new.sse_c_block && bucket.blocked_encryption_types.is_none()),
        ];
        bucket.unset = unset.into_iter().filter(|(_, unset)| *unset).map(|(name, _)| name.to_owned()).collect();
        document.buckets.push(bucket);
    }
    Ok(document)
}
