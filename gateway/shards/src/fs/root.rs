//! The directory of a shard, held open.
//!
//! ```text
//! cofre-shard            identity file            cofre-incarnation   see [`incarnation`](super::incarnation)
//! packs/<id>.pack        small blobs        packs/<id>.dead   its tombstones
//! blobs/<xx>/<blob>-<nonce>   one large blob; <xx> is the first byte of the blob id
//! temp/                  large blobs under way; emptied at open
//! ```
//! # Invariants
//! Every path is relative to a directory that was opened once: when the file system of the shard is
//! unmounted or another is mounted over it, nothing is ever written to what stands there instead.
//!
//! # Crash recovery
//! The identity is written beside its name, synced and renamed: a root whose making was cut short has none, and is made
//! anew. One with a torn identity and no blob, as earlier versions could leave, is taken for that as well.

use super::FsError;
use crate::backend::BackendError;
use crate::identity::{IdentityError, ShardIdentity};
use cofre_runtime::make_directories;
use cofre_types::BlobId;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, Stat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Name of the identity file.
const IDENTITY_FILE: &str = "cofre-shard";
/// Where it is written before it is renamed.
const NEW_IDENTITY_FILE: &str = "cofre-shard.new";
/// What a new file system has of its own.
const LOST_FOUND: &str = "lost+found";
/// Longest identity file.
const IDENTITY_BYTES_MAX: u64 = 4096;
/// Subdirectories of `blobs/`.
const BLOB_DIRECTORIES: usize = 256;
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The open directories of a shard. Locked: a second open of the same root fails for as long as this lives.
pub(super) struct Root {
    path: PathBuf,
    pub(super) directory: OwnedFd,
    pub(super) packs: OwnedFd,
    pub(super) blobs: OwnedFd,
    pub(super) temp: OwnedFd,
    identity: File,
    /// Number of the device that it is on.
    pub(super) device: u64,
}

/// A path for a directory entry, read with its name.
pub(super) fn blob_path(blob: BlobId, nonce: u64) -> String {
    format!("{:02x}/{blob}-{nonce:016x}", blob.as_bytes()[0])
}

impl Root {
    /// Makes a root of a directory that is missing, empty, or was begun to be made one.
    pub(super) fn create(path: &Path, identity: &ShardIdentity) -> Result<Self, FsError> {
        make_directories(path).map_err(FsError::io("creating the directory"))?;
        Self::check_empty(path)?;
        let directory = open_directory(path)?;
        let identity_text = identity.encode();
        replace_file(&directory, NEW_IDENTITY_FILE, IDENTITY_FILE, identity_text.as_bytes())
            .map_err(FsError::io("writing the identity file"))?;
        Self::open(path, identity)
    }

