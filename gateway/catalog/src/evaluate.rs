//! What a batch means: one reading of checks and writes for every engine.

use crate::tally;
use crate::{BATCH_BYTES_MAX, Batch, Check, CommitError, Entry, Failed, KEY_BYTES_MAX, Revision, StoreError, Write};
use std::collections::BTreeMap;

/// The state that a batch is held against.
pub(crate) trait Current {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// Whether some key with this prefix has a value.
    fn any_with_prefix(&self, prefix: &[u8]) -> Result<bool, StoreError>;
}

/// The outcome of a batch: each key that changes, with its value or `None` if it is removed.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Refuses what no engine takes, before it is queued.
pub(crate) fn admit(batch: &Batch) -> Result<(), StoreError> {
    let begins_with_zero = |write: &Write| match write {
        Write::Put(key, _) | Write::Delete(key) | Write::Add(key, _) | Write::Append { prefix: key, .. } => {
            key.first() == Some(&0)
        }
    };
    if batch.writes.iter().any(begins_with_zero) {
        return Err(StoreError::Unfit("a key begins with a zero byte; such keys belong to the engine".to_owned()));
    }
    let unfit = |bytes: &usize| !(1..=KEY_BYTES_MAX).contains(bytes);
    if let Some(bytes) = key_bytes(batch).find(unfit) {
        return Err(StoreError::Unfit(format!("a key has {bytes} bytes; it may have 1 to {KEY_BYTES_MAX}")));
    }
    let bytes = size(batch);
    if bytes > BATCH_BYTES_MAX {
        return Err(StoreError::Unfit(format!("a batch has {bytes} bytes; it may have {BATCH_BYTES_MAX}")));
    }
    Ok(())
}

/// Bytes of each key that a batch writes or checks. A prefix is no key.
fn key_bytes(batch: &Batch) -> impl Iterator<Item = usize> {
    let written = |write: &Write| match write {
        Write::Put(key, _) | Write::Delete(key) | Write::Add(key, _) => key.len(),
        Write::Append { prefix, suffix, .. } => prefix.len() + size_of::<u64>() + suffix.len(),
    };
    batch.writes.iter().map(written).chain(checked_keys(batch).map(Vec::len))
}

/// Keys whose values the checks of a batch ask for.
pub(crate) fn checked_keys(batch: &Batch) -> impl Iterator<Item = &Vec<u8>> {
    batch.checks.iter().filter_map(|check| match check {
        Check::At(key, _) | Check::Absent(key) | Check::Present(key) | Check::CounterAtMost { key, .. } => Some(key),
        Check::NoneWithPrefix(_) => None,
    })
}

/// Bytes of keys and values in a batch.
pub(crate) fn size(batch: &Batch) -> usize {
    let size = |write: &Write| match write {
        Write::Put(key, value) => key.len() + value.len(),
        Write::Delete(key) => key.len(),
        Write::Add(key, deltas) => key.len() + deltas.len() * size_of::<i64>(),
        Write::Append { prefix, suffix, value } => prefix.len() + size_of::<u64>() + suffix.len() + value.len(),
    };
    let checked = |check: &Check| match check {
        Check::At(key, _)
        | Check::Absent(key)
        | Check::Present(key)
        | Check::NoneWithPrefix(key)
        | Check::CounterAtMost { key, .. } => key.len(),
    };
    batch.writes.iter().map(size).sum::<usize>() + batch.checks.iter().map(checked).sum::<usize>()
}

/// Holds a batch's checks against `current`; if all hold, says what its writes come to.
pub(crate) fn evaluate(current: &impl Current, batch: Batch, revision: Revision) -> Result<Changes, CommitError> {
    for (index, check) in batch.checks.iter().enumerate() {
        if !holds(current, check)? {
            return Err(CommitError::Failed(Failed(index)));
        }
    }
    let mut changes = Changes::new();
    for write in batch.writes {
        match write {
            Write::Put(key, value) => changes.insert(key, Some(value)),
            Write::Delete(key) => changes.insert(key, None),
            Write::Add(key, deltas) => {
                let row = match changes.get(&key) {
                    Some(changed) => changed.clone(),
                    None => current.get(&key)?.map(|entry| entry.value),
                };
                let row = add(row.unwrap_or_default(), &deltas);
                changes.insert(key, Some(row))
            }
            Write::Append { prefix, suffix, value } => {
                changes.insert([&prefix[..], &revision.0.to_be_bytes(), &suffix].concat(), Some(value))
            }
        };
    }
    tally::count(current, &mut changes)?;
    Ok(changes)
}

fn holds(current: &impl Current, check: &Check) -> Result<bool, StoreError> {
    Ok(match check {
        Check::At(key, revision) => current.get(key)?.is_some_and(|entry| entry.revision == *revision),
        Check::Absent(key) => current.get(key)?.is_none(),
        Check::Present(key) => current.get(key)?.is_some(),
        Check::NoneWithPrefix(prefix) => !current.any_with_prefix(prefix)?,
        Check::CounterAtMost { key, index, adding, max } => {
            let row = current.get(key)?.map(|entry| entry.value).unwrap_or_default();
            counter(&row, *index).saturating_add(*adding) <= *max
        }
    })
}

fn counter(row: &[u8], index: usize) -> i64 {
    let at = index * size_of::<i64>();
    let bytes = row.get(at..at + size_of::<i64>()).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, i64::from_le_bytes)
}

/// Sums saturate, so that no bound is passed by an overflow.
pub(crate) fn add(mut row: Vec<u8>, deltas: &[i64]) -> Vec<u8> {
    row.resize(row.len().max(size_of_val(deltas)), 0);
    for (index, (delta, bytes)) in deltas.iter().zip(row.clone().chunks(size_of::<i64>())).enumerate() {
        let sum = counter(bytes, 0).saturating_add(*delta);
        let at = index * size_of::<i64>();
        row[at..at + size_of::<i64>()].copy_from_slice(&sum.to_le_bytes());
    }
    row
}
