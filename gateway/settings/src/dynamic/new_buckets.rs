//! What new buckets have.

use serde::{Deserialize, Serialize};

/// What new buckets have that ask for nothing else. AWS has `bucket_owner_enforced`, blocks public
/// access and blocks SSE-C; that is not the default here, since lists, public buckets and clients' keys of older tools
/// fail under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewBuckets {
    /// Ownership controls, `bucket_owner_enforced`, `bucket_owner_preferred` or `object_writer`; none if
    /// absent, which is as `object_writer`. Under `bucket_owner_enforced` access control lists are disabled.
    /// A request that names another gets that one.
    pub ownership: Option<DefaultOwnership>,
    /// Whether public lists and policies are refused and ignored: all four settings of the public access
    /// block. The owner of a bucket can take it back.
    pub public_access_block: bool,
    /// Whether objects under clients' keys (SSE-C) are refused, as AWS does for new buckets since April 2026. The owner
    /// of a bucket can take it back.
    pub sse_c_block: bool,
}

/// Ownership controls by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultOwnership {
    /// The bucket's owner owns all objects, and lists are disabled.
    BucketOwnerEnforced,
    /// The bucket's owner owns what is written with `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// Who writes an object owns it.
    ObjectWriter,
}
