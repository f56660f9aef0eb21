//! What a catalog is, in the fewest lines: a map, and batches one after the other.

use super::Shown;
use cofre_catalog::{Batch, Check, Direction, Entry, Revision, Scan, Write};
use std::collections::BTreeMap;
use std::ops::RangeBounds;

#[derive(Clone, Default)]
pub struct Model {
    last: u64,
    records: BTreeMap<Vec<u8>, Entry>,
}

impl Model {
    pub const fn last(&self) -> Revision {
        Revision(self.last)
    }

    pub fn get(&self, key: &[u8]) -> Option<Entry> {
        self.records.get(key).cloned()
    }

    pub fn everything(&self) -> Shown {
        self.records.clone().into_iter().collect()
    }

    /// The revision of a batch, or the check that does not hold.
    pub fn commit(&mut self, batch: &Batch) -> Result<Revision, usize> {
        if let Some(failed) = batch.checks.iter().position(|check| !self.holds(check)) {
            return Err(failed);
        }
        self.last += 1;
        let revision = Revision(self.last);
        for write in &batch.writes {
            match write {
                Write::Put(key, value) => self.put(key.clone(), revision, value.clone()),
                Write::Delete(key) => _ = self.records.remove(key),
                Write::Add(key, deltas) => {
                    let old = self.row(key);
                    let sum = |at: usize| {
                        let sum = i128::from(old.get(at).copied().unwrap_or(0))
                            + i128::from(deltas.get(at).copied().unwrap_or(0));
                        i64::try_from(sum.clamp(i64::MIN.into(), i64::MAX.into())).expect("it was clamped")
                    };
                    let row = (0..old.len().max(deltas.len())).flat_map(|at| sum(at).to_le_bytes()).collect();
                    self.put(key.clone(), revision, row);
                }
                Write::Append { prefix, suffix, value } => {
                    let key = prefix.iter().copied().chain(self.last.to_be_bytes()).chain(suffix.iter().copied());
                    self.put(key.collect(), revision, value.clone());
                }
            }
        }
        Ok(revision)
    }

    /// What a visitor is shown that seeks so after each key.
    pub fn scan(&self, scan: &Scan, seeks: &[Option<Vec<u8>>]) -> Shown {
        let mut inside: Shown = self.everything();
        inside.retain(|(key, _)| (scan.from.clone(), scan.to.clone()).contains(key));
        if scan.direction == Direction::Reverse {
            inside.reverse();
        }
        let (mut shown, mut wanted) = (Shown::new(), None::<Vec<u8>>);
        for (key, mut entry) in inside {
            let skipped = wanted.as_ref().is_some_and(|wanted| match scan.direction {
                Direction::Forward => key < *wanted,
                Direction::Reverse => key > *wanted,
            });
            if skipped || shown.len() >= scan.keys_max.unwrap_or(usize::MAX) {
                continue;
            }
            wanted = seeks.get(shown.len()).cloned().flatten();
            if scan.keys_only {
                entry.value.clear();
            }
            shown.push((key, entry));
        }
        shown
    }

    fn put(&mut self, key: Vec<u8>, revision: Revision, value: Vec<u8>) {
        self.records.insert(key, Entry { revision, value });
    }

    fn row(&self, key: &[u8]) -> Vec<i64> {
        let value = self.get(key).map(|entry| entry.value).unwrap_or_default();
        value.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().expect("rows hold whole numbers"))).collect()
    }

    fn holds(&self, check: &Check) -> bool {
        match check {
            Check::At(key, revision) => self.get(key).is_some_and(|entry| entry.revision == *revision),
            Check::Absent(key) => !self.records.contains_key(key),
            Check::Present(key) => self.records.contains_key(key),
            Check::NoneWithPrefix(prefix) => !self.records.keys().any(|key| key.starts_with(prefix)),
            Check::CounterAtMost { key, index, adding, max } => {
                let held = self.row(key).get(*index).copied().unwrap_or(0);
                i128::from(held) + i128::from(*adding) <= i128::from(*max) || (*max == i64::MAX)
            }
        }
    }
}
