use super::{ClassScheme, Jobs, NewBuckets, Writes};
use crate::error::SettingsError;
use cofre_types::Scheme;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most origins that the CORS default may allow.
pub const CORS_ORIGINS_MAX: usize = 100;

/// Longest origin, in bytes.
const CORS_ORIGIN_BYTES_MAX: usize = 256;

/// Most requests a second that a rate limit may allow; above it there is no point in a limit.
const RATE_MAX: u32 = 10_000_000;

/// Shortest grace before garbage is deleted, in seconds: longer than a reader needs from snapshot to
/// the first byte of the last blob.
const GARBAGE_GRACE_SECS_MIN: u64 = 60;

/// Shortest grace before a blob without a record is deleted, in seconds. A writer commits its record
/// after its blob, so the grace must be longer than any upload of one part.
const ORPHAN_GRACE_SECS_MIN: u64 = 3_600;

/// Longest grace or interval, in seconds: a year.
const SECS_MAX: u64 = 366 * 86_400;

/// The dynamic settings. Every field has a default, so a document may leave out what it does not
/// change, and a merge patch that sets a field to null brings its default back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How many requests each access key may make.
    pub rate_limits: RateLimits,
    /// How much is logged; the boot setting if absent.
    pub log_level: Option<LogLevel>,
    /// Bounds of buckets and accounts that have none of their own.
    pub quotas: Quotas,
    /// Redundancy of blobs in buckets that have none of their own, as `replicas:2` or `ec:4+2`; that of
    /// `cofre serve --redundancy`, now or at an earlier start, if absent. What stands is converted in the background.
    #[serde(with = "scheme_text")]
    pub redundancy: Option<Scheme>,
    /// Redundancy of each storage class that objects may be put in or moved to, beside `STANDARD`, whose
    /// redundancy is the bucket's: `replicas:2`, or `default` for the same. At most 32; names have capital
    /// letters, digits and underscores. An object of a class that was taken out stays readable.
    pub storage_classes: BTreeMap<String, ClassScheme>,
    /// What a write takes before it is acknowledged, and how small blobs are kept.
    pub writes: Writes,
    /// Graces, intervals and shares of background work.
    pub timers: Timers,
    /// Pause and pace of each background job.
    pub jobs: Jobs,
    /// When shards are given up, and when copies move between them.
    pub repair: Repair,
    /// CORS answers of buckets that have no rules of their own.
    pub cors_default: CorsDefault,
    /// What new buckets have that ask for nothing else.
    pub new_buckets: NewBuckets,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate_limits: RateLimits::default(),
            log_level: None,
            quotas: Quotas::default(),
            redundancy: None,
            storage_classes: super::classes::defaults(),
            writes: Writes::default(),
            timers: Timers::default(),
            jobs: Jobs::default(),
            repair: Repair::default(),
            cors_default: CorsDefault::default(),
            new_buckets: NewBuckets::default(),
        }
    }
}

/// How many requests each access key may make. Above it the answer is 503 SlowDown, which clients retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimits {
    /// Requests a second over a longer time, per access key; 0 for no limit.
    pub requests_per_second_per_key: u32,
    /// Requests that may come at once after a pause; 0 for as many as one second allows.
    pub burst: u32,
}

/// How much is logged. Each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What an operator must act on.
    Error,
    /// What may need an operator.
    Warn,
    /// Starts, stops, changes, and a line for each request.
    Info,
    /// What a developer asks for.
    Debug,
    /// Everything; slows the server down.
    Trace,
}

impl LogLevel {
    /// The name in settings and log filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Bounds of buckets and accounts that have none of their own. A lower bound than what is there stops
/// further writes; it deletes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Most bytes in a bucket, over all versions and parts; no bound if absent.
    pub bucket_bytes_max: Option<u64>,
    /// Most objects in a bucket, over all versions; no bound if absent.
    pub bucket_objects_max: Option<u64>,
    /// Most bytes in all buckets of an account, over all versions and parts; no bound if absent.
    pub account_bytes_max: Option<u64>,
    /// Most objects in all buckets of an account, over all versions; no bound if absent.
    pub account_objects_max: Option<u64>,
    /// Most buckets an account may own (AWS allows 10,000).
    pub buckets_per_account_max: u32,
    /// How many times its quota on bytes a bucket or an account may have in bytes that were overwritten or deleted and
    /// wait for `timers.garbage_grace_secs`, 1 to 1,000. Beyond that writes get 503 SlowDown until space is reclaimed. So
    /// the content of who has a quota takes at most that quota and this multiple of it on the shards.
    pub grace_multiple: u32,
    /// Most delete markers in a bucket. At the bound a DELETE that names no version is refused where it would make one.
    pub bucket_delete_markers_max: u64,
    /// Most multipart uploads under way in a bucket.
    pub bucket_uploads_max: u64,
    /// Most parts of uploads under way in a bucket.
    pub bucket_upload_parts_max: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            bucket_bytes_max: None,
            bucket_objects_max: None,
            account_bytes_max: None,
            account_objects_max: None,
            buckets_per_account_max: 10_000,
            grace_multiple: 3,
            bucket_delete_markers_max: 10_000_000,
            bucket_uploads_max: 100_000,
            bucket_upload_parts_max: 10_000_000,
        }
    }
}

