//! The first steps of a start: directory, master key, catalog, first secrets, shards.

use super::FirstStart;
use super::history::{self, History};
use super::opener::Opener;
use super::redundancy::DefaultRedundancy;
use anyhow::{Context, Result, anyhow, bail};
use cofre_blobs::{Candidates, NewShard, ShardPlace, ShardView, Topology, TopologyError, shared_devices};
use cofre_catalog::records::{ClusterRecord, EventRecord, Record};
use cofre_catalog::{Batch, CommitError, Embedded, EmbeddedOptions, ReadExt, Scan, Store, StoreError, keys};
use cofre_iam::{Bootstrap, GivenKey, Iam, MasterKey, RequestLimits};
use cofre_runtime::{Clock, Random, blocking, make_private_directories};
use cofre_settings::BootSettings;
use cofre_shards::{FsBackend, FsError};
use cofre_types::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who events name for what a start does.
pub(super) const ACTOR: &str = "internal:boot";

/// Most directories of a data directory that are looked at as shards.
const USUAL_MAX: usize = 1_024;

/// What everything stands on.
pub(super) struct Base {
    pub(super) store: Arc<Embedded>,
    pub(super) master: MasterKey,
    pub(super) cluster: [u8; 16],
    /// The catalog as it was found.
    pub(super) history: History,
    /// The data directory, absolute.
    pub(super) home: PathBuf,
}

/// Where the catalog of a data directory is.
pub(crate) fn catalog_directory(data: &Path) -> PathBuf {
    data.join("catalog")
}

/// Opens the catalog and the master key.
pub(super) async fn open(settings: &BootSettings, clock: &Clock, random: &Random) -> Result<Base> {
    let data = settings.data.clone();
    blocking(move || match data.is_dir() {
        true => Ok(()),
        false => make_private_directories(&data),
    })
    .await
    .with_context(|| format!("data: cannot make {}", settings.data.display()))?;
    let options = EmbeddedOptions {
        cache_bytes: settings.catalog_cache_bytes,
        random: random.clone(),
        ..EmbeddedOptions::default()
    };
    let directory = catalog_directory(&settings.data);
    let store = Embedded::open(&directory, options, clock.clone()).await.map_err(|error| match error {
        StoreError::InUse(_) => anyhow!(
            "data: {} is in use by another cofre; stop that one, or choose another directory with --data",
            settings.data.display()
        ),
        error => anyhow!("data: {error}"),
    })?;
    let history = History::read(&store).await?;
    let master = master_key(settings, &store, random).await?;
    let cluster = cluster(&store, clock, random).await?;
    let home = std::path::absolute(&settings.data).with_context(|| format!("data: {}", settings.data.display()))?;
    Ok(Base { store: Arc::new(store), master, cluster, history, home })
}

/// The master key that is given, or that of the file. Only a catalog in which nothing was sealed gets a new one.
async fn master_key(settings: &BootSettings, store: &dyn Store, random: &Random) -> Result<MasterKey> {
    if let Some(text) = &settings.secrets.master_key {
        return MasterKey::parse(text).map_err(|error| anyhow!("COFRE_MASTER_KEY: {error}"));
    }
    let sealed = store.count(Scan::prefix(&[keys::family::ACCESS_KEY]), 1).await? > 0;
    let (path, random) = (settings.master_key_file.clone(), random.clone());
    if sealed && !tokio::fs::try_exists(&path).await.with_context(|| format!("master_key_file: {}", path.display()))? {
        bail!(
            "master_key_file: {} is missing, and it sealed the secrets of this Cofre: put it back, or name where it is with \
             --master-key-file. Without it no access key works again",
            path.display()
        );
    }
    let loaded = blocking(move || MasterKey::load_or_create(&path, &random)).await;
    loaded.map_err(|error| anyhow!("master_key_file: {error}"))
}

