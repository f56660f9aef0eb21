//! The engine of a catalog as the admin API sees it.

use async_trait::async_trait;
use cofre_admin_server::{BackupProgress, Catalog, CatalogError, CatalogFigures};
use cofre_catalog::StoreState;
use cofre_catalog::records::EventRecord;
use cofre_events::EventLog;
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// A catalog engine that breaks when told to.
pub struct Engine {
    events: EventLog,
    clock: Clock,
    pub broken: Mutex<Option<String>>,
    pub state: Mutex<StoreState>,
    /// Whether its disk never answers.
    pub hangs: Mutex<bool>,
}

impl Engine {
    /// One that is whole.
    pub fn new(events: EventLog, clock: Clock) -> Self {
        Self { events, clock, broken: Mutex::default(), state: Mutex::default(), hangs: Mutex::default() }
    }

    async fn answer(&self) {
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
    }

    fn whole(&self) -> Result<(), CatalogError> {
        self.broken.lock().unwrap().clone().map_or(Ok(()), |reason| Err(CatalogError::Failed(reason)))
    }
}

#[async_trait]
impl Catalog for Engine {
    fn figures(&self) -> CatalogFigures {
        CatalogFigures { commits: 3, ..CatalogFigures::default() }
    }

    fn state(&self) -> StoreState {
        self.state.lock().unwrap().clone()
    }

    async fn disk_bytes(&self) -> Option<u64> {
        self.answer().await;
        Some(4096)
    }

    async fn check(&self) -> Result<(), CatalogError> {
        self.answer().await;
        self.whole()
    }

    async fn backup(&self, _: &Path, progress: Arc<BackupProgress>) -> Result<(), CatalogError> {
        progress.total_bytes.store(100, Ordering::Relaxed);
        progress.done_bytes.store(100, Ordering::Relaxed);
        self.whole()
    }

    async fn record_event(
        &self,
        kind: &str,
        subject: &str,
        actor: &str,
        details: Vec<(String, String)>,
    ) -> Result<(), CatalogError> {
        let event = EventRecord {
            at: Timestamp(self.clock.now_nanos()),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            actor: actor.to_owned(),
            details,
        };
        self.events.record(&event).await.map_err(|error| CatalogError::Failed(error.to_string()))
    }
}
