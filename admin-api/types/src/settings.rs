use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The dynamic settings in force. The revision is the ETag as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Number of the revision; 0 while nothing was ever set.
    pub revision: u64,
    /// The whole document, defaults included.
    pub document: SettingsDocument,
}

/// What operators change while the process runs. A PATCH holds only the fields to change, and null
/// brings a default back (RFC 7396).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsDocument {
    /// How many requests each access key may make.
    pub rate_limits: RateLimits,
    /// How much is logged: error, warn, info, debug or trace; the boot setting if null.
    pub log_level: Option<String>,
    /// Bounds of buckets and accounts that have none of their own.
    pub quotas: Quotas,
    /// Redundancy of blobs in buckets that have none of their own, as `replicas:2` or `ec:4+2`; that of
    /// `cofre serve --redundancy`, now or at an earlier start, if null. What stands is converted in the background (job
    /// `convert`), which reads and writes every byte.
    pub redundancy: Option<String>,
    /// Redundancy of each storage class beside `STANDARD`: `replicas:2`, or `default` for the bucket's.
    pub storage_classes: BTreeMap<String, String>,
    /// What a write takes before it is acknowledged, and how small blobs are kept.
    pub writes: Writes,
    /// Graces, intervals and shares of background work.
    pub timers: Timers,
    /// Pause and pace of each background job.
    pub jobs: JobsSettings,
    /// When shards are given up, and when copies move between them.
    pub repair: Repair,
    /// CORS answers of buckets that have no rules of their own.
    pub cors_default: CorsDefault,
    /// What new buckets have that ask for nothing else.
    pub new_buckets: NewBuckets,
}

/// What new buckets have that ask for nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBuckets {
    /// Ownership controls: `bucket_owner_enforced`, `bucket_owner_preferred` or `object_writer`; none if null.
    pub ownership: Option<String>,
    /// Whether public access is blocked, by all four settings.
    pub public_access_block: bool,
    /// Whether objects under clients' keys (SSE-C) are refused.
    pub sse_c_block: bool,
}

/// How many requests each access key may make. Above it the answer is 503 SlowDown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// Requests a second over a longer time, per access key; 0 for no limit.
    pub requests_per_second_per_key: u32,
    /// Requests that may come at once after a pause; 0 for as many as one second allows.
    pub burst: u32,
}

/// Bounds of buckets and accounts that have none of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Most bytes in a bucket, over all versions and parts; no bound if null.
    pub bucket_bytes_max: Option<u64>,
    /// Most objects in a bucket, over all versions; no bound if null.
    pub bucket_objects_max: Option<u64>,
    /// Most bytes in all buckets of an account, over all versions and parts; no bound if null.
    pub account_bytes_max: Option<u64>,
    /// Most objects in all buckets of an account, over all versions; no bound if null.
    pub account_objects_max: Option<u64>,
    /// Most buckets an account may own.
    pub buckets_per_account_max: u32,
    /// How many times its quota on bytes may wait for the end of its grace after it was overwritten or deleted, 1 to 1,000.
    pub grace_multiple: u32,
    /// Most delete markers in a bucket.
    pub bucket_delete_markers_max: u64,
    /// Most multipart uploads under way in a bucket.
    pub bucket_uploads_max: u64,
    /// Most parts of uploads under way in a bucket.
    pub bucket_upload_parts_max: u64,
}

/// What a write takes before it is acknowledged, and how small blobs are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// Copies or pieces beyond those that reading takes which must be durable before a write is acknowledged; if null a
    /// majority of copies, and under an erasure code one piece. Below that a write is refused with 503.
    pub spares_min: Option<u8>,
    /// Bytes up to which a blob under an erasure code is kept as whole copies instead.
    pub replicate_bytes_max: u64,
}

