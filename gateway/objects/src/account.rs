//! What accounts own: counted in the commits that change it, and bounded there.

use crate::domain::Objects;
use crate::error::Error;
use crate::upkeep::Upkeep;
use cofre_catalog::records::{AccountRecord, AccountUsage, BucketRecord, Record, Usage};
use cofre_catalog::{Batch, Check, CommitError, Entry, Mark, ReadExt, Scan, Snapshot, Store, keys};
use cofre_rules::Quota;
use cofre_types::{AccountId, BucketName};
use std::ops::Bound;

/// Accounts whose quotas are kept at hand. Beyond it the cache starts anew.
const CACHED_ACCOUNTS_MAX: usize = 4_096;

/// Buckets that counting reads at once.
const BUCKETS_PER_PAGE: usize = 1_000;

/// Name of the counter that says that what accounts own is counted.
const COUNTED: &str = "account-usage";

impl Upkeep {
    /// What some accounts own, exactly, as of the last commit.
    ///
    /// # Errors
    /// [`Error::Internal`] if the catalog cannot be read.
    pub async fn account_usage(&self, accounts: &[AccountId]) -> Result<Vec<AccountUsage>, Error> {
        let rows = self.objects.store().get_many(accounts.iter().copied().map(keys::account_usage).collect()).await?;
        Ok(rows.iter().map(|row| row.as_ref().map_or_else(AccountUsage::default, of_row)).collect())
    }

    /// Counts what accounts own, once, in a catalog of a Cofre that did not: it finds how many accounts
    /// own something. To be called before a door or a job opens, as it takes the counters of buckets for
    /// what stands. Memory does not grow with accounts or buckets; where a crash ends it, it begins anew.
    ///
    /// # Errors
    /// [`Error`]; nothing is counted by halves then.
    pub async fn count_account_usage(&self) -> Result<u64, Error> {
        if self.objects.get(keys::counter(COUNTED)).await?.is_some() {
            return Ok(0);
        }
        let snapshot = self.objects.store().snapshot().await?;
        let (mut counted, mut after) = (0, None);
        let mut open: Option<(AccountId, AccountUsage)> = None;
        loop {
            let page = page_of_buckets(snapshot.as_ref(), &mut after).await?;
            if page.is_empty() {
                break;
            }
            let mut batch = Batch::new();
            for (account, usage) in page {
                let sum = match open.take() {
                    Some((of, sum)) if of == account => sum,
                    before => {
                        counted += put(&mut batch, before);
                        AccountUsage::default()
                    }
                };
                open = Some((account, with_bucket(sum, &usage)));
            }
            commit(self.objects.store(), batch).await?;
        }
        let mut batch = Batch::new();
        counted += put(&mut batch, open);
        batch.checks.push(Check::Absent(keys::counter(COUNTED)));
        batch.add(keys::counter(COUNTED), vec![1]);
        commit(self.objects.store(), batch).await?;
        Ok(counted)
    }
}

impl Objects {
    /// What an account may hold, from memory while the account has not changed.
    pub(crate) async fn account_quota(&self, account: AccountId) -> Result<Quota, Error> {
        let own = self.own_account_quota(account).await?;
        let settings = self.0.parts.settings.current();
        Ok(Quota {
            bytes_max: own.bytes_max.or(settings.quotas.account_bytes_max),
            objects_max: own.objects_max.or(settings.quotas.account_objects_max),
        })
    }

    async fn own_account_quota(&self, account: AccountId) -> Result<Quota, Error> {
        let fresh = |(mark, _): &&(Mark, Quota)| mark.holds(self.store());
        if let Some((_, quota)) = self.0.account_quotas.read().get(&account).filter(fresh) {
            return Ok(*quota);
        }
        let at = keys::account(account);
        let mark = Mark::of_key(self.store(), &at);
        let record = self.get(at).await?;
        let record = record.map(|entry| AccountRecord::decode(&entry.value)).transpose()?;
        let quota = record.map_or_else(Quota::default, |record| Quota {
            bytes_max: record.bytes_max,
            objects_max: record.objects_max,
        });
        if let Some(mark) = mark {
            let mut cache = self.0.account_quotas.write();
            if cache.len() >= CACHED_ACCOUNTS_MAX {
                cache.clear();
            }
            cache.insert(account, (mark, quota));
        }
        Ok(quota)
    }
}

/// Buckets after `after` in the order of their owners: whose each is, and what it holds.
async fn page_of_buckets(
    snapshot: &dyn Snapshot,
    after: &mut Option<Vec<u8>>,
) -> Result<Vec<(AccountId, Usage)>, Error> {
    let mut scan = Scan::prefix(&[keys::family::OWNED_BUCKET]);
    if let Some(after) = after.take() {
        scan.from = Bound::Excluded(after);
    }
    let page = snapshot.page(scan, BUCKETS_PER_PAGE).await?;
    *after = page.last().map(|(last, _)| last.clone());
    let owned: Vec<_> = page.iter().map(|(key, _)| owned(key)).collect::<Result<_, _>>()?;
    let buckets = snapshot.get_many(owned.iter().map(|(_, name)| keys::bucket(name)).collect()).await?;
    let mut rows = Vec::with_capacity(buckets.len());
    for entry in buckets {
        let entry = entry.ok_or_else(|| Error::Internal("an account owns a bucket that is not there".to_owned()))?;
        rows.push(keys::usage(BucketRecord::decode(&entry.value)?.id));
    }
    let rows = snapshot.get_many(rows).await?.into_iter();
    let usages = rows.map(|row| row.map_or_else(Usage::default, |row| Usage::from_value(&row.value)));
    Ok(owned.into_iter().map(|(account, _)| account).zip(usages).collect())
}

/// The sum with one more bucket.
fn with_bucket(sum: AccountUsage, usage: &Usage) -> AccountUsage {
    AccountUsage {
        buckets: sum.buckets + 1,
        objects: sum.objects + usage.total_objects,
        bytes: sum.bytes + usage.total_bytes,
        grace_bytes: sum.grace_bytes + usage.grace_bytes,
    }
}

fn of_row(row: &Entry) -> AccountUsage {
    AccountUsage::from_value(&row.value)
}

/// Account and bucket in the key of an owned bucket.
fn owned(key: &[u8]) -> Result<(AccountId, BucketName), Error> {
    let damaged = || Error::Internal("the key of an owned bucket is damaged".to_owned());
    let (account, name) = key.get(1..).and_then(|rest| rest.split_first_chunk()).ok_or_else(damaged)?;
    let name = std::str::from_utf8(name).ok().and_then(|name| BucketName::parse(name).ok()).ok_or_else(damaged)?;
    Ok((AccountId::from_bytes(*account), name))
}

/// Puts the counters of an account: they are what was counted, whatever an earlier try left.
fn put(batch: &mut Batch, counted: Option<(AccountId, AccountUsage)>) -> u64 {
    let Some((account, usage)) = counted else { return 0 };
    let row = usage.row().into_iter().flat_map(i64::to_le_bytes).collect();
    batch.put(keys::account_usage(account), row);
    1
}

async fn commit(store: &dyn Store, batch: Batch) -> Result<(), Error> {
    if batch.writes.is_empty() {
        return Ok(());
    }
    match store.commit(batch).await {
        // Another process was faster: it has counted the same.
        Ok(_) | Err(CommitError::Failed(_)) => Ok(()),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}
