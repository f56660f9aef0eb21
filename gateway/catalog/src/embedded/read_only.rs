//! Opens a catalog whose file system takes no writes, for reads alone.
//!
//! # How
//! The engine writes whenever it opens. So it gets a folder of its own in the temporary directory, with copies of what is
//! small or may be written to, and links to the tables, which never change. No compaction runs, and no commit is taken,
//! also if the file system takes writes later on.

use super::lock::DirectoryLock;
use super::mark::DurableMark;
use super::open::{ENGINE, Opened, find_place};
use super::options::EmbeddedOptions;
use super::tree::{Tree, View};
use super::{anew, journal};
use crate::group::Condition;
use crate::{Revision, StoreError};
use cofre_runtime::make_private_directories;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of a tree that holds its tables.
const TABLES: &str = "tables";

/// A folder that goes when it is no longer used.
#[derive(Debug)]
pub(super) struct Shadow(PathBuf);

impl Drop for Shadow {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the copy of a catalog that was only read stays behind");
        }
    }
}

/// Whether the file system of a directory takes no writes. One that is not there says nothing.
pub(super) fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Checks and replays as [`super::open::recover`] does, beside the catalog.
pub(super) fn recover(
    path: &Path,
    options: &EmbeddedOptions,
    condition: &Arc<Condition>,
) -> Result<Opened, StoreError> {
    let lock = DirectoryLock::take_for_reading(path)?;
    let mark = DurableMark::open_for_reading(path)?;
    let name = format!("cofre-catalog-{}-{}", std::process::id(), u64::from_be_bytes(options.random.bytes()));
    let shadow = Shadow(std::env::temp_dir().join(name));
    let engine = shadow.0.join(ENGINE);
    copy(&path.join(ENGINE), &engine).map_err(|error| {
        let (path, shadow) = (path.display(), shadow.0.display());
        StoreError::Engine(format!("{path} is read-only, and {shadow} cannot hold what it takes to read it: {error}"))
    })?;
    let journaled = journal::check(&engine, mark.catalog(), mark.place())?;
    let tree = Arc::new(Tree::open_for_reading(&engine, options, lock, Arc::clone(condition), shadow)?);
    let place = find_place(&View::newest(Arc::clone(&tree), Revision(0)), &mark)?;
    let at_least = mark.place().max(journaled.place.unwrap_or_default());
    if place < at_least {
        return Err(journal::behind(place, at_least));
    }
    condition.refuse_for_good(
        "its file system was read-only when Cofre started, so it only reads; mount it for writing, then start Cofre again",
    );
    let tree = Arc::into_inner(tree).ok_or_else(|| StoreError::Engine("the engine is held twice".to_owned()))?;
    Ok(Opened { tree, mark, place })
}

/// Copies the engine's folder, but for tables, which are linked to.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    make_private_directories(to)?;
    let from = std::path::absolute(from)?;
    for entry in std::fs::read_dir(&from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&path, &target)?;
        } else if from.ends_with(TABLES) {
            symlink(&path, &target)?;
        } else {
            copy_file(&path, &target)?;
        }
    }
    anew::sync(to)
}

/// Copies a file without the zeroes at its end: a journal is made longer than it is.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut bytes = std::fs::read(from)?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if from.extension().is_some_and(|extension| extension == "jnl") {
        bytes.truncate(end);
    }
    std::fs::write(to, bytes)
}
