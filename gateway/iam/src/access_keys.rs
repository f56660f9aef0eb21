//! Access keys of accounts.

use crate::accounts::Taken;
use crate::error::IamError;
use crate::secret::{GivenKey, Secret};
use crate::service::{Fact, Found, Iam, Inner, PAGE_ITEMS_MAX, Page, TRIES_MAX, readable};
use cofre_catalog::records::{AccessKeyRecord, Record};
use cofre_catalog::{Batch, Check, Committed, GuardedBatch, ReadExt, Scan, keys};
use cofre_types::{AccessKeyId, AccountId, Invalid, Timestamp};
use std::time::Duration;

/// Longest note on a key or token, in characters.
pub const NOTE_CHARS_MAX: usize = 256;

/// Longest time for which an old key lives on beside its successor: 90 days.
pub const OVERLAP_MAX: Duration = Duration::from_secs(90 * 86_400);

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The id that a client sends.
    pub id: AccessKeyId,
    /// Whose key it is.
    pub account: AccountId,
    /// Whether it is refused.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// What it is for.
    pub note: String,
}

impl From<AccessKeyRecord> for AccessKey {
    fn from(record: AccessKeyRecord) -> Self {
        let AccessKeyRecord { id, account, sealed_secret: _, disabled, created, expires, note } = record;
        Self { id, account, disabled, created, expires, note }
    }
}

/// A key to make.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    /// Id and secret, brought from elsewhere; random if absent.
    pub given: Option<GivenKey>,
    /// From when on it is refused; never if absent.
    pub expires: Option<Timestamp>,
    /// What it is for; at most [`NOTE_CHARS_MAX`] characters.
    pub note: String,
}

/// A key that was just made. The secret is not told again.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// The id that a client sends.
    pub id: AccessKeyId,
    /// The secret that it signs with.
    pub secret: Secret,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

/// What of a key is changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct KeyChange {
    /// Another secret. Requests that are signed with the one before are refused from then on.
    pub secret: Option<Secret>,
    /// Whether it is refused.
    pub disabled: Option<bool>,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// What it is for; at most [`NOTE_CHARS_MAX`] characters.
    pub note: Option<String>,
}

pub(crate) struct KeyIssue {
    pub(crate) account: AccountId,
    pub(crate) given: Option<GivenKey>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) note: String,
}

impl Iam {
    /// Makes a key for an account.
    ///
    /// # Errors
    /// [`IamError::Invalid`], [`IamError::NotFound`], or [`IamError::Taken`] if the given id is.
    pub async fn create_key(&self, account: AccountId, new: NewKey, actor: &str) -> Result<IssuedKey, IamError> {
        let issue = KeyIssue { account, given: new.given, expires: new.expires, note: new.note };
        let (record, issued) = self.0.issue_key(issue)?;
        for _ in 0..TRIES_MAX {
            let owner = self.0.find_account(account).await?;
            let mut batch = GuardedBatch::new();
            batch.require(Check::Absent(keys::access_key(&issued.id)), Taken("access key id"));
            // An account that is deleted at the same time must not leave a key behind.
            batch.unchanged(keys::account(account), Some(owner.revision));
            put_new(&mut batch, &record);
            let details: [Fact<'_>; 2] = [("account", &owner.record.name), ("note", &record.note)];
            batch.writes.push(self.0.event(0, "key.created", &issued.id, actor, &details));
            match batch.commit(&*self.0.store).await? {
                Committed::Done(_) => return Ok(issued),
                Committed::Refused(Taken(what)) => return Err(IamError::Taken { what }),
                Committed::Changed => {}
            }
        }
        Err(IamError::Conflict)
    }

    /// A key, without its secret.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn key(&self, id: &AccessKeyId) -> Result<AccessKey, IamError> {
        Ok(self.0.find_key(id).await?.record.into())
    }

