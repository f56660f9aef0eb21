use crate::derive::derive;
use crate::error::KeyError;
use crate::name::{KEY_NAME_RULE, is_key_name};
use crate::service::DEFAULT_KEY;
use cofre_runtime::{Clock, Random, open_mode};
use cofre_types::Timestamp;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Format of the file.
const FORMAT: u32 = 1;

/// Longest file, in bytes: some 10,000 versions of keys.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file of named master keys: JSON, mode 0600, replaced as a whole.
pub struct KeyFile {
    keys: Vec<Key>,
    stamp: Stamp,
}

struct Key {
    name: String,
    disabled: bool,
    versions: Vec<Version>,
}

struct Version {
    number: u32,
    made: Timestamp,
    key: Zeroizing<[u8; 32]>,
}

/// What may be told of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKey {
    /// Its name, which is the key id that clients give.
    pub name: String,
    /// Whether it neither seals nor opens.
    pub disabled: bool,
    /// How many versions it has.
    pub versions: usize,
    /// When the newest was made.
    pub rotated: Timestamp,
}

/// By which a version of a key is known without giving it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMark {
    /// Name of the key.
    pub name: String,
    /// Number of the version.
    pub version: u32,
    /// What no other key has, and nothing opens with.
    pub fingerprint: [u8; 16],
}

/// By which a file that was replaced is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed: (i64, i64),
    size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    name: String,
    disabled: bool,
    versions: Vec<StoredVersion>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredVersion {
    number: u32,
    made_nanos: u64,
    key: String,
}

impl Drop for StoredVersion {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl KeyFile {
    /// Reads the file, or makes it with the default key if there is none. Blocks.
    ///
    /// # Errors
    /// [`KeyError::File`] if others may read it, or it is none.
    pub fn open(path: &Path, clock: &Clock, random: &Random) -> Result<Self, KeyError> {
        match Self::read(path)? {
            Some(file) => Ok(file),
            None => Self::change(path, |file| match file.keys.is_empty() {
                true => file.make(DEFAULT_KEY, clock, random),
                false => Ok(()),
            }),
        }
    }

    /// Makes a key. Blocks.
    ///
    /// # Errors
    /// [`KeyError::Usage`] if the name is taken or is none; [`KeyError::File`].
    pub fn create(path: &Path, name: &str, clock: &Clock, random: &Random) -> Result<Self, KeyError> {
        Self::change(path, |file| {
            if file.keys.is_empty() && name != DEFAULT_KEY {
                file.make(DEFAULT_KEY, clock, random)?;
            }
            file.make(name, clock, random)
        })
    }

    /// Adds a version to a key, which seals from then on. Blocks.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`] or [`KeyError::File`].
    pub fn rotate(path: &Path, name: &str, clock: &Clock, random: &Random) -> Result<Self, KeyError> {
        Self::change(path, |file| {
            let key = file.find_mut(name)?;
            let number = key.versions.last().map_or(1, |newest| newest.number + 1);
            key.versions.push(Version::random(number, clock, random));
            Ok(())
        })
    }

    /// Disables or enables a key. What a disabled key sealed cannot be read. Blocks.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`] or [`KeyError::File`].
    pub fn set_disabled(path: &Path, name: &str, disabled: bool) -> Result<Self, KeyError> {
        Self::change(path, |file| {
            file.find_mut(name)?.disabled = disabled;
            Ok(())
        })
    }

    /// The newest version of each key.
    pub fn marks(&self) -> Vec<KeyMark> {
        let mark = |key: &Key| key.versions.last().map(|newest| newest.mark(&key.name));
        self.keys.iter().filter_map(mark).collect()
    }

    /// Whether the file has the very version that a mark is of.
    pub fn has(&self, mark: &KeyMark) -> bool {
        let named = self.keys.iter().filter(|key| key.name == mark.name);
        named.flat_map(|key| &key.versions).any(|version| version.mark(&mark.name) == *mark)
    }

    /// What may be told of the keys, in the order that they were made.
    pub fn list(&self) -> Vec<NamedKey> {
        let told = |key: &Key| NamedKey {
            name: key.name.clone(),
            disabled: key.disabled,
            versions: key.versions.len(),
            rotated: key.versions.last().map_or(Timestamp(0), |newest| newest.made),
        };
        self.keys.iter().map(told).collect()
    }

    /// The file as it is now, if it is another than this. Blocks.
    pub(super) fn changed(&self, path: &Path) -> Result<Option<Self>, KeyError> {
        let metadata = std::fs::metadata(path).map_err(|error| unusable(path, error))?;
        if Stamp::of(&metadata) == self.stamp { Ok(None) } else { Self::read(path) }
    }

    /// The version of a key that seals.
    pub(super) fn newest(&self, name: &str) -> Result<(u32, &[u8; 32]), KeyError> {
        let newest = self.usable(name)?.versions.last();
        newest.map(|version| (version.number, &*version.key)).ok_or_else(|| KeyError::NoSuchKey(name.to_owned()))
    }

    /// A version of a key, to open with.
    pub(super) fn version(&self, name: &str, number: u32) -> Result<&[u8; 32], KeyError> {
        let found = self.usable(name)?.versions.iter().find(|version| version.number == number);
        found.map(|version| &*version.key).ok_or(KeyError::DoesNotOpen)
    }

