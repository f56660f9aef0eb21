use super::boot::catalog_directory;
use async_trait::async_trait;
use cofre_admin_server::{BackupProgress, Catalog, CatalogError, CatalogFigures, Distribution};
use cofre_catalog::records::EventRecord;
use cofre_catalog::{Embedded, ReadExt, Store, StoreState, backup, keys};
use cofre_events::EventLog;
use cofre_runtime::{Clock, blocking};
use cofre_settings::BootSettings;
use cofre_types::Timestamp;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The embedded engine as the admin API sees it.
pub(super) struct EmbeddedCatalog {
    store: Arc<Embedded>,
    events: EventLog,
    directory: PathBuf,
    clock: Clock,
}

impl EmbeddedCatalog {
    pub(super) fn new(settings: &BootSettings, store: Arc<Embedded>, clock: &Clock) -> Self {
        let events = EventLog::new(store.clone());
        Self { store, events, directory: catalog_directory(&settings.data), clock: clock.clone() }
    }
}

#[async_trait]
impl Catalog for EmbeddedCatalog {
    fn figures(&self) -> CatalogFigures {
        let stats = self.store.stats();
        CatalogFigures {
            commits: stats.commits,
            turned_away: stats.turned_away,
            commit_micros: distribution(stats.commit_micros),
            sync_micros: distribution(stats.sync_micros),
            group_commits: distribution(stats.group_commits),
        }
    }

    fn state(&self) -> StoreState {
        self.store.state()
    }

    async fn disk_bytes(&self) -> Option<u64> {
        let directory = self.directory.clone();
        Some(blocking(move || bytes_below(&directory)).await)
    }

    async fn check(&self) -> Result<(), CatalogError> {
        let read = self.store.get(keys::cluster()).await;
        read.map(|_| ()).map_err(|error| CatalogError::Failed(error.to_string()))
    }

    async fn backup(&self, directory: &Path, progress: Arc<BackupProgress>) -> Result<(), CatalogError> {
        let note = move |now: backup::BackupProgress| {
            progress.done_entries.store(now.records, Ordering::Relaxed);
            progress.done_bytes.store(now.bytes, Ordering::Relaxed);
            progress.total_bytes.store(now.bytes_total, Ordering::Relaxed);
        };
        let now = Timestamp(self.clock.now_nanos());
        match backup::backup(self.store.as_ref(), directory, now, note).await {
            Ok(_) => Ok(()),
            Err(error @ backup::BackupError::Exists(_)) => Err(CatalogError::Directory(error.to_string())),
            Err(error) => Err(CatalogError::Failed(error.to_string())),
        }
    }

    async fn record_event(
        &self,
        kind: &str,
        subject: &str,
        actor: &str,
        details: Vec<(String, String)>,
    ) -> Result<(), CatalogError> {
        let event = EventRecord {
            at: Timestamp(self.clock.now_nanos()),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            actor: actor.to_owned(),
            details,
        };
        self.events.record(&event).await.map_err(|error| CatalogError::Failed(error.to_string()))
    }
}

fn distribution(values: cofre_catalog::Distribution) -> Distribution {
    Distribution { buckets: values.buckets, count: values.count, sum: values.sum }
}

/// Bytes of the files below a directory; those that go meanwhile count nothing. Blocks.
fn bytes_below(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        // stat(2) counts blocks of 512 bytes; journals are longer than what they hold.
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(bytes).sum()
}
