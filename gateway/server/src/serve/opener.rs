use async_trait::async_trait;
use cofre_catalog::EmbeddedOptions;
use cofre_objects::{OpenBackend, ShardPlace};
use cofre_runtime::{Clock, Random, blocking};
use cofre_shards::{Backend, BackendError, FsBackend, FsError, FsOptions, ShardIdentity};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens shards on file systems of this machine.
pub(super) struct FsOpener {
    cluster: [u8; 16],
    catalog: PathBuf,
    clock: Clock,
    random: Random,
}

impl FsOpener {
    pub(super) const fn new(cluster: [u8; 16], catalog: PathBuf, clock: Clock, random: Random) -> Self {
        Self { cluster, catalog, clock, random }
    }
}

/// A shard on the catalog's disk stops while the catalog can still commit: what frees room must get
/// through where both are full.
fn options(shard: &Path, catalog: &Path) -> FsOptions {
    let shared = FsBackend::same_device(shard, catalog).unwrap_or(true);
    let reserve_bytes = shared.then(|| 2 * EmbeddedOptions::default().reserve_bytes);
    FsOptions { reserve_bytes, ..FsOptions::default() }
}

#[async_trait]
impl OpenBackend for FsOpener {
    async fn create(&self, place: &ShardPlace, shard: [u8; 16]) -> Result<[u8; 16], BackendError> {
        let ShardPlace::Filesystem { path } = place;
        let path = PathBuf::from(path);
        let identity = ShardIdentity { shard, cluster: self.cluster };
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
        let identity = ShardIdentity { shard, cluster: self.cluster };
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let catalog = self.catalog.clone();
        let opened = blocking(move || {
            let options = options(&path, &catalog);
            FsBackend::open(&path, identity, options, clock, random)
        })
        .await;
        Ok(Arc::new(opened.map_err(unreachable)?))
    }
}

fn unreachable(error: FsError) -> BackendError {
    BackendError::Unreachable(error.to_string())
}
