//! Which quotas hold for a bucket now, and the errors of those that a request would pass.

use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{AccountUsage, Usage};
use cofre_iam::{Caller, Principal};
use cofre_rules::{Amounts, Bound, Bounded, Excess, Quota, QuotaOf, Quotas, RecordsMax};

impl Objects {
    /// The bounds that changes to a bucket are held to now.
    pub(crate) async fn quotas(&self, bucket: &Bucket) -> Result<Quotas, Error> {
        let account = self.account_quota(bucket.record.owner).await?;
        let settings = self.0.parts.settings.current();
        let quotas = &settings.quotas;
        Ok(Quotas {
            bucket: Quota {
                bytes_max: bucket.record.bytes_max.or(quotas.bucket_bytes_max),
                objects_max: bucket.record.objects_max.or(quotas.bucket_objects_max),
            },
            account,
            grace_multiple: quotas.grace_multiple.into(),
            records: RecordsMax {
                delete_markers: quotas.bucket_delete_markers_max,
                uploads: quotas.bucket_uploads_max,
                upload_parts: quotas.bucket_upload_parts_max,
            },
        })
    }

    /// The error of a bound that a change would pass.
    pub(crate) async fn excess(&self, bucket: &Bucket, bound: Bound) -> Result<Error, Error> {
        let row = self.get(bound.row(&bucket.record)).await?.map(|entry| entry.value).unwrap_or_default();
        let counters = match bound.of {
            QuotaOf::Account => AccountUsage::from_value(&row).row(),
            QuotaOf::Bucket => Usage::from_value(&row).row(),
        };
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let used = counters.get(bound.index()).copied().map_or(0, count);
        let amounts = Amounts { limit: count(bound.max), used, proposed: count(bound.adding) };
        Ok(passed(bucket, bound.of, bound.bounded, amounts))
    }
}

/// The error of a quota that would be passed.
pub(crate) fn passed(bucket: &Bucket, of: QuotaOf, bounded: Bounded, amounts: Amounts) -> Error {
    let excess = Box::new(Excess { of, bucket: bucket.name.clone(), bounded, amounts: Some(amounts) });
    if bounded == Bounded::GraceBytes { Error::GraceExceeded(excess) } else { Error::QuotaExceeded(excess) }
}

impl Error {
    /// The error as its caller may know it: how much a bucket or an account holds is for its owner alone.
    #[must_use]
    pub(crate) fn for_caller(mut self, caller: &Caller, bucket: &Bucket) -> Self {
        let knows = match &caller.principal {
            Principal::Account(account) => account.id == bucket.record.owner,
            Principal::Internal(_) => true,
            Principal::Anonymous | Principal::Service(_) => false,
        };
        if let Self::QuotaExceeded(excess) | Self::GraceExceeded(excess) = &mut self
            && !knows
        {
            excess.amounts = None;
        }
        self
    }
}