    /// Refuses a directory that has anything in it but what is left of making it a root; one that is missing has nothing.
    pub(super) fn check_empty(path: &Path) -> Result<(), FsError> {
        if is_torn(path).map_err(FsError::io("reading the directory"))? {
            return Ok(());
        }
        let mut entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(FsError::io("reading the directory")(error)),
        };
        let foreign = |entry: &io::Result<std::fs::DirEntry>| {
            let ours = |name: &OsStr| name == LOST_FOUND || name == NEW_IDENTITY_FILE;
            entry.as_ref().map_or(true, |entry| !ours(&entry.file_name()))
        };
        if entries.any(|entry| foreign(&entry)) { Err(FsError::NotEmpty) } else { Ok(()) }
    }

    /// Opens a root, if it is the one that it should be.
    pub(super) fn open(path: &Path, identity: &ShardIdentity) -> Result<Self, FsError> {
        let directory = open_directory(path)?;
        let lock = read_identity(&directory, identity)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(FsError::Busy),
            Err(error) => return Err(FsError::io("locking the identity file")(error.into())),
        }
        let subdirectory = |parent: &OwnedFd, name: &str| -> io::Result<OwnedFd> {
            make_directory(parent, name)?;
            Ok(rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())?)
        };
        let open = || -> io::Result<_> {
            let packs = subdirectory(&directory, "packs")?;
            let blobs = subdirectory(&directory, "blobs")?;
            let temp = subdirectory(&directory, "temp")?;
            for first in 0..BLOB_DIRECTORIES {
                make_directory(&blobs, &format!("{first:02x}"))?;
            }
            sync(&blobs)?;
            sync(&directory)?;
            Ok((packs, blobs, temp))
        };
        let (packs, blobs, temp) = open().map_err(FsError::io("opening the directories of the shard"))?;
        let stat = rustix::fs::fstat(&directory);
        let device = stat.map_err(|error| FsError::io("asking for the device")(error.into()))?.st_dev;
        Ok(Self { path: path.to_owned(), directory, packs, blobs, temp, identity: lock, device })
    }

    /// What a directory says it is; `None` if there is no such directory or no identity file in it, or only a torn one and
    /// no blob.
    pub(super) fn identity(path: &Path) -> Result<Option<ShardIdentity>, FsError> {
        match File::open(path.join(IDENTITY_FILE)) {
            Ok(file) => match parse_identity(&file) {
                Err(FsError::DamagedIdentity) if is_torn(path).map_err(FsError::io("reading the directory"))? => {
                    Ok(None)
                }
                parsed => parsed.map(Some),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FsError::io("opening the identity file")(error)),
        }
    }

    /// Whether the path still leads to the directory that was opened, with all in it that makes it a shard: else
    /// somebody unmounted it, mounted another over it, or emptied it. What is not found in it then proves nothing.
    pub(super) fn verify(&self) -> Result<(), BackendError> {
        let unreachable = |path: &Path, error: rustix::io::Errno| {
            Err(BackendError::Unreachable(format!("{}: {error}", path.display())))
        };
        match rustix::fs::stat(&self.path).and_then(|found| is(&self.directory, &found)) {
            Ok(true) => {}
            Ok(false) => {
                return Err(BackendError::Unreachable(format!(
                    "another directory stands at {}: is its file system mounted?",
                    self.path.display()
                )));
            }
            Err(error) => return unreachable(&self.path, error),
        }
        let parts: [(&str, &dyn AsFd); 4] =
            [(IDENTITY_FILE, &self.identity), ("packs", &self.packs), ("blobs", &self.blobs), ("temp", &self.temp)];
        for (name, held) in parts {
            let found = rustix::fs::statat(&self.directory, name, AtFlags::empty());
            match found.and_then(|found| is(held, &found)) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(BackendError::Unreachable(format!(
                        "{} was replaced since the shard was opened",
                        self.path.join(name).display()
                    )));
                }
                Err(error) => return unreachable(&self.path.join(name), error),
            }
        }
        Ok(())
    }
}

