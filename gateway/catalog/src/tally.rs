//! Counters that the catalog itself keeps of what waits: each commit that makes or removes a record of a queue changes
//! the queue's row with it, so that nobody has to walk the queue to know how long it is, and no writer can forget it.
//!
//! A row is kept from when it stands in the catalog: who begins it counts what stands then.

use crate::evaluate::{Changes, Current, add};
use crate::keys::{self, family};
use crate::queue_keys::waiting_row;
use crate::records::{DoomedRecord, QueueTally, Record};
use crate::{Batch, Check, CommitError, ReadExt, Revision, Scan, Snapshot, Store, StoreError, Visit, VisitStep, Write};

/// Queues whose records are counted.
const COUNTED: [u8; 2] = [family::HEAL, family::DOOMED];

/// Counters of a row, those of a [`QueueTally`].
const COUNTERS: usize = 2;

/// Begins to count a queue, that of [`family::HEAL`] or of [`family::DOOMED`], if it is not counted yet. To be called
/// before others write to the queue: what stands is counted first.
///
/// # Errors
/// [`StoreError`] if the catalog cannot be read or written.
pub async fn begin_tally(store: &dyn Store, of: u8) -> Result<(), StoreError> {
    let key = keys::waiting(of);
    if store.get(key.clone()).await?.is_some() {
        return Ok(());
    }
    let tally = store.scan(Scan::prefix(&[of]), Count::default()).await?.0;
    let mut batch = Batch::new();
    batch.unchanged(key.clone(), None).add(key, tally.row());
    if tally == QueueTally::default() {
        // So nothing can come between, whoever else writes.
        batch.checks.push(Check::NoneWithPrefix(vec![of]));
    }
    match store.commit(batch).await {
        // Another began, or something came between: the next start sees.
        Ok(_) | Err(CommitError::Failed(_)) => Ok(()),
        Err(CommitError::Store(error)) => Err(error),
    }
}

/// What the counters of a queue say, and what its records come to, if these are not the same. A queue that is not counted
/// has nothing that could be wrong. It reads the whole queue.
///
/// # Errors
/// [`StoreError`] if the catalog cannot be read.
pub async fn compare_tally(snapshot: &dyn Snapshot, of: u8) -> Result<Option<[QueueTally; 2]>, StoreError> {
    let Some(row) = snapshot.get(keys::waiting(of)).await? else { return Ok(None) };
    let says = QueueTally::from_value(&row.value);
    let counted = snapshot.scan(Scan::prefix(&[of]), Count::default()).await?.0;
    Ok((says != counted).then_some([says, counted]))
}

/// Sums up the records that it is shown.
#[derive(Default)]
struct Count(QueueTally);

impl Visit for Count {
    fn visit(&mut self, key: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        let [records, weight] = weight(key, value);
        self.0.records += records;
        self.0.weight = self.0.weight.saturating_add(weight);
        VisitStep::Continue
    }
}

/// Whether records of the family of a key are counted.
fn is_counted(key: &[u8]) -> bool {
    key.first().is_some_and(|of| COUNTED.contains(of))
}

/// What a record counts for: 1, and of the heal queue whether the blob has nothing to spare, of doomed copies the bytes.
fn weight(key: &[u8], value: &[u8]) -> [i64; COUNTERS] {
    let second = match key.first() {
        Some(&family::HEAL) => i64::from(keys::heal_spares(key) == Some(0)),
        // One that cannot be read has no bytes, when it comes and when it goes.
        Some(&family::DOOMED) => {
            DoomedRecord::decode(value).map_or(0, |record| i64::try_from(record.size).unwrap_or(i64::MAX))
        }
        _ => 0,
    };
    [1, second]
}

/// Keys that counting what a write changes asks for.
pub(crate) fn wanted(write: &Write) -> impl Iterator<Item = &[u8]> {
    let (key, row) = match write {
        Write::Put(key, _) | Write::Delete(key) if is_counted(key) => (Some(&key[..]), waiting_row(key[0])),
        Write::Put(..) | Write::Delete(_) | Write::Add(..) | Write::Append { .. } => (None, None),
    };
    key.into_iter().chain(row)
}

/// Adds to the changes of a batch what they change of the rows.
pub(crate) fn count(current: &impl Current, changes: &mut Changes) -> Result<(), StoreError> {
    if !changes.keys().any(|key| is_counted(key)) {
        return Ok(());
    }
    for of in COUNTED {
        let mut deltas = [0_i64; COUNTERS];
        let mut sum = |weight: [i64; COUNTERS], sign: i64| {
            for (delta, weight) in deltas.iter_mut().zip(weight) {
                *delta = delta.saturating_add(weight.saturating_mul(sign));
            }
        };
        for (key, value) in changes.iter().filter(|(key, _)| key.first() == Some(&of)) {
            if let Some(entry) = current.get(key)? {
                sum(weight(key, &entry.value), -1);
            }
            if let Some(value) = value {
                sum(weight(key, value), 1);
            }
        }
        let key = keys::waiting(of);
        if deltas == [0; COUNTERS] || changes.contains_key(&key) {
            continue;
        }
        if let Some(row) = current.get(&key)? {
            changes.insert(key, Some(add(row.value, &deltas)));
        }
    }
    Ok(())
}
