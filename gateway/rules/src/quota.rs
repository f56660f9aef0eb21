//! Quotas: exact bounds that each commit is held to, and who passed which.
//!
//! # Limits
//! A quota on bytes bounds what stands: all versions, and parts of uploads under way. What was overwritten or deleted
//! stands on the shards until its grace is over. It may be `quotas.grace_multiple` times the quota, and a request that
//! brings bytes is turned away beyond that. So a bucket or an account with a quota never has more content on the shards
//! than its quota and that multiple of it, whatever its clients do. A removal is never refused by a quota.

use cofre_catalog::records::{AccountUsage, BucketRecord, Usage, as_delta};
use cofre_catalog::{Check, keys};
use cofre_types::BucketName;

/// Bounds on what a bucket, or all buckets of an account, may hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quota {
    /// Most bytes.
    pub bytes_max: Option<u64>,
    /// Most objects.
    pub objects_max: Option<u64>,
}

/// The bounds that a change to a bucket is held to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quotas {
    /// Of the bucket.
    pub bucket: Quota,
    /// Of the account that owns it, over all its buckets.
    pub account: Quota,
    /// Bytes in grace, as a multiple of the bytes that may stand.
    pub grace_multiple: u64,
    /// Bounds on what costs no bytes of content.
    pub records: RecordsMax,
}

/// Bounds on records of a bucket that no quota counts.
#[derive(Debug, Clone, Copy)]
pub struct RecordsMax {
    /// Delete markers.
    pub delete_markers: u64,
    /// Uploads under way.
    pub uploads: u64,
    /// Parts of uploads under way.
    pub upload_parts: u64,
}

impl Default for RecordsMax {
    fn default() -> Self {
        Self { delete_markers: u64::MAX, uploads: u64::MAX, upload_parts: u64::MAX }
    }
}

/// What a change adds, by which it is held to quotas.
pub struct Adds<'a> {
    /// What the counters of the bucket become more.
    pub usage: &'a Usage,
    /// Whether a request brings bytes of content.
    pub bytes: bool,
    /// Whether a request makes a delete marker.
    pub marker: bool,
}

/// Whose quota it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaOf {
    /// One bucket's.
    Bucket,
    /// That of the account which owns the bucket, over all its buckets.
    Account,
}

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounded {
    /// Bytes of all versions and parts.
    Bytes,
    /// Objects, over all versions.
    Objects,
    /// Bytes that were overwritten or deleted and wait for the end of their grace.
    GraceBytes,
    /// Delete markers.
    DeleteMarkers,
    /// Uploads under way.
    Uploads,
    /// Parts of uploads under way.
    UploadParts,
}

impl Bounded {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Objects => "objects",
            Self::GraceBytes => "bytes in grace",
            Self::DeleteMarkers => "delete markers",
            Self::Uploads => "multipart uploads under way",
            Self::UploadParts => "parts of uploads under way",
        }
    }
}

/// How much a quota allows, and what a request would have made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// The bound.
    pub limit: u64,
    /// What is used, as of the refusal.
    pub used: u64,
    /// What the request would have added.
    pub proposed: u64,
}

/// A quota that a request would pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// Whose quota it is.
    pub of: QuotaOf,
    /// The bucket.
    pub bucket: BucketName,
    /// What is bounded.
    pub bounded: Bounded,
    /// How much; only for the owner of the bucket and for parts of Cofre itself.
    pub amounts: Option<Amounts>,
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.of {
            QuotaOf::Bucket => write!(f, "the quota of the bucket {} on {}", self.bucket, self.bounded.as_str())?,
            QuotaOf::Account => {
                write!(f, "the quota of the account that owns {} on {}", self.bucket, self.bounded.as_str())?;
            }
        }
        match self.amounts {
            Some(Amounts { limit, used, proposed }) => {
                write!(f, " is {limit}; {used} are used, and the request adds {proposed}")
            }
            None => f.write_str(" is used up"),
        }
    }
}

/// A bound that a change is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Whose quota it is.
    pub of: QuotaOf,
    /// What is bounded.
    pub bounded: Bounded,
    /// What the change adds.
    pub adding: i64,
    /// Most.
    pub max: i64,
}

