use super::format::{Decoder, Records, Unreadable};
use super::{BACKUP_FILE, BackupError, BackupProgress, BackupSummary, sync_directory};
use crate::embedded::{EmbeddedOptions, Loader};
use crate::records::{IncarnationRecord, Record};
use crate::{Entry, StoreError, keys};
use cofre_runtime::blocking;
use cofre_types::Timestamp;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Reads a whole backup and says what is in it. Nothing is written.
///
/// # Errors
/// [`BackupError::Damaged`] if any byte of it is not as it was written; [`BackupError::Io`].
pub async fn verify(directory: &Path) -> Result<BackupSummary, BackupError> {
    let path = directory.join(BACKUP_FILE);
    blocking(move || read(&path, |_, _| Ok(()))).await
}

/// Restores a backup as an embedded catalog at `data`, which must not be there, or be empty. The
/// catalog is as it was at the backup's moment, and its revisions go on from there. It is a new incarnation, from `now`.
///
/// `progress` is called for each block from a thread that may block; it should be quick.
///
/// # Errors
/// [`BackupError::Exists`] if `data` holds anything; [`BackupError::Damaged`] if the backup is not whole,
/// in which case nothing was written; else the engine's or the disk's errors. After an error `data`
/// is as it was.
pub async fn restore(
    directory: &Path,
    data: &Path,
    options: EmbeddedOptions,
    now: Timestamp,
    mut progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupSummary, BackupError> {
    let path = directory.join(BACKUP_FILE);
    let data = data.to_owned();
    blocking(move || {
        refuse_unless_empty(&data)?;
        let total = read(&path, |_, _| Ok(()))?;
        let beside = beside(&data, ".restoring")?;
        remove(&beside)?;
        let (id, backup_taken) = (options.random.bytes(), total.taken);
        let incarnation = IncarnationRecord { id, begun: now, backup_taken, found_behind: false };
        load(&path, &beside, &options, (total, &incarnation), &mut progress).inspect_err(|_| drop(remove(&beside)))?;
        std::fs::rename(&beside, &data).map_err(BackupError::io(&data))?;
        sync_directory(parent(&data))?;
        Ok(total)
    })
    .await
}

pub(super) fn refuse_unless_empty(data: &Path) -> Result<(), BackupError> {
    match std::fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::Exists(data.to_owned())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            cofre_runtime::make_directories(parent(data)).map_err(BackupError::io(data))
        }
        Err(error) => Err(BackupError::io(data)(error)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Where the restore is built: on the same file system, so that one rename puts it in place.
pub(super) fn beside(data: &Path, suffix: &str) -> Result<PathBuf, BackupError> {
    let name = data.file_name().ok_or_else(|| BackupError::Exists(data.to_owned()))?;
    let mut name = name.to_owned();
    name.push(suffix);
    Ok(data.with_file_name(name))
}

pub(super) fn remove(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(BackupError::io(path)(error)),
        _ => Ok(()),
    }
}

fn load(
    path: &Path,
    beside: &Path,
    options: &EmbeddedOptions,
    (total, incarnation): (BackupSummary, &IncarnationRecord),
    progress: &mut impl FnMut(BackupProgress),
) -> Result<(), BackupError> {
    let mut loader = Loader::begin(beside, options, total.revision)?;
    let read = read(path, |mut records, done| {
        records.retain(|(key, _)| *key != keys::incarnation());
        loader.load(records)?;
        progress(BackupProgress {
            records: done.records,
            bytes: done.bytes,
            records_total: total.records,
            bytes_total: total.bytes,
        });
        Ok(())
    })?;
    if read != total {
        return Err(BackupError::Damaged { path: path.to_owned(), reason: "it changed while it was read".to_owned() });
    }
    let entry = Entry { revision: total.revision, value: incarnation.encode() };
    loader.load(vec![(keys::incarnation(), entry)])?;
    loader.finish()?;
    sync_directory(beside)
}

/// Verifies a backup from its first to its last byte, and hands its blocks on.
fn read(
    path: &Path,
    mut each: impl FnMut(Records, BackupSummary) -> Result<(), StoreError>,
) -> Result<BackupSummary, BackupError> {
    let unreadable = |unreadable| match unreadable {
        Unreadable::Io(error) => BackupError::Io { path: path.to_owned(), error },
        Unreadable::Damaged(reason) => BackupError::Damaged { path: path.to_owned(), reason },
    };
    let file = File::open(path).map_err(BackupError::io(path))?;
    let mut decoder = Decoder::begin(BufReader::new(file)).map_err(unreadable)?;
    while let Some(records) = decoder.block().map_err(unreadable)? {
        each(records, decoder.progress())?;
    }
    Ok(decoder.progress())
}
