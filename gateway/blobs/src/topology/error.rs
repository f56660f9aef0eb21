use super::Holdings;
use cofre_catalog::records::RecordError;
use cofre_catalog::{CommitError, StoreError};
use cofre_types::ShardId;

/// Why the topology was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// Fix the request: this field is not valid.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why, for a person to read.
        reason: String,
    },
    /// There are too few failure domains for a redundancy: add shards, or ask for less.
    #[error("{field}: {why}; add shards, or ask for less")]
    OutOfReach {
        /// Which field asks for it.
        field: String,
        /// What is wanted, and what there is.
        why: String,
    },
    /// There is no such shard.
    #[error("there is no shard {0}")]
    NoSuchShard(ShardId),
    /// The place is a shard already.
    #[error("{place} is shard {id} already")]
    Taken {
        /// The place.
        place: String,
        /// The shard that is there.
        id: ShardId,
    },
    /// A shard stands in two directories: take the copy away.
    #[error(
        "{} and {} both say that they are shard {id}: one is a copy, and may lack what was written since; take that one away \
         (unmount or rename it), and name the other",
        .places[0],
        .places[1]
    )]
    Copied {
        /// The shard.
        id: ShardId,
        /// The directories.
        places: [String; 2],
    },
    /// The place cannot be made a shard: mend what the text says.
    #[error("{0}")]
    Unusable(String),
    /// Read again: someone else changed the shard since.
    #[error("the shard is at revision {current} by now; read it again")]
    Changed {
        /// The revision that is there.
        current: u64,
    },
    /// The shard must drain first.
    #[error("the shard takes new blobs; drain it first")]
    NotDraining,
    /// Copies are left on the shard: let the drain end.
    #[error("the shard still holds {} blobs ({} bytes); let the drain end", .0.blobs, .0.bytes)]
    HoldsCopies(Holdings),
    /// Only a shard that was given up can be taken back.
    #[error("the shard was not given up")]
    NotGivenUp,
    /// The catalog was not restored from a backup: nothing waits for a word.
    #[error("the catalog was not restored from a backup")]
    NotRestored,
    /// A shard has yet to be compared with the restored catalog: wait for the job `orphans`, or give the shard up.
    #[error(
        "{compared} of {shards} shards are compared with the restored catalog: wait for the others (job orphans), or \
         declare those dead that do not come back"
    )]
    NotCompared {
        /// Shards that are.
        compared: u64,
        /// All that were not given up.
        shards: u64,
    },
    /// Some of a shard could not be read when it was compared with the restored catalog: it may hold the only copy of
    /// something. Have it compared anew, or drain and remove it.
    #[error(
        "places on {shards} shards could not be read when they were compared, and may hold what is newer: once their disks \
         read, run the job orphans, which compares them anew; else drain and remove those shards"
    )]
    Unread {
        /// How many shards that is of.
        shards: u64,
    },
    /// The shard does not answer: bring it back first.
    #[error("the shard does not answer: {0}")]
    Away(String),
    /// As many shards as there may be.
    #[error("there are as many shards as there may be")]
    TooMany,
    /// Others changed the same thing all the while. Try again.
    #[error("others changed the shards at the same time; try again")]
    Conflict,
    /// The catalog failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record does not decode.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<CommitError> for TopologyError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Failed(_) => Self::Conflict,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}