/// Graces, intervals and shares of background work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Timers {
    /// Seconds from the deletion of an object to the deletion of its blobs.
    pub garbage_grace_secs: u64,
    /// Seconds before a blob without a record counts as an orphan.
    pub orphan_grace_secs: u64,
    /// Seconds after which an abandoned multipart upload is aborted; 0 for never.
    pub stale_upload_secs: u64,
    /// Seconds in which scrubbing reads every blob once.
    pub scrub_interval_secs: u64,
    /// Seconds between two backups of the catalog that Cofre takes by itself onto its shards' disks; 0 for none.
    pub catalog_backup_secs: u64,
    /// How many of these backups each disk keeps.
    pub catalog_backups_keep: u32,
    /// Seconds that lifecycle rules take for a day; anything but 86,400 is for tests.
    pub lifecycle_day_secs: u64,
    /// Seconds that lines of server access logs are gathered before they become an object.
    pub access_log_delivery_secs: u64,
    /// Share of the time that each background job may be busy, 0.01 to 1.
    pub job_busy_share: f64,
    /// Seconds that events are kept.
    pub events_keep_secs: u64,
    /// Most events of what accounts did that are kept.
    pub events_keep_max: u64,
    /// Most other events that are kept, of operators and of Cofre itself.
    pub operator_events_keep_max: u64,
}

/// Pause and pace of each background job; the job's name with underscores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobsSettings {
    /// Makes objects of the lines of server access logs.
    pub access_logs: JobSettings,
    /// Opens shards that were away, looks whether shards answer, and gives up those that are away too long.
    pub attach_shards: JobSettings,
    /// Takes backups of the catalog onto the shards' disks.
    pub catalog_backup: JobSettings,
    /// Lets shards move what is left in packs together, so that the space of deleted blobs comes back.
    pub compact: JobSettings,
    /// Writes objects anew that stand under another redundancy than they should.
    pub convert: JobSettings,
    /// Moves copies off shards that drain.
    pub drain: JobSettings,
    /// Makes blobs whole that are below their redundancy.
    pub heal: JobSettings,
    /// Does what lifecycle rules ask for.
    pub lifecycle: JobSettings,
    /// Finds copies that no record names.
    pub orphans: JobSettings,
    /// Moves copies from fuller shards to emptier ones.
    pub rebalance: JobSettings,
    /// Queues blobs to be healed that have copies on shards that were given up.
    pub rebuild: JobSettings,
    /// Drops references whose grace is over, and deletes copies that nothing names.
    pub reclaim: JobSettings,
    /// Holds shards that came back against the catalog.
    pub reconcile: JobSettings,
    /// Reads every copy of every blob.
    pub scrub: JobSettings,
    /// Aborts uploads that were abandoned.
    pub stale_uploads: JobSettings,
    /// Trims the event log.
    pub trim_events: JobSettings,
}

/// Pause and pace of one background job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSettings {
    /// Whether it rests until this is false again.
    pub paused: bool,
    /// Share of the time that it may be busy, 0.01 to 1; `timers.job_busy_share` if null, of which scrubbing takes no
    /// more than 0.05.
    pub busy_share: Option<f64>,
}

/// When shards are given up, and when copies move between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// Seconds that a shard may be away before what it held is made anew elsewhere; 0 for never by itself.
    pub dead_after_secs: u64,
    /// How far apart the fill of shards may be before copies move, 0.0001 to 0.5.
    pub rebalance_spread: f64,
}

/// CORS answers of buckets that have no rules of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorsDefault {
    /// Origins whose pages may call, each `*` or as `https://app.example`.
    pub allowed_origins: Vec<String>,
    /// Seconds that a browser may keep a preflight's answer.
    pub max_age_secs: u32,
}

/// One revision of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingsRevision {
    /// Number of the revision.
    pub revision: u64,
    /// Who made it.
    pub author: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Why, in the author's words.
    pub note: String,
}

/// Brings an earlier document back, as a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackSettings {
    /// The revision to bring back; 0 for the defaults.
    pub to: u64,
    /// Why, in the author's words; at most 1,024 bytes.
    #[serde(default)]
    pub note: String,
}

/// What changed between two revisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SettingsDiff {
    /// The revision that is compared.
    pub from: u64,
    /// The revision that it is compared with.
    pub to: u64,
    /// The fields that differ, by path.
    pub changes: Vec<Change>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Path of the field, with dots.
    pub field: String,
    /// Value before: any JSON.
    #[schema(value_type = Value)]
    pub before: Value,
    /// Value after: any JSON.
    #[schema(value_type = Value)]
    pub after: Value,
}
