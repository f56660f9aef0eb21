//! Backups of the catalog that stand on the shards' disks, where one that is lost with its own disk can be had again.

use crate::blobs::Blobs;
use crate::error::BlobsError;
use crate::topology::{BACKUPS_OF_REMOTE, ShardPlace, ShardView, Topology, all_remote};
use cofre_catalog::records::ShardMode;
use cofre_catalog::{FilesChecked, backup};
use cofre_runtime::{blocking, make_private_directories};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// The folder in a shard's directory.
const FOLDER: &str = "catalog-backups";

/// Disks that each backup is written to, as far as there are so many: one may be the catalog's own.
const PLACES_MAX: usize = 2;

/// Longest text of what went wrong, in characters.
const WHY_CHARS_MAX: usize = 512;

/// What came of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogBackup {
    /// Directories that hold it.
    pub places: Vec<String>,
    /// Directories that do not, and why.
    pub failed: Vec<(String, String)>,
    /// Its records.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Blobs {
    /// Checks one more file of the catalog, behind the cursor that an earlier call gave.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog is closed. What is damaged is no error, but in the answer.
    pub async fn check_catalog(&self, after: Vec<u8>) -> Result<FilesChecked, BlobsError> {
        Ok(self.store().check_files(after).await?)
    }

    /// Takes a backup of the catalog onto the disks of two shards of this machine, on two failure domains where there are
    /// so many, and removes all but the `keep` newest there.
    ///
    /// # Errors
    /// [`BlobsError`] if the shards cannot be read. What fails on a disk is in the answer.
    pub async fn back_up_catalog(&self, topology: &Topology, keep: u32) -> Result<CatalogBackup, BlobsError> {
        let shards = topology.list().await.map_err(|error| BlobsError::Unavailable(error.to_string()))?;
        let mut taken = CatalogBackup::default();
        let places = places(&shards);
        let (folders, now) = (places.iter().map(|path| path.join(FOLDER)).collect::<Vec<_>>(), self.now().secs());
        let name = blocking(move || format!("{:020}", next_number(&folders, now))).await;
        for path in places {
            let folder = path.join(FOLDER);
            let directory = folder.join(&name);
            let place = directory.display().to_string();
            match self.back_up_to(folder, directory, keep).await {
                Ok(summary) => {
                    (taken.records, taken.bytes) = (summary.records, summary.bytes);
                    taken.places.push(place);
                }
                Err(why) => {
                    tracing::warn!(place, why, "a backup of the catalog failed");
                    taken.failed.push((place, why.chars().take(WHY_CHARS_MAX).collect()));
                }
            }
        }
        if taken.places.is_empty() && taken.failed.is_empty() {
            taken.failed.push(("shards".to_owned(), nowhere(&shards).to_owned()));
        }
        Ok(taken)
    }

    async fn back_up_to(
        &self,
        folder: PathBuf,
        directory: PathBuf,
        keep: u32,
    ) -> Result<backup::BackupSummary, String> {
        let made = folder.clone();
        let make = move || match made.parent().is_some_and(Path::is_dir) {
            true => make_private_directories(&made),
            // What is not mounted must not be written under.
            false => Err(io::Error::new(io::ErrorKind::NotFound, "the shard's directory is not there")),
        };
        blocking(make).await.map_err(|error| error.to_string())?;
        let summary =
            backup::backup(self.store(), &directory, self.now(), |_| {}).await.map_err(|error| error.to_string());
        let kept = usize::try_from(keep).unwrap_or(usize::MAX);
        let trimmed = blocking(move || trim(&folder, kept)).await;
        if let Err(error) = trimmed {
            tracing::warn!(%error, "old backups of the catalog could not be removed");
        }
        summary
    }
}

/// Directories of shards that can be written to, one of each failure domain.
fn places(shards: &[ShardView]) -> Vec<PathBuf> {
    let mut domains = HashSet::new();
    let writable = |view: &&ShardView| view.readable() && view.record.mode == ShardMode::Active;
    let paths = shards.iter().filter(writable).filter_map(|view| match &view.record.place {
        ShardPlace::Filesystem { path } => domains.insert(view.domain()).then(|| PathBuf::from(path)),
        ShardPlace::S3(_) => None,
    });
    paths.take(PLACES_MAX).collect()
}

/// Why a backup cannot be put anywhere, and what to do about it.
fn nowhere(shards: &[ShardView]) -> &'static str {
    match all_remote(shards) {
        true => BACKUPS_OF_REMOTE,
        false => "no shard on a disk of this machine can be written to: make one active, or bring one back",
    }
}

/// The number of a backup, if an entry of the folder is one, whole or cut short.
fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.parse().ok()
}

/// The number of the next backup: the second that it is taken in, or one more than the last has where the clock went back
/// since. What cannot be listed fails when the backup is written.
fn next_number(folders: &[PathBuf], now: u64) -> u64 {
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let last = entries.filter_map(|entry| number_of(&entry.path())).max();
    last.map_or(now, |last| now.max(last.saturating_add(1)))
}

/// Removes all but the newest backups, which have the greatest numbers, and what one that was cut short left.
fn trim(folder: &Path, keep: usize) -> io::Result<()> {
    let mut backups = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(number) = number_of(&path) else { continue };
        match path.join(backup::BACKUP_FILE).try_exists()? {
            true => backups.push((number, path)),
            false => std::fs::remove_dir_all(path)?,
        }
    }
    backups.sort_unstable();
    let old = backups.len().saturating_sub(keep);
    backups.into_iter().take(old).try_for_each(|(_, path)| std::fs::remove_dir_all(path))
}
