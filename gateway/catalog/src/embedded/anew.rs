//! Writes what a start is about to believe anew, and syncs it.
//!
//! # Purpose
//! A file system that fails a sync may keep the bytes in its page cache as if they were on disk (Rebello et al., "Can
//! Applications Recover from fsync Failures?"). A start on the same boot then reads what no disk has, acknowledges
//! commits behind it, and the next power cut leaves a hole. So nothing that an earlier process wrote last is believed
//! from the cache: its bytes go into a new file, which is synced and takes the old one's name.
//!
//! # What
//! The newest journal up to its last whole batch, and of each tree its `current` and the list of tables that it names.
//! Older journals and tables are synced before anything names them, and a sync of theirs that fails keeps the name from
//! being written.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes that are written over themselves at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// Names the list of tables of a tree: its number comes first.
const CURRENT: &str = "current";

/// The folder of the trees in the engine's.
const KEYSPACES: &str = "keyspaces";

/// Writes the first `length` bytes of a file anew under its name; the rest goes. On a full disk they are written over
/// themselves, which takes no room; elsewhere beside, so that no torn sector takes what stands.
pub(super) fn file(path: &Path, length: u64) -> io::Result<()> {
    match beside(path, length) {
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            over_itself(path, length)
        }
        written => written,
    }
}

fn beside(path: &Path, length: u64) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".anew");
    let beside = PathBuf::from(beside);
    let mut from = File::open(path)?.take(length);
    let mode = from.get_ref().metadata()?.permissions().mode();
    let mut to = File::options().create(true).truncate(true).write(true).mode(mode & 0o777).open(&beside)?;
    let mut copy = || {
        let copied = io::copy(&mut from, &mut to)?;
        if copied != length {
            return Err(io::Error::other(format!("{} became shorter while it was read", path.display())));
        }
        to.sync_all()
    };
    copy().inspect_err(|_| drop(std::fs::remove_file(&beside)))?;
    std::fs::rename(&beside, path)?;
    sync(path.parent().unwrap_or(Path::new(".")))
}

fn over_itself(path: &Path, length: u64) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    file.set_len(length)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < length {
        let wanted = usize::try_from(length - at).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        file.read_exact_at(&mut piece[..wanted], at)?;
        file.write_all_at(&piece[..wanted], at)?;
        at += wanted as u64;
    }
    file.sync_all()
}

/// Writes what names the tables of each tree anew.
pub(super) fn trees(engine: &Path) -> io::Result<()> {
    for tree in folders(&engine.join(KEYSPACES))? {
        let current = tree.join(CURRENT);
        let bytes = match std::fs::read(&current) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let version = bytes.first_chunk().map(|number| tree.join(format!("v{}", u64::from_le_bytes(*number))));
        // What it does not name, or names in vain, is damage, which the engine tells.
        if let Some(version) = version.filter(|version| version.is_file()) {
            file(&version, version.metadata()?.len())?;
        }
        file(&current, bytes.len() as u64)?;
    }
    Ok(())
}

/// Syncs every folder of the engine, so that no power cut takes a tree from under the journal.
pub(super) fn sync_folders(engine: &Path) -> io::Result<()> {
    let keyspaces = engine.join(KEYSPACES);
    for tree in folders(&keyspaces)? {
        for folder in folders(&tree)? {
            sync(&folder)?;
        }
        sync(&tree)?;
    }
    sync(&keyspaces)?;
    sync(engine)
}

/// Whether any tree of the engine has a table, beside the one that holds the names of trees.
pub(super) fn has_tables(engine: &Path) -> io::Result<bool> {
    let names = engine.join(KEYSPACES).join("0");
    for tree in folders(&engine.join(KEYSPACES))?.into_iter().filter(|tree| *tree != names) {
        for folder in folders(&tree)? {
            if std::fs::read_dir(folder)?.next().is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The folders in a folder; none if that is not there.
fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
