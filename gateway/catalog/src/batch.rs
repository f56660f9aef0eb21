//! What a commit is made of.

/// Longest key, in bytes. The shortest has one.
///
/// An index of PostgreSQL takes no row above a third of its page of 8 KiB, 2,704 bytes. The longest key is that of an
/// upload at an object key of 1,024 NUL bytes: 2,075.
pub const KEY_BYTES_MAX: usize = 2_600;

/// Most bytes of keys and values in one batch.
pub const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Place of a commit in the order of commits. The first commit has 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Revision(pub u64);

/// A value and the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The commit that wrote the value; what a [`Check::At`] holds.
    pub revision: Revision,
    /// The value.
    pub value: Vec<u8>,
}

/// A condition that must hold at the moment of the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The key's value is still the one that was written at this revision.
    At(Vec<u8>, Revision),
    /// The key has no value.
    Absent(Vec<u8>),
    /// The key has a value, whichever.
    Present(Vec<u8>),
    /// No key with this prefix has a value: an empty bucket, say.
    NoneWithPrefix(Vec<u8>),
    /// A counter, plus `adding`, is at most `max` (see [`Write::Add`]); a missing counter is zero.
    CounterAtMost {
        /// The counters' key.
        key: Vec<u8>,
        /// Which of its counters.
        index: usize,
        /// What the caller is about to add.
        adding: i64,
        /// The bound, inclusive.
        max: i64,
    },
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a value.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key; nothing happens if it has no value.
    Delete(Vec<u8>),
    /// Adds to a row of counters without reading it first, so that commits to one bucket do not
    /// conflict. The value is `deltas.len()` signed 64-bit little-endian numbers; a missing or
    /// shorter row counts as zeroes, and a longer one keeps its further counters. Sums saturate.
    Add(Vec<u8>, Vec<i64>),
    /// Sets `prefix ++ revision (8 bytes, big-endian) ++ suffix`: a log in commit order.
    Append {
        /// What stands before the revision.
        prefix: Vec<u8>,
        /// What stands behind it; tells entries of one batch apart.
        suffix: Vec<u8>,
        /// The value.
        value: Vec<u8>,
    },
}

/// Checks and writes that happen together or not at all.
///
/// Writes apply in order: a later write of one batch to the same key wins. Checks see the state
/// before the batch. Keys have 1 to [`KEY_BYTES_MAX`] bytes, the first of which is not zero; keys and
/// values of a batch have at most [`BATCH_BYTES_MAX`] together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Conditions, all of which must hold.
    pub checks: Vec<Check>,
    /// Changes, in order.
    pub writes: Vec<Write>,
    /// Whether it leads to room on disk: deletions, and what gives their space back. Such a batch may still be
    /// written when the disk is too full for others, else nobody could make room. Not stored.
    pub frees: bool,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check that `key` is as it was read: at its revision, or absent.
    pub fn unchanged(&mut self, key: Vec<u8>, read: Option<Revision>) -> &mut Self {
        self.checks.push(match read {
            Some(revision) => Check::At(key, revision),
            None => Check::Absent(key),
        });
        self
    }

    /// Adds a write that sets `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> &mut Self {
        self.writes.push(Write::Put(key, value));
        self
    }

    /// Adds a write that removes `key`.
    pub fn delete(&mut self, key: Vec<u8>) -> &mut Self {
        self.writes.push(Write::Delete(key));
        self
    }

    /// Adds to a row of counters.
    pub fn add(&mut self, key: Vec<u8>, deltas: Vec<i64>) -> &mut Self {
        self.writes.push(Write::Add(key, deltas));
        self
    }
}
