use super::lock::DirectoryLock;
use super::options::EmbeddedOptions;
use super::read_only::Shadow;
use crate::group::Condition;
use crate::{Entry, KEY_BYTES_MAX, Revision, Scan, StoreError};
use fjall::config::{BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, LsmError, PersistMode, Readable, UserValue};
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// Key of the last group's place. It stands before every key that a batch may write.
pub(super) const PLACE_KEY: &[u8] = &[0];

/// Threads that write tables out and compact them: one of them always writes out first.
const WORKERS: usize = 2;

/// Bloom filter bits for each key; about 1 % of the looks for a missing key read a block in vain.
const FILTER_BITS: f32 = 10.0;

/// What to do about damage.
pub(super) const DO: &str = "restore a backup, or make a new catalog of what reads with `cofre catalog salvage`";

/// What it means that the engine takes no more writes.
pub(super) const POISONED: &str = "a table of its engine could not be written or merged, the log says why";

/// Most journal bytes before the engine is pressed to write out; its smallest value.
const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The open engine.
///
/// All keys share one keyspace. So each batch goes to one memtable and from there to one table, and
/// one journal is freed as soon as that one memtable is written out.
pub(super) struct Tree {
    pub(super) database: Database,
    pub(super) keyspace: Keyspace,
    pub(super) condition: Arc<Condition>,
    /// Where the engine stands, if that is not its own place.
    _shadow: Option<Shadow>,
    /// Let go last, after the engine has closed.
    _lock: DirectoryLock,
}

impl Tree {
    pub(super) fn open(
        directory: &Path,
        options: &EmbeddedOptions,
        lock: DirectoryLock,
        condition: Arc<Condition>,
    ) -> Result<Self, StoreError> {
        Self::open_with(directory, options, lock, condition, None)
    }

    /// Opens an engine that nothing is written to, in the shadow of another. It writes out and compacts nothing.
    pub(super) fn open_for_reading(
        directory: &Path,
        options: &EmbeddedOptions,
        lock: DirectoryLock,
        condition: Arc<Condition>,
        shadow: Shadow,
    ) -> Result<Self, StoreError> {
        Self::open_with(directory, options, lock, condition, Some(shadow))
    }

    fn open_with(
        directory: &Path,
        options: &EmbeddedOptions,
        lock: DirectoryLock,
        condition: Arc<Condition>,
        shadow: Option<Shadow>,
    ) -> Result<Self, StoreError> {
        let workers = if shadow.is_some() { 0 } else { WORKERS };
        let database = Database::builder(directory)
            .cache_size(options.block_bytes())
            .worker_threads_unchecked(workers)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            // The check of the journal before a start reads values as they are.
            .journal_compression(CompressionType::None)
            .manual_journal_persist(true)
            .open()
            .map_err(store_error)?;
        let filter = FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(FILTER_BITS));
        let create = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(options.memtable_bytes)
                .manual_journal_persist(true)
                .filter_policy(FilterPolicy::all(filter))
        };
        let keyspace = database.keyspace("catalog", create).map_err(store_error)?;
        Ok(Self { database, keyspace, condition, _shadow: shadow, _lock: lock })
    }

    /// Whether the engine takes no more writes: a table could not be written or merged. It says why only in the log.
    pub(super) fn is_poisoned(&self) -> bool {
        // Nothing waits in the engine's buffer: each group is synced.
        self.database.persist(PersistMode::Buffer).is_err()
    }

    /// What an error of a read means to a caller. Damage is noted.
    fn unreadable(&self, error: fjall::Error) -> StoreError {
        let passing = match &error {
            fjall::Error::Io(io) | fjall::Error::Storage(LsmError::Io(io)) => is_passing(io),
            _ => false,
        };
        let error = store_error(error);
        if !passing {
            self.condition.note_damage(&error.to_string());
        }
        error
    }
}

/// One consistent state of the engine. Fields are dropped in order: the snapshot before the tree.
pub(super) struct View {
    snapshot: fjall::Snapshot,
    pub(super) revision: Revision,
    tree: Arc<Tree>,
}

/// A value as it stands in the engine: its revision, then what was put.
pub(super) struct Stored(UserValue);

