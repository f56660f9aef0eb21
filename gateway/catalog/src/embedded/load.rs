use super::log::Journal;
use super::open::{Opened, recover};
use super::options::EmbeddedOptions;
use super::place::Place;
use crate::group::{Condition, Group};
use crate::{Entry, Revision, StoreError};
use cofre_runtime::Clock;
use std::path::Path;
use std::sync::Arc;

/// Fills a new catalog with records that keep their revisions.
pub(crate) struct Loader {
    journal: Journal,
    revision: Revision,
}

impl Loader {
    /// Makes a catalog in a directory whose last commit is `revision`.
    pub(crate) fn begin(path: &Path, options: &EmbeddedOptions, revision: Revision) -> Result<Self, StoreError> {
        let Opened { tree, mark, place } = recover(path, options, &Arc::new(Condition::new(Clock::system())))?;
        if place != Place::default() {
            return Err(StoreError::Engine(format!("{} holds a catalog already", path.display())));
        }
        Ok(Self { journal: Journal::new(Arc::new(tree), mark, place), revision })
    }

    /// Makes some records durable.
    pub(crate) fn load(&mut self, records: Vec<(Vec<u8>, Entry)>) -> Result<(), StoreError> {
        let group = records.into_iter().map(|(key, entry)| (key, (entry.revision, Some(entry.value))));
        self.journal.write(&group.collect(), self.revision)?;
        Ok(())
    }

    /// Closes the catalog, which goes on from its revision, even if it holds no record.
    pub(crate) fn finish(mut self) -> Result<(), StoreError> {
        self.journal.write(&Group::new(), self.revision)?;
        self.journal.settle()
    }
}
