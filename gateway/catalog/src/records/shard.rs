use super::Record;
use super::usage::counter;
use cofre_types::{ShardId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a shard may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShardMode {
    /// New blobs, reads and deletions.
    Active,
    /// Reads and deletions.
    ReadOnly,
    /// Reads and deletions, while its blobs move elsewhere.
    Draining,
    /// Given up at an operator's word: no copy on it counts, and nothing on it is deleted. It comes back at an
    /// operator's word.
    Dead,
    /// Given up because it was away for too long: as [`ShardMode::Dead`], but it comes back by itself.
    Lost,
    /// It was given up and is back: what is on it is being held against the catalog, and nothing on it is deleted.
    Returning,
}

impl ShardMode {
    /// Whether no copy on the shard counts.
    pub const fn is_given_up(self) -> bool {
        matches!(self, Self::Dead | Self::Lost)
    }

    /// Whether what is on the shard has yet to be held against the catalog: until then nothing on it is deleted,
    /// for it may be the last good copy.
    pub const fn is_unreconciled(self) -> bool {
        matches!(self, Self::Dead | Self::Lost | Self::Returning)
    }
}

/// Where a shard is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShardPlace {
    /// A directory of this machine.
    Filesystem {
        /// Absolute path; a relative one is below the data directory, and moves with it.
        path: String,
    },
    /// A prefix of a bucket of a remote S3 endpoint.
    S3(S3Place),
}

/// A prefix of a bucket of a remote S3 endpoint, and who we are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Place {
    /// URL of the endpoint.
    pub endpoint: String,
    /// Region that requests are signed for.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What every name begins with: empty, or ending in `/`.
    pub prefix: String,
    /// Access key.
    pub access_key_id: String,
    /// Its secret, sealed by the master key.
    pub sealed_secret: Vec<u8>,
    /// Certificates, PEM, that the endpoint's may come from; the machine's own if absent.
    pub ca_pem: Option<String>,
    /// Room that it has, in bytes: S3 tells none.
    pub capacity_bytes: u64,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// Its number.
    pub id: ShardId,
    /// Random identity, which also stands in the shard's identity file.
    pub identity: [u8; 16],
    /// Where it is.
    pub place: ShardPlace,
    /// What it may take.
    pub mode: ShardMode,
    /// Two copies of a blob never share a failure domain. By default each shard is its own.
    pub failure_domain: Option<String>,
    /// How much it takes relative to its capacity, in percent; 100 by default.
    pub weight_percent: u32,
    /// Labels for people.
    pub labels: Vec<(String, String)>,
    /// When it was registered.
    pub registered: Timestamp,
}

impl Record for ShardRecord {
    const NAME: &'static str = "shard";
}

/// A shard in a directory that was removed or that it left for another, so that a start which still names the directory does not take it in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedShardRecord {
    /// Its number.
    pub id: ShardId,
    /// Random identity, which still stands in the identity file.
    pub identity: [u8; 16],
    /// Absolute path; a relative one is below the data directory.
    pub path: String,
    /// When it was removed.
    pub removed: Timestamp,
}

impl Record for RemovedShardRecord {
    const NAME: &'static str = "removed shard";
}

/// What the catalog says stands on a shard. Stored as a row of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShardUsage {
    /// Copies that a blob record names.
    pub copies: i64,
    /// Their bytes of content.
    pub bytes: i64,
}

impl ShardUsage {
    /// The row of counters.
    pub fn row(&self) -> Vec<i64> {
        vec![self.copies, self.bytes]
    }

    /// Reads a row as the store keeps it; missing counters are zero.
    pub fn from_value(value: &[u8]) -> Self {
        Self { copies: counter(value, 0), bytes: counter(value, 1) }
    }
}
