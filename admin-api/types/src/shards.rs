use crate::shard_places::{PatchS3Place, RegisterPlace, S3Place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Where a shard is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShardPlace {
    /// A directory of the server.
    Filesystem {
        /// Absolute path.
        path: String,
    },
    /// A prefix of a bucket of a remote S3 endpoint.
    S3(S3Place),
}

/// What a shard may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShardMode {
    /// New blobs, reads and deletions.
    Active,
    /// Reads and deletions.
    ReadOnly,
    /// Reads and deletions, while its blobs move elsewhere.
    Draining,
    /// Given up at an operator's word: no copy on it counts, and nothing on it is deleted.
    Dead,
    /// Given up because it was away for too long; it comes back by itself.
    Lost,
    /// It was given up and is back: what is on it is being held against the catalog.
    Returning,
}

/// What a shard can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// It answers and has room.
    Online,
    /// Its last calls failed, but too few to give it up.
    Suspect,
    /// It answers and has no room for new blobs.
    Full,
    /// It does not answer, or is not the shard it should be.
    Unreachable,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shard {
    /// Number, never given again.
    pub id: u32,
    /// Random identity, which also stands in the shard's identity file.
    pub identity: String,
    /// Where it is.
    pub place: ShardPlace,
    /// What it may take.
    pub mode: ShardMode,
    /// Two copies of a blob never share a failure domain; absent, the shard is one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_domain: Option<String>,
    /// How much it takes relative to its capacity, in percent.
    pub weight_percent: u32,
    /// Labels for people.
    pub labels: BTreeMap<String, String>,
    /// When it was registered.
    #[schema(format = DateTime)]
    pub registered: String,
    /// How it does.
    pub health: ShardHealth,
}

/// How a shard does, seen from this process since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShardHealth {
    /// What it can do now.
    pub state: ShardState,
    /// Room in all, in bytes; absent while it is unreachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// Room for new blobs, in bytes, with the shard's reserve taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
    /// Calls that it answered.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Bytes of content written to it.
    pub written_bytes: u64,
    /// Bytes of content read from it.
    pub read_bytes: u64,
    /// Mean time of a write or the beginning of a read, in microseconds; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Registers a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterShard {
    /// Where it is. The directory must exist or its parent must, and the bucket; nothing foreign may be there.
    pub place: RegisterPlace,
    /// Two copies of a blob never share a failure domain; absent, the shard is one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_domain: Option<String>,
    /// How much it takes relative to its capacity, in percent, 0 to 10,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10000)]
    pub weight_percent: Option<u32>,
    /// Labels for people; at most 64.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Changes a shard. A field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchShard {
    /// Whether it takes no new blobs. Not while it drains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Another failure domain; an empty text makes the shard one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_domain: Option<String>,
    /// How much it takes relative to its capacity, in percent, 0 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10000)]
    pub weight_percent: Option<u32>,
    /// Labels, which replace the ones it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Where a remote shard is, and who Cofre is there. It is tried out first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub s3: Option<PatchS3Place>,
    /// Another directory where the shard stands now: an absolute path of the server. The same shard must stand there,
    /// and no longer at its old place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub path: Option<String>,
}

/// How a drain is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DrainQuery {
    /// Whether to drain though too few other shards take what is on this one.
    #[serde(default)]
    pub force: bool,
}

/// How far a drain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DrainState {
    /// The shard is not draining.
    NotDraining,
    /// Copies move to other shards.
    Moving,
    /// Nothing has moved for a minute: `obstacle` says what may be in the way.
    Stuck,
    /// No record refers to the shard any more, so that it can be removed; that nothing is left on it has not been
    /// seen yet.
    Emptied,
    /// No record refers to the shard any more, and it lists nothing.
    Drained,
}

/// Progress of a drain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Drain {
    /// How far it is.
    pub state: DrainState,
    /// Copies that still stand on the shard, as last counted.
    pub remaining_blobs: u64,
    /// Their bytes.
    pub remaining_bytes: u64,
    /// Copies that left since this process first counted.
    pub moved_blobs: u64,
    /// Their bytes.
    pub moved_bytes: u64,
    /// Bytes a second lately; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u64>,
    /// Seconds until it is done at that rate; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// What is in the way, for a person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProbeResult {
    /// Whether the shard is the one it should be and took, gave and deleted a blob.
    pub ok: bool,
    /// How long that took, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_us: Option<u64>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
