use super::format::Encoder;
use super::recount::Recount;
use super::restore::{beside, refuse_unless_empty, remove};
use super::{BACKUP_FILE, BackupError, BackupProgress, BackupSummary, CopyBytes, restore};
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
/// was lost stands on shards all the same, so the new catalog is another incarnation, from `now`. What records count is
/// counted anew, what leads to them is made anew, and what waits to be deleted is left out: that may be of an older state than the rest. `copy_bytes` tells
/// what copies take on their shards.
///
/// # Errors
/// [`BackupError::Exists`] if `data` holds anything; else the engine's or the disk's errors. After an error `data` is as
/// it was.
pub async fn salvage(
    catalog: &Path,
    data: &Path,
    options: EmbeddedOptions,
    copy_bytes: CopyBytes,
    now: Timestamp,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<Salvaged, BackupError> {
    let (from, to) = (catalog.to_owned(), data.to_owned());
    let (work, salvage) = blocking(move || {
        refuse_unless_empty(&to)?;
        let work = beside(&to, ".salvaging")?;
        remove(&work)?;
        cofre_runtime::make_private_directories(&work).map_err(BackupError::io(&work))?;
        let salvage = gather(&from, &work, copy_bytes, now).inspect_err(|_| drop(remove(&work)))?;
        Ok::<_, BackupError>((work, salvage))
    })
    .await?;
    let restored = restore(&work, data, options, now, progress).await;
    blocking(move || remove(&work)).await?;
    let summary = restored?;
    Ok(Salvaged { summary, losses: salvage.losses, more_losses: salvage.more_losses })
}

/// Writes what reads as a backup.
fn gather(catalog: &Path, work: &Path, copy_bytes: CopyBytes, now: Timestamp) -> Result<Gathered, BackupError> {
    let mut salvage = Salvage::read(catalog, work)?;
    let path = work.join(BACKUP_FILE);
    let recount = write(&salvage, Recount::new(work, copy_bytes), &path, now).map_err(|failure| match failure {
        Failure::Io(error) => BackupError::io(&path)(error),
        Failure::Store(error) => error.into(),
    })?;
    for key in recount.unreadable() {
        salvage.lose(Loss { file: catalog.to_owned(), at: 0, length: 0, after: Some(key.clone()), before: Some(key) });
    }
    Ok(Gathered { losses: salvage.losses, more_losses: salvage.more_losses })
}

/// Counts what reads, and writes it with what it adds up to.
fn write(salvage: &Salvage, mut recount: Recount, path: &Path, now: Timestamp) -> Result<Recount, Failure> {
    let revision = salvage.revision()?;
    each(salvage, |key, _, value| recount.count(key, value))?;
    recount.end_of_records();
    each(salvage, |key, _, value| recount.count_part(key, value))?;
    recount.end_of_parts()?;
    let mut encoder = Encoder::begin(File::create(path)?, revision, now)?;
    let mut write = |key: &[u8], at: Revision, value: &[u8]| encoder.record(key, at, value).map(drop);
    each(salvage, |key, at, value| {
        while let Some((made, row)) = recount.next_before(key)? {
            write(&made, revision, &row)?;
        }
        recount.recounted(key, value)?.map_or(Ok(()), |value| write(key, at, &value))
    })?;
    while let Some((made, row)) = recount.next_before(&[u8::MAX])? {
        write(&made, revision, &row)?;
    }
    let (file, _) = encoder.finish()?;
    file.sync_all()?;
    Ok(recount)
}

/// Hands on every record, until one is not taken.
fn each(salvage: &Salvage, mut take: impl FnMut(&[u8], Revision, &[u8]) -> io::Result<()>) -> Result<(), Failure> {
    let mut failed = None;
    let outcome = salvage.records(|key, at, value| {
        take(key, at, value).map_err(|error| {
            failed = Some(error);
            StoreError::Closed
        })
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(outcome?),
    }
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
