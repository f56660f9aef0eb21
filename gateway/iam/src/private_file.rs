//! Files that hold secrets: mode 0600, and on disk before anything depends on them.

use crate::error::IamError;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes a file with mode 0600 in place of what was there. After a crash the old or the new content
/// is there, whole. Blocks.
///
/// # Errors
/// [`IamError::File`].
pub fn write_private_file(path: &Path, content: &str) -> Result<(), IamError> {
    let write = || {
        let temporary = write_temporary(path, content)?;
        std::fs::rename(temporary, path)?;
        sync_directory(path)
    };
    write().map_err(|source| IamError::File { path: path.to_owned(), source })
}

/// Writes a file with mode 0600 unless there is one; tells whether it did. Blocks.
pub(crate) fn create_private_file(path: &Path, content: &str) -> Result<bool, IamError> {
    let write = || {
        let temporary = write_temporary(path, content)?;
        // Unlike a rename, a link never takes the place of a file that another process has just made.
        let linked = std::fs::hard_link(&temporary, path);
        std::fs::remove_file(temporary)?;
        match linked {
            Ok(()) => sync_directory(path).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    };
    write().map_err(|source| IamError::File { path: path.to_owned(), source })
}

fn write_temporary(path: &Path, content: &str) -> io::Result<PathBuf> {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    // One that a crash left behind may have another mode.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    Ok(temporary)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
