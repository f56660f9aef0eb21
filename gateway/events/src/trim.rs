//! Retention: the oldest events go, those of accounts and the others each by a bound of their own, and a mark tells how
//! far.
//!
//! The mark moves in the batch that deletes, so a reader always sees both or neither.

use crate::EventLog;
use crate::cursor::Cursor;
use crate::error::EventsError;
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{Batch, ReadExt, Revision, Scan, Snapshot, Visit, VisitStep, keys};
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

/// How much of the log is kept. An event goes when a bound says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Most events of what accounts did ([`is_of_account`]).
    pub of_accounts_max: u64,
    /// Most other events: of operators and of Cofre itself.
    pub others_max: u64,
    /// Longest age.
    pub age_max: Duration,
}

/// Whether an event tells of what an account did, or nobody that is known, or of what came of that: there may be any
/// number of them. They have a bound of their own, so that they push no others out.
pub fn is_of_account(event: &EventRecord) -> bool {
    let by_account = ["account:", "anonymous", "service:"].iter().any(|actor| event.actor.starts_with(actor));
    by_account || event.kind.starts_with("access_log.")
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
    /// Deletes events beyond `retention`, as of `now`, the oldest first: at most ten thousand a call. It walks over what is
    /// kept to count it, so call it every minute or so.
    ///
    /// # Errors
    /// [`EventsError::Conflict`] if another trim ran at the same time: try again.
    pub async fn trim(&self, retention: Retention, now: Timestamp) -> Result<Trimmed, EventsError> {
        let left = [retention.of_accounts_max, retention.others_max];
        let range = Scan::prefix(&keys::events()).reversed();
        let surplus = self.store.scan(range, Skip { left, surplus: [None, None] }).await?.surplus;
        let age_max = u64::try_from(retention.age_max.as_nanos()).unwrap_or(u64::MAX);
        let too_old = Timestamp(now.0.saturating_sub(age_max));
        let mut trimmed = Trimmed { events: 0, more: true };
        let mut after = None;
        for _ in 0..TRIM_BATCHES_MAX {
            let deleted = self.trim_batch(surplus, too_old, &mut after).await?;
            trimmed.events += deleted;
            if deleted < TRIM_BATCH_EVENTS {
                trimmed.more = false;
                break;
            }
        }
        Ok(trimmed)
    }

    /// Deletes some events after a key, and moves the key to the last of them.
    async fn trim_batch(
        &self,
        surplus: [Option<Cursor>; 2],
        too_old: Timestamp,
        after: &mut Option<Vec<u8>>,
    ) -> Result<usize, EventsError> {
        let snapshot = self.store.snapshot().await?;
        let mark_key = keys::job(MARK_JOB);
        let entry = snapshot.get(mark_key.clone()).await?;
        let before = mark(snapshot.as_ref()).await?;
        let mut scan = Scan::prefix(&keys::events());
        if let Some(after) = after.take() {
            scan = scan.after(after);
        }
        let doomed = snapshot.scan(scan, Doomed { surplus, too_old, keys: Vec::new() }).await?.keys;
        *after = doomed.last().cloned();
        let Some(last) = doomed.last().and_then(|key| Cursor::of_key(key)) else {
            return Ok(0);
        };
        let count = doomed.len();
        let mut batch = Batch::new();
        batch.unchanged(mark_key.clone(), entry.map(|entry| entry.revision));
        for key in doomed {
            batch.delete(key);
        }
        let mut value = vec![MARK_VERSION];
        value.extend_from_slice(&before.map_or(last, |before| before.max(last)).to_bytes());
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

/// Which bound an event is under: that of accounts, or that of others. One that does not decode is under the second.
fn class(value: &[u8]) -> (usize, Option<EventRecord>) {
    let event = EventRecord::decode(value).ok();
    (usize::from(!event.as_ref().is_some_and(is_of_account)), event)
}

/// Walks backward over what is kept, and finds the newest event of each class that is too many.
struct Skip {
    left: [u64; 2],
    surplus: [Option<Cursor>; 2],
}

impl Visit for Skip {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        let (class, _) = class(value);
        match self.left[class].checked_sub(1) {
            Some(left) => self.left[class] = left,
            None if self.surplus[class].is_none() => self.surplus[class] = Cursor::of_key(key),
            None => {}
        }
        if self.surplus.iter().all(Option::is_some) { VisitStep::Stop } else { VisitStep::Continue }
    }
}

/// Walks forward over what goes.
struct Doomed {
    surplus: [Option<Cursor>; 2],
    too_old: Timestamp,
    keys: Vec<Vec<u8>>,
}

impl Visit for Doomed {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        if self.keys.len() == TRIM_BATCH_EVENTS {
            return VisitStep::Stop;
        }
        let (class, event) = class(value);
        let up_to =
            |surplus: Option<Cursor>| surplus.zip(Cursor::of_key(key)).is_some_and(|(newest, this)| this <= newest);
        // An event that does not decode stays until the count takes it: age is not known.
        if up_to(self.surplus[class]) || event.is_some_and(|event| event.at < self.too_old) {
            self.keys.push(key.to_vec());
        } else if !self.surplus.iter().any(|surplus| up_to(*surplus)) {
            return VisitStep::Stop;
        }
        VisitStep::Continue
    }
}