/// Graces, intervals and shares of background work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timers {
    /// Seconds from the deletion of an object to the deletion of its blobs, 60 to a year. A read that
    /// began before the deletion may go on for this long; deleted data takes space for this long.
    pub garbage_grace_secs: u64,
    /// Seconds before a blob without a record counts as an orphan, an hour to a year. Longer than any
    /// upload of one part, or uploads under way lose their blobs.
    pub orphan_grace_secs: u64,
    /// Seconds after which a multipart upload that was neither completed nor aborted is aborted;
    /// 0 for never, as on AWS, else an hour to a year.
    pub stale_upload_secs: u64,
    /// Seconds in which scrubbing reads every blob once, an hour to a year. Shorter finds damage
    /// sooner and reads more.
    pub scrub_interval_secs: u64,
    /// Seconds between two backups of the catalog that Cofre takes by itself onto its shards' disks, an hour to a year;
    /// 0 for none. Shorter loses less where a disk or a table is lost.
    pub catalog_backup_secs: u64,
    /// How many of these backups each disk keeps, 1 to 100; the oldest go.
    pub catalog_backups_keep: u32,
    /// Seconds that lifecycle rules take for a day, 1 to 86,400. Anything but a day is for tests: objects
    /// end earlier than their owners asked for, and not at midnight.
    pub lifecycle_day_secs: u64,
    /// Seconds that lines of server access logs are gathered before they become an object in their target
    /// bucket, 1 to 86,400; less if many come. Shorter shows them sooner, in more and smaller objects.
    pub access_log_delivery_secs: u64,
    /// Share of the time that each background job may be busy that `jobs` gives none of its own, 0.01 to 1. More
    /// ends drains and repairs sooner and slows requests.
    pub job_busy_share: f64,
    /// Seconds that events are kept, an hour to a year.
    pub events_keep_secs: u64,
    /// Most events of what accounts did that are kept, 1,000 to 10,000,000; about 300 bytes each.
    pub events_keep_max: u64,
    /// Most other events that are kept, of operators and of Cofre itself, 1,000 to 10,000,000. What accounts do, however
    /// often, does not push them out.
    pub operator_events_keep_max: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            garbage_grace_secs: 900,
            orphan_grace_secs: 86_400,
            stale_upload_secs: 0,
            scrub_interval_secs: 30 * 86_400,
            catalog_backup_secs: 86_400,
            catalog_backups_keep: 3,
            lifecycle_day_secs: 86_400,
            access_log_delivery_secs: 300,
            job_busy_share: 0.25,
            events_keep_secs: 90 * 86_400,
            events_keep_max: 100_000,
            operator_events_keep_max: 100_000,
        }
    }
}

/// When shards are given up, and when copies move between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repair {
    /// Seconds that a shard may be away before it is given up and what it held is made anew elsewhere, 60 to a year;
    /// 0 for never by itself. Shorter is whole again sooner, and copies everything for a shard that was only being
    /// restarted. No shard is given up by itself while half of them or more are away.
    pub dead_after_secs: u64,
    /// How far apart the fill of shards may be before copies move, 0.0001 to 0.5: the fullest is 0.6 full and the
    /// emptiest 0.5 with a spread of 0.1. Fill is relative to weight and room. Smaller moves more.
    pub rebalance_spread: f64,
}

impl Default for Repair {
    fn default() -> Self {
        Self { dead_after_secs: 86_400, rebalance_spread: 0.1 }
    }
}

impl Repair {
    fn validate(&self) -> Result<(), SettingsError> {
        if self.dead_after_secs != 0 {
            bounded("repair.dead_after_secs", self.dead_after_secs, 60, SECS_MAX)?;
        }
        if !(0.0001..=0.5).contains(&self.rebalance_spread) {
            return Err(invalid("repair.rebalance_spread", "must be 0.0001 to 0.5"));
        }
        Ok(())
    }
}

/// CORS answers of buckets that have no rules of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsDefault {
    /// Origins whose pages may call, each `*` or as `https://app.example`; none by default, so that a
    /// browser is refused.
    pub allowed_origins: Vec<String>,
    /// Seconds that a browser may keep a preflight's answer, at most a day.
    pub max_age_secs: u32,
}

