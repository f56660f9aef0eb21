use super::format::Encoder;
use super::{BACKUP_FILE, BackupError, BackupProgress, BackupSummary, sync_directory};
use crate::{ReadExt, Revision, Scan, Snapshot, Store, Visit, VisitStep};
use cofre_runtime::{blocking, make_directories};
use cofre_types::Timestamp;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Takes a backup of a store into a directory, which is made if it is not there. The store goes on
/// serving; the backup is of one moment, which `taken` tells.
///
/// `progress` is called about every 256 KiB from a thread that may block; it should be quick.
///
/// # Errors
/// [`BackupError::Exists`] if the directory holds a backup; else the store's or the disk's errors.
pub async fn backup(
    store: &dyn Store,
    directory: &Path,
    taken: Timestamp,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupSummary, BackupError> {
    let snapshot = store.snapshot().await?;
    let path = directory.join(BACKUP_FILE);
    let temporary = directory.join(format!("{BACKUP_FILE}.new"));
    let file = blocking({
        let (directory, path, temporary) = (directory.to_owned(), path.clone(), temporary.clone());
        move || begin(&directory, &path, &temporary)
    })
    .await?;
    let written = write(&*snapshot, file, taken, progress).await.map_err(|error| match error {
        Failure::Io(error) => BackupError::Io { path: temporary.clone(), error },
        Failure::Store(error) => error.into(),
    });
    let directory = directory.to_owned();
    blocking(move || {
        let summary = written.inspect_err(|_| drop(std::fs::remove_file(&temporary)))?;
        std::fs::rename(&temporary, &path).map_err(BackupError::io(&path))?;
        sync_directory(&directory)?;
        Ok(summary)
    })
    .await
}

fn begin(directory: &Path, path: &Path, temporary: &Path) -> Result<File, BackupError> {
    make_directories(directory).map_err(BackupError::io(directory))?;
    if path.try_exists().map_err(BackupError::io(path))? {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    // It holds sealed secrets and hashes of tokens.
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(temporary).map_err(BackupError::io(temporary))
}

enum Failure {
    Io(io::Error),
    Store(crate::StoreError),
}

impl From<crate::StoreError> for Failure {
    fn from(error: crate::StoreError) -> Self {
        Self::Store(error)
    }
}

async fn write(
    snapshot: &dyn Snapshot,
    file: File,
    taken: Timestamp,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupSummary, Failure> {
    let total = snapshot.scan(Scan::prefix(&[]), Count::default()).await?.0;
    let encoder = Encoder::begin(file, snapshot.revision(), taken).map_err(Failure::Io)?;
    let dump = Dump { encoder, failed: None, total, progress };
    let dump = snapshot.scan(Scan::prefix(&[]), dump).await?;
    if let Some(error) = dump.failed {
        return Err(Failure::Io(error));
    }
    let encoder = dump.encoder;
    let finish = move || {
        let (file, summary) = encoder.finish()?;
        file.sync_all()?;
        Ok(summary)
    };
    let summary = blocking(finish).await.map_err(Failure::Io)?;
    let mut progress = dump.progress;
    progress(BackupProgress { records: summary.records, bytes: summary.bytes, ..total });
    Ok(summary)
}

/// Counts first, so that the progress has an end that is known.
#[derive(Default)]
struct Count(BackupProgress);

impl Visit for Count {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        self.0.records_total += 1;
        self.0.bytes_total += (key.len() + value.len()) as u64;
        VisitStep::Continue
    }
}

/// Writes what it sees; stops at the first error.
struct Dump<P> {
    encoder: Encoder<File>,
    failed: Option<io::Error>,
    total: BackupProgress,
    progress: P,
}

impl<P: FnMut(BackupProgress) + Send + 'static> Visit for Dump<P> {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        match self.encoder.record(key, revision, value) {
            Ok(Some(done)) => {
                (self.progress)(BackupProgress { records: done.records, bytes: done.bytes, ..self.total });
                VisitStep::Continue
            }
            Ok(None) => VisitStep::Continue,
            Err(error) => {
                self.failed = Some(error);
                VisitStep::Stop
            }
        }
    }
}