impl Bound {
    /// The row of counters that it is about.
    pub fn row(&self, bucket: &BucketRecord) -> Vec<u8> {
        match self.of {
            QuotaOf::Bucket => keys::usage(bucket.id),
            QuotaOf::Account => keys::account_usage(bucket.owner),
        }
    }

    /// Its counter in that row. An account's row counts no records.
    pub const fn index(&self) -> usize {
        match (self.of, self.bounded) {
            (QuotaOf::Bucket, Bounded::Bytes) => Usage::TOTAL_BYTES,
            (QuotaOf::Bucket, Bounded::Objects) => Usage::TOTAL_OBJECTS,
            (QuotaOf::Bucket, Bounded::GraceBytes) => Usage::GRACE_BYTES,
            (QuotaOf::Bucket, Bounded::DeleteMarkers) => Usage::DELETE_MARKERS,
            (QuotaOf::Bucket, Bounded::Uploads) => Usage::UPLOADS,
            (QuotaOf::Bucket, Bounded::UploadParts) => Usage::UPLOAD_PARTS,
            (QuotaOf::Account, Bounded::Objects) => AccountUsage::OBJECTS,
            (QuotaOf::Account, Bounded::GraceBytes) => AccountUsage::GRACE_BYTES,
            (QuotaOf::Account, Bounded::Bytes | Bounded::DeleteMarkers | Bounded::Uploads | Bounded::UploadParts) => {
                AccountUsage::BYTES
            }
        }
    }

    /// The check that holds a commit to it.
    pub fn check(&self, bucket: &BucketRecord) -> Check {
        Check::CounterAtMost { key: self.row(bucket), index: self.index(), adding: self.adding, max: self.max }
    }

    /// Whether counters as they stand leave no room.
    pub fn is_passed_by(&self, usage: &Usage, account: &AccountUsage) -> bool {
        let counters = match self.of {
            QuotaOf::Bucket => usage.row(),
            QuotaOf::Account => account.row(),
        };
        counters.get(self.index()).copied().unwrap_or(0).saturating_add(self.adding) > self.max
    }
}

impl Quotas {
    /// The bounds that a change is held to.
    pub fn bounds(&self, adds: &Adds<'_>) -> Vec<Bound> {
        let usage = adds.usage;
        let mut bounds = Vec::new();
        let mut hold = |of, bounded, adding, max: Option<u64>| {
            bounds.extend(max.map(|max| Bound { of, bounded, adding, max: as_delta(max) }));
        };
        for (of, quota) in [(QuotaOf::Bucket, self.bucket), (QuotaOf::Account, self.account)] {
            if usage.total_bytes > 0 {
                hold(of, Bounded::Bytes, usage.total_bytes, quota.bytes_max);
            }
            if usage.total_objects > 0 {
                hold(of, Bounded::Objects, usage.total_objects, quota.objects_max);
            }
            if adds.bytes {
                hold(of, Bounded::GraceBytes, usage.grace_bytes, self.grace_max(quota));
            }
        }
        let markers = if adds.marker { usage.delete_markers } else { 0 };
        let records = [
            (Bounded::DeleteMarkers, markers, self.records.delete_markers),
            (Bounded::Uploads, usage.uploads, self.records.uploads),
            (Bounded::UploadParts, usage.upload_parts, self.records.upload_parts),
        ];
        for (bounded, adding, max) in records {
            if adding > 0 {
                hold(QuotaOf::Bucket, bounded, adding, Some(max));
            }
        }
        bounds
    }

    /// Most bytes in grace under a quota.
    pub fn grace_max(&self, quota: Quota) -> Option<u64> {
        quota.bytes_max.map(|max| max.saturating_mul(self.grace_multiple))
    }

    /// Whether a quota bounds bytes or objects.
    pub const fn bound_content(&self) -> bool {
        let Self { bucket, account, .. } = self;
        bucket.bytes_max.is_some()
            || bucket.objects_max.is_some()
            || account.bytes_max.is_some()
            || account.objects_max.is_some()
    }
}
