use super::format::Encoder;
use super::restore::{beside, refuse_unless_empty, remove};
use super::{BACKUP_FILE, BackupError, BackupProgress, BackupSummary, restore};
use crate::embedded::{EmbeddedOptions, Loss, Salvage};
use crate::{Revision, StoreError};
use cofre_runtime::blocking;
use cofre_types::Timestamp;
use std::fs::File;
use std::io;
use std::path::Path;

/// What was salvaged, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// What the new catalog holds.
    pub summary: BackupSummary,
    /// Runs of bytes that could not be read.
    pub losses: Vec<Loss>,
    /// How many more there are.
    pub more_losses: u64,
}

/// Reads whatever reads of the embedded catalog in `catalog`, which nobody may have open and which is not changed, and
/// makes a catalog of it at `data`, which must not be there, or be empty. Beside `data` it needs room for two copies. What
/// was lost stands on shards all the same, so the new catalog is another incarnation, from `now`.
///
/// # Errors
/// [`BackupError::Exists`] if `data` holds anything; else the engine's or the disk's errors. After an error `data` is as
/// it was.
pub async fn salvage(
    catalog: &Path,
    data: &Path,
    options: EmbeddedOptions,
    now: Timestamp,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<Salvaged, BackupError> {
    let (from, to) = (catalog.to_owned(), data.to_owned());
    let (work, salvage) = blocking(move || {
        refuse_unless_empty(&to)?;
        let work = beside(&to, ".salvaging")?;
        remove(&work)?;
        cofre_runtime::make_private_directories(&work).map_err(BackupError::io(&work))?;
        let salvage = gather(&from, &work, now).inspect_err(|_| drop(remove(&work)))?;
        Ok::<_, BackupError>((work, salvage))
    })
    .await?;
    let restored = restore(&work, data, options, now, progress).await;
    blocking(move || remove(&work)).await?;
    let summary = restored?;
    Ok(Salvaged { summary, losses: salvage.losses, more_losses: salvage.more_losses })
}

/// Writes what reads as a backup.
fn gather(catalog: &Path, work: &Path, now: Timestamp) -> Result<Gathered, BackupError> {
    let salvage = Salvage::read(catalog, work)?;
    let path = work.join(BACKUP_FILE);
    let revision = salvage.revision()?;
    let write = || -> Result<(), Failure> {
        let mut encoder = Encoder::begin(File::create(&path)?, revision, now)?;
        let mut failed = None;
        let each = |key: &[u8], at: Revision, value: &[u8]| {
            encoder.record(key, at, value).map(drop).map_err(|error| {
                failed = Some(error);
                StoreError::Closed
            })
        };
        match (salvage.records(each), failed) {
            (Err(_), Some(error)) => return Err(error.into()),
            (outcome, _) => outcome?,
        }
        let (file, _) = encoder.finish()?;
        Ok(file.sync_all()?)
    };
    write().map_err(|failure| match failure {
        Failure::Io(error) => BackupError::io(&path)(error),
        Failure::Store(error) => error.into(),
    })?;
    Ok(Gathered { losses: salvage.losses, more_losses: salvage.more_losses })
}

struct Gathered {
    losses: Vec<Loss>,
    more_losses: u64,
}

enum Failure {
    Io(io::Error),
    Store(StoreError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
