use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A bucket, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bucket {
    /// Name.
    pub name: String,
    /// Canonical id of the account that owns it.
    pub owner: String,
    /// Name of that account.
    pub owner_name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// What it holds.
    pub usage: BucketUsage,
    /// What it may hold.
    pub quota: Quota,
    /// Its own redundancy, as `replicas:2`; null if it is that of the settings.
    pub redundancy: Option<String>,
    /// Redundancy that new objects of the class `STANDARD` get.
    pub redundancy_in_force: String,
}

/// Makes a bucket for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBucket {
    /// Name: 3 to 63 lower-case letters, digits, dots and hyphens.
    pub name: String,
    /// Name or canonical id of the account that is to own it.
    pub owner: String,
    /// Region; that of the server if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether object lock is enabled, and versioning with it.
    #[serde(default)]
    pub object_lock: bool,
}

/// Hands a bucket over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketOwner {
    /// Name or canonical id of the account that is to own it.
    pub owner: String,
}

/// Changes a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketRedundancy {
    /// Redundancy, as `replicas:2`; null for that of the settings.
    pub redundancy: Option<String>,
}

/// What a bucket holds, exact to the last acknowledged write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BucketUsage {
    /// Current objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that are not current.
    pub noncurrent_versions: u64,
    /// Their bytes.
    pub noncurrent_bytes: u64,
    /// Delete markers.
    pub delete_markers: u64,
    /// Multipart uploads under way.
    pub uploads: u64,
    /// Bytes of their parts.
    pub upload_bytes: u64,
    /// Bytes that were overwritten or deleted and wait for the end of their grace.
    pub grace_bytes: u64,
}

/// What a bucket, or all buckets of an account, may hold, over all versions and parts under way. A limit
/// that is absent is the one of the settings; setting a quota replaces both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Most bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u64>,
    /// Most objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects_max: Option<u64>,
}
