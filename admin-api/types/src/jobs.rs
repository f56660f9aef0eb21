use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It has nothing to do now.
    Idle,
    /// It has something to do and gets on with it.
    Running,
    /// The settings hold it (`jobs.NAME.paused`).
    Paused,
    /// It has something to do, and nothing was done for a minute, or of a job that rests longer between two looks, for a
    /// minute more than that: `problems` and `last_error` say what may be in the way.
    Stuck,
}

/// A background job of this process. All jobs have this one shape; what is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Name.
    pub name: String,
    /// What it is doing.
    pub state: JobState,
    /// Objects, blobs or copies that are left to do, read from what the catalog counts when this was asked for; of
    /// `convert`, versions that the pass has not looked at.
    ///
    /// Null where it is not counted: beyond 100,000 blobs that wait to be healed, copies that wait to be deleted,
    /// versions of the bucket that `convert` is in, or uploads under way; of `orphans` while it lists shards and of
    /// `compact` while it goes through packs, whose `actions` tell what they looked at and freed; and always of
    /// `trim-events`, whose `finished` tells when nothing was left.
    pub remaining_objects: Option<u64>,
    /// Their bytes; null where they are not counted.
    pub remaining_bytes: Option<u64>,
    /// Objects dealt with or found to need nothing, a second in the last minute of work; what it rests between passes
    /// does not count. Null while nothing runs, and until it has worked for a second.
    pub objects_per_second: Option<f64>,
    /// Bytes a second in the same time.
    pub bytes_per_second: Option<f64>,
    /// Seconds that what remains takes at that rate.
    pub seconds_left: Option<u64>,
    /// When it was last proved that nothing is left to do; null while something is, or nothing is known yet.
    #[schema(format = DateTime)]
    pub finished: Option<String>,
    /// Whole passes that ended since the start of the process.
    pub passes: u64,
    /// When the pass under way, or else the last one, began.
    #[schema(format = DateTime)]
    pub pass_began: Option<String>,
    /// When the last whole pass ended.
    #[schema(format = DateTime)]
    pub pass_ended: Option<String>,
    /// Objects, blobs or copies that it dealt with since the start of the process.
    pub done: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Those that could not be dealt with in the last pass and wait.
    pub waiting: u64,
    /// What it did by action since the start of the process, of a job that does several things. What is due by a
    /// lifecycle rule is known only once it was looked at, so nothing is said to remain: `looked_at` tells how many
    /// objects, versions and uploads were held against the rules, and `pass_began` since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, u64>,
    /// How far the pass is on each shard, of a job that counts by shard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<JobShard>,
    /// Problems of the last pass by object, the first hundred.
    pub problems: Vec<JobProblem>,
    /// Steps that succeeded since the start of the process.
    pub steps: u64,
    /// Steps that failed since the start of the process.
    pub errors: u64,
    /// The last failure of a step, until one succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// What the pass under way, or else the last one, did on one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobShard {
    /// Number of the shard.
    pub shard: u32,
    /// Copies that were read whole.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies that records name on the shard now; null if the shard is gone.
    pub of_copies: Option<u64>,
    /// Their bytes.
    pub of_bytes: Option<u64>,
    /// Copies that were bad: their blobs wait to be healed.
    pub bad: u64,
    /// Copies of which nothing could be learnt.
    pub unreachable: u64,
}

/// Something that a job could not deal with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobProblem {
    /// What it is about: a blob, an object.
    pub subject: String,
    /// Why, for a person to read.
    pub reason: String,
    /// How often it was met in the pass.
    #[serde(default)]
    pub times: u64,
}