impl AsRef<[u8]> for Stored {
    fn as_ref(&self) -> &[u8] {
        self.0.get(size_of::<u64>()..).unwrap_or_default()
    }
}

impl View {
    /// The engine's newest state, which `revision` is the last commit of.
    pub(super) fn newest(tree: Arc<Tree>, revision: Revision) -> Self {
        Self { snapshot: tree.database.snapshot(), revision, tree }
    }

    /// The engine that it is a state of.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The value of a key. Reads from disk.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        // What no key can be is not there; the engine panics over one of 64 KiB.
        if matches!(key, [] | [0, ..]) || key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        let stored = self.snapshot.get(&self.tree.keyspace, key).map_err(|error| self.tree.unreadable(error))?;
        stored
            .map(|stored| {
                let (revision, stored) = split(stored)?;
                Ok(Entry { revision, value: stored.as_ref().to_vec() })
            })
            .transpose()
    }

    /// The keys of a range, in ascending order from the front. Reads from disk.
    pub(super) fn range(
        &self,
        range: &Scan,
    ) -> impl DoubleEndedIterator<Item = Result<(fjall::UserKey, Revision, Stored), StoreError>> + use<> {
        let (from, to) = range.bounds();
        let below_callers = match from {
            Bound::Included(from) | Bound::Excluded(from) => from <= PLACE_KEY,
            Bound::Unbounded => true,
        };
        let from = if below_callers { Bound::Excluded(PLACE_KEY) } else { from };
        let tree = Arc::clone(&self.tree);
        self.snapshot.range::<&[u8], _>(&self.tree.keyspace, (from, to)).map(move |item| {
            let (key, stored) = item.into_inner().map_err(|error| tree.unreadable(error))?;
            let (revision, stored) = split(stored)?;
            Ok((key, revision, stored))
        })
    }

    /// The value of the engine's own key.
    pub(super) fn place(&self) -> Result<Option<UserValue>, StoreError> {
        self.snapshot.get(&self.tree.keyspace, PLACE_KEY).map_err(store_error)
    }
}

/// What [`split`] undoes.
pub(super) fn join(revision: Revision, value: &[u8]) -> Vec<u8> {
    [&revision.0.to_be_bytes(), value].concat()
}

/// A value as it stands in the engine, in its two parts.
pub(super) fn parse(stored: &[u8]) -> Option<(Revision, &[u8])> {
    let (revision, value) = stored.split_first_chunk()?;
    Some((Revision(u64::from_be_bytes(*revision)), value))
}

fn split(stored: UserValue) -> Result<(Revision, Stored), StoreError> {
    match stored.first_chunk() {
        Some(revision) => Ok((Revision(u64::from_be_bytes(*revision)), Stored(stored))),
        None => Err(StoreError::Damaged("a value has no revision; restore a backup".to_owned())),
    }
}

/// What an error of the engine means to a caller.
pub(super) fn store_error(error: fjall::Error) -> StoreError {
    match &error {
        fjall::Error::Io(io) | fjall::Error::Storage(LsmError::Io(io)) if is_full(io) => StoreError::Full,
        fjall::Error::Io(io) | fjall::Error::Storage(LsmError::Io(io)) if is_cut(io) => {
            StoreError::Damaged(format!("a file ends too early: {io}; {DO}"))
        }
        fjall::Error::Poisoned => StoreError::Refused(POISONED.to_owned()),
        fjall::Error::Io(_) | fjall::Error::Storage(LsmError::Io(_)) => StoreError::Engine(error.to_string()),
        fjall::Error::JournalRecovery(_)
        | fjall::Error::Storage(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::InvalidTag(_)
        | fjall::Error::InvalidVersion(_)
        | fjall::Error::Decompress(_)
        | fjall::Error::Unrecoverable => StoreError::Damaged(format!("{error}; {DO}")),
        _ => StoreError::Engine(error.to_string()),
    }
}

/// Whether an error tells of this process or moment, and nothing of the disk.
fn is_passing(error: &std::io::Error) -> bool {
    let no_descriptors = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(|errno| errno.raw_os_error());
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::OutOfMemory)
        || error.raw_os_error().is_some_and(|errno| no_descriptors.contains(&errno))
}

/// Whether a file is not what it should be, rather than its disk.
fn is_cut(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