impl Settings {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] with the path of the first field that breaks one.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let rates = &self.rate_limits;
        bounded(
            "rate_limits.requests_per_second_per_key",
            rates.requests_per_second_per_key.into(),
            0,
            RATE_MAX.into(),
        )?;
        bounded("rate_limits.burst", rates.burst.into(), 0, RATE_MAX.into())?;
        if rates.burst > 0 && rates.requests_per_second_per_key == 0 {
            return Err(invalid("rate_limits.burst", "must be 0 while requests_per_second_per_key is 0"));
        }
        self.quotas.validate()?;
        super::classes::validate(&self.storage_classes)?;
        self.writes.validate()?;
        self.timers.validate()?;
        self.jobs.validate()?;
        self.repair.validate()?;
        self.cors_default.validate()
    }
}

impl Quotas {
    fn validate(&self) -> Result<(), SettingsError> {
        // The catalog counts in signed 64 bits.
        let count_max = i64::MAX.unsigned_abs();
        bounded("quotas.bucket_bytes_max", self.bucket_bytes_max.unwrap_or(0), 0, count_max)?;
        bounded("quotas.bucket_objects_max", self.bucket_objects_max.unwrap_or(0), 0, count_max)?;
        bounded("quotas.account_bytes_max", self.account_bytes_max.unwrap_or(0), 0, count_max)?;
        bounded("quotas.account_objects_max", self.account_objects_max.unwrap_or(0), 0, count_max)?;
        bounded("quotas.grace_multiple", self.grace_multiple.into(), 1, 1_000)?;
        bounded("quotas.bucket_delete_markers_max", self.bucket_delete_markers_max, 0, count_max)?;
        bounded("quotas.bucket_uploads_max", self.bucket_uploads_max, 0, count_max)?;
        bounded("quotas.bucket_upload_parts_max", self.bucket_upload_parts_max, 0, count_max)
    }
}

impl Timers {
    fn validate(&self) -> Result<(), SettingsError> {
        bounded("timers.garbage_grace_secs", self.garbage_grace_secs, GARBAGE_GRACE_SECS_MIN, SECS_MAX)?;
        bounded("timers.orphan_grace_secs", self.orphan_grace_secs, ORPHAN_GRACE_SECS_MIN, SECS_MAX)?;
        if self.stale_upload_secs != 0 {
            bounded("timers.stale_upload_secs", self.stale_upload_secs, 3_600, SECS_MAX)?;
        }
        bounded("timers.scrub_interval_secs", self.scrub_interval_secs, 3_600, SECS_MAX)?;
        if self.catalog_backup_secs != 0 {
            bounded("timers.catalog_backup_secs", self.catalog_backup_secs, 3_600, SECS_MAX)?;
        }
        bounded("timers.catalog_backups_keep", self.catalog_backups_keep.into(), 1, 100)?;
        bounded("timers.lifecycle_day_secs", self.lifecycle_day_secs, 1, 86_400)?;
        bounded("timers.access_log_delivery_secs", self.access_log_delivery_secs, 1, 86_400)?;
        if !(0.01..=1.0).contains(&self.job_busy_share) {
            return Err(invalid("timers.job_busy_share", "must be 0.01 to 1"));
        }
        bounded("timers.events_keep_secs", self.events_keep_secs, 3_600, SECS_MAX)?;
        bounded("timers.events_keep_max", self.events_keep_max, 1_000, 10_000_000)?;
        bounded("timers.operator_events_keep_max", self.operator_events_keep_max, 1_000, 10_000_000)
    }
}

impl CorsDefault {
    fn validate(&self) -> Result<(), SettingsError> {
        if self.allowed_origins.len() > CORS_ORIGINS_MAX {
            return Err(invalid("cors_default.allowed_origins", "must have at most 100 origins"));
        }
        for (index, origin) in self.allowed_origins.iter().enumerate() {
            if !is_origin(origin) {
                let path = format!("cors_default.allowed_origins[{index}]");
                return Err(invalid(&path, "must be '*' or a scheme and a host, such as https://app.example"));
            }
        }
        bounded("cors_default.max_age_secs", self.max_age_secs.into(), 0, 86_400)
    }
}

/// `*`, or scheme, host and port as a browser sends them in `Origin` (RFC 6454, section 6.2). It goes
/// into an answer's header, so nothing but printable ASCII passes.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host_bytes = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'*' | b'[' | b']');
    text == "*"
        || (text.len() <= CORS_ORIGIN_BYTES_MAX && host.is_some_and(|h| !h.is_empty() && h.bytes().all(host_bytes)))
}

pub(super) fn invalid(path: &str, reason: &str) -> SettingsError {
    SettingsError::Invalid { path: path.to_owned(), reason: reason.to_owned() }
}

pub(super) fn bounded(path: &str, value: u64, min: u64, max: u64) -> Result<(), SettingsError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(invalid(path, &format!("must be {min} to {max}"))) }
}

/// A scheme as its text in the document.
mod scheme_text {
    use cofre_types::Scheme;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(scheme: &Option<Scheme>, to: S) -> Result<S::Ok, S::Error> {
        scheme.map(|scheme| scheme.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Scheme>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(|error: cofre_types::Invalid| D::Error::custom(error.reason))).transpose()
    }
}
