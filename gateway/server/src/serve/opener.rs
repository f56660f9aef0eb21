use async_trait::async_trait;
use cofre_objects::{OpenBackend, ShardPlace};
use cofre_runtime::{Clock, Random, blocking};
use cofre_shards::{Backend, BackendError, FsBackend, FsError, FsIdentity, FsOptions};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens shards on file systems of this machine.
pub(super) struct FsOpener {
    cluster: [u8; 16],
    clock: Clock,
    random: Random,
}

impl FsOpener {
    pub(super) const fn new(cluster: [u8; 16], clock: Clock, random: Random) -> Self {
        Self { cluster, clock, random }
    }
}

#[async_trait]
impl OpenBackend for FsOpener {
    async fn create(&self, place: &ShardPlace, shard: [u8; 16]) -> Result<[u8; 16], BackendError> {
        let ShardPlace::Filesystem { path } = place;
        let path = PathBuf::from(path);
        let identity = FsIdentity { shard, cluster: self.cluster };
        let (clock, random) = (self.clock.clone(), self.random.clone());
        blocking(move || match FsBackend::identity(&path).map_err(unreachable)? {
            None => {
                let made = FsBackend::create(&path, identity, FsOptions::default(), clock, random);
                made.map(|_| identity.shard).map_err(unreachable)
            }
            // One that a crash kept from being registered, or that was removed earlier.
            Some(found) if found.cluster == identity.cluster => Ok(found.shard),
            Some(_) => Err(BackendError::Unreachable(
                "the directory is a shard of another Cofre; choose an empty one".to_owned(),
            )),
        })
        .await
    }

    async fn open(&self, place: &ShardPlace, shard: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        let ShardPlace::Filesystem { path } = place;
        let path = PathBuf::from(path);
        let identity = FsIdentity { shard, cluster: self.cluster };
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let opened = blocking(move || FsBackend::open(&path, identity, FsOptions::default(), clock, random)).await;
        Ok(Arc::new(opened.map_err(unreachable)?))
    }
}

fn unreachable(error: FsError) -> BackendError {
    BackendError::Unreachable(error.to_string())
}
