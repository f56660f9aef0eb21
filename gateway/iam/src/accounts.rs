//! Accounts: making, reading, switching off.

use crate::access_keys::{IssuedKey, KeyIssue};
use crate::error::IamError;
use crate::secret::GivenKey;
use crate::service::{Fact, Found, Iam, Inner, PAGE_ITEMS_MAX, Page, TRIES_MAX, readable};
use cofre_catalog::records::{AccountRecord, Record};
use cofre_catalog::{Batch, Check, Committed, Entry, GuardedBatch, ReadExt, Scan, keys};
use cofre_types::{AccountId, Invalid};

/// Longest account name, in characters.
pub const ACCOUNT_NAME_CHARS_MAX: usize = 128;

/// Longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less its brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// Name of the account that may do everything.
pub const ROOT_NAME: &str = "root";

/// An account to make.
#[derive(Debug, Clone, Default)]
pub struct NewAccount {
    /// Display name; unique, whatever its case.
    pub name: String,
    /// Address; unique, whatever its case, unless empty.
    pub email: String,
    /// Canonical id, brought from elsewhere; random if absent.
    pub id: Option<AccountId>,
    /// Its first key, brought from elsewhere; random if absent.
    pub key: Option<GivenKey>,
    /// Most buckets it may own; the default of the settings if absent.
    pub buckets_max: Option<u32>,
}

/// An account that was just made.
#[derive(Debug, Clone)]
pub struct CreatedAccount {
    /// The account.
    pub account: AccountRecord,
    /// Its first key. The secret is not told again.
    pub key: IssuedKey,
}

impl Iam {
    /// Makes an account with its first key.
    ///
    /// # Errors
    /// [`IamError::Invalid`], or [`IamError::Taken`] if name, address, id or key id are.
    pub async fn create_account(&self, new: NewAccount, actor: &str) -> Result<CreatedAccount, IamError> {
        let mut issue = self.0.issue_account(new, false, actor)?;
        match std::mem::take(&mut issue.batch).commit(&*self.0.store).await? {
            Committed::Done(_) => Ok(issue.created),
            Committed::Refused(Taken(what)) => Err(IamError::Taken { what }),
            Committed::Changed => Err(IamError::Conflict),
        }
    }

    /// Makes an account without a key; `new` brings none.
    ///
    /// # Errors
    /// As [`Iam::create_account`].
    pub async fn create_account_without_key(&self, new: NewAccount, actor: &str) -> Result<AccountRecord, IamError> {
        let (batch, account) = self.0.bare_account(new, false, actor)?;
        match batch.commit(&*self.0.store).await? {
            Committed::Done(_) => Ok(account),
            Committed::Refused(Taken(what)) => Err(IamError::Taken { what }),
            Committed::Changed => Err(IamError::Conflict),
        }
    }

