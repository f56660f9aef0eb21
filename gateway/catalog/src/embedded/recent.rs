//! Records that were asked for lately, held in memory so that asking again takes no hop to a thread
//! that may block: on a small machine the hop, there and back, costs more than the read.
//!
//! # Invariants
//! - What it answers is what a read of the newest view would have found at that moment, for all keys
//!   of the question alike.
//! - It holds a key only as long as it is told of every change to it. A record that is being read in
//!   while it changes is not kept.
//!
//! # Limits
//! Its bytes are bounded; what is used least makes room.

use super::Shared;
use crate::group::Group;
use crate::{Entry, StoreError};
use quick_cache::sync::{Cache, GuardResult};
use quick_cache::{DefaultHashBuilder, Weighter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bytes that the cache itself takes for a record, about.
const OVERHEAD_BYTES: u64 = 128;

/// Bytes of a record with its key, about: for the size of the tables.
const RECORD_BYTES_USUAL: u64 = 512;

/// What a key holds: nothing, or an entry.
type Found = Option<Entry>;

#[derive(Clone)]
struct Bytes;

impl Weighter<Vec<u8>, Found> for Bytes {
    fn weight(&self, key: &Vec<u8>, found: &Found) -> u64 {
        let value = found.as_ref().map_or(0, |entry| entry.value.len());
        OVERHEAD_BYTES + (key.len() + value) as u64
    }
}

/// Records asked for lately.
pub(super) struct Recent {
    records: Cache<Vec<u8>, Found, Bytes, DefaultHashBuilder>,
    /// Odd while a new view is being shown; otherwise twice the views that were.
    turns: AtomicU64,
}

impl Recent {
    pub(super) fn new(bytes_max: u64) -> Self {
        let usual = usize::try_from(bytes_max / RECORD_BYTES_USUAL).unwrap_or(usize::MAX);
        Self { records: Cache::with_weighter(usual, bytes_max, Bytes), turns: AtomicU64::new(0) }
    }

    /// The records of some keys, if all are here and none changed meanwhile.
    pub(super) fn get_many(&self, keys: &[Vec<u8>]) -> Option<Vec<Found>> {
        let turn = self.turns.load(Ordering::SeqCst);
        if turn % 2 == 1 {
            return None;
        }
        let found = keys.iter().map(|key| self.records.get(key)).collect::<Option<Vec<_>>>()?;
        (self.turns.load(Ordering::SeqCst) == turn).then_some(found)
    }

    /// A record, if it is here. Only for the writer: for others it may change meanwhile.
    pub(super) fn get(&self, key: &[u8]) -> Option<Found> {
        self.records.get(key)
    }

    /// Reads records from the newest view and keeps them. Reads from disk.
    pub(super) fn read(shared: &Shared, keys: &[Vec<u8>]) -> Result<Vec<Found>, StoreError> {
        let records = &shared.recent.records;
        // Places are taken before the view is: a change that the view has not yet frees them.
        let places: Vec<_> = keys.iter().map(|key| records.get_value_or_guard(key, Some(Duration::ZERO))).collect();
        let view = shared.newest()?;
        let fill = |(key, place): (&Vec<u8>, _)| {
            let found = view.get(key)?;
            if let GuardResult::Guard(place) = place {
                // It fails if the record changed meanwhile, and is not kept then.
                let _ = place.insert(found.clone());
            }
            Ok(found)
        };
        keys.iter().zip(places).map(fill).collect()
    }

    /// Shows a new view, by `publish`, and takes over what the group changed.
    pub(super) fn turn(&self, group: Group, publish: impl FnOnce()) {
        self.turns.fetch_add(1, Ordering::SeqCst);
        publish();
        for (key, (revision, value)) in group {
            if self.records.contains_key(&key) {
                self.records.insert(key, value.map(|value| Entry { revision, value }));
            } else {
                // Someone may be reading it in.
                self.records.remove(&key);
            }
        }
        self.turns.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision;

    fn entry(revision: u64) -> Found {
        Some(Entry { revision: Revision(revision), value: vec![1] })
    }

    #[test]
    fn what_changes_while_it_is_read_in_is_not_kept_as_it_was() {
        for changed in [Some(vec![1]), None] {
            let recent = Recent::new(1 << 20);
            let key = b"k".to_vec();
            let GuardResult::Guard(place) = recent.records.get_value_or_guard(&key, Some(Duration::ZERO)) else {
                panic!("nothing is there yet");
            };
            recent.turn(Group::from([(key.clone(), (Revision(2), changed))]), || {});
            // What the reader found in the view before.
            let _ = place.insert(entry(1));
            assert_eq!(recent.get_many(&[key]), None);
        }
    }

    #[test]
    fn what_is_kept_follows_its_changes() {
        let recent = Recent::new(1 << 20);
        let key = b"k".to_vec();
        let keys = [key.clone()];
        recent.records.insert(key.clone(), entry(1));
        assert_eq!(recent.get_many(&keys), Some(vec![entry(1)]));
        recent.turn(Group::from([(key.clone(), (Revision(2), Some(vec![1])))]), || {
            assert_eq!(recent.get_many(&keys), None, "neither the old nor the new while it turns");
        });
        assert_eq!(recent.get_many(&keys), Some(vec![entry(2)]));
        recent.turn(Group::from([(key.clone(), (Revision(3), None))]), || {});
        assert_eq!(recent.get_many(&keys), Some(vec![None]));
    }
}
