//! The engine that keeps everything in memory: for tests and simulations.
//!
//! # Ordering
//! One lock orders commits. Every key keeps its versions for as long as some snapshot can see them,
//! so a snapshot costs a counter and copies nothing.
//!
//! # Limits
//! Nothing survives the process. A scan holds the lock against commits while its visitor runs.

use crate::evaluate::{Changes, Current, admit, evaluate};
use crate::scan::walk;
use crate::store::VisitDyn;
use crate::touched::Touched;
use crate::{Batch, CommitError, Direction, Entry, Revision, Scan, Snapshot, Store, StoreError, prefix_end};
use async_trait::async_trait;
use parking_lot::RwLock;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// A store in memory. Cloning is cheap; clones are the same store.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: RwLock<State>,
    touched: Touched,
}

/// What one commit made of a key.
struct Version {
    revision: Revision,
    value: Option<Vec<u8>>,
}

#[derive(Default)]
struct State {
    last: Revision,
    /// Versions of each key, oldest first, never none.
    keys: BTreeMap<Vec<u8>, Vec<Version>>,
    /// How many snapshots see each revision.
    snapshots: BTreeMap<Revision, usize>,
    /// Keys with a version that nobody sees once no snapshot is older than the revision, in order.
    superseded: VecDeque<(Revision, Vec<u8>)>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl State {
    fn at(versions: &[Version], revision: Revision) -> Option<(Revision, &Vec<u8>)> {
        let seen = versions.iter().rev().find(|version| version.revision <= revision)?;
        Some((seen.revision, seen.value.as_ref()?))
    }

    fn entry(&self, key: &[u8], revision: Revision) -> Option<Entry> {
        let (revision, value) = Self::at(self.keys.get(key)?, revision)?;
        Some(Entry { revision, value: value.clone() })
    }

    fn apply(&mut self, revision: Revision, changes: Changes) {
        self.last = revision;
        for (key, value) in changes {
            let versions = self.keys.entry(key.clone()).or_default();
            if !versions.is_empty() || value.is_none() {
                self.superseded.push_back((revision, key));
            }
            versions.push(Version { revision, value });
        }
    }

    /// Drops the versions that no snapshot, present or future, sees.
    fn prune(&mut self) {
        let oldest = self.snapshots.keys().next().copied().unwrap_or(self.last);
        while self.superseded.front().is_some_and(|(revision, _)| *revision <= oldest) {
            let Some((_, key)) = self.superseded.pop_front() else { return };
            let Some(versions) = self.keys.get_mut(&key) else { continue };
            let unseen = versions.iter().rposition(|version| version.revision <= oldest).unwrap_or(0);
            versions.drain(..unseen);
            if versions.len() == 1 && versions[0].value.is_none() {
                self.keys.remove(&key);
            }
        }
    }
}

impl Current for State {
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        Ok(self.entry(key, self.last))
    }

    fn any_with_prefix(&self, prefix: &[u8]) -> Result<bool, StoreError> {
        let to = prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        let mut range = self.keys.range((Bound::Included(prefix.to_vec()), to));
        Ok(range.any(|(_, versions)| Self::at(versions, self.last).is_some()))
    }
}

#[async_trait]
impl Store for Memory {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let mut state = self.0.state.write();
        let revision = state.last;
        *state.snapshots.entry(revision).or_default() += 1;
        Ok(Box::new(MemorySnapshot { shared: Arc::clone(&self.0), revision }))
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, CommitError> {
        admit(&batch)?;
        let mut state = self.0.state.write();
        let revision = Revision(state.last.0 + 1);
        let changes = evaluate(&*state, batch, revision)?;
        let touches = Touched::of(changes.keys());
        state.apply(revision, changes);
        state.prune();
        drop(state);
        self.0.touched.touch(&touches);
        Ok(revision)
    }

    fn touched(&self, prefix: u8) -> u64 {
        self.0.touched.get(prefix)
    }

    async fn wait_touched(&self, prefix: u8, seen: u64) -> u64 {
        self.0.touched.wait(prefix, seen).await
    }
}

struct MemorySnapshot {
    shared: Arc<Shared>,
    revision: Revision,
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        let mut state = self.shared.state.write();
        if let Some(count) = state.snapshots.get_mut(&self.revision) {
            *count -= 1;
            if *count == 0 {
                state.snapshots.remove(&self.revision);
                state.prune();
            }
        }
    }
}

#[async_trait]
impl Snapshot for MemorySnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        let state = self.shared.state.read();
        Ok(keys.iter().map(|key| state.entry(key, self.revision)).collect())
    }

    async fn scan_dyn(&self, range: Scan, mut visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        let state = self.shared.state.read();
        walk(range, &mut *visitor, |range| {
            let seen = state.keys.range::<[u8], _>(range.bounds()).filter_map(|(key, versions)| {
                let (revision, value) = State::at(versions, self.revision)?;
                Some(Ok((key, revision, value)))
            });
            match range.direction {
                Direction::Forward => Box::new(seen),
                Direction::Reverse => Box::new(seen.rev()),
            }
        })?;
        Ok(visitor)
    }
}
