//! Where shards are, between the API and the domain.

use crate::ApiError;
use cofre_admin_types::{PatchS3Place, RegisterPlace, S3Place, ShardPlace};
use cofre_blobs::{NewPlace, NewS3Place, S3Change, S3Key, TopologyError};
use cofre_iam::Secret;

/// Region that requests are signed for if none is given.
const DEFAULT_REGION: &str = "us-east-1";

/// Fields of a remote place.
const S3_FIELDS: [&str; 8] =
    ["endpoint", "region", "bucket", "prefix", "access_key_id", "secret_access_key", "ca_pem", "capacity_bytes"];

/// The place of a shard that is to be registered.
pub(super) fn new_place(place: RegisterPlace) -> NewPlace {
    match place {
        RegisterPlace::Filesystem { path } => NewPlace::Filesystem { path },
        RegisterPlace::S3(place) => NewPlace::S3(NewS3Place {
            endpoint: place.endpoint,
            region: place.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            bucket: place.bucket,
            prefix: place.prefix,
            key: S3Key { access_key_id: place.access_key_id, secret_access_key: Secret::new(place.secret_access_key) },
            ca_pem: place.ca_pem,
            capacity_bytes: place.capacity_bytes,
        }),
    }
}

/// Whether a change of a remote place is of more than its size.
pub(super) const fn points_elsewhere(patch: &PatchS3Place) -> bool {
    patch.endpoint.is_some()
        || patch.access_key_id.is_some()
        || patch.secret_access_key.is_some()
        || patch.ca_pem.is_some()
}

/// A change of a remote place.
pub(super) fn change(patch: PatchS3Place) -> Result<S3Change, ApiError> {
    let key = match (patch.access_key_id, patch.secret_access_key) {
        (None, None) => None,
        (Some(access_key_id), Some(secret)) => Some(S3Key { access_key_id, secret_access_key: Secret::new(secret) }),
        (Some(_), None) => return Err(ApiError::invalid("s3.secret_access_key", "must come with access_key_id")),
        (None, Some(_)) => return Err(ApiError::invalid("s3.access_key_id", "must come with secret_access_key")),
    };
    Ok(S3Change {
        endpoint: patch.endpoint,
        key,
        ca_pem: patch.ca_pem.map(|pem| Some(pem).filter(|pem| !pem.is_empty())),
        capacity_bytes: patch.capacity_bytes,
    })
}

/// An error whose field, if it is one of a remote place, stands within `parent`.
pub(super) fn within(parent: &str, error: TopologyError) -> ApiError {
    match error {
        TopologyError::Invalid { field, reason } if S3_FIELDS.contains(&field) => {
            ApiError::invalid(format!("{parent}.{field}"), reason)
        }
        error => error.into(),
    }
}

/// A place as the API shows it.
pub(super) fn shown(place: cofre_blobs::ShardPlace) -> ShardPlace {
    match place {
        cofre_blobs::ShardPlace::Filesystem { path } => ShardPlace::Filesystem { path },
        cofre_blobs::ShardPlace::S3(place) => ShardPlace::S3(S3Place {
            endpoint: place.endpoint,
            region: place.region,
            bucket: place.bucket,
            prefix: place.prefix,
            access_key_id: place.access_key_id,
            ca_pem: place.ca_pem,
            capacity_bytes: place.capacity_bytes,
        }),
    }
}
