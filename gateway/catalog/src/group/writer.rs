//! The one writer: gathers queued commits into groups and makes each group durable with one sync.
//!
//! # Ordering
//! A group is evaluated in the order of the queue, on the durable state and the group's earlier
//! commits. Then: durable, visible to new snapshots, counted as touched, answered.
//!
//! # Failure and retry
//! No answer is given before the group is durable, not even that a check failed, since the check may
//! have seen another commit of the group. A group that failed fails all its commits: with an error that says that
//! nothing was written only if the log is sure of it ([`AppendError::Refused`]). After [`AppendError::Poisoned`] all
//! later commits are refused until the catalog is opened again.
//!
//! # Limits
//! A group ends when the queue is empty and nobody is likely to come, or at [`GROUP_COMMITS_MAX`] or
//! [`GROUP_BYTES_MAX`]; the queue's bound is in `queue`.

use super::GroupState;
use super::log::{AppendError, Base, Log, Wanted};
use super::overlay::Overlay;
use super::queue::{Next, Reply, Request, Requests};
use crate::evaluate::{evaluate, size};
use crate::freshness::Touched;
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
    requests: Requests,
    log: L,
    state: Arc<GroupState>,
    clock: Clock,
    last: Last,
    /// Whether the last try to settle failed.
    unsettled: bool,
}

/// The last group, for a guess at the next one.
#[derive(Default)]
struct Last {
    /// Callers who waited when it was answered.
    callers: usize,
    /// What its sync took.
    sync: Duration,
}

/// Who waits for a commit, and what it came to.
type Outcome = (Reply, Result<Revision, CommitError>);

impl<L: Log> Writer<L> {
    pub(super) fn new(requests: Requests, log: L, state: Arc<GroupState>, clock: Clock) -> Self {
        Self { requests, log, state, clock, last: Last::default(), unsettled: false }
    }

    /// Serves the queue until it is closed and empty.
    pub(super) fn run(mut self) {
        let mut settled = self.clock.elapsed();
        self.look();
        loop {
            match self.requests.next(SETTLE_INTERVAL) {
                Next::Request(first) => {
                    self.state.condition.begin(first.asked);
                    let group = self.gather(first);
                    self.commit(group);
                    self.state.condition.end();
                }
                Next::Idle => {}
                Next::Closed => break,
            }
            let now = self.clock.elapsed();
            if now.saturating_sub(settled) >= SETTLE_INTERVAL {
                settled = now;
                self.state.condition.begin(now);
                self.settle();
                self.look();
                self.state.condition.end();
            }
        }
        self.settle();
    }

    /// Looks at what the log stands on, so that what would fail is known before a commit does.
    fn look(&mut self) {
        let room = self.log.look();
        self.state.condition.note_room(&room);
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
        if let Some(cause) = self.state.condition.broken() {
            turn_away(requests, &StoreError::Refused(cause.to_owned()));
            return;
        }
        let requests = self.admit(requests);
        if requests.is_empty() {
            return;
        }
        let base = match self.log.read(Wanted(&requests)) {
            Ok(base) => base,
            Err(error) => {
                tracing::warn!(%error, "a group of commits was turned away: what they check could not be read");
                turn_away(requests, &error);
                return;
            }
        };
        let mut overlay = Overlay::on(&base);
        let mut revision = base.revision();
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
        let commits = revision.0 - base.revision().0;
        if commits > 0 {
            let touches = Touched::of(group.keys());
            let began = self.clock.elapsed();
            if let Err(error) = self.log.append(base, group, revision) {
                self.fail(outcomes, error);
                return;
            }
            self.state.touched.touch(&touches);
            self.count(commits, began);
        }
        self.answer(outcomes, commits);
    }

    /// Takes room for a group, and gives back what of it may be written: all, those that free something, or none.
    /// The others are answered.
    fn admit(&mut self, requests: Vec<Request>) -> Vec<Request> {
        let taken = self.log.take_room(room(&requests), false);
        self.state.condition.note_room(&taken);
        match taken {
            Ok(()) => requests,
            Err(StoreError::Full) => {
                let (freeing, others): (Vec<_>, Vec<_>) = requests.into_iter().partition(|r| r.batch.frees);
                turn_away(others, &StoreError::Full);
                match self.log.take_room(room(&freeing), true) {
                    Ok(()) => freeing,
                    Err(error) => turn_away(freeing, &error),
                }
            }
            Err(error) => turn_away(requests, &error),
        }
    }

    /// Answers a group that was not made durable for certain.
    fn fail(&self, outcomes: Vec<Outcome>, error: AppendError) {
        let error = match error {
            AppendError::Refused(error) => {
                tracing::warn!(%error, "a group of commits was refused; nothing of it was written");
                error
            }
            AppendError::Unknown(error) => {
                tracing::error!(%error, "nobody knows whether a group of commits is durable; who reads again sees it");
                error.without_promise()
            }
            AppendError::Poisoned(error) => {
                let error = error.without_promise();
                tracing::error!(%error, "a group of commits could not be made durable; no more are taken");
                self.state.condition.break_off(&error.to_string());
                error
            }
        };
        for (reply, _) in outcomes {
            reply.send(Err(error.again().into()));
        }
    }

    /// Counts a group that is durable.
    fn count(&mut self, commits: u64, began: Duration) {
        let sync = self.clock.elapsed().saturating_sub(began);
        self.last = Last { callers: self.requests.callers(), sync };
        self.state.counters.sync_micros.record_micros(sync);
        self.state.counters.group_commits.record(commits);
        self.state.counters.commits.fetch_add(commits, Ordering::Relaxed);
    }

    fn answer(&self, outcomes: Vec<Outcome>, commits: u64) {
        let turned_away = outcomes.len() as u64 - commits;
        self.state.counters.turned_away.fetch_add(turned_away, Ordering::Relaxed);
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
        request.answer(Err(error.again().into()));
    }
    Vec::new()
}
