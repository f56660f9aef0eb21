//! Backups of a catalog, taken while it serves, in a format of their own that no engine owns.
//!
//! # Format
//! One file. All numbers are big-endian.
//! - Header: magic `COFRECAT`, version byte, revision of the snapshot (8), when it was taken in nanoseconds since 1970
//!   (8, from version 2 on), CRC-32C of these (4).
//! - Blocks: length of the payload (4, not zero), its CRC-32C (4), the payload: records in key order,
//!   each as length of the key (4), length of the value (4), revision (8), key, value.
//! - Footer: a length of zero (4), number of records (8), bytes of all payloads (8), revision (8),
//!   CRC-64/NVME of all payloads in order (8), CRC-32C of the 36 bytes before (4). Nothing follows.
//!
//! # Failure and recovery
//! A backup is written beside its name, synced and then renamed: a file under the right name is whole.
//! A restore reads the whole backup once before it writes anything, restores beside the data
//! directory and renames: a data directory under the right name is whole. It holds what the backup holds and one record
//! more, by which the catalog is another [incarnation](crate::records::IncarnationRecord). Both can be done again
//! after a crash; what was left half done is removed then.
//!
//! # Limits
//! Memory is bounded by a block and a record. A backup holds its snapshot until it ends, so the engine
//! keeps what is deleted meanwhile.

mod dump;
mod format;
mod indexes;
mod recount;
mod restore;
mod salvage;

pub use crate::embedded::Loss;
pub use dump::backup;
pub use restore::{restore, verify};
pub use salvage::{Salvaged, salvage};

use crate::{Revision, StoreError};
use cofre_types::{Scheme, Timestamp};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file in a backup's directory.
pub const BACKUP_FILE: &str = "catalog.cofre";

/// Tells the bytes that a copy or piece takes on its shard, by the scheme and the size of its blob and its number.
pub type CopyBytes = fn(Scheme, u64, u8) -> u64;

/// How far a backup or a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupProgress {
    /// Records that are done.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// All records.
    pub records_total: u64,
    /// Bytes of all keys and values.
    pub bytes_total: u64,
}

/// A backup that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    /// The last commit in it.
    pub revision: Revision,
    /// When it was taken; absent from backups of older versions.
    pub taken: Option<Timestamp>,
    /// Its records.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// Why a backup could not be taken or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something stands in the way. Choose another directory, or move it away.
    #[error("{0} is there already; choose another directory, or move it away")]
    Exists(PathBuf),
    /// The backup is not whole. Take another one.
    #[error("the backup {path} is damaged: {reason}; take another one", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A file cannot be read or written. Set that right and try again.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The catalog failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::Io { path: path.to_owned(), error }
    }
}

/// Makes a rename in a directory durable.
fn sync_directory(path: &Path) -> Result<(), BackupError> {
    std::fs::File::open(path).and_then(|directory| directory.sync_all()).map_err(BackupError::io(path))
}
