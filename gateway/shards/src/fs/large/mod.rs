//! Large blobs, each in a file of its own.
//!
//! # Ordering
//! The content is written to `temp/` while it comes in; then the head, which has the size; then the file is synced,
//! renamed to its place, and the directory synced. A blob is never seen half there.
//!
//! # Crash recovery
//! What is in `temp/` at open is removed. A file that was renamed and not acknowledged is an orphan.

mod directories;
mod read;
mod write;

pub(super) use directories::Directories;
pub(super) use read::{header, read};
pub(super) use write::write;

use super::Disk;
use super::root::{blob_path, names, remove_file};
use cofre_types::BlobId;
use std::io;

/// Length of nearly every head; only names of thousands of bytes make a longer one.
pub(super) const HEAD_BYTES_USUAL: u64 = 4096;

/// Removes one copy; one that is not there is fine.
pub(super) fn remove(disk: &Disk, blob: BlobId, nonce: u64) -> io::Result<()> {
    remove_file(&disk.root.blobs, &blob_path(blob, nonce))
}

/// Removes what a put left under `temp/`.
pub(super) fn remove_temp(disk: &Disk, name: &str) -> io::Result<()> {
    remove_file(&disk.root.temp, name)
}

/// Removes everything under `temp/`: nobody writes yet.
pub(super) fn recover(disk: &Disk) -> io::Result<()> {
    names(&disk.root.temp, ".")?.iter().try_for_each(|name| remove_temp(disk, name))
}
