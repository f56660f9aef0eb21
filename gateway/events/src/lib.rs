//! The event log: every change of state and every admin action, in the order of their commits.
//!
//! # Ordering
//! An event stands at the revision of the commit that made it, and commits have a total order. A
//! reader pages over snapshots, and a snapshot sees every commit up to one revision: so whoever
//! continues after the last event it has seen misses none, however many writers there are.
//!
//! # Crash recovery
//! An event is committed in the batch of its change, so after a crash both are there or neither is.
//!
//! # Limits
//! [`EventLog::trim`] bounds the log by count and age. What accounts do has a bound of its own, so that it pushes no event
//! of operators out. The newest event that was trimmed is remembered as a mark, so that a reader whose cursor is older is
//! told of a gap and never skips silently. A page has at most
//! [`PAGE_EVENTS_MAX`] events and looks at no more than [`PAGE_LOOKED_AT_MAX`].

mod cursor;
mod error;
mod page;
mod record;
mod tail;
mod trim;

pub use cursor::Cursor;
pub use error::EventsError;
pub use page::{Event, EventPage, Order, PAGE_EVENTS_MAX, PAGE_LOOKED_AT_MAX, PageRequest};
pub use record::EVENT_BYTES_MAX;
pub use tail::Tailed;
pub use trim::{Retention, Trimmed, is_of_account};

use cofre_catalog::Store;
use std::sync::Arc;

/// The event log of a catalog. Cloning is cheap.
#[derive(Clone)]
pub struct EventLog {
    store: Arc<dyn Store>,
}

impl EventLog {
    /// The log in a catalog.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The place behind the last event: what to tail after to hear only of what is to come.
    ///
    /// # Errors
    /// [`EventsError::Store`] if the catalog cannot be read.
    pub async fn end(&self) -> Result<Cursor, EventsError> {
        Ok(Cursor::behind(self.store.snapshot().await?.revision()))
    }
}
