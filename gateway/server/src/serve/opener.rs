use super::history::History;
use async_trait::async_trait;
use cofre_blobs::{OpenBackend, S3Place, ShardPlace, ShardPresence, TopologyError};
use cofre_catalog::EmbeddedOptions;
use cofre_iam::{MasterKey, Secret};
use cofre_runtime::{Clock, Random, blocking};
use cofre_shards::{Backend, BackendError, CatalogMark, FsBackend, FsError, FsOptions, Limit, ShardIdentity};
use cofre_shards_s3::{Forbidden, S3Backend, S3Error, S3Options};
use cofre_types::Timestamp;
use parking_lot::Mutex;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the sealed secrets of remote shards are.
const SEALED_KIND: &str = "remote shard";
/// Calls that a remote shard works on at once; more wait their turn.
const REMOTE_CALLS_MAX: usize = 64;

/// Opens shards on file systems of this machine, and on remote S3 endpoints.
pub(super) struct Opener {
    /// The catalog.
    pub(super) store: Arc<dyn cofre_catalog::Store>,
    pub(super) cluster: [u8; 16],
    /// What shards are told of the catalog, and may know better.
    pub(super) history: Mutex<History>,
    /// Where the catalog is: a shard on the same disk leaves it room.
    pub(super) catalog: PathBuf,
    /// The data directory, absolute. Directories below it are recorded relative to it.
    pub(super) home: PathBuf,
    /// Where no remote shard may be: this process' own listeners are among it.
    pub(super) forbidden: Forbidden,
    /// Seals the secrets of remote shards.
    pub(super) master: MasterKey,
    pub(super) clock: Clock,
    pub(super) random: Random,
}

#[async_trait]
impl OpenBackend for Opener {
    async fn create(&self, place: &ShardPlace, shard: [u8; 16]) -> Result<[u8; 16], BackendError> {
        let identity = ShardIdentity { shard, cluster: self.cluster };
        match place {
            ShardPlace::Filesystem { path } => self.create_directory(PathBuf::from(path), identity).await,
            ShardPlace::S3(place) => {
                let created = S3Backend::create(&self.s3_options(place)?, identity, self.random.clone()).await;
                created.map_err(remote)
            }
        }
    }

    async fn leads_back(
        &self,
        place: &ShardPlace,
        identity: [u8; 16],
        began: Timestamp,
    ) -> Result<bool, TopologyError> {
        cofre_objects::leads_back(self.store.as_ref(), place, identity, began).await
    }

    async fn open(&self, place: &ShardPlace, shard: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        let identity = ShardIdentity { shard, cluster: self.cluster };
        match place {
            ShardPlace::Filesystem { path } => self.open_directory(PathBuf::from(path), identity).await,
            ShardPlace::S3(place) => {
                let options = self.s3_options(place)?;
                let opened = S3Backend::open(&options, identity, self.clock.clone(), self.random.clone()).await;
                Ok(Arc::new(Limit::new(Arc::new(opened.map_err(remote)?), REMOTE_CALLS_MAX)))
            }
        }
    }

    async fn standing(&self, path: &str) -> Result<Option<ShardPresence>, BackendError> {
        let (path, cluster) = (PathBuf::from(path), self.cluster);
        blocking(move || {
            let found = FsBackend::identity(&path).map_err(local)?;
            let Some(found) = found.filter(|found| found.cluster == cluster) else { return Ok(None) };
            let metadata = std::fs::metadata(&path).map_err(|error| BackendError::Unreachable(error.to_string()))?;
            Ok(Some(ShardPresence { identity: found.shard, directory: (metadata.dev(), metadata.ino()) }))
        })
        .await
    }

    fn kept(&self, path: &str) -> String {
        let below = Path::new(path).strip_prefix(&self.home).ok();
        // What leads out again does not move along.
        let below = below.filter(|below| below.components().all(|part| matches!(part, Component::Normal(_))));
        below.and_then(Path::to_str).filter(|below| !below.is_empty()).unwrap_or(path).to_owned()
    }

    fn absolute(&self, kept: &str) -> String {
        // An absolute path takes the place of what it is joined to.
        self.home.join(kept).to_str().unwrap_or(kept).to_owned()
    }

    fn seal(&self, place: &S3Place, secret: &Secret) -> Result<Vec<u8>, TopologyError> {
        match self.options(place, secret).check() {
            Ok(()) => {}
            Err(S3Error::Invalid { field, reason }) => return Err(TopologyError::Invalid { field, reason }),
            Err(error) => return Err(TopologyError::Unusable(error.to_string())),
        }
        let sealed = self.master.seal_for(SEALED_KIND, &owner(place), secret, &self.random);
        sealed.map_err(|error| TopologyError::Unusable(error.to_string()))
    }
}

