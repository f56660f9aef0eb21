use crate::shards::Shard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Live {
    /// Always true.
    pub live: bool,
    /// Version of the program.
    pub version: String,
}

/// Whether the process should get requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// Whether it should.
    pub ready: bool,
    /// Why not, for a person to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// The worst of the verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Every promise holds.
    Ok,
    /// A promise holds with less in reserve than it should.
    Degraded,
    /// A promise is broken now.
    Failing,
}

/// How bad a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A promise holds with less in reserve than it should.
    Warning,
    /// A promise is broken now.
    Critical,
}

/// What Cofre promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// What was acknowledged can be read back.
    Durability,
    /// Requests are answered.
    Availability,
    /// Writes find room.
    Space,
    /// Background work keeps up.
    Upkeep,
}

/// One promise that is in danger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// How bad it is.
    pub severity: Severity,
    /// Which promise.
    pub promise: Promise,
    /// What it is about: `shard 2`, `catalog`, `job heal`.
    pub subject: String,
    /// What is the matter and what to do about it.
    pub message: String,
    /// What is the matter, as a word for programs and for pages in other languages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(example = "shard-full")]
    pub code: String,
    /// What the code is about, by name: figures, names and times that `message` tells in words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Verdict {
    /// One of a code, which has no arguments yet.
    pub fn new(severity: Severity, promise: Promise, code: &str, subject: impl Into<String>, message: String) -> Self {
        let (code, args) = (code.to_owned(), BTreeMap::new());
        Self { severity, promise, subject: subject.into(), message, code, args }
    }

    /// With an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
}

/// Health in detail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The worst of the verdicts.
    pub status: HealthStatus,
    /// Every promise that is in danger, worst first; none if all is well.
    pub verdicts: Vec<Verdict>,
    /// Whether the process is about to end.
    pub draining: bool,
    /// Seconds since the process started.
    pub uptime_seconds: u64,
    /// Version of the program.
    pub version: String,
    /// The catalog.
    pub catalog: CatalogHealth,
    /// Blobs below their redundancy.
    pub redundancy: RedundancyHealth,
    /// Every shard.
    pub shards: Vec<Shard>,
}

/// What the catalog is able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatalogState {
    /// It reads and takes commits.
    Good,
    /// Its disk has not answered for seconds. It goes on by itself.
    Slow,
    /// Its disk is full: only what frees room is taken. It goes on by itself.
    Full,
    /// A part of it cannot be read.
    Damaged,
    /// It takes no commits; after a write that failed, until Cofre is started again.
    Refusing,
    /// It does not read.
    Unreadable,
}

/// How the catalog does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CatalogHealth {
    /// Whether it is good.
    pub ok: bool,
    /// What it is able to do; the worst of several.
    pub state: CatalogState,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Commits since the process started.
    pub commits: u64,
    /// Groups of commits that shared one sync, since the process started.
    pub groups: u64,
    /// How long commits took since the process started.
    pub commit_latency: Latency,
    /// When the last backup ended that Cofre took by itself; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_backup: Option<String>,
    /// Bytes on disk; absent if it is not on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_bytes: Option<u64>,
}

/// Distribution of a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Latency {
    /// Mean, in milliseconds.
    pub mean_ms: f64,
    /// Half took no longer than this, in milliseconds, by powers of two.
    pub p50_ms: f64,
    /// 99 of 100 took no longer than this, in milliseconds, by powers of two.
    pub p99_ms: f64,
}

/// Blobs below their redundancy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedundancyHealth {
    /// The redundancy of buckets that have none of their own, as `replicas:2`.
    pub in_force: String,
    /// Blobs that wait to be healed.
    pub waiting_blobs: u64,
    /// Blobs among them that cannot be read, because too few whole copies or pieces are left: as the last pass of the
    /// job `heal` found.
    pub unreadable_blobs: u64,
    /// Whether there are more than were counted.
    pub more: bool,
    /// Copies on shards that do not answer now, or were given up: their blobs have that many copies less at hand. Those
    /// whose blobs wait to be healed are among them.
    pub away_copies: u64,
    /// Their bytes.
    pub away_bytes: u64,
    /// Since when the longest waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub oldest: Option<String>,
}
