use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// A prefix of a bucket of a remote S3 endpoint. The secret of the key is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct S3Place {
    /// URL of the endpoint.
    pub endpoint: String,
    /// Region that requests are signed for.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What every name begins with: empty, or ending in `/`.
    pub prefix: String,
    /// Access key that Cofre has there.
    pub access_key_id: String,
    /// Certificates, PEM, that the endpoint's may come from; the server's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// Room that placement goes by, in bytes: S3 tells none.
    pub capacity_bytes: u64,
}

/// Where a new shard is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RegisterPlace {
    /// A directory of the server.
    Filesystem {
        /// Absolute path.
        path: String,
    },
    /// A prefix of a bucket of a remote S3 endpoint: another Cofre, a cloud bucket, rclone's S3 server.
    S3(RegisterS3Place),
}

/// A prefix of a bucket of a remote S3 endpoint, with the key for it. Never a bucket of the same Cofre, nor one of a
/// Cofre that has this one as a shard.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterS3Place {
    /// URL of the endpoint, without a path: `https://s3.example.com` or `http://10.0.0.2:9000`.
    pub endpoint: String,
    /// Region that requests are signed for; `us-east-1` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The bucket, which must be there. It is addressed by path.
    pub bucket: String,
    /// What every name begins with: empty, or ending in `/`. Nothing may be under it.
    #[serde(default)]
    pub prefix: String,
    /// Access key that may read, write, list and delete under the prefix.
    pub access_key_id: String,
    /// Its secret. It is sealed at rest and never shown again.
    pub secret_access_key: String,
    /// Certificates, PEM, that the endpoint's may come from, in place of the server's own; at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// Room that placement goes by, in bytes; 1 TiB if absent. S3 tells none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub capacity_bytes: Option<u64>,
}

impl fmt::Debug for RegisterS3Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, bucket, prefix, access_key_id, .. } = self;
        f.debug_struct("RegisterS3Place")
            .field("endpoint", endpoint)
            .field("bucket", bucket)
            .field("prefix", prefix)
            .field("access_key_id", access_key_id)
            .finish_non_exhaustive()
    }
}

/// Changes where a remote shard is. A field that is absent stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchS3Place {
    /// Another URL of the endpoint. The same shard must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Another access key; its secret must come with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The secret of the other access key. It is sealed at rest and never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
    /// Other certificates, PEM; an empty text means the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// Another size, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub capacity_bytes: Option<u64>,
}

impl fmt::Debug for PatchS3Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, access_key_id, capacity_bytes, .. } = self;
        f.debug_struct("PatchS3Place")
            .field("endpoint", endpoint)
            .field("access_key_id", access_key_id)
            .field("capacity_bytes", capacity_bytes)
            .finish_non_exhaustive()
    }
}
