//! The one writer: gathers queued commits into groups and makes each group durable with one sync.
//!
//! # Ordering
//! A group is evaluated in the order of the queue, on the durable state and the group's earlier
//! commits. Then: durable, visible to new snapshots, counted as touched, answered.
//!
//! # Failure and retry
//! No answer is given before the group is durable, not even that a check failed, since the check may
//! have seen another commit of the group. A group that failed fails all its commits. Unless the
//! failure was found before anything was written, all later commits are refused until the catalog is
//! opened again.
//!
//! # Limits
//! A group ends when the queue is empty and nobody is likely to come, or at [`GROUP_COMMITS_MAX`] or
//! [`GROUP_BYTES_MAX`]; the queue's bound is in `queue`.

use super::Shared;
use super::log::CommitLog;
use super::overlay::Overlay;
use super::queue::{Next, Request, Requests};
use super::space::Space;
use super::tree::{POISONED, Tree, View};
use crate::evaluate::{evaluate, size};
use crate::touched::Touched;
use crate::{CommitError, Revision, StoreError};
use cofre_runtime::Clock;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Most commits in a group.
const GROUP_COMMITS_MAX: usize = 1024;

/// Bytes of keys and values after which a group takes no further commit.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a journal and a table add to keys and values, generously, for the look at the free space.
const OVERHEAD_BYTES_PER_COMMIT: usize = 1024;

/// Longest wait for callers that were just answered to come back with their next commit. Without
/// it callers fall into two camps that wait for each other's syncs.
const LINGER_MAX: Duration = Duration::from_micros(500);

/// The wait is at most this part of what the last sync took.
const LINGER_SYNC_DIVISOR: u32 = 4;

/// How often the durable mark is synced.
const SETTLE_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Writer<L> {
    pub(super) requests: Requests,
    pub(super) log: L,
    pub(super) tree: Arc<Tree>,
    pub(super) shared: Arc<Shared>,
    pub(super) space: Space,
    pub(super) clock: Clock,
    pub(super) revision: Revision,
    pub(super) last: Last,
    /// Whether the last try to settle failed.
    pub(super) unsettled: bool,
}

/// The last group, for a guess at the next one.
#[derive(Default)]
pub(super) struct Last {
    /// Callers who waited when it was answered.
    callers: usize,
    /// What its sync took.
    sync: Duration,
}

type Outcome = Result<Revision, CommitError>;

impl<L: CommitLog> Writer<L> {
    /// Serves the queue until it is closed and empty.
    pub(super) fn run(mut self) {
        let mut settled = self.clock.elapsed();
        self.look();
        loop {
            match self.requests.next(SETTLE_INTERVAL) {
                Next::Request(first) => {
                    self.shared.condition.begin(first.asked);
                    let group = self.gather(first);
                    self.commit(group);
                    self.shared.condition.end();
                }
                Next::Idle => {}
                Next::Closed => break,
            }
            let now = self.clock.elapsed();
            if now.saturating_sub(settled) >= SETTLE_INTERVAL {
                settled = now;
                self.shared.condition.begin(now);
                self.settle();
                self.look();
                self.shared.condition.end();
            }
        }
        self.settle();
    }

    /// Looks at the disk and the engine, so that what would fail is known before a commit does.
    fn look(&mut self) {
        if self.shared.condition.broken().is_none() && self.tree.is_poisoned() {
            self.shared.condition.break_off(POISONED);
        }
        let room = self.space.check();
        self.shared.condition.note_room(&room);
    }

    fn settle(&mut self) {
        let unsettled = self.log.settle();
        match &unsettled {
            // It is tried again every second: told once.
            Err(error) if !self.unsettled => tracing::warn!(%error, "the catalog could not settle; it tries again"),
            Ok(()) | Err(_) => {}
        }
        self.unsettled = unsettled.is_err();
    }

    fn gather(&mut self, first: Request) -> Vec<Request> {
        let mut bytes = size(&first.batch);
        let mut group = vec![first];
        let until = self.clock.elapsed() + (self.last.sync / LINGER_SYNC_DIVISOR).min(LINGER_MAX);
        while group.len() < GROUP_COMMITS_MAX && bytes < GROUP_BYTES_MAX {
            let Some(request) = self.requests.next_queued().or_else(|| self.linger(group.len(), until)) else { break };
            bytes += size(&request.batch);
            group.push(request);
        }
        group
    }

