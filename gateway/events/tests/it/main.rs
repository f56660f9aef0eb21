//! The event log through its public face, over the memory engine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cursor;
mod page;
mod tail;
mod trim;

use cofre_catalog::records::EventRecord;
use cofre_catalog::{Batch, Memory, Store};
use cofre_events::{Cursor, EventLog, EventPage, Order, PageRequest};
use cofre_types::Timestamp;
use std::sync::Arc;

struct Bench {
    store: Arc<dyn Store>,
    log: EventLog,
}

impl Bench {
    fn new() -> Self {
        Self::over(Arc::new(Memory::new()))
    }

    fn over(store: Arc<dyn Store>) -> Self {
        Self { log: EventLog::new(Arc::clone(&store)), store }
    }

    async fn record(&self, kind: &str, subject: impl ToString) {
        self.log.record(&event(kind, subject)).await.unwrap();
    }

    async fn commit(&self, events: &[EventRecord]) {
        let mut batch = Batch::new();
        batch.writes.extend(events.iter().zip(0..).map(|(event, index)| event.append(index)));
        self.store.commit(batch).await.unwrap();
    }

    async fn page(&self, after: Option<Cursor>, order: Order, limit: usize, kind_prefix: &str) -> EventPage {
        let request = PageRequest { after, order, limit, kind_prefix: kind_prefix.to_owned() };
        self.log.page(request).await.unwrap()
    }
}

fn event(kind: &str, subject: impl ToString) -> EventRecord {
    EventRecord {
        at: Timestamp::from_secs(1_000),
        kind: kind.to_owned(),
        subject: subject.to_string(),
        actor: "test".to_owned(),
        details: Vec::new(),
    }
}

fn subjects(page: &EventPage) -> Vec<String> {
    page.events.iter().map(|event| event.record.subject.clone()).collect()
}
