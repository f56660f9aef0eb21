use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Media type of a stream of [`VerifyLine`]s: one JSON value a line.
pub const LINES_MEDIA_TYPE: &str = "application/x-ndjson";

/// How thoroughly to verify.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerifyQuery {
    /// Whether every byte of every copy is read; else each copy's header is.
    #[serde(default)]
    pub deep: bool,
}

/// What part of the catalog is being held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerifyStage {
    /// Whether each copy is where its record says.
    Copies,
    /// What the records of blobs add up to on each shard.
    Shards,
    /// Whether what records refer to is there, and is counted right.
    References,
    /// Whether the counters of each bucket are right.
    Usage,
}

/// One line of the stream. It is whole only if it ends with `end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VerifyLine {
    /// How far it is.
    Progress {
        /// The stage.
        stage: VerifyStage,
        /// Records that the stage has looked at.
        records: u64,
        /// Bytes of copies that were read.
        bytes: u64,
    },
    /// Something is wrong.
    Wrong {
        /// What it is about: `blob ID`, `bucket/key`, `bucket NAME`, `shard 2`.
        subject: String,
        /// What is wrong.
        why: String,
    },
    /// It could not go on: nothing is known of the rest.
    Failed {
        /// Why.
        why: String,
    },
    /// It is through.
    End {
        /// How much is wrong.
        wrong: u64,
        /// Copies that could not be reached, of which nothing is known.
        unreachable: u64,
        /// Records that all stages looked at.
        records: u64,
        /// Bytes of copies that were read.
        bytes: u64,
    },
}
