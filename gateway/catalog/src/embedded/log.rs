//! What the group writer stands on here: the engine's journal.

use super::Shared;
use super::mark::DurableMark;
use super::place::Place;
use super::space::Space;
use super::tree::{PLACE_KEY, POISONED, Tree, View, join, store_error};
use crate::group::{AppendError, Base, Condition, Group, Log, Wanted};
use crate::{Entry, Revision, Scan, StoreError};
use fjall::PersistMode;
use std::sync::Arc;

/// The engine's journal, with the mark beside it.
pub(super) struct Journal {
    tree: Arc<Tree>,
    mark: DurableMark,
    place: Place,
}

impl Journal {
    pub(super) const fn new(tree: Arc<Tree>, mark: DurableMark, place: Place) -> Self {
        Self { tree, mark, place }
    }

    /// Makes a group durable, all or nothing. After an error nothing more may be written.
    pub(super) fn write(&mut self, group: &Group, revision: Revision) -> Result<(), StoreError> {
        let place = Place { group: self.place.group + 1, revision: revision.0 };
        let keyspace = &self.tree.keyspace;
        let mut batch = self.tree.database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(keyspace, PLACE_KEY, &place.encode(self.mark.catalog())[..]);
        for (key, (revision, value)) in group {
            match value {
                Some(value) => batch.insert(keyspace, &key[..], join(*revision, value)),
                None => batch.remove(keyspace, &key[..]),
            }
        }
        batch.commit().map_err(store_error)?;
        self.place = place;
        // The commit is durable; a mark that lags only shows less, so its failure fails nothing.
        if let Err(error) = self.mark.advance(place) {
            tracing::warn!(%error, "the catalog's durable mark could not be written");
        }
        Ok(())
    }

    /// Makes sure that the mark is on disk.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        self.mark.sync().map_err(|error| StoreError::Engine(format!("the durable mark could not be synced: {error}")))
    }

    const fn revision(&self) -> Revision {
        Revision(self.place.revision)
    }
}

/// Writes groups to the engine's journal, and shows them to the engine's readers.
pub(super) struct JournalLog {
    journal: Journal,
    shared: Arc<Shared>,
    space: Space,
    condition: Arc<Condition>,
}

impl JournalLog {
    pub(super) const fn new(journal: Journal, shared: Arc<Shared>, space: Space, condition: Arc<Condition>) -> Self {
        Self { journal, shared, space, condition }
    }
}

#[cfg(test)]
impl JournalLog {
    /// Makes a group durable, and does not show it.
    pub(super) fn write_only(&mut self, group: &Group, revision: Revision) -> Result<(), AppendError> {
        self.journal.write(group, revision).map_err(AppendError::Poisoned)
    }
}

/// The newest state, read when it is asked for: a read from memory or from the local disk is no round trip.
pub(super) struct JournalBase {
    view: View,
    shared: Arc<Shared>,
}

impl Base for JournalBase {
    fn revision(&self) -> Revision {
        self.view.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        // Only the writer, who asks here, changes what stands in either.
        self.shared.recent.get(key).map_or_else(|| self.view.get(key), Ok)
    }

    fn any_with_prefix(&self, prefix: &[u8], hidden: &dyn Fn(&[u8]) -> bool) -> Result<bool, StoreError> {
        for item in self.view.range(&Scan::prefix(prefix)) {
            let (key, _, _) = item?;
            if !hidden(&key) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Log for JournalLog {
    type Base = JournalBase;

    fn take_room(&mut self, bytes: u64, frees: bool) -> Result<(), StoreError> {
        self.space.take(bytes, frees)
    }

    fn read(&mut self, _: Wanted<'_>) -> Result<JournalBase, StoreError> {
        let view = View::newest(Arc::clone(&self.journal.tree), self.journal.revision());
        Ok(JournalBase { view, shared: Arc::clone(&self.shared) })
    }

    fn append(&mut self, base: JournalBase, group: Group, revision: Revision) -> Result<(), AppendError> {
        drop(base);
        // The group may stand whole in the journal, or come to when the engine closes and writes out what it holds,
        // whatever the error says: nothing is sure from here on.
        self.journal.write(&group, revision).map_err(AppendError::Poisoned)?;
        let view = View::newest(Arc::clone(&self.journal.tree), revision);
        self.shared.recent.turn(group, || self.shared.publish(view));
        Ok(())
    }

    fn look(&mut self) -> Result<(), StoreError> {
        if self.condition.broken().is_none() && self.journal.tree.is_poisoned() {
            self.condition.break_off(POISONED);
        }
        self.space.check()
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.journal.settle()
    }
}