    /// The account with an id.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn account(&self, id: AccountId) -> Result<AccountRecord, IamError> {
        Ok(self.0.find_account(id).await?.record)
    }

    /// The account with a name, whatever its case.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn account_by_name(&self, name: &str) -> Result<AccountRecord, IamError> {
        self.0.account_behind(keys::account_name(name)).await
    }

    /// The account with an e-mail address, whatever its case.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn account_by_email(&self, email: &str) -> Result<AccountRecord, IamError> {
        self.0.account_behind(keys::account_email(email)).await
    }

    /// The display names of accounts; those that are not there are left out.
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`].
    pub async fn account_names(&self, ids: Vec<AccountId>) -> Result<Vec<(AccountId, String)>, IamError> {
        let entries = self.0.store.get_many(ids.into_iter().map(keys::account).collect()).await?;
        let name = |entry: &Entry| AccountRecord::decode(&entry.value).map(|record| (record.id, record.name));
        Ok(entries.iter().flatten().map(name).collect::<Result<_, _>>()?)
    }

    /// Accounts by name, after the name `after`; at most `limit` and [`PAGE_ITEMS_MAX`].
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`].
    pub async fn list_accounts(&self, after: Option<&str>, limit: usize) -> Result<Page<AccountRecord>, IamError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let mut range = Scan::prefix(&[keys::family::ACCOUNT_NAME]);
        if let Some(after) = after {
            range = range.after(keys::account_name(after));
        }
        let snapshot = self.0.store.snapshot().await?;
        let mut names = snapshot.page(range, limit + 1).await?;
        let more = names.len() > limit;
        names.truncate(limit);
        let ids = names.iter().map(|(_, entry)| account_id(&entry.value).map(keys::account));
        let entries = snapshot.get_many(ids.collect::<Result<_, _>>()?).await?;
        let items: Vec<_> =
            entries.iter().flatten().map(|entry| AccountRecord::decode(&entry.value)).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| last.name.clone());
        Ok(Page { items, next })
    }

    /// Sets an account's own quota, over all its buckets and their versions; absent bounds are those of
    /// the settings. Writes that begin after it returned are held to it; a bound below what is there
    /// deletes nothing and stops further writes.
    ///
    /// # Errors
    /// [`IamError::NotFound`]; [`IamError::Invalid`] for a bound that the catalog cannot count to.
    pub async fn set_account_quota(
        &self,
        id: AccountId,
        bytes_max: Option<u64>,
        objects_max: Option<u64>,
        actor: &str,
    ) -> Result<AccountRecord, IamError> {
        for (field, max) in [("bytes_max", bytes_max), ("objects_max", objects_max)] {
            if max.is_some_and(|max| i64::try_from(max).is_err()) {
                return Err(Invalid { field, reason: "must be less than 2^63" }.into());
            }
        }
        for _ in 0..TRIES_MAX {
            let Found { mut record, revision } = self.0.find_account(id).await?;
            (record.bytes_max, record.objects_max) = (bytes_max, objects_max);
            let mut batch = Batch::new();
            batch.unchanged(keys::account(id), Some(revision)).put(keys::account(id), record.encode());
            let shown =
                [bytes_max, objects_max].map(|max| max.map_or_else(|| "default".to_owned(), |max| max.to_string()));
            let details: [Fact<'_>; 3] = [("id", &id), ("bytes_max", &shown[0]), ("objects_max", &shown[1])];
            batch.writes.push(self.0.event(0, "account.quota_changed", &record.name, actor, &details));
            if self.0.commit(batch).await? {
                return Ok(record);
            }
        }
        Err(IamError::Conflict)
    }

    /// Sets how many buckets an account may own; if absent, the default of the settings. One below what it owns deletes
    /// nothing.
    ///
    /// # Errors
    /// [`IamError::NotFound`].
    pub async fn set_account_buckets_max(
        &self,
        id: AccountId,
        buckets_max: Option<u32>,
        actor: &str,
    ) -> Result<AccountRecord, IamError> {
        for _ in 0..TRIES_MAX {
            let Found { mut record, revision } = self.0.find_account(id).await?;
            record.buckets_max = buckets_max;
            let mut batch = Batch::new();
            batch.unchanged(keys::account(id), Some(revision)).put(keys::account(id), record.encode());
            let shown = buckets_max.map_or_else(|| "default".to_owned(), |max| max.to_string());
            let details: [Fact<'_>; 2] = [("id", &id), ("buckets_max", &shown)];
            batch.writes.push(self.0.event(0, "account.quota_changed", &record.name, actor, &details));
            if self.0.commit(batch).await? {
                return Ok(record);
            }
        }
        Err(IamError::Conflict)
    }

    /// Refuses all keys of an account, or takes them again. Doing it twice is one change.
    ///
    /// # Errors
    /// [`IamError::NotFound`]; [`IamError::Refused`] for the root account.
    pub async fn set_account_disabled(
        &self,
        id: AccountId,
        disabled: bool,
        actor: &str,
    ) -> Result<AccountRecord, IamError> {
        let kind = if disabled { "account.disabled" } else { "account.enabled" };
        for _ in 0..TRIES_MAX {
            let Found { mut record, revision } = self.0.find_account(id).await?;
            if record.root {
                return Err(IamError::Refused {
                    reason: "the root account cannot be disabled; rotate its keys instead",
                });
            }
            if record.disabled == disabled {
                return Ok(record);
            }
            record.disabled = disabled;
            let mut batch = Batch::new();
            batch.unchanged(keys::account(id), Some(revision)).put(keys::account(id), record.encode());
            batch.writes.push(self.0.event(0, kind, &record.name, actor, &[("id", &id)]));
            if self.0.commit(batch).await? {
                return Ok(record);
            }
        }
        Err(IamError::Conflict)
    }
}

/// What of a new account another has already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken(pub(crate) &'static str);

/// The batch that makes an account, and what it makes.
pub(crate) struct AccountIssue {
    pub(crate) batch: GuardedBatch<Taken>,
    pub(crate) created: CreatedAccount,
    /// Index of the next event of the batch.
    pub(crate) events: u8,
}

impl Inner {
    pub(crate) fn issue_account(&self, mut new: NewAccount, root: bool, actor: &str) -> Result<AccountIssue, IamError> {
        let given = new.key.take();
        let (mut batch, account) = self.bare_account(new, root, actor)?;
        let (id, key) = (account.id, KeyIssue { account: account.id, given, expires: None, note: String::new() });
        let (record, key) = self.issue_key(key)?;
        batch.require(Check::Absent(keys::access_key(&key.id)), Taken("access key id"));
        batch.put(keys::access_key(&key.id), record.encode()).put(keys::account_key(id, &key.id), Vec::new());
        batch.writes.push(self.event(1, "key.created", &key.id, actor, &[("account", &account.name)]));
        Ok(AccountIssue { batch, created: CreatedAccount { account, key }, events: 2 })
    }

    /// An account before it has a key.
    fn bare_account(
        &self,
        new: NewAccount,
        root: bool,
        actor: &str,
    ) -> Result<(GuardedBatch<Taken>, AccountRecord), IamError> {
        check_name(&new.name)?;
        check_email(&new.email)?;
        let id = new.id.unwrap_or_else(|| AccountId::from_bytes(self.random.bytes()));
        let account = AccountRecord {
            id,
            name: new.name,
            email: new.email,
            root,
            disabled: false,
            created: self.now(),
            buckets_max: new.buckets_max,
            bytes_max: None,
            objects_max: None,
        };
        let mut batch = GuardedBatch::new();
        batch.require(Check::Absent(keys::account_name(&account.name)), Taken("account name"));
        batch.require(Check::Absent(keys::account(id)), Taken("account id"));
        batch.put(keys::account(id), account.encode()).put(keys::account_name(&account.name), id.as_bytes().to_vec());
        if !account.email.is_empty() {
            batch.require(Check::Absent(keys::account_email(&account.email)), Taken("e-mail address"));
            batch.put(keys::account_email(&account.email), id.as_bytes().to_vec());
        }
        let details: [Fact<'_>; 2] = [("id", &id), ("email", &account.email)];
        batch.writes.push(self.event(0, "account.created", &account.name, actor, &details));
        Ok((batch, account))
    }

    pub(crate) async fn find_account(&self, id: AccountId) -> Result<Found<AccountRecord>, IamError> {
        self.read(keys::account(id)).await?.ok_or(IamError::NotFound { what: "account" })
    }

    async fn account_behind(&self, index: Vec<u8>) -> Result<AccountRecord, IamError> {
        let entry = self.store.get(index).await?;
        let entry = entry.ok_or(IamError::NotFound { what: "account" })?;
        Ok(self.find_account(account_id(&entry.value)?).await?.record)
    }
}

fn account_id(value: &[u8]) -> Result<AccountId, IamError> {
    let bytes = value.try_into().map_err(|_| IamError::Damaged("an index does not hold an account id".to_owned()))?;
    Ok(AccountId::from_bytes(bytes))
}

fn check_name(name: &str) -> Result<(), IamError> {
    if name.is_empty() || name.trim() != name {
        return Err(Invalid { field: "name", reason: "must not be empty, nor begin or end with a space" }.into());
    }
    readable("name", name, ACCOUNT_NAME_CHARS_MAX)
}

/// As much of an address as matters here: it is only compared, never sent to.
///
/// # Errors
/// `email`.
pub fn check_email(email: &str) -> Result<(), Invalid> {
    let legal = |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let whole = email.split_once('@').is_some_and(|(local, domain)| legal(local) && legal(domain));
    if email.is_empty() || (whole && email.len() <= EMAIL_BYTES_MAX) {
        return Ok(());
    }
    Err(Invalid { field: "email", reason: "must be an address such as ann@example.com, of at most 254 bytes" })
}
