//! Lines in memory, on their way to the catalog.

use crate::bucket::LoggedBucket;
use cofre_types::{AccountId, BucketName, Timestamp};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Most bytes of lines that wait in memory. One account's are at most as many as there is room left: alone it has half
/// of all, n accounts that fill it have the n+1st part each, and as much is left for one that comes.
const QUEUE_BYTES_MAX: usize = 8 << 20;

/// Most bytes of lines that one commit takes.
const COMMIT_BYTES_MAX: usize = 4 << 20;

/// Buckets whose dropped lines are told apart; those of further ones are told together.
const DROPPED_BUCKETS_MAX: usize = 64;

/// Shortest time between two events about dropped lines.
const EVENT_INTERVAL: Duration = Duration::from_secs(60);

/// What became of log lines since the start of the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessLogCounts {
    /// Lines that are in the catalog, or were.
    pub written: u64,
    /// Lines that passed a bound, or that the catalog did not take.
    pub dropped: u64,
}

#[derive(Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// Held while lines are written: their order is that of the queue.
    pub writing: Arc<tokio::sync::Mutex<()>>,
    pub came: Notify,
    written: AtomicU64,
    dropped: AtomicU64,
    /// Dropped lines that no event has told of.
    untold: Mutex<Untold>,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    bytes: usize,
    /// Bytes of each account that has lines here.
    of_owners: HashMap<AccountId, usize>,
    /// Lines that ever came.
    came: u64,
    /// Lines that were dealt with.
    settled: u64,
}

#[derive(Default)]
struct Untold {
    lines: BTreeMap<Option<(BucketName, AccountId)>, u64>,
    told: Option<Duration>,
}

pub(crate) struct Line {
    pub to: Arc<LoggedBucket>,
    pub at: Timestamp,
    pub text: String,
}

impl Outbox {
    /// Queues a line, without its end, and gives its place; none if the queue is full, or its owner's share of it.
    pub(crate) fn push(&self, line: Line) -> Option<u64> {
        let (owner, bytes) = (line.to.owner, line.text.len() + 1);
        let mut queue = self.queue.lock();
        let of_owner = queue.of_owners.get(&owner).copied().unwrap_or(0) + bytes;
        if of_owner > QUEUE_BYTES_MAX - queue.bytes {
            drop(queue);
            self.drop_lines(Some(&line.to), 1);
            return None;
        }
        queue.of_owners.insert(owner, of_owner);
        queue.bytes += bytes;
        queue.came += 1;
        queue.lines.push_back(line);
        let place = queue.came;
        drop(queue);
        self.came.notify_one();
        Some(place)
    }

    /// How many lines ever came.
    pub(crate) fn last(&self) -> u64 {
        self.queue.lock().came
    }

    /// Whether the line at a place was dealt with.
    pub(crate) fn has_settled(&self, place: u64) -> bool {
        self.queue.lock().settled >= place
    }

    /// What became of lines.
    pub(crate) fn counts(&self) -> AccessLogCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AccessLogCounts { written: read(&self.written), dropped: read(&self.dropped) }
    }

    /// Dropped lines that an event is to tell of now; none while the last one is too fresh.
    pub(crate) fn untold(&self, now: Duration) -> BTreeMap<Option<(BucketName, AccountId)>, u64> {
        let mut untold = self.untold.lock();
        if !untold.lines.is_empty() && untold.told.is_none_or(|told| now.saturating_sub(told) >= EVENT_INTERVAL) {
            untold.told = Some(now);
            return std::mem::take(&mut untold.lines);
        }
        BTreeMap::new()
    }

    /// Takes lines for one commit off the queue.
    pub(crate) fn take(&self) -> Vec<Line> {
        let mut queue = self.queue.lock();
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while let Some(line) = queue.lines.front() {
            let more = line.text.len() + 1;
            if !lines.is_empty() && bytes + more > COMMIT_BYTES_MAX {
                break;
            }
            bytes += more;
            lines.extend(queue.lines.pop_front());
        }
        queue.bytes -= bytes;
        for line in &lines {
            let owner = line.to.owner;
            let left = queue.of_owners.remove(&owner).unwrap_or(0).saturating_sub(line.text.len() + 1);
            if left > 0 {
                queue.of_owners.insert(owner, left);
            }
        }
        lines
    }

    /// Keeps some lines and drops the others.
    pub(crate) fn keep(&self, lines: Vec<Line>, wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
        let (kept, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(wanted);
        for line in others {
            self.drop_lines(Some(&line.to), 1);
        }
        kept
    }

    /// Counts lines that are in the catalog.
    pub(crate) fn note_written(&self, lines: u64) {
        self.written.fetch_add(lines, Ordering::Relaxed);
    }

    /// Counts lines that are dropped.
    pub(crate) fn drop_lines(&self, of: Option<&LoggedBucket>, lines: u64) {
        self.dropped.fetch_add(lines, Ordering::Relaxed);
        let of = of.map(|of| (of.name.clone(), of.owner));
        let mut untold = self.untold.lock();
        let known = untold.lines.len() < DROPPED_BUCKETS_MAX || of.is_some() && untold.lines.contains_key(&of);
        *untold.lines.entry(of.filter(|_| known)).or_default() += lines;
    }
}

/// Lines that were taken off the queue, which are dealt with when it is dropped.
pub(crate) struct Settling<'a>(pub &'a Outbox, pub u64);

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        self.0.queue.lock().settled += self.1;
    }
}
