//! The shards of the test bed.

use async_trait::async_trait;
use cofre_blobs::{OpenBackend, S3Place, ShardPlace, TopologyError};
use cofre_catalog::Memory;
use cofre_iam::Secret;
use cofre_objects::leads_back;
use cofre_shards::{Backend, BackendError, Faulty, MemoryBackend, Trouble, Troubles};
use cofre_types::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Backends in memory, by path, each behind one that can be told to fail.
#[derive(Default)]
pub struct Backends(Mutex<HashMap<String, Place>>);

/// A backend, and what the pool sees of it.
#[derive(Clone)]
struct Place {
    memory: Arc<MemoryBackend>,
    faulty: Arc<Faulty>,
}

impl Backends {
    /// What is in a backend, whether it answers or not.
    pub fn at(&self, path: &str) -> Arc<MemoryBackend> {
        self.place(path).memory
    }

    /// What the pool sees of a backend.
    pub fn faulty(&self, path: &str) -> Arc<Faulty> {
        self.place(path).faulty
    }

    /// Takes a backend away, or brings it back.
    pub fn set_away(&self, path: &str, away: bool) {
        let trouble = away.then_some(Trouble::Unreachable);
        self.faulty(path).set(Troubles { put: trouble, get: trouble, other: trouble, ..Troubles::default() });
    }

    fn place(&self, path: &str) -> Place {
        let mut all = self.0.lock().unwrap();
        let made = || {
            let memory = Arc::new(MemoryBackend::new(1 << 30));
            Place { faulty: Arc::new(Faulty::new(memory.clone())), memory }
        };
        all.entry(path.to_owned()).or_insert_with(made).clone()
    }
}

/// Opens what answers.
pub struct Opener {
    pub backends: Arc<Backends>,
    pub store: Arc<Memory>,
}

#[async_trait]
impl OpenBackend for Opener {
    async fn create(&self, _place: &ShardPlace, identity: [u8; 16]) -> Result<[u8; 16], BackendError> {
        Ok(identity)
    }

    async fn leads_back(
        &self,
        place: &ShardPlace,
        identity: [u8; 16],
        began: Timestamp,
    ) -> Result<bool, TopologyError> {
        leads_back(self.store.as_ref(), place, identity, began).await
    }

    /// Opens what answers.
    async fn open(&self, place: &ShardPlace, _identity: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        let backend = match place {
            ShardPlace::Filesystem { path } => self.backends.faulty(path),
            ShardPlace::S3(place) if place.sealed_secret == b"good" => self.backends.faulty(&place.prefix),
            ShardPlace::S3(_) => return Err(BackendError::Unreachable("403".to_owned())),
        };
        backend.capacity().await?;
        Ok(backend)
    }

    /// Whoever can read the record can read the secret: this is a test.
    fn seal(&self, _place: &S3Place, secret: &Secret) -> Result<Vec<u8>, TopologyError> {
        Ok(secret.expose().as_bytes().to_vec())
    }
}
