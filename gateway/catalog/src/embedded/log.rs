//! The seam inside the engine: one group of commits in, one durable place out.

use super::mark::DurableMark;
use super::place::Place;
use super::tree::{PLACE_KEY, Tree, join, store_error};
use crate::{Revision, StoreError};
use fjall::PersistMode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a group of commits changes: each key once, as its last commit in the group left it.
pub(super) type Group = BTreeMap<Vec<u8>, (Revision, Option<Vec<u8>>)>;

/// Makes groups of commits durable, one after the other.
pub(super) trait CommitLog: Send + 'static {
    /// Makes a group durable and readable, all or nothing, and returns its place.
    ///
    /// After an error the group may or may not be durable, so nothing more may be appended until the
    /// catalog is opened again: a file system that failed a sync may have dropped the pages and call
    /// the next sync a success (Rebello et al., "Can Applications Recover from fsync Failures?").
    fn append(&mut self, group: &Group, revision: Revision) -> Result<Place, StoreError>;

    /// Called about once a second, and at the end.
    fn settle(&mut self) -> Result<(), StoreError>;
}

/// Writes groups to the engine's journal.
pub(super) struct JournalLog {
    tree: Arc<Tree>,
    mark: DurableMark,
    place: Place,
}

impl JournalLog {
    pub(super) const fn new(tree: Arc<Tree>, mark: DurableMark, place: Place) -> Self {
        Self { tree, mark, place }
    }
}

impl CommitLog for JournalLog {
    fn append(&mut self, group: &Group, revision: Revision) -> Result<Place, StoreError> {
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
        Ok(place)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.mark.sync().map_err(|error| StoreError::Engine(format!("the durable mark could not be synced: {error}")))
    }
}
