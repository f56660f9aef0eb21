use super::{Record, RecordError, decode_version_1};
use cofre_types::{ShardId, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a job is in a pass over everything, so that a restart goes on and does not begin anew.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobRecord {
    /// Where the pass goes on; empty at its beginning.
    pub cursor: Vec<u8>,
    /// When the pass began.
    pub began: Timestamp,
    /// When the last whole pass ended; zero if none has.
    pub ended: Timestamp,
    /// What the pass is about, in the job's own bytes: another goal needs another pass.
    pub goal: Vec<u8>,
    /// What the pass did, shard by shard, of a job that counts by shard.
    pub shards: Vec<ShardPass>,
}

/// What a pass did on one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardPass {
    /// The shard.
    pub shard: ShardId,
    /// Copies that it dealt with.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies that it found bad.
    pub bad: u64,
    /// Copies of which it could learn nothing.
    pub unreachable: u64,
}

impl JobRecord {
    /// What the pass did on a shard, to add to.
    pub fn on_shard(&mut self, shard: ShardId) -> &mut ShardPass {
        let at = self.shards.iter().position(|pass| pass.shard == shard).unwrap_or_else(|| {
            self.shards.push(ShardPass { shard, copies: 0, bytes: 0, bad: 0, unreachable: 0 });
            self.shards.len() - 1
        });
        &mut self.shards[at]
    }
}

impl Record for JobRecord {
    const NAME: &'static str = "job";
    const VERSION: u8 = 2;

    fn decode_older(version: u8, fields: &[u8]) -> Result<Self, RecordError> {
        decode_version_1::<V1, Self>(version, fields)
    }
}

/// The fields of version 1.
#[derive(Deserialize)]
struct V1 {
    cursor: Vec<u8>,
    began: Timestamp,
    ended: Timestamp,
}

impl From<V1> for JobRecord {
    fn from(old: V1) -> Self {
        let V1 { cursor, began, ended } = old;
        Self { cursor, began, ended, ..Self::default() }
    }
}
