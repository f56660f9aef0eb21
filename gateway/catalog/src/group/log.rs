//! The seam between the writer and what it stands on: the state before a group in, a durable group out.

use super::queue::Request;
use crate::evaluate::checked_keys;
use crate::tally;
use crate::{Check, Entry, Revision, StoreError, Write};
use std::collections::BTreeMap;

/// What a group of commits changes: each key once, as its last commit in the group left it.
pub(crate) type Group = BTreeMap<Vec<u8>, (Revision, Option<Vec<u8>>)>;

/// What the checks and counters of a group ask for. A base is asked for nothing else.
pub(crate) struct Wanted<'a>(pub(super) &'a [Request]);

#[cfg_attr(not(test), expect(dead_code, reason = "the journal reads when it is asked, and needs nothing told ahead"))]
impl<'a> Wanted<'a> {
    /// Keys whose values are asked for. One may come several times.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.0.iter().flat_map(|request| {
            let added = request.batch.writes.iter().filter_map(|write| match write {
                Write::Add(key, _) => Some(&key[..]),
                Write::Put(..) | Write::Delete(_) | Write::Append { .. } => None,
            });
            let counted = request.batch.writes.iter().flat_map(tally::wanted);
            checked_keys(&request.batch).map(Vec::as_slice).chain(added).chain(counted)
        })
    }

    /// Prefixes of which it is asked whether some key has them.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.0.iter().flat_map(|request| &request.batch.checks).filter_map(|check| match check {
            Check::NoneWithPrefix(prefix) => Some(&prefix[..]),
            Check::At(..) | Check::Absent(_) | Check::Present(_) | Check::CounterAtMost { .. } => None,
        })
    }
}

/// The durable state that a group is evaluated on. Nobody else changes it until the group is appended or the base is
/// dropped: with many processes it holds a lock.
pub(crate) trait Base: Send {
    /// The last commit in it. The first of the group is the next.
    fn revision(&self) -> Revision;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// Whether some key with this prefix has a value, but for those that are `hidden`.
    fn any_with_prefix(&self, prefix: &[u8], hidden: &dyn Fn(&[u8]) -> bool) -> Result<bool, StoreError>;
}

/// What became of a group that [`Log::append`] failed with.
#[cfg_attr(not(test), expect(dead_code, reason = "a journal on a local disk fails in one way"))]
#[derive(Debug)]
pub(crate) enum AppendError {
    /// A definite no: nothing of it is durable, and nothing ever comes to be. The next group may be tried.
    Refused(StoreError),
    /// It is durable or it is not, and the next [`Log::read`] sees which: a connection broke in the middle. The next
    /// group may be tried.
    Unknown(StoreError),
    /// It may be durable, or come to be later, and the log cannot tell. Nothing more is appended until the store is
    /// opened again: a file system that failed a sync may have dropped the pages and call the next sync a success
    /// (Rebello et al., "Can Applications Recover from fsync Failures?").
    Poisoned(StoreError),
}

/// Makes groups of commits durable, one after the other. It is called on a thread that may block, by one writer.
pub(crate) trait Log: Send + 'static {
    /// What a group is evaluated on.
    type Base: Base;

    /// Takes room for commits of so many bytes; those that `frees` may lead to more and take of the last.
    ///
    /// # Errors
    /// A definite no: nothing of these commits is written. [`StoreError::Full`] is tried again for those that free.
    fn take_room(&mut self, bytes: u64, frees: bool) -> Result<(), StoreError> {
        let _ = (bytes, frees);
        Ok(())
    }

    /// The newest durable state, with what a group asks for.
    ///
    /// # Errors
    /// A definite no for the whole group.
    fn read(&mut self, wanted: Wanted<'_>) -> Result<Self::Base, StoreError>;

    /// Makes a group durable, all or nothing, and then shows it to readers. Its last commit is `revision`.
    ///
    /// # Errors
    /// Each [`AppendError`] says what its callers are told, and how the writer goes on.
    fn append(&mut self, base: Self::Base, group: Group, revision: Revision) -> Result<(), AppendError>;

    /// Whether a commit that frees nothing would be taken now, so that what would fail is known before a commit does.
    /// Called at the start and about once a second.
    ///
    /// # Errors
    /// Why it would not.
    fn look(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Puts in order what may wait. Called about once a second, and at the end.
    ///
    /// # Errors
    /// Told once; it is tried again.
    fn settle(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