    fn usable(&self, name: &str) -> Result<&Key, KeyError> {
        match self.keys.iter().find(|key| key.name == name) {
            None => Err(KeyError::NoSuchKey(name.to_owned())),
            Some(key) if key.disabled => Err(KeyError::Refused(format!("the key {name:?} is disabled"))),
            Some(key) => Ok(key),
        }
    }

    fn find_mut(&mut self, name: &str) -> Result<&mut Key, KeyError> {
        self.keys.iter_mut().find(|key| key.name == name).ok_or_else(|| KeyError::NoSuchKey(name.to_owned()))
    }

    fn make(&mut self, name: &str, clock: &Clock, random: &Random) -> Result<(), KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Usage(format!("a key's name {KEY_NAME_RULE}")));
        }
        if self.keys.iter().any(|key| key.name == name) {
            return Err(KeyError::Usage(format!("there is a key named {name:?}; rotate it, or choose another name")));
        }
        let versions = vec![Version::random(1, clock, random)];
        self.keys.push(Key { name: name.to_owned(), disabled: false, versions });
        Ok(())
    }

    fn change(path: &Path, change: impl FnOnce(&mut Self) -> Result<(), KeyError>) -> Result<Self, KeyError> {
        let directory = File::open(parent(path)).map_err(|error| unusable(path, error))?;
        // Held until the directory is closed, also by a crash.
        let locked = rustix::fs::flock(&directory, FlockOperation::LockExclusive);
        locked.map_err(|error| unusable(path, io::Error::from(error)))?;
        let mut file = Self::read(path)?.unwrap_or_else(Self::empty);
        change(&mut file)?;
        file.write(path, &directory).map_err(|error| unusable(path, error))?;
        Self::read(path)?.ok_or_else(|| unusable(path, "it is gone again"))
    }

    const fn empty() -> Self {
        Self { keys: Vec::new(), stamp: Stamp { inode: 0, changed: (0, 0), size: 0 } }
    }

    /// After a crash the old or the new content is there, whole.
    fn write(&self, path: &Path, directory: &File) -> io::Result<()> {
        let mut text = Zeroizing::new(serde_json::to_string_pretty(&self.stored())?);
        text.push('\n');
        let temporary = path.with_extension("tmp");
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        directory.sync_all()
    }

    /// Reads the file; none if there is none. Blocks.
    ///
    /// # Errors
    /// [`KeyError::File`] if others may read it, or it is none.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, error)),
        };
        let metadata = file.metadata().map_err(|error| unusable(path, error))?;
        if open_mode(&metadata).is_some() {
            return Err(unusable(path, format_args!("others may read it; run: chmod 600 {}", path.display())));
        }
        let mut text = Zeroizing::new(String::new());
        let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| unusable(path, error))?;
        let stored: Stored = serde_json::from_str(&text).map_err(|error| unusable(path, error))?;
        Self::from_stored(stored, Stamp::of(&metadata)).map(Some).map_err(|reason| unusable(path, reason))
    }

    fn stored(&self) -> Stored {
        let version = |version: &Version| StoredVersion {
            number: version.number,
            made_nanos: version.made.0,
            key: hex::encode(*version.key),
        };
        let key = |key: &Key| StoredKey {
            name: key.name.clone(),
            disabled: key.disabled,
            versions: key.versions.iter().map(version).collect(),
        };
        Stored { format: FORMAT, keys: self.keys.iter().map(key).collect() }
    }

    fn from_stored(stored: Stored, stamp: Stamp) -> Result<Self, &'static str> {
        if stored.format != FORMAT {
            return Err("it has a format of a later cofre");
        }
        let version = |version: &StoredVersion| {
            let mut key = Zeroizing::new([0; 32]);
            hex::decode_to_slice(&version.key, &mut *key).map_err(|_| "a key is not 32 bytes in hexadecimal")?;
            Ok(Version { number: version.number, made: Timestamp(version.made_nanos), key })
        };
        let key = |key: StoredKey| {
            let versions = key.versions.iter().map(version).collect::<Result<Vec<_>, &'static str>>()?;
            if !versions.is_sorted_by(|a, b| a.number < b.number) {
                return Err("the versions of a key are not in order");
            }
            Ok(Key { name: key.name, disabled: key.disabled, versions })
        };
        Ok(Self { keys: stored.keys.into_iter().map(key).collect::<Result<_, _>>()?, stamp })
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile").field("keys", &self.list()).finish_non_exhaustive()
    }
}

impl Version {
    fn random(number: u32, clock: &Clock, random: &Random) -> Self {
        Self { number, made: Timestamp(clock.now_nanos()), key: Zeroizing::new(random.bytes()) }
    }

    fn mark(&self, name: &str) -> KeyMark {
        let fingerprint = *derive(&*self.key, b"cofre encryption key", &[b"fingerprint"]);
        KeyMark { name: name.to_owned(), version: self.number, fingerprint }
    }
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { inode: metadata.ino(), changed: (metadata.ctime(), metadata.ctime_nsec()), size: metadata.len() }
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn unusable(path: &Path, reason: impl fmt::Display) -> KeyError {
    KeyError::File(format!("cannot use {}: {reason}", path.display()))
}