    /// Keys of an account by id, after `after`; at most `limit` and [`PAGE_ITEMS_MAX`].
    ///
    /// # Errors
    /// [`IamError::NotFound`] if there is no such account.
    pub async fn list_keys(
        &self,
        account: AccountId,
        after: Option<&AccessKeyId>,
        limit: usize,
    ) -> Result<Page<AccessKey>, IamError> {
        self.0.find_account(account).await?;
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let prefix = keys::account_keys(account);
        let mut range = Scan::prefix(&prefix);
        if let Some(after) = after {
            range = range.after(keys::account_key(account, after));
        }
        let snapshot = self.0.store.snapshot().await?;
        let mut places = snapshot.page(range, limit + 1).await?;
        let more = places.len() > limit;
        places.truncate(limit);
        let records = places.iter().map(|(place, _)| [&[keys::family::ACCESS_KEY], &place[prefix.len()..]].concat());
        let entries = snapshot.get_many(records.collect()).await?;
        let decode = |value: &[u8]| AccessKeyRecord::decode(value).map(AccessKey::from);
        let items: Vec<_> = entries.iter().flatten().map(|entry| decode(&entry.value)).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| last.id.to_string());
        Ok(Page { items, next })
    }

    /// Refuses a key, or takes it again. Doing it twice is one change.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn set_key_disabled(&self, id: &AccessKeyId, disabled: bool, actor: &str) -> Result<AccessKey, IamError> {
        let kind = if disabled { "key.disabled" } else { "key.enabled" };
        for _ in 0..TRIES_MAX {
            let Found { mut record, revision } = self.0.find_key(id).await?;
            if record.disabled == disabled {
                return Ok(record.into());
            }
            record.disabled = disabled;
            let mut batch = Batch::new();
            batch.unchanged(keys::access_key(id), Some(revision)).put(keys::access_key(id), record.encode());
            batch.writes.push(self.0.event(0, kind, id, actor, &[("account", &record.account)]));
            if self.0.commit(batch).await? {
                return Ok(record.into());
            }
        }
        Err(IamError::Conflict)
    }

    /// Changes a key in one step. The event names what was changed, and no secret.
    ///
    /// # Errors
    /// [`IamError::NotFound`], or [`IamError::Invalid`] for a note that is too long.
    pub async fn change_key(&self, id: &AccessKeyId, change: KeyChange, actor: &str) -> Result<AccessKey, IamError> {
        let KeyChange { secret, disabled, expires, note } = change;
        if let Some(note) = &note {
            readable("note", note, NOTE_CHARS_MAX)?;
        }
        for _ in 0..TRIES_MAX {
            let Found { mut record, revision } = self.0.find_key(id).await?;
            let mut changed = Vec::new();
            if let Some(secret) = &secret {
                record.sealed_secret = self.0.master.seal(id, secret, &self.0.random)?;
                changed.push("secret");
            }
            if let Some(disabled) = disabled.filter(|disabled| *disabled != record.disabled) {
                record.disabled = disabled;
                changed.push(if disabled { "disabled" } else { "enabled" });
            }
            if expires.is_some_and(|expires| record.expires != Some(expires)) {
                record.expires = expires;
                changed.push("expires");
            }
            if let Some(note) = note.clone().filter(|note| *note != record.note) {
                record.note = note;
                changed.push("note");
            }
            if changed.is_empty() {
                return Ok(record.into());
            }
            let mut batch = Batch::new();
            batch.unchanged(keys::access_key(id), Some(revision)).put(keys::access_key(id), record.encode());
            let details: [Fact<'_>; 2] = [("account", &record.account), ("changed", &changed.join(", "))];
            batch.writes.push(self.0.event(0, "key.changed", id, actor, &details));
            if self.0.commit(batch).await? {
                return Ok(record.into());
            }
        }
        Err(IamError::Conflict)
    }

    /// Whether the secret of a key is this one, in a time that does not tell where they differ.
    ///
    /// # Errors
    /// [`IamError::NotFound`]; [`IamError::WrongMasterKey`] if the secret does not open.
    pub async fn key_has_secret(&self, id: &AccessKeyId, secret: &Secret) -> Result<bool, IamError> {
        let record = self.0.find_key(id).await?.record;
        Ok(self.0.master.open(id, &record.sealed_secret)?.is(secret))
    }

    /// Makes a successor with the same account, note and expiry; the old key expires `overlap` from now,
    /// at most [`OVERLAP_MAX`], if it does not sooner.
    ///
    /// # Errors
    /// [`IamError::NotFound`]; [`IamError::Refused`] if the old key is disabled or has expired.
    pub async fn rotate_key(&self, id: &AccessKeyId, overlap: Duration, actor: &str) -> Result<IssuedKey, IamError> {
        if overlap > OVERLAP_MAX {
            return Err(Invalid { field: "overlap", reason: "must be at most 90 days" }.into());
        }
        for _ in 0..TRIES_MAX {
            let Found { record: mut old, revision } = self.0.find_key(id).await?;
            let now = self.0.now();
            if old.disabled || old.expires.is_some_and(|expires| expires <= now) {
                return Err(IamError::Refused { reason: "the key is disabled or has expired; make a new one" });
            }
            let issue = KeyIssue { account: old.account, given: None, expires: old.expires, note: old.note.clone() };
            let (record, issued) = self.0.issue_key(issue)?;
            let ends = now.after(overlap);
            old.expires = Some(old.expires.map_or(ends, |expires| expires.min(ends)));
            let mut batch = Batch::new();
            batch.unchanged(keys::access_key(id), Some(revision)).unchanged(keys::access_key(&issued.id), None);
            batch.put(keys::access_key(id), old.encode());
            put_new(&mut batch, &record);
            let details: [Fact<'_>; 2] = [("successor", &issued.id), ("overlap_secs", &overlap.as_secs())];
            batch.writes.push(self.0.event(0, "key.rotated", id, actor, &details));
            if self.0.commit(batch).await? {
                return Ok(issued);
            }
        }
        Err(IamError::Conflict)
    }

    /// Deletes a key, for good.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn delete_key(&self, id: &AccessKeyId, actor: &str) -> Result<(), IamError> {
        for _ in 0..TRIES_MAX {
            let Found { record, revision } = self.0.find_key(id).await?;
            let mut batch = Batch::new();
            batch.unchanged(keys::access_key(id), Some(revision));
            batch.delete(keys::access_key(id)).delete(keys::account_key(record.account, id));
            batch.writes.push(self.0.event(0, "key.deleted", id, actor, &[("account", &record.account)]));
            if self.0.commit(batch).await? {
                return Ok(());
            }
        }
        Err(IamError::Conflict)
    }
}

