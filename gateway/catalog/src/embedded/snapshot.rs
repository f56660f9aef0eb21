use super::tree::{Stored, View};
use crate::walk::{Item, walk};
use crate::{Direction, Entry, Read, Revision, Scan, Snapshot, StoreError, VisitDyn};
use async_trait::async_trait;
use cofre_runtime::blocking;
use std::sync::Arc;

/// A state of the embedded engine. A read takes one hop to a thread that may block.
pub(super) struct EmbeddedSnapshot(pub(super) Arc<View>);

type Items = Box<dyn Iterator<Item = Item<fjall::UserKey, Stored>>>;

impl View {
    /// Walks a range and gives the visitor back. Reads from disk.
    pub(super) fn walk(&self, range: Scan, mut visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        walk(range, &mut *visitor, |range| -> Items {
            match range.direction {
                Direction::Forward => Box::new(self.range(range)),
                Direction::Reverse => Box::new(self.range(range).rev()),
            }
        })?;
        Ok(visitor)
    }
}

#[async_trait]
impl Read for EmbeddedSnapshot {
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let view = Arc::clone(&self.0);
        blocking(move || keys.iter().map(|key| view.get(key)).collect()).await
    }

    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        let view = Arc::clone(&self.0);
        blocking(move || view.walk(range, visitor)).await
    }
}

#[async_trait]
impl Snapshot for EmbeddedSnapshot {
    fn revision(&self) -> Revision {
        self.0.revision
    }
}
