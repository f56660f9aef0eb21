use super::tree::{Stored, View};
use crate::scan::{Item, walk};
use crate::store::VisitDyn;
use crate::{Direction, Entry, Revision, Scan, Snapshot, StoreError};
use async_trait::async_trait;
use cofre_runtime::blocking;
use std::sync::Arc;

/// A state of the embedded engine. A read takes one hop to a thread that may block.
pub(super) struct EmbeddedSnapshot(pub(super) Arc<View>);

type Items = Box<dyn Iterator<Item = Item<fjall::UserKey, Stored>>>;

#[async_trait]
impl Snapshot for EmbeddedSnapshot {
    fn revision(&self) -> Revision {
        self.0.revision
    }

    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let view = Arc::clone(&self.0);
        blocking(move || keys.iter().map(|key| view.get(key)).collect()).await
    }

    async fn scan_dyn(&self, range: Scan, mut visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        let view = Arc::clone(&self.0);
        blocking(move || {
            walk(range, &mut *visitor, |range| -> Items {
                match range.direction {
                    Direction::Forward => Box::new(view.range(range)),
                    Direction::Reverse => Box::new(view.range(range).rev()),
                }
            })?;
            Ok(visitor)
        })
        .await
    }
}
