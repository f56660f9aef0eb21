use crate::EventLog;
use crate::error::EventsError;
use cofre_catalog::Batch;
use cofre_catalog::records::{EventRecord, Record};

/// Largest event that [`EventLog::record`] takes, in encoded bytes.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;

impl EventLog {
    /// Appends an event that no other change comes with: a start, a shard that was found missing.
    /// Returns once it is durable. A change of the catalog puts its event in its own batch instead.
    ///
    /// # Errors
    /// [`EventsError::Invalid`] if it has no kind or more than [`EVENT_BYTES_MAX`] bytes.
    pub async fn record(&self, event: &EventRecord) -> Result<(), EventsError> {
        if event.kind.is_empty() {
            return Err(EventsError::Invalid { field: "kind", reason: "must not be empty" });
        }
        if event.encode().len() > EVENT_BYTES_MAX {
            return Err(EventsError::Invalid { field: "event", reason: "must have at most 65,536 bytes" });
        }
        let mut batch = Batch::new();
        batch.writes.push(event.append(0));
        self.store.commit(batch).await?;
        Ok(())
    }
}