/// Which Cofre the catalog is, made up at the first start.
async fn cluster(store: &dyn Store, clock: &Clock, random: &Random) -> Result<[u8; 16]> {
    if let Some(entry) = store.get(keys::cluster()).await? {
        return Ok(ClusterRecord::decode(&entry.value)?.id);
    }
    let record = ClusterRecord { id: random.bytes(), created: Timestamp(clock.now_nanos()) };
    let mut batch = Batch::new();
    batch.unchanged(keys::cluster(), None).put(keys::cluster(), record.encode());
    match store.commit(batch).await {
        Ok(_) => Ok(record.id),
        Err(CommitError::Failed(_)) => bail!("another process began to use the catalog at the same time"),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// Makes up the first secrets, if there are none: nothing is written yet.
pub(super) async fn first_secrets(settings: &BootSettings, iam: &Iam) -> Result<Option<FirstSecrets>> {
    let preset = settings.secrets.root_credentials.as_ref();
    let preset = preset.map(|given| GivenKey::parse(&given.access_key_id, &given.secret_access_key)).transpose();
    let preset = preset.map_err(|error| anyhow!("COFRE_ROOT_ACCESS_KEY_ID, COFRE_ROOT_SECRET_ACCESS_KEY: {error}"))?;
    match iam.bootstrap(preset).await.map_err(|error| anyhow!("master_key_file: {error}"))? {
        Bootstrap::First(first) => Ok(Some(FirstSecrets(Arc::from(first)))),
        Bootstrap::Done => Ok(None),
    }
}

/// Secrets that nobody has yet.
pub(super) struct FirstSecrets(Arc<cofre_iam::FirstStart>);

impl FirstSecrets {
    /// Hands them out and makes them true: files first, then the catalog.
    pub(super) async fn hand_out(self, settings: &BootSettings) -> Result<FirstStart> {
        let (ours, data, region) = (Arc::clone(&self.0), settings.data.clone(), settings.region.clone());
        blocking(move || ours.write_files(&data, &region)).await?;
        self.0.commit().await?;
        Ok(FirstStart {
            credentials: settings.data.join("credentials"),
            admin_token: settings.data.join("admin-token"),
            access_key_id: self.0.root_key().id.to_string(),
        })
    }
}

/// Opens the shards that are registered, and registers those of the settings that are not, once all of them were looked
/// at.
pub(super) async fn attach_shards(
    settings: &BootSettings,
    topology: &Topology,
    redundancy: &DefaultRedundancy,
    (opener, store): (&Opener, &dyn Store),
    (clock, random): (&Clock, &Random),
) -> Result<()> {
    settle(settings, topology).await?;
    history::settle(opener, topology, store, (clock, random)).await?;
    attach_all(settings, topology, redundancy).await?;
    for shards in shared_devices(&topology.list().await?) {
        tracing::warn!(
            "{shards} stand on one device and fail together: put them on devices of their own, or say what each fails with \
             (cofre admin shard set N --failure-domain NAME)"
        );
    }
    Ok(())
}

/// Finds where shards stand.
async fn settle(settings: &BootSettings, topology: &Topology) -> Result<()> {
    let candidates = Candidates { named: named(settings)?, usual: usual(&settings.data).await };
    match topology.settle(&candidates, ACTOR).await {
        Err(TopologyError::Store(error @ (StoreError::Refused(_) | StoreError::Full))) => {
            warn_unrecorded("where shards stand", &error);
        }
        settled => settled.map_err(|error| anyhow!("shards: {error}"))?,
    }
    Ok(())
}

async fn attach_all(settings: &BootSettings, topology: &Topology, redundancy: &DefaultRedundancy) -> Result<()> {
    topology.attach_missing().await?;
    let shards = topology.list().await?;
    let default = [settings.data.join("shard-1")];
    // The default is for a Cofre that has no shard yet; it may have been removed since.
    if settings.shards == default && !shards.is_empty() {
        return redundancy.check(&shards, 0);
    }
    let new = new_shards(settings, topology, &shards).await?;
    redundancy.check(&shards, new.len())?;
    for path in new {
        match topology.register(NewShard::at_path(path.clone()), ACTOR).await {
            Ok(view) => tracing::info!(shard = %view.record.id, path, "registered a shard"),
            Err(TopologyError::Taken { .. }) => {}
            Err(TopologyError::Store(error @ (StoreError::Refused(_) | StoreError::Full))) => {
                warn_unrecorded(&format!("the shard {path}"), &error);
            }
            Err(error) => bail!("shards: {path}: {error}"),
        }
    }
    Ok(())
}

/// The directories that the settings name, absolute.
fn named(settings: &BootSettings) -> Result<Vec<String>> {
    let text = |path: &PathBuf| {
        let absolute = std::path::absolute(path).with_context(|| format!("shards: {}", path.display()))?;
        absolute.to_str().map(str::to_owned).with_context(|| format!("shards: {} is no UTF-8", path.display()))
    };
    settings.shards.iter().map(text).collect()
}

/// The directories of a data directory whose names are those of shards.
async fn usual(data: &Path) -> Vec<String> {
    let data = data.to_owned();
    let found = blocking(move || -> std::io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(std::path::absolute(data)?)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| name.strip_prefix("shard-")?.parse::<u32>().ok());
            if number.is_some() && found.len() < USUAL_MAX {
                found.extend(entry.path().to_str().map(str::to_owned));
            }
        }
        Ok(found)
    });
    // What cannot be listed leads nowhere; its shards are away.
    found.await.unwrap_or_default()
}

