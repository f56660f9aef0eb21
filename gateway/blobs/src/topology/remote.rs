//! Remote shards: what is special about them.

use super::register::invalid;
use super::{OpenBackend, ShardPlace, Topology, TopologyError};
use async_trait::async_trait;
use cofre_catalog::Store;
use cofre_catalog::records::S3Place;
use cofre_iam::Secret;
use cofre_shards::{Backend, BackendError, Budget, InUse};
use cofre_types::ShardId;
use std::sync::Arc;

/// Room of a remote shard for which none is set, in bytes: 1 TiB.
pub const REMOTE_CAPACITY_BYTES: u64 = 1 << 40;

/// Our key at an endpoint.
#[derive(Debug, Clone)]
pub struct S3Key {
    /// Access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
}

/// A remote shard to register.
#[derive(Debug, Clone)]
pub struct NewS3Place {
    /// URL of the endpoint, without a path.
    pub endpoint: String,
    /// Region that requests are signed for.
    pub region: String,
    /// The bucket, which must be there.
    pub bucket: String,
    /// What every name begins with: empty, or ending in `/`. Nothing may be under it.
    pub prefix: String,
    /// Who we are there.
    pub key: S3Key,
    /// Certificates, PEM, that the endpoint's may come from; the machine's own if absent.
    pub ca_pem: Option<String>,
    /// Room that it has, in bytes; [`REMOTE_CAPACITY_BYTES`] if absent.
    pub capacity_bytes: Option<u64>,
}

/// Where a new shard is.
#[derive(Debug, Clone)]
pub enum NewPlace {
    /// A directory of this machine.
    Filesystem {
        /// Absolute path.
        path: String,
    },
    /// A prefix of a bucket of a remote S3 endpoint.
    S3(NewS3Place),
}

/// A change of a remote shard. What is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct S3Change {
    /// Another URL of the same endpoint.
    pub endpoint: Option<String>,
    /// Another key.
    pub key: Option<S3Key>,
    /// Other certificates; `Some(None)` for the machine's own.
    pub ca_pem: Option<Option<String>>,
    /// Another size, in bytes.
    pub capacity_bytes: Option<u64>,
}

impl NewPlace {
    /// The place as its record has it.
    pub(super) fn sealed(&self, opener: &dyn OpenBackend) -> Result<ShardPlace, TopologyError> {
        let new = match self {
            Self::Filesystem { path } => return Ok(ShardPlace::Filesystem { path: path.clone() }),
            Self::S3(new) => new.clone(),
        };
        let place = S3Place {
            endpoint: new.endpoint.trim_end_matches('/').to_owned(),
            region: new.region,
            bucket: new.bucket,
            prefix: new.prefix,
            access_key_id: new.key.access_key_id,
            sealed_secret: Vec::new(),
            ca_pem: new.ca_pem,
            capacity_bytes: new.capacity_bytes.unwrap_or(REMOTE_CAPACITY_BYTES),
        };
        let sealed_secret = opener.seal(&place, &new.key.secret_access_key)?;
        Ok(ShardPlace::S3(S3Place { sealed_secret, ..place }))
    }
}

impl S3Change {
    /// The changed place.
    pub(super) fn apply(&self, place: &ShardPlace, opener: &dyn OpenBackend) -> Result<ShardPlace, TopologyError> {
        let ShardPlace::S3(place) = place else {
            return Err(invalid("s3", "the shard is not a remote one"));
        };
        let mut next = place.clone();
        if let Some(endpoint) = &self.endpoint {
            next.endpoint = endpoint.trim_end_matches('/').to_owned();
        }
        if let Some(pem) = &self.ca_pem {
            next.ca_pem.clone_from(pem);
        }
        next.capacity_bytes = self.capacity_bytes.unwrap_or(next.capacity_bytes);
        if let Some(key) = &self.key {
            next.access_key_id.clone_from(&key.access_key_id);
            next.sealed_secret = opener.seal(&next, &key.secret_access_key)?;
        }
        Ok(ShardPlace::S3(next))
    }
}

/// Whether two places are the same, whatever the key.
pub(super) fn same_place(one: &ShardPlace, other: &ShardPlace) -> bool {
    match (one, other) {
        (ShardPlace::S3(one), ShardPlace::S3(other)) => {
            (&one.endpoint, &one.bucket, &one.prefix) == (&other.endpoint, &other.bucket, &other.prefix)
        }
        _ => one == other,
    }
}

impl Topology {
    /// The backend with what the catalog knows of its room.
    pub(super) fn with_room(&self, id: ShardId, place: &ShardPlace, backend: Arc<dyn Backend>) -> Arc<dyn Backend> {
        match place {
            ShardPlace::Filesystem { .. } => backend,
            ShardPlace::S3(_) => Arc::new(Budget::new(backend, Arc::new(Named { store: self.0.store.clone(), id }))),
        }
    }
}

/// What the records name on a shard.
struct Named {
    store: Arc<dyn Store>,
    id: ShardId,
}

#[async_trait]
impl InUse for Named {
    async fn in_use_bytes(&self) -> Result<u64, BackendError> {
        let held = super::count::holdings(&*self.store, self.id).await;
        held.map(|held| held.bytes).map_err(|error| BackendError::Unreachable(error.to_string()))
    }
}