fn put_new(batch: &mut Batch, record: &AccessKeyRecord) {
    batch.put(keys::access_key(&record.id), record.encode());
    batch.put(keys::account_key(record.account, &record.id), Vec::new());
}

impl Inner {
    /// Makes a key's record, with its secret sealed.
    pub(crate) fn issue_key(&self, issue: KeyIssue) -> Result<(AccessKeyRecord, IssuedKey), IamError> {
        readable("note", &issue.note, NOTE_CHARS_MAX)?;
        let created = self.now();
        if issue.expires.is_some_and(|expires| expires <= created) {
            return Err(Invalid { field: "expires", reason: "must be in the future" }.into());
        }
        let GivenKey { id, secret } = match issue.given {
            Some(given) => given,
            None => GivenKey::random(&self.random)?,
        };
        let record = AccessKeyRecord {
            id: id.clone(),
            account: issue.account,
            sealed_secret: self.master.seal(&id, &secret, &self.random)?,
            disabled: false,
            created,
            expires: issue.expires,
            note: issue.note,
        };
        Ok((record, IssuedKey { id, secret, expires: issue.expires }))
    }

    async fn find_key(&self, id: &AccessKeyId) -> Result<Found<AccessKeyRecord>, IamError> {
        self.read(keys::access_key(id)).await?.ok_or(IamError::NotFound { what: "access key" })
    }
}
