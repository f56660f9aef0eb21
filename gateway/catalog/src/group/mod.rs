//! The writer that engines share: it gathers commits into groups, and a [`Log`] makes each group durable at once.
//!
//! An engine brings a [`Log`] of what it stands on. What a batch means, the order of commits, who shares a group, and
//! what callers are told after a failure is the same for all.

mod condition;
mod log;
mod overlay;
mod queue;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use condition::Condition;
pub(crate) use log::{AppendError, Base, Group, Log, Wanted};
pub use stats::{CommitStats, Distribution};

use crate::evaluate::admit;
use crate::freshness::Touched;
use crate::{Batch, CommitError, Revision, StoreError};
use cofre_runtime::{Clock, thread};
use parking_lot::Mutex;
use queue::{Queue, queue};
use stats::Counters;
use std::sync::Arc;
use std::thread::JoinHandle;
use writer::Writer;

/// What a writer tells those who do not commit.
pub(crate) struct GroupState {
    pub(crate) condition: Arc<Condition>,
    pub(crate) touched: Touched,
    counters: Counters,
}

impl GroupState {
    pub(crate) fn new(condition: Arc<Condition>) -> Self {
        Self { condition, touched: Touched::default(), counters: Counters::default() }
    }
}

/// The end of a writer that commits enter by.
///
/// Once it is closed or dropped, the writer commits what is queued and ends.
pub(crate) struct GroupCommits {
    queue: Queue,
    state: Arc<GroupState>,
    clock: Clock,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl GroupCommits {
    /// Starts a writer, on a thread of its own.
    pub(crate) fn start(log: impl Log, state: Arc<GroupState>, clock: Clock) -> Result<Self, StoreError> {
        let (queue, requests) = queue();
        let writer = Writer::new(requests, log, Arc::clone(&state), clock.clone());
        let writer = thread("catalog-writer", move || writer.run())
            .map_err(|error| StoreError::Engine(format!("the catalog's writer cannot start: {error}")))?;
        Ok(Self { queue, state, clock, writer: Mutex::new(Some(writer)) })
    }

    pub(crate) fn state(&self) -> &GroupState {
        &self.state
    }

    /// What the writer has done since it was started.
    pub(crate) fn stats(&self) -> CommitStats {
        self.state.counters.read()
    }

    /// As [`crate::Store::commit`].
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Revision, CommitError> {
        admit(&batch)?;
        let began = self.clock.elapsed();
        let outcome = self.queue.commit(batch, began).await;
        self.state.counters.commit_micros.record_micros(self.clock.elapsed().saturating_sub(began));
        outcome
    }

    /// Callers who wait for an outcome now.
    #[cfg(test)]
    pub(crate) fn callers(&self) -> usize {
        self.queue.callers()
    }

    /// Takes no more. What is queued is still committed.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Gives the writer's thread to who first asks, to wait for its end.
    pub(crate) fn take_writer(&self) -> Option<JoinHandle<()>> {
        self.writer.lock().take()
    }
}
