use crate::{BucketInfo, BucketsPage, Error, ListBuckets, Objects};
use cofre_catalog::records::{BucketRecord, Record};
use cofre_catalog::{Scan, SnapshotExt, keys};
use cofre_iam::{Action, Caller, Resource};
use cofre_types::BucketName;

/// Most buckets of a page (AWS, "ListBuckets": `MaxBuckets`).
const PAGE_BUCKETS_MAX: usize = 10_000;

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

fn name_in(bytes: &[u8]) -> Option<BucketName> {
    BucketName::parse(std::str::from_utf8(bytes).ok()?).ok()
}