/// The directories of the settings that are no shards yet, and were not removed.
async fn new_shards(settings: &BootSettings, topology: &Topology, shards: &[ShardView]) -> Result<Vec<String>> {
    let removed = topology.removed().await?;
    let mut new = Vec::new();
    for text in named(settings)? {
        let path = PathBuf::from(&text);
        let known = |view: &ShardView, identity: Option<[u8; 16]>| {
            let at = matches!(&view.record.place, ShardPlace::Filesystem { path } if *path == text);
            at || identity == Some(view.record.identity)
        };
        // What is away, or was mounted over, is the matter of its shard.
        if shards.iter().any(|view| known(view, None)) {
            continue;
        }
        let found = blocking(move || match FsBackend::identity(&path)? {
            Some(found) => Ok(Some(found.shard)),
            None => FsBackend::check_empty(&path).map(|()| None),
        });
        let identity = found.await.map_err(|error: FsError| anyhow!("shards: {text}: {error}"))?;
        if shards.iter().any(|view| known(view, identity)) {
            continue;
        }
        match removed.iter().find(|removed| removed.path == text || identity == Some(removed.identity)) {
            None => new.push(text),
            Some(removed) if shards.iter().any(|view| view.record.id == removed.id) => tracing::warn!(
                "shard {} stands elsewhere now and {text} is left out: take it off --shard, or `cofre admin shard add {text}` \
                 makes a new shard of it",
                removed.id
            ),
            Some(removed) => tracing::warn!(
                "shard {} at {text} was removed and is left out: take it off --shard, or `cofre admin shard add {text}` \
                 takes it in again",
                removed.id
            ),
        }
    }
    Ok(new)
}

/// Sets the counters of what waits right: an older version does not keep them.
pub(super) async fn count_waiting(topology: &Topology) {
    if let Err(error) = topology.count_waiting().await {
        warn_unrecorded("how much waits", &error);
    }
}

/// Says that a start could not record something, which is no reason not to serve what there is.
pub(super) fn warn_unrecorded(what: &str, error: &dyn std::fmt::Display) {
    tracing::warn!(%error, what, "could not be recorded; reads are served even so");
}

/// The event of a start.
pub(super) fn started(clock: &Clock) -> EventRecord {
    EventRecord {
        at: Timestamp(clock.now_nanos()),
        kind: "server.started".to_owned(),
        subject: "cofre".to_owned(),
        actor: ACTOR.to_owned(),
        details: vec![("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
    }
}

/// Bounds on requests of the S3 door.
pub(super) fn request_limits(settings: &BootSettings) -> RequestLimits {
    RequestLimits {
        requests_max: settings.requests_max,
        requests_per_account_max: settings.requests_per_account_max,
        requests_per_address_max: settings.requests_per_address_max,
        anonymous_per_second: settings.anonymous_requests_per_second,
        refused_per_second: settings.refused_requests_per_second,
    }
}
