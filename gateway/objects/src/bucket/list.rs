use crate::bucket::{BucketInfo, BucketsPage, ListBuckets};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{BucketRecord, Record, Usage};
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_iam::{Action, Caller, Resource};
use cofre_types::BucketName;

/// Most buckets of a page (AWS, "ListBuckets": `MaxBuckets`).
const PAGE_BUCKETS_MAX: usize = 10_000;

/// Most buckets that are looked at for the largest.
const LOOKED_AT_MAX: usize = 10_000;

/// The buckets that hold the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargestBuckets {
    /// Their names, and what each holds.
    pub largest: Vec<(BucketName, Usage)>,
    /// How many were looked at.
    pub looked_at: usize,
}

impl Objects {
    /// Lists the buckets that the caller's account owns; a part of Cofre itself sees all.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub async fn list_buckets(&self, caller: &Caller, request: ListBuckets) -> Result<BucketsPage, Error> {
        self.authorise_beyond_buckets(caller, Action::ListAllMyBuckets, Resource::Service)?;
        let base = match caller.principal.account_id() {
            Some(account) => keys::owned_buckets(account),
            None => vec![keys::family::BUCKET],
        };
        let mut prefix = base.clone();
        prefix.extend_from_slice(request.prefix.as_bytes());
        let mut scan = Scan::prefix(&prefix);
        if let Some(after) = &request.after {
            let mut key = base.clone();
            key.extend_from_slice(after.as_bytes());
            if key >= prefix {
                scan = scan.after(key);
            }
        }
        let max = request.max.clamp(1, PAGE_BUCKETS_MAX);
        let snapshot = self.store().snapshot().await?;
        let mut entries = snapshot.page(scan, max + 1).await?;
        let truncated = entries.len() > max;
        entries.truncate(max);
        let names: Vec<_> = entries.iter().filter_map(|(key, _)| name_in(&key[base.len()..])).collect();
        let records = snapshot.get_many(names.iter().map(keys::bucket).collect()).await?;
        let mut page = BucketsPage::default();
        for (name, entry) in names.into_iter().zip(records) {
            let Some(entry) = entry else { continue };
            page.buckets.push(BucketInfo::of(&name, &BucketRecord::decode(&entry.value)?));
        }
        if truncated {
            page.next = page.buckets.last().map(|bucket| bucket.name.to_string());
        }
        Ok(page)
    }
}

impl Objects {
    /// The buckets of all accounts that hold the most bytes, the largest first, at most `count`: for a part of Cofre
    /// itself. Of many buckets only the first 10,000 by name are looked at.
    ///
    /// # Errors
    /// [`Error::AccessDenied`].
    pub async fn largest_buckets(&self, caller: &Caller, count: usize) -> Result<LargestBuckets, Error> {
        self.authorise_beyond_buckets(caller, Action::ListAllMyBuckets, Resource::Service)?;
        if caller.principal.account_id().is_some() {
            return Err(Error::AccessDenied);
        }
        let snapshot = self.store().snapshot().await?;
        let entries = snapshot.page(Scan::prefix(&[keys::family::BUCKET]), LOOKED_AT_MAX).await?;
        let mut buckets = Vec::with_capacity(entries.len());
        for (key, entry) in &entries {
            buckets.extend(name_in(&key[1..]).zip(Some(BucketRecord::decode(&entry.value)?.id)));
        }
        let usage = snapshot.get_many(buckets.iter().map(|(_, id)| keys::usage(*id)).collect()).await?;
        let usage =
            usage.iter().map(|entry| entry.as_ref().map_or_else(Usage::default, |e| Usage::from_value(&e.value)));
        let looked_at = buckets.len();
        let mut largest: Vec<_> = buckets.into_iter().map(|(name, _)| name).zip(usage).collect();
        largest.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.total_bytes));
        largest.truncate(count);
        Ok(LargestBuckets { largest, looked_at })
    }
}

fn name_in(bytes: &[u8]) -> Option<BucketName> {
    BucketName::parse(std::str::from_utf8(bytes).ok()?).ok()
}
