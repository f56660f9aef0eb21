use crate::backend::{Capacity, Locator};
use crate::body::BodyError;
use crate::decorators::ShardFigures;
use cofre_types::{BlobId, Scheme, ShardId};
use std::time::Duration;

/// One copy of a blob: all of it, or one piece.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Copy {
    /// The shard that holds it.
    pub shard: ShardId,
    /// Where on the shard.
    pub locator: Locator,
    /// Which piece of the blob it is, from 0; 0 for a whole copy.
    pub piece: u8,
}

/// A blob and where it stands: what a record of the catalog knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    /// Its id.
    pub id: BlobId,
    /// Bytes of content.
    pub size: u64,
    /// The scheme that it was written under: how its bytes come out of its copies.
    pub scheme: Scheme,
    /// Its copies, in any order.
    pub copies: Vec<Copy>,
}

/// What a shard may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardMode {
    /// New blobs, reads and deletions.
    Active,
    /// Reads and deletions.
    ReadOnly,
    /// Reads and deletions, while its blobs move elsewhere.
    Draining,
}

/// What the pool knows of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardInfo {
    /// Its number.
    pub id: ShardId,
    /// Its random identity, as its identity file has it.
    pub identity: [u8; 16],
    /// What it may take.
    pub mode: ShardMode,
    /// Two copies of a blob never share a failure domain. `None`: the shard is its own.
    pub failure_domain: Option<String>,
    /// How much it takes relative to its free room, in percent; 0 takes nothing.
    pub weight_percent: u32,
}

/// How the pool behaves.
#[derive(Debug, Clone)]
pub struct ShardsOptions {
    /// A read that has not begun after this long is begun on another copy as well. Shorter: steadier
    /// reads, more of them.
    pub hedge_after: Duration,
    /// A read that brings nothing for this long goes on from another copy, if there is one.
    pub stall_after: Duration,
    /// How long a write waits, once its quorum holds, for the rest of its copies; the copies that are
    /// later than that are repaired in the background.
    pub straggler_grace: Duration,
    /// Reports of bad copies that wait to be taken; more than that are counted and dropped.
    pub bad_copies_max: usize,
}

impl Default for ShardsOptions {
    fn default() -> Self {
        Self {
            hedge_after: Duration::from_millis(300),
            stall_after: Duration::from_secs(5),
            straggler_grace: Duration::from_secs(2),
            bad_copies_max: 4096,
        }
    }
}

/// A blob that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Bytes of content.
    pub size: u64,
    /// The scheme that it was written under: whole copies where it is small.
    pub scheme: Scheme,
    /// Its copies; at least the scheme's write quorum.
    pub copies: Vec<Copy>,
    /// Copies short of the scheme's width. Not zero: queue the blob for repair.
    pub missing: usize,
}

/// Why a blob was not written. Nothing of it stays but, at worst, orphans that reclaim finds.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The body ended early, with the source's own error: the request failed, not the shards.
    #[error("the body ended early: {0}")]
    Body(BodyError),
    /// Every shard that could take it is full. Tell the client 507; an operator must add room.
    #[error("every shard that could take the blob is full")]
    NoRoom,
    /// Fewer failure domains can be written than the write quorum asks for. Tell the client 503.
    #[error("{reached} of {needed} copies could be written: too few shards are in service")]
    TooFewShards {
        /// Copies that the write quorum asks for.
        needed: usize,
        /// Copies that could be written, or failure domains that could take one.
        reached: usize,
    },
}

/// Why a blob could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// So many copies were looked for and are proved not to be there that the blob is lost.
    #[error("too few copies of the blob are there")]
    AllMissing,
    /// Every copy answered, and none that is there is whole.
    #[error("no copy of the blob is whole: {0}")]
    Corrupt(String),
    /// No copy could be read now, and at least one proves nothing: try later.
    #[error("no copy of the blob can be read now: {0}")]
    Unreachable(String),
}

/// Why copies could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// No good copy could be read to the end.
    #[error("no source: {0}")]
    Read(#[from] ReadError),
    /// No copy could be written.
    #[error("no target: {0}")]
    Write(WriteError),
}

/// What a scrub found of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    /// Every byte and the header passed their checksums.
    Whole,
    /// Proved not to be there.
    Missing,
    /// There, but not what was written.
    Corrupt(String),
    /// Deleted, though every byte still passes its checksum: it is a source for others, and counts for nothing itself.
    Deleted,
    /// Proves nothing.
    Unreachable(String),
}

/// What is wrong with a bad copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Proved not to be there.
    Missing,
    /// There, but not what was written.
    Corrupt,
}

/// A copy that a read found bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCopy {
    /// The blob.
    pub blob: BlobId,
    /// The shard that holds the bad copy.
    pub shard: ShardId,
    /// What is wrong.
    pub fault: Fault,
}

/// The redundancy that a blob is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redundancy {
    /// The scheme of blobs that are not small.
    pub scheme: Scheme,
    /// A blob of up to so many bytes that would be cut into pieces is written as whole copies instead, which outlive the
    /// loss of as many shards ([`Scheme::replicated`]). A body of unknown size is held in memory until that is decided.
    pub replicate_bytes_max: u64,
    /// Copies or pieces beyond those that reading takes that must be durable before a write is acknowledged, where not
    /// as [`Scheme::write_quorum`] has it. More than the scheme has means all.
    pub spares_min: Option<u8>,
}

impl From<Scheme> for Redundancy {
    /// Every blob under this scheme itself, with its own write quorum.
    fn from(scheme: Scheme) -> Self {
        Self { scheme, replicate_bytes_max: 0, spares_min: None }
    }
}

impl Redundancy {
    /// The scheme that a blob of `size` bytes gets.
    pub fn of_size(&self, size: u64) -> Scheme {
        if size <= self.replicate_bytes_max { self.scheme.replicated() } else { self.scheme }
    }

    /// Shards that must hold a blob of a scheme before its write is acknowledged.
    pub(crate) fn quorum(&self, scheme: Scheme) -> usize {
        scheme.write_quorum_with(self.spares_min)
    }
}

/// How a shard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// Its last call succeeded.
    Healthy,
    /// Its last calls failed, but too few to give it up: it is used if no other is left.
    Suspect,
    /// It failed several times in a row: it takes no blobs until a call or a probe succeeds.
    Unreachable,
    /// It has no room: reads and deletions go on.
    Full,
}

/// What the pool saw of a shard since it was attached.
#[derive(Debug, Clone)]
pub struct ShardStatus {
    /// Its number.
    pub id: ShardId,
    /// What it may take.
    pub mode: ShardMode,
    /// How it does.
    pub state: ShardState,
    /// The text of the last error, until a call succeeds.
    pub last_error: Option<String>,
    /// Room as last seen by a write or a probe; `None` before the first. Of a device with several shards, each has its
    /// share.
    pub capacity: Option<Capacity>,
    /// The device of this machine that it is on, if that can be told.
    pub device: Option<u64>,
    /// What of it could not be read when it was listed last, for an operator.
    pub damage: Option<String>,
    /// Calls and bytes.
    pub figures: ShardFigures,
}
