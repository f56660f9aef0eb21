//! Retention: the oldest events go, and a mark tells how far.
//!
//! The mark moves in the batch that deletes, so a reader always sees both or neither.

use crate::{Cursor, EventLog, EventsError};
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{Batch, Revision, Scan, Snapshot, SnapshotExt, Visit, VisitStep, keys};
use cofre_types::Timestamp;
use std::time::Duration;

/// Most events that one commit deletes: a commit of some 30 KiB.
const TRIM_BATCH_EVENTS: usize = 1_000;

/// Most commits of one call.
const TRIM_BATCHES_MAX: usize = 10;

/// Where the mark stands.
const MARK_JOB: &str = "events-trim";

/// Format of the mark: this byte, then a cursor's nine.
const MARK_VERSION: u8 = 1;

/// How much of the log is kept. An event goes when either bound says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Most events.
    pub events_max: u64,
    /// Longest age.
    pub age_max: Duration,
}

/// What a call of [`EventLog::trim`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trimmed {
    /// Events that it deleted.
    pub events: usize,
    /// Whether there is more to delete; call again.
    pub more: bool,
}

impl EventLog {
    /// Deletes events beyond `retention`, as of `now`, the oldest first: at most ten thousand a call.
    /// It walks over `retention.events_max` events to count them, so call it every few minutes.
    ///
    /// # Errors
    /// [`EventsError::Conflict`] if another trim ran at the same time: try again.
    pub async fn trim(&self, retention: Retention, now: Timestamp) -> Result<Trimmed, EventsError> {
        let newest_surplus = self.newest_surplus(retention.events_max).await?;
        let age_max = u64::try_from(retention.age_max.as_nanos()).unwrap_or(u64::MAX);
        let too_old = Timestamp(now.0.saturating_sub(age_max));
        let mut trimmed = Trimmed { events: 0, more: true };
        for _ in 0..TRIM_BATCHES_MAX {
            let deleted = self.trim_batch(newest_surplus, too_old).await?;
            trimmed.events += deleted;
            if deleted < TRIM_BATCH_EVENTS {
                trimmed.more = false;
                break;
            }
        }
        Ok(trimmed)
    }

    /// The newest event that goes because there are too many.
    async fn newest_surplus(&self, events_max: u64) -> Result<Option<Cursor>, EventsError> {
        let counter = Skip { left: events_max, found: None };
        let range = Scan::prefix(&keys::events()).reversed();
        Ok(self.store.snapshot().await?.scan(range, counter).await?.found)
    }

    async fn trim_batch(&self, newest_surplus: Option<Cursor>, too_old: Timestamp) -> Result<usize, EventsError> {
        let snapshot = self.store.snapshot().await?;
        let mark_key = keys::job(MARK_JOB);
        let mark = snapshot.get(mark_key.clone()).await?;
        let doomed = Doomed { newest_surplus, too_old, keys: Vec::new() };
        let doomed = snapshot.scan(Scan::prefix(&keys::events()), doomed).await?.keys;
        let Some(last) = doomed.last().and_then(|key| Cursor::of_key(key)) else {
            return Ok(0);
        };
        let count = doomed.len();
        let mut batch = Batch::new();
        batch.unchanged(mark_key.clone(), mark.map(|entry| entry.revision));
        for key in doomed {
            batch.delete(key);
        }
        let mut value = vec![MARK_VERSION];
        value.extend_from_slice(&last.to_bytes());
        batch.put(mark_key, value);
        self.store.commit(batch).await?;
        Ok(count)
    }
}

/// The last event that was ever trimmed.
pub(crate) async fn mark(snapshot: &dyn Snapshot) -> Result<Option<Cursor>, EventsError> {
    let Some(entry) = snapshot.get(keys::job(MARK_JOB)).await? else {
        return Ok(None);
    };
    let cursor = match entry.value.split_first() {
        Some((&MARK_VERSION, bytes)) => Cursor::from_bytes(bytes),
        _ => None,
    };
    cursor.map(Some).ok_or_else(|| EventsError::Damaged("the mark of what was trimmed does not decode".to_owned()))
}

/// Walks backward over what is kept.
struct Skip {
    left: u64,
    found: Option<Cursor>,
}

impl Visit for Skip {
    fn visit(&mut self, key: &[u8], _: Revision, _: &[u8]) -> VisitStep {
        if self.left == 0 {
            self.found = Cursor::of_key(key);
            return VisitStep::Stop;
        }
        self.left -= 1;
        VisitStep::Continue
    }
}

/// Walks forward over what goes.
struct Doomed {
    newest_surplus: Option<Cursor>,
    too_old: Timestamp,
    keys: Vec<Vec<u8>>,
}

impl Visit for Doomed {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        let surplus = self.newest_surplus.zip(Cursor::of_key(key)).is_some_and(|(newest, this)| this <= newest);
        // An event that does not decode stays until the count takes it: age is not known.
        let goes = surplus || EventRecord::decode(value).is_ok_and(|event| event.at < self.too_old);
        if !goes || self.keys.len() == TRIM_BATCH_EVENTS {
            return VisitStep::Stop;
        }
        self.keys.push(key.to_vec());
        VisitStep::Continue
    }
}
