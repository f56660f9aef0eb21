use crate::shards::ShardState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which object to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InspectQuery {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// One of its versions; all of them if absent, at most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether every byte of every copy is read.
    #[serde(default)]
    pub check: bool,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InspectedObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its versions, newest first.
    pub versions: Vec<InspectedVersion>,
}

/// What is known of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InspectedVersion {
    /// Its id; `null` for the null version.
    pub version: String,
    /// Whether it is a delete marker.
    pub delete_marker: bool,
    /// Whether it is what a GET without a version gets.
    pub current: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    pub modified: String,
    /// Bytes of content.
    pub size: u64,
    /// Its storage class.
    pub storage_class: String,
    /// The redundancy that its bucket, class and the settings ask for now.
    pub wanted_redundancy: String,
    /// How it is encrypted; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    /// Its blobs in order, the first thousand.
    pub blobs: Vec<InspectedBlob>,
    /// Whether it has more.
    pub more: bool,
}

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InspectedBlob {
    /// Its id.
    pub id: String,
    /// The part that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    /// Whether it has a record; without one its bytes are lost, and what follows says nothing.
    pub recorded: bool,
    /// Bytes of content.
    pub size: u64,
    /// Records that refer to it.
    pub references: u32,
    /// The redundancy that it was written under.
    pub redundancy: String,
    /// Copies that this redundancy asks for.
    pub wanted_copies: u64,
    /// When it was written.
    #[schema(format = DateTime)]
    pub written: String,
    /// Since when it waits to be healed; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub waits_since: Option<String>,
    /// Shards whose copies are suspected.
    pub suspects: Vec<u32>,
    /// Its copies.
    pub copies: Vec<InspectedCopy>,
}

/// What is known of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InspectedCopy {
    /// The shard.
    pub shard: u32,
    /// Where on the shard: the backend's own bytes, in hexadecimal.
    pub locator: String,
    /// Which piece of the blob it is; 0 for a whole copy.
    pub piece: u8,
    /// What the shard may take, as a shard's `mode` is written; `gone` if there is no such shard.
    pub mode: String,
    /// What the shard can do now.
    pub state: ShardState,
    /// How much the shard takes relative to its room, in percent.
    pub weight_percent: u32,
    /// What no other copy may share; absent, the shard is a failure domain of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_domain: Option<String>,
    /// What reading every byte proved.
    pub check: CopyCheck,
    /// Why it is where it is, for a person to read.
    pub why: String,
}

/// What reading a copy proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CopyCheck {
    /// Nothing: that was not asked for.
    NotAsked,
    /// Every byte passed its checksum.
    Whole,
    /// It is not there.
    Missing,
    /// Its shard has deleted it, though it can still be read.
    Deleted,
    /// It is not what was written.
    Corrupt {
        /// How.
        reason: String,
    },
    /// Nothing: the shard does not answer.
    Unreachable {
        /// Why.
        reason: String,
    },
}