impl Opener {
    async fn create_directory(&self, path: PathBuf, identity: ShardIdentity) -> Result<[u8; 16], BackendError> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let mark = self.history.lock().mark();
        let options = FsOptions { incarnation: mark.incarnation, revision: mark.revision, ..FsOptions::default() };
        blocking(move || match FsBackend::identity(&path).map_err(local)? {
            None => {
                let made = FsBackend::create(&path, identity, options, clock, random);
                made.map(|_| identity.shard).map_err(local)
            }
            // One that a crash kept from being registered, or that was removed earlier.
            Some(found) if found.cluster == identity.cluster => Ok(found.shard),
            Some(_) => Err(BackendError::Unreachable(
                "the directory is a shard of another Cofre; choose an empty one".to_owned(),
            )),
        })
        .await
    }

    async fn open_directory(&self, path: PathBuf, identity: ShardIdentity) -> Result<Arc<dyn Backend>, BackendError> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let (catalog, history) = (self.catalog.clone(), self.history());
        let opened = blocking(move || {
            if is_behind(&history, &path, identity).unwrap_or(false) {
                return Err(BackendError::Unreachable(
                    "it has seen more of the catalog than this one has, which is an older copy: start Cofre anew, and it \
                     compares them before anything is deleted"
                        .to_owned(),
                ));
            }
            let CatalogMark { incarnation, revision } = history.mark();
            let options = FsOptions { incarnation, revision, ..fs_options(&path, &catalog) };
            FsBackend::open(&path, identity, options, clock, random).map_err(unopened)
        })
        .await?;
        self.history.lock().opened(identity.shard);
        Ok(Arc::new(opened))
    }

    /// What is known of the catalog's past.
    pub(super) fn history(&self) -> History {
        self.history.lock().clone()
    }

    /// Has shards be told something else from now on.
    pub(super) fn set_history(&self, history: History) {
        *self.history.lock() = history;
    }

    /// Whether the shard in a directory, if it is this one, has seen more of the catalog than there is.
    pub(super) async fn is_behind(&self, path: &str, shard: [u8; 16]) -> bool {
        let (path, history) = (PathBuf::from(path), self.history());
        let identity = ShardIdentity { shard, cluster: self.cluster };
        // One that cannot be looked at is not opened either.
        blocking(move || is_behind(&history, &path, identity).unwrap_or(false)).await
    }

    fn s3_options(&self, place: &S3Place) -> Result<S3Options, BackendError> {
        let opened = self.master.open_for(SEALED_KIND, &owner(place), &place.sealed_secret);
        let secret = opened.map_err(|_| {
            BackendError::Unreachable(
                "the secret of its key does not open with this master key; start with the one that sealed it, or set the \
                 key anew"
                    .to_owned(),
            )
        })?;
        Ok(self.options(place, &secret))
    }

    fn options(&self, place: &S3Place, secret: &Secret) -> S3Options {
        S3Options {
            endpoint: place.endpoint.clone(),
            region: place.region.clone(),
            bucket: place.bucket.clone(),
            prefix: place.prefix.clone(),
            access_key_id: place.access_key_id.clone(),
            secret_access_key: Zeroizing::new(secret.expose().to_owned()),
            ca_pem: place.ca_pem.clone(),
            capacity_bytes: place.capacity_bytes,
            forbidden: self.forbidden.clone(),
        }
    }
}

/// Whether the shard in a directory, if it is the one that is expected, has seen more of the catalog than there is. Blocks.
fn is_behind(history: &History, path: &Path, expected: ShardIdentity) -> Result<bool, FsError> {
    if FsBackend::identity(path)? != Some(expected) {
        return Ok(false);
    }
    Ok(FsBackend::seen(path)?.is_some_and(|seen| history.is_behind(expected.shard, seen)))
}

/// A shard on the catalog's disk stops while the catalog can still commit: what frees room must get
/// through where both are full.
fn fs_options(shard: &Path, catalog: &Path) -> FsOptions {
    let shared = FsBackend::same_device(shard, catalog).unwrap_or(true);
    let reserve_bytes = shared.then(|| 2 * EmbeddedOptions::default().reserve_bytes);
    FsOptions { reserve_bytes, ..FsOptions::default() }
}

/// What a sealed secret belongs to. The endpoint is not in it: it may move to another address.
fn owner(place: &S3Place) -> String {
    format!("{}@{}/{}", place.access_key_id, place.bucket, place.prefix)
}

/// A directory that is not there may stand elsewhere by now.
fn unopened(error: FsError) -> BackendError {
    const ELSEWHERE: &str = "if it stands elsewhere now, name that directory with --shard at a start, or with \
                             cofre admin shard set ID --path";
    match &error {
        FsError::NoIdentity => BackendError::Unreachable(format!("{error}; {ELSEWHERE}")),
        FsError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            BackendError::Unreachable(format!("{error}; {ELSEWHERE}"))
        }
        FsError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            BackendError::Unreachable(format!("{error}; give its files to the user of this process with chown -R"))
        }
        _ => local(error),
    }
}

fn local(error: FsError) -> BackendError {
    BackendError::Unreachable(error.to_string())
}

fn remote(error: S3Error) -> BackendError {
    match error {
        S3Error::Endpoint(error) => error,
        error => BackendError::Unreachable(error.to_string()),
    }
}
