//! What the API asks of the catalog's engine, which the records know nothing of.

use async_trait::async_trait;
use cofre_admin_types::{Backup, BackupState};
use cofre_objects::StoreState;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Kind of the event of a backup that is whole.
pub(crate) const BACKUP_FINISHED: &str = "backup.finished";

/// Kind of the event of a backup that is none.
pub(crate) const BACKUP_FAILED: &str = "backup.failed";

/// Backups that the list remembers.
const BACKUPS_REMEMBERED: usize = 100;

/// The engine of the catalog, as an operator sees it.
#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// What it has done. Cheap.
    fn figures(&self) -> CatalogFigures;

    /// How it does. Cheap, and never waits for the disk.
    fn state(&self) -> StoreState;

    /// Bytes that it takes on disk; `None` if it is not on disk.
    async fn disk_bytes(&self) -> Option<u64>;

    /// Whether it reads now.
    ///
    /// # Errors
    /// [`CatalogError::Failed`] with what is wrong.
    async fn check(&self) -> Result<(), CatalogError>;

    /// Writes a backup of one state into a directory, which must be empty or not there.
    ///
    /// # Errors
    /// [`CatalogError`]; what was written by then is no backup.
    async fn backup(&self, directory: &Path, progress: Arc<BackupProgress>) -> Result<(), CatalogError>;

    /// Bytes on shards and catalog alike: appends that an admin action happened which changed no record.
    ///
    /// # Errors
    /// [`CatalogError::Failed`].
    async fn record_event(
        &self,
        kind: &str,
        subject: &str,
        actor: &str,
        details: Vec<(String, String)>,
    ) -> Result<(), CatalogError>;
}

/// Why the engine did not do it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Mend the request: the directory cannot be used.
    #[error("{0}")]
    Directory(String),
    /// The engine failed.
    #[error("{0}")]
    Failed(String),
}

/// What an engine has done since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogFigures {
    /// Commits that became durable.
    pub commits: u64,
    /// Commits that a check turned away.
    pub turned_away: u64,
    /// Microseconds from asking for a commit to its answer.
    pub commit_micros: Distribution,
    /// Microseconds that making a group durable took.
    pub sync_micros: Distribution,
    /// Commits in one group.
    pub group_commits: Distribution,
}

/// How often values fell into which bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Inclusive upper bound of each bucket, and the values in it and in no bucket before it.
    pub buckets: Vec<(u64, u64)>,
    /// Number of values.
    pub count: u64,
    /// Sum of the values.
    pub sum: u64,
}

impl Distribution {
    /// Mean value; zero if there is none.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// Upper bound of the bucket that holds the value below which `share` of all lie; zero if there is none.
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bound, count) in &self.buckets {
            seen += count;
            if seen >= rank && seen > 0 {
                return *bound;
            }
        }
        0
    }
}

/// How far a backup is, written by the engine and read by the API.
#[derive(Debug, Default)]
pub struct BackupProgress {
    /// Entries written.
    pub done_entries: AtomicU64,
    /// Bytes written.
    pub done_bytes: AtomicU64,
    /// Bytes to expect; zero while unknown.
    pub total_bytes: AtomicU64,
}

/// The backups that this process took.
#[derive(Default)]
pub(crate) struct Backups {
    taken: VecDeque<(Backup, Arc<BackupProgress>)>,
    last_id: u64,
}

impl Backups {
    /// Notes a backup that begins; the one that runs already if there is one.
    pub(crate) fn begin(&mut self, directory: String, started: String) -> Result<(Backup, Arc<BackupProgress>), u64> {
        if let Some(running) = self.list().into_iter().find(|backup| backup.state == BackupState::Running) {
            return Err(running.id);
        }
        self.last_id += 1;
        let backup = Backup {
            id: self.last_id,
            directory,
            state: BackupState::Running,
            done_entries: 0,
            done_bytes: 0,
            total_bytes: None,
            started,
            ended: None,
            error: None,
        };
        let progress = Arc::new(BackupProgress::default());
        self.taken.push_back((backup.clone(), Arc::clone(&progress)));
        if self.taken.len() > BACKUPS_REMEMBERED {
            self.taken.pop_front();
        }
        Ok((backup, progress))
    }

    /// Notes how a backup ended.
    pub(crate) fn end(&mut self, id: u64, outcome: Result<(), String>, ended: String) {
        if let Some((backup, _)) = self.taken.iter_mut().find(|(backup, _)| backup.id == id) {
            backup.ended = Some(ended);
            backup.error = outcome.err();
            backup.state = if backup.error.is_none() { BackupState::Done } else { BackupState::Failed };
        }
    }

    /// Every backup that is remembered, in order.
    pub(crate) fn list(&self) -> Vec<Backup> {
        self.taken.iter().map(|(backup, progress)| seen(backup, progress)).collect()
    }

    /// One backup.
    pub(crate) fn get(&self, id: u64) -> Option<Backup> {
        self.taken.iter().find(|(backup, _)| backup.id == id).map(|(backup, progress)| seen(backup, progress))
    }
}

fn seen(backup: &Backup, progress: &BackupProgress) -> Backup {
    let total_bytes = Some(progress.total_bytes.load(Ordering::Relaxed)).filter(|total| *total > 0);
    Backup {
        done_entries: progress.done_entries.load(Ordering::Relaxed),
        done_bytes: progress.done_bytes.load(Ordering::Relaxed),
        total_bytes,
        ..backup.clone()
    }
}