    /// Waits for one more commit, if as many callers as before are likely to come.
    fn linger(&self, gathered: usize, until: Duration) -> Option<Request> {
        let left = until.saturating_sub(self.clock.elapsed());
        if gathered >= self.last.callers || left.is_zero() {
            return None;
        }
        match self.requests.next(left) {
            Next::Request(request) => Some(request),
            Next::Idle | Next::Closed => None,
        }
    }

    fn commit(&mut self, requests: Vec<Request>) {
        if let Some(cause) = self.shared.condition.broken() {
            turn_away(requests, &StoreError::Refused(cause.to_owned()));
            return;
        }
        let requests = self.admit(requests);
        if requests.is_empty() {
            return;
        }
        let view = View::newest(Arc::clone(&self.tree), self.revision);
        let mut overlay = Overlay::on(&view, &self.shared.recent);
        let mut revision = self.revision;
        let mut outcomes = Vec::with_capacity(requests.len());
        for request in requests {
            let (batch, reply) = request.open();
            let next = Revision(revision.0 + 1);
            let outcome = evaluate(&overlay, batch, next).map(|changes| {
                overlay.apply(next, changes);
                revision = next;
                next
            });
            outcomes.push((reply, outcome));
        }
        let group = overlay.group;
        self.finish(group, revision, outcomes);
    }

    /// Takes room for a group, and gives back what of it may be written: all, those that free something, or none.
    /// The others are answered.
    fn admit(&mut self, requests: Vec<Request>) -> Vec<Request> {
        let taken = self.space.take(room(&requests), false);
        self.shared.condition.note_room(&taken);
        match taken {
            Ok(()) => requests,
            Err(StoreError::Full) => {
                let (freeing, others): (Vec<_>, Vec<_>) = requests.into_iter().partition(|r| r.batch.frees);
                turn_away(others, &StoreError::Full);
                match self.space.take(room(&freeing), true) {
                    Ok(()) => freeing,
                    Err(error) => turn_away(freeing, &error),
                }
            }
            Err(error) => turn_away(requests, &error),
        }
    }

    fn finish(&mut self, group: super::log::Group, revision: Revision, outcomes: Vec<(super::queue::Reply, Outcome)>) {
        let commits = revision.0 - self.revision.0;
        if commits > 0 {
            let touches = Touched::of(group.keys());
            let began = self.clock.elapsed();
            if let Err(error) = self.log.append(&group, revision) {
                // The group may stand whole in the journal, or come to when the engine closes and writes out what it
                // holds: that the disk was full proves nothing here, unlike in `admit`.
                let error = match error {
                    StoreError::Full => StoreError::Engine("the disk was full as the journal was written".to_owned()),
                    error => error,
                };
                tracing::error!(%error, "a group of commits could not be made durable; no more are taken");
                for (reply, _) in outcomes {
                    reply.send(Err(again(&error).into()));
                }
                self.shared.condition.break_off(&error.to_string());
                return;
            }
            self.revision = revision;
            let view = View::newest(Arc::clone(&self.tree), revision);
            self.shared.recent.turn(group, || self.shared.publish(view));
            self.shared.touched.touch(&touches);
            let sync = self.clock.elapsed().saturating_sub(began);
            self.last = Last { callers: self.requests.callers(), sync };
            self.shared.counters.sync_micros.record_micros(sync);
            self.shared.counters.group_commits.record(commits);
            self.shared.counters.commits.fetch_add(commits, Ordering::Relaxed);
        }
        let turned_away = outcomes.len() as u64 - commits;
        self.shared.counters.turned_away.fetch_add(turned_away, Ordering::Relaxed);
        for (reply, outcome) in outcomes {
            reply.send(outcome);
        }
    }
}

/// Bytes of disk that requests may take.
fn room(requests: &[Request]) -> u64 {
    requests.iter().map(|request| (size(&request.batch) + OVERHEAD_BYTES_PER_COMMIT) as u64).sum()
}

/// Answers with an error that was found before anything was written; nothing is left of them.
fn turn_away(requests: Vec<Request>, error: &StoreError) -> Vec<Request> {
    for request in requests {
        request.answer(Err(again(error).into()));
    }
    Vec::new()
}

/// The same error for another commit of the group.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Engine(text) => StoreError::Engine(text.clone()),
        StoreError::Damaged(text) => StoreError::Damaged(text.clone()),
        StoreError::InUse(path) => StoreError::InUse(path.clone()),
        StoreError::Refused(text) => StoreError::Refused(text.clone()),
        StoreError::Closed => StoreError::Closed,
    }
}
