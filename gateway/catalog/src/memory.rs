//! The engine that keeps everything in memory: for tests and simulations.
//!
//! # Ordering
//! One lock orders commits, through whichever handle they come. Every key keeps its versions for as long as some snapshot can see them,
//! so a snapshot costs a counter and copies nothing.
//!
//! # Handles
//! [`Memory::twin`] gives a second handle of the same store, as another process would have one: it hears of commits
//! through a [`MemoryStream`], which a test may cut.
//!
//! # Limits
//! Nothing survives the process. A scan holds the lock against commits while its visitor runs.

mod stream;

pub use stream::{MEMORY_STALENESS_MAX, MemoryStream};

use crate::evaluate::{Changes, Current, admit, evaluate};
use crate::freshness::Touched;
use crate::walk::walk;
use crate::{
    Batch, CommitError, Direction, Entry, Freshness, Read, Revision, Scan, Slot, Snapshot, Store, StoreError, VisitDyn,
    prefix_end,
};
use async_trait::async_trait;
use cofre_runtime::Clock;
use parking_lot::RwLock;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use stream::News;

/// A store in memory. Cloning is cheap; clones are the same handle of the same store.
#[derive(Clone)]
pub struct Memory {
    shared: Arc<Shared>,
    news: Arc<News>,
}

/// What all handles share.
#[derive(Default)]
struct Shared {
    state: RwLock<State>,
    /// What each handle hears of commits.
    handles: RwLock<Vec<Arc<News>>>,
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
        Self::of(Arc::default(), News::without_stream())
    }

    /// Another handle of the same store, as another process would have: what it hears of the commits of others comes
    /// through a stream.
    pub fn twin(&self, clock: Clock) -> (Self, MemoryStream) {
        let twin = Self::of(Arc::clone(&self.shared), News::of_stream(clock));
        let stream = MemoryStream::of(Arc::clone(&twin.news));
        (twin, stream)
    }

    fn of(shared: Arc<Shared>, news: News) -> Self {
        let news = Arc::new(news);
        shared.handles.write().push(Arc::clone(&news));
        Self { shared, news }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
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

    /// Walks what stands at a revision.
    fn walk(&self, range: Scan, at: Revision, mut visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        walk(range, &mut *visitor, |range| {
            let seen = self.keys.range::<[u8], _>(range.bounds()).filter_map(|(key, versions)| {
                let (revision, value) = Self::at(versions, at)?;
                Some(Ok((key, revision, value)))
            });
            match range.direction {
                Direction::Forward => Box::new(seen),
                Direction::Reverse => Box::new(seen.rev()),
            }
        })?;
        Ok(visitor)
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
impl Read for Memory {
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        let state = self.shared.state.read();
        Ok(keys.iter().map(|key| state.entry(key, state.last)).collect())
    }

    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        let state = self.shared.state.read();
        state.walk(range, state.last, visitor)
    }
}

#[async_trait]
impl Store for Memory {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let mut state = self.shared.state.write();
        let revision = state.last;
        *state.snapshots.entry(revision).or_default() += 1;
        Ok(Box::new(MemorySnapshot { shared: Arc::clone(&self.shared), revision }))
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, CommitError> {
        admit(&batch)?;
        let mut state = self.shared.state.write();
        let revision = Revision(state.last.0 + 1);
        let changes = evaluate(&*state, batch, revision)?;
        let touches = Touched::of(changes.keys());
        state.apply(revision, changes);
        state.prune();
        drop(state);
        for handle in &*self.shared.handles.read() {
            handle.tell(&touches, Arc::ptr_eq(handle, &self.news));
        }
        Ok(revision)
    }

    fn freshness(&self, slot: Slot) -> Option<Freshness> {
        self.news.freshness(slot)
    }

    fn staleness_max(&self) -> Duration {
        self.news.staleness_max()
    }

    async fn wait_changed(&self, slot: Slot, seen: Option<Freshness>) -> Option<Freshness> {
        self.news.wait_changed(slot, seen).await
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
impl Read for MemorySnapshot {
    async fn get_many(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Entry>>, StoreError> {
        let state = self.shared.state.read();
        Ok(keys.iter().map(|key| state.entry(key, self.revision)).collect())
    }

    async fn scan_dyn(&self, range: Scan, visitor: Box<dyn VisitDyn>) -> Result<Box<dyn VisitDyn>, StoreError> {
        self.shared.state.read().walk(range, self.revision, visitor)
    }
}

#[async_trait]
impl Snapshot for MemorySnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }
}
