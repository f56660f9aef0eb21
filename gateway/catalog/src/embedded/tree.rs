use super::lock::DirectoryLock;
use super::options::EmbeddedOptions;
use crate::{Entry, Revision, Scan, StoreError};
use fjall::config::{BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, LsmError, Readable, UserValue};
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::Path;

/// Key of the last group's place. It stands before every key that a batch may write.
pub(super) const PLACE_KEY: &[u8] = &[0];

/// Threads that write tables out and compact them: one of them always writes out first.
const WORKERS: usize = 2;

/// Bloom filter bits for each key; about 1 % of the looks for a missing key read a block in vain.
const FILTER_BITS: f32 = 10.0;

/// Most journal bytes before the engine is pressed to write out; its smallest value.
const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The open engine.
///
/// All keys share one keyspace. So each batch goes to one memtable and from there to one table, and
/// one journal is freed as soon as that one memtable is written out.
pub(super) struct Tree {
    pub(super) database: Database,
    pub(super) keyspace: Keyspace,
    /// Let go last, after the engine has closed.
    _lock: DirectoryLock,
}

impl Tree {
    pub(super) fn open(directory: &Path, options: &EmbeddedOptions, lock: DirectoryLock) -> Result<Self, StoreError> {
        let database = Database::builder(directory)
            .cache_size(options.block_bytes())
            .worker_threads(WORKERS)
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
        Ok(Self { database, keyspace, _lock: lock })
    }
}

/// One consistent state of the engine. Fields are dropped in order: the snapshot before the tree.
pub(super) struct View {
    snapshot: fjall::Snapshot,
    pub(super) revision: Revision,
    tree: std::sync::Arc<Tree>,
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
    pub(super) fn newest(tree: std::sync::Arc<Tree>, revision: Revision) -> Self {
        Self { snapshot: tree.database.snapshot(), revision, tree }
    }

    /// The value of a key. Reads from disk.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        if matches!(key, [] | [0, ..]) {
            return Ok(None);
        }
        let stored = self.snapshot.get(&self.tree.keyspace, key).map_err(store_error)?;
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
        self.snapshot.range::<&[u8], _>(&self.tree.keyspace, (from, to)).map(|item| {
            let (key, stored) = item.into_inner().map_err(store_error)?;
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
        fjall::Error::Io(_) | fjall::Error::Storage(LsmError::Io(_)) | fjall::Error::Poisoned => {
            StoreError::Engine(error.to_string())
        }
        fjall::Error::JournalRecovery(_)
        | fjall::Error::Storage(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::InvalidTag(_)
        | fjall::Error::InvalidVersion(_)
        | fjall::Error::Decompress(_)
        | fjall::Error::Unrecoverable => StoreError::Damaged(format!("{error}; restore a backup")),
        _ => StoreError::Engine(error.to_string()),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