/// Whether a directory is a root whose making was cut short: its identity is torn, and nothing was ever written to it.
fn is_torn(path: &Path) -> io::Result<bool> {
    let file = match File::open(path.join(IDENTITY_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if !matches!(parse_identity(&file), Err(FsError::DamagedIdentity)) {
        return Ok(false);
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let empty = match entry.file_name().to_str() {
            Some(IDENTITY_FILE | NEW_IDENTITY_FILE | LOST_FOUND) => true,
            Some("packs" | "blobs" | "temp") => has_no_file(&entry.path())?,
            _ => false,
        };
        if !empty {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether nothing but directories is in a directory, and in those.
fn has_no_file(path: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || std::fs::read_dir(entry.path())?.next().is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an open file or directory is the one that was found.
fn is(held: &dyn AsFd, found: &Stat) -> rustix::io::Result<bool> {
    let held = rustix::fs::fstat(held.as_fd())?;
    Ok((held.st_dev, held.st_ino) == (found.st_dev, found.st_ino))
}

/// Whether an open file still has a name: else what is written to it is lost, and what is read from it soon will be.
pub(super) fn has_name(file: &File) -> io::Result<bool> {
    Ok(rustix::fs::fstat(file)?.st_nlink > 0)
}

/// Whether two paths are on one file system; where nothing stands there yet, what will be made there. Blocks.
pub(super) fn same_device(one: &Path, other: &Path) -> io::Result<bool> {
    let device = |path: &Path| -> io::Result<u64> {
        let path = std::path::absolute(path)?;
        let standing = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        Ok(rustix::fs::stat(standing)?.st_dev)
    };
    Ok(device(one)? == device(other)?)
}

pub(super) fn open_directory(path: &Path) -> Result<OwnedFd, FsError> {
    rustix::fs::open(path, DIRECTORY, Mode::empty()).map_err(|error| FsError::io("opening the directory")(error.into()))
}

fn read_identity(directory: &OwnedFd, expected: &ShardIdentity) -> Result<File, FsError> {
    let file = match open_file(directory, IDENTITY_FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(FsError::NoIdentity),
        Err(error) => return Err(FsError::io("opening the identity file")(error)),
    };
    let found = parse_identity(&file)?;
    if found.cluster != expected.cluster {
        return Err(FsError::ForeignCluster { found: hex::encode(found.cluster) });
    }
    if found.shard != expected.shard {
        return Err(FsError::OtherShard { found: hex::encode(found.shard) });
    }
    Ok(file)
}

fn parse_identity(file: &File) -> Result<ShardIdentity, FsError> {
    let mut bytes = Vec::new();
    file.take(IDENTITY_BYTES_MAX).read_to_end(&mut bytes).map_err(FsError::io("reading the identity file"))?;
    let text = String::from_utf8(bytes).map_err(|_| FsError::DamagedIdentity)?;
    ShardIdentity::parse(&text).map_err(|error| match error {
        IdentityError::Damaged => FsError::DamagedIdentity,
        IdentityError::Newer => FsError::NewerIdentity,
    })
}

fn make_directory(parent: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a file to read.
pub(super) fn open_file(directory: &OwnedFd, name: &str) -> io::Result<File> {
    Ok(File::from(rustix::fs::openat(directory, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?))
}

/// Opens a file to read and write; makes it if it is not there.
pub(super) fn open_or_create(directory: &OwnedFd, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(directory, name, flags, PRIVATE_FILE)?))
}

/// Makes a file that is not there yet, to read and write.
pub(super) fn create_file(directory: &OwnedFd, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(directory, name, flags, PRIVATE_FILE)?))
}

/// Puts a file in the place of another, so that either is there whole, whatever cuts this short. Blocks.
pub(super) fn replace_file(directory: &OwnedFd, beside: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    remove_file(directory, beside)?;
    let mut file = create_file(directory, beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rustix::fs::renameat(directory, beside, directory, name)?;
    sync(directory)
}

/// Removes a file; one that is not there is fine.
pub(super) fn remove_file(directory: &OwnedFd, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the entries of a directory durable.
pub(super) fn sync(directory: impl AsFd) -> io::Result<()> {
    Ok(rustix::fs::fsync(directory)?)
}

/// Names in a directory, in no order, without `.` and `..`.
pub(super) fn names(directory: &OwnedFd, name: &str) -> io::Result<Vec<String>> {
    let opened = rustix::fs::openat(directory, name, DIRECTORY, Mode::empty())?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(opened)? {
        // Names of ours are ASCII; whatever is not was put there by somebody else.
        if let Ok(name) = entry?.file_name().to_str()
            && !name.starts_with('.')
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// What a failed call means to the caller of the backend.
pub(super) fn failure(doing: &str, error: &io::Error) -> BackendError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BackendError::Full,
        _ => BackendError::Unreachable(format!("{doing}: {error}")),
    }
}

/// Reads exactly these bytes; a file that ends before them has lost them.
pub(super) fn read_exact(file: &File, bytes: &mut [u8], offset: u64) -> Result<(), BackendError> {
    match file.read_exact_at(bytes, offset) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(too_short()),
        Err(error) => Err(failure("reading", &error)),
    }
}

/// As [`read_exact`], into several places, one after the other.
pub(super) fn read_exact_vectored(
    file: &File,
    mut parts: &mut [io::IoSliceMut<'_>],
    mut offset: u64,
) -> Result<(), BackendError> {
    while !parts.is_empty() {
        match rustix::io::preadv(file, parts, offset) {
            Ok(0) => return Err(too_short()),
            Ok(read) => {
                offset += read as u64;
                io::IoSliceMut::advance_slices(&mut parts, read);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(failure("reading", &error.into())),
        }
    }
    Ok(())
}

fn too_short() -> BackendError {
    BackendError::Corrupt("the file ends too early".into())
}
