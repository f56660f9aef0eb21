//! Requests and responses of the admin API, version 1: plain data with its JSON and its OpenAPI schema.
//!
//! # Conventions
//! - Field names are snake case; a unit stands last in the name (`free_bytes`, `latency_ms`).
//! - Times are RFC 3339 in UTC, with milliseconds: `2026-01-31T12:00:00.000Z`.
//! - A list is a page: `items`, and `next` where there is more. Hand `next` back as `after`.
//! - An error is a [`Problem`] (RFC 9457) that names the field it is about.
//! - A resource that can be changed carries a revision as its ETag. A change that must not overwrite
//!   another's sends it back in If-Match.

mod accounts;
mod backups;
mod browse;
mod browse_more;
mod buckets;
mod events;
mod health;
mod inspect;
mod jobs;
mod key_policies;
mod page;
mod problem;
pub mod provision;
mod requests;
mod restores;
mod settings;
mod shard_places;
mod shards;
mod tokens;
mod verify;

pub use accounts::{
    Account, AccountCreated, AccountUsage, CreateAccount, CreateKey, ImportKey, Key, KeyCreated, PatchAccount,
    PatchKey, RotateKey,
};
pub use backups::{Backup, BackupState, StartBackup};
pub use browse::{
    BrowsedBucket, BrowsedSession, BrowsedVersion, BrowsedVersioning, DeleteQuery, Deleted, EntriesQuery, Entry,
    FinishUpload, MakeBucket, MakeFolder, ObjectQuery, Put, RestoreVersion, Restored, SignIn, SignedIn,
    SignedInAccount, StartUpload, StartedUpload, UnfinishedUpload, UploadQuery, UploadedPart, UploadsQuery,
    VersionsQuery,
};
pub use browse_more::{
    AboutObject, BrowsedLockMode, BrowsedRetention, CopyTo, DeleteObjects, DeletedObject, DeletedObjects, DeletedQuery,
    FolderQuery, HiddenObject, Link, MakeLink, Measured, Moved, ObjectName, SearchLine, SearchQuery, SetAbout,
    SetMetadata, TextBeginning, ZipQuery,
};
pub use buckets::{Bucket, BucketOwner, BucketRedundancy, BucketUsage, CreateBucket, Quota};
pub use events::{Event, EventsQuery};
pub use health::{
    CatalogHealth, CatalogState, Health, HealthStatus, Latency, Live, Promise, Ready, RedundancyHealth, Severity,
    Verdict,
};
pub use inspect::{CopyCheck, InspectQuery, InspectedBlob, InspectedCopy, InspectedObject, InspectedVersion};
pub use jobs::{Job, JobProblem, JobShard, JobState};
pub use key_policies::{KeyPolicy, SetKeyPolicy};
pub use page::{Page, PageQuery};
pub use problem::Problem;
pub use requests::{ReportCondition, ReportDecision, ReportDetail, ReportPart, ReportStatement, RequestReport};
pub use restores::{CatalogRestore, UnknownContent};
pub use settings::{
    Change, CorsDefault, JobSettings, JobsSettings, Quotas, RateLimits, Repair, RollbackSettings, Settings,
    SettingsDiff, SettingsDocument, SettingsRevision, Timers,
};
pub use shard_places::{PatchS3Place, RegisterPlace, RegisterS3Place, S3Place};
pub use shards::{
    Drain, DrainQuery, DrainState, PatchShard, ProbeResult, RegisterShard, Shard, ShardHealth, ShardMode, ShardPlace,
    ShardState,
};
pub use tokens::{CreateToken, RevokeQuery, Scope, Token, TokenCreated};
pub use verify::{LINES_MEDIA_TYPE, VerifyLine, VerifyQuery, VerifyStage};

/// What every versioned path begins with.
pub const PREFIX: &str = "/v1";

/// Most items of a page, and what a larger `limit` is held to.
pub const PAGE_ITEMS_MAX: usize = 1000;

/// Items of a page if the request gives no `limit`.
pub const PAGE_ITEMS_DEFAULT: usize = 100;

/// Media type of a [`Problem`].
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";
