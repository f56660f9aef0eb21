use crate::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

const FILE: &str = "lock";

/// Holds a directory for this process. The operating system lets go of it when the process ends, so
/// a crash leaves no stale lock.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let failed =
            |error: &std::io::Error| StoreError::Engine(format!("{} cannot be locked: {error}", path.display()));
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| failed(&error))?;
        Self::lock(file, directory)
    }

    /// As [`DirectoryLock::take`], where nothing can be written.
    pub(super) fn take_for_reading(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let file = File::open(&path)
            .map_err(|error| StoreError::Engine(format!("{} cannot be locked: {error}", path.display())))?;
        Self::lock(file, directory)
    }

    fn lock(file: File, directory: &Path) -> Result<Self, StoreError> {
        let failed = |error: &std::io::Error| {
            StoreError::Engine(format!("{} cannot be locked: {error}", directory.join(FILE).display()))
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(directory.display().to_string())),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }
}

impl Drop for DirectoryLock {
    /// Closing the file is not enough: a process that is being started shares it for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the catalog's directory could not be unlocked");
        }
    }
}
