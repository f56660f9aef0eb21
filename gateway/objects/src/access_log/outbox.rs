//! From lines in memory to records in the catalog: many lines become one commit.

use super::LoggedBucket;
use super::config::day_of;
use crate::{Error, Objects, Upkeep};
use cofre_blobs::as_delta;
use cofre_catalog::records::{AccessLogBacklog, AccessLogRecord, AccountRecord, EventRecord, Record};
use cofre_catalog::{Batch, Check, Committed, GuardedBatch, Write, keys};
use cofre_types::{AccountId, BucketId, BucketName, Timestamp};
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

/// Bytes of lines after which a record takes no further one.
const RECORD_BYTES_MAX: usize = 256 << 10;

/// Most bytes of one bucket's lines that wait in the catalog.
const BUCKET_BACKLOG_BYTES_MAX: i64 = 64 << 20;

/// Most bytes of all lines that wait in the catalog; accounts share it as they share the memory.
const BACKLOG_BYTES_MAX: i64 = 1 << 30;

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
    writing: Arc<tokio::sync::Mutex<()>>,
    came: Notify,
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

pub(super) struct Line {
    pub(super) to: Arc<LoggedBucket>,
    pub(super) at: Timestamp,
    pub(super) text: String,
}

impl Upkeep {
    /// Waits for a line to come. A line that came since the last wait ends it at once.
    pub async fn access_line_came(&self) {
        self.objects.0.outbox.came.notified().await;
    }

    /// Writes all lines that are queued.
    pub async fn write_access_lines(&self) {
        let last = self.objects.0.outbox.queue.lock().came;
        self.objects.access_line_written(last).await;
    }

    /// What became of log lines.
    pub fn access_log_counts(&self) -> AccessLogCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AccessLogCounts { written: read(&self.objects.0.outbox.written), dropped: read(&self.objects.0.outbox.dropped) }
    }
}

impl Objects {
    /// Queues a line of a bucket's access log, without its end, and gives its place in the queue; none if
    /// the queue is full, or its owner's share of it. It waits in memory until [`Upkeep::write_access_lines`] or
    /// [`Objects::access_line_written`] takes it. Costs no wait.
    pub fn log_access(&self, to: &Arc<LoggedBucket>, text: String) -> Option<u64> {
        let outbox = &self.0.outbox;
        let bytes = text.len() + 1;
        let at = self.now();
        let mut queue = outbox.queue.lock();
        let of_owner = queue.of_owners.get(&to.owner).copied().unwrap_or(0) + bytes;
        if of_owner > QUEUE_BYTES_MAX - queue.bytes {
            drop(queue);
            outbox.drop_lines(Some(to), 1);
            return None;
        }
        queue.of_owners.insert(to.owner, of_owner);
        queue.bytes += bytes;
        queue.came += 1;
        queue.lines.push_back(Line { to: Arc::clone(to), at, text });
        let place = queue.came;
        drop(queue);
        outbox.came.notify_one();
        Some(place)
    }

    /// Returns once the line at a place, and those before it, are durable in the catalog, or were dropped.
    pub async fn access_line_written(&self, place: u64) {
        loop {
            let turn = Arc::clone(&self.0.outbox.writing).lock_owned().await;
            if self.0.outbox.queue.lock().settled >= place {
                return;
            }
            // What was taken off the queue must be committed, whoever waits for it, and nobody else may write
            // before it is.
            let objects = self.clone();
            cofre_runtime::uncancelled(async move {
                objects.write_group().await;
                drop(turn);
            })
            .await;
        }
    }

    async fn write_group(&self) {
        let outbox = &self.0.outbox;
        let mut lines = outbox.take();
        let taken = lines.len() as u64;
        // Also if this panics: whoever waits for these lines would wait for ever.
        let settling = Settling(outbox, taken);
        while !lines.is_empty() {
            let waiting = self.log_backlog().await.unwrap_or_default();
            match group_of(&lines, waiting).commit(self.store()).await {
                Ok(Committed::Done(_)) => {
                    outbox.note_written(lines.len() as u64);
                    break;
                }
                // One bucket or account has no room: the others need not suffer.
                Ok(Committed::Refused(Holder::Bucket(full))) => lines = outbox.keep(lines, |line| line.to.id != full),
                Ok(Committed::Refused(Holder::Account(full))) => {
                    lines = outbox.keep(lines, |line| line.to.owner != full);
                }
                Ok(Committed::Refused(Holder::All) | Committed::Changed) => lines = outbox.keep(lines, |_| false),
                Err(error) => {
                    tracing::error!(%error, lines = lines.len(), "lines of access logs are lost: the catalog does not take them");
                    lines = outbox.keep(lines, |_| false);
                }
            }
        }
        drop(settling);
        self.tell_dropped().await;
    }

    /// Tells of dropped lines by events, now and then.
    pub(super) async fn tell_dropped(&self) {
        if let Err(error) = self.try_tell_dropped().await {
            tracing::warn!(%error, "that lines of access logs were dropped could not be told");
        }
    }

    async fn try_tell_dropped(&self) -> Result<(), Error> {
        let now = self.0.parts.clock.elapsed();
        let lines = {
            let mut untold = self.0.outbox.untold.lock();
            let rests = untold.told.is_some_and(|told| now.saturating_sub(told) < EVENT_INTERVAL);
            if untold.lines.is_empty() || rests {
                return Ok(());
            }
            untold.told = Some(now);
            std::mem::take(&mut untold.lines)
        };
        let mut batch = Batch::new();
        for (index, (of, lines)) in (0..).zip(lines) {
            let (subject, owner) = match of {
                Some((bucket, owner)) => (bucket.to_string(), Some(owner)),
                None => ("further buckets".to_owned(), None),
            };
            let why = "more came than its share of the outbox of access logs takes; see the job access-logs";
            batch.writes.push(self.lines_dropped(subject, owner, lines, why).await?.append(index));
        }
        self.store().commit(batch).await?;
        Ok(())
    }

    /// The event of lines that are dropped: of which bucket, and of which account.
    pub(super) async fn lines_dropped(
        &self,
        bucket: String,
        owner: Option<AccountId>,
        lines: u64,
        why: &str,
    ) -> Result<EventRecord, Error> {
        let mut details = vec![("lines".to_owned(), lines.to_string()), ("why".to_owned(), why.to_owned())];
        if let Some(owner) = owner {
            let record = self.get(keys::account(owner)).await?.map(|entry| AccountRecord::decode(&entry.value));
            details.extend(record.transpose()?.map(|record| ("account".to_owned(), record.name)));
            details.push(("account_id".to_owned(), owner.to_string()));
        }
        Ok(EventRecord {
            at: self.now(),
            kind: "access_log.lines_dropped".to_owned(),
            subject: bucket,
            actor: "internal:access-logs".to_owned(),
            details,
        })
    }
}

impl Outbox {
    /// Takes lines for one commit off the queue.
    fn take(&self) -> Vec<Line> {
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
    fn keep(&self, lines: Vec<Line>, wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
        let (kept, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(wanted);
        for line in others {
            self.drop_lines(Some(&line.to), 1);
        }
        kept
    }

    /// Counts lines that are in the catalog.
    pub(super) fn note_written(&self, lines: u64) {
        self.written.fetch_add(lines, Ordering::Relaxed);
    }

    /// Counts lines that are dropped.
    pub(super) fn drop_lines(&self, of: Option<&LoggedBucket>, lines: u64) {
        self.dropped.fetch_add(lines, Ordering::Relaxed);
        let of = of.map(|of| (of.name.clone(), of.owner));
        let mut untold = self.untold.lock();
        let known = untold.lines.len() < DROPPED_BUCKETS_MAX || of.is_some() && untold.lines.contains_key(&of);
        *untold.lines.entry(of.filter(|_| known)).or_default() += lines;
    }
}

/// Who has a share of the lines that wait in the catalog.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder {
    Bucket(BucketId),
    Account(AccountId),
    /// All of them.
    All,
}

/// Lines as one batch, beside so much that waits in the catalog already.
pub(super) fn group_of(lines: &[Line], waiting: AccessLogBacklog) -> GuardedBatch<Holder> {
    let mut records: Vec<(Vec<u8>, AccessLogRecord)> = Vec::new();
    let mut open: BTreeMap<(BucketId, u32, &str), usize> = BTreeMap::new();
    let mut of_buckets: BTreeMap<BucketId, AccessLogBacklog> = BTreeMap::new();
    let mut of_owners: BTreeMap<AccountId, AccessLogBacklog> = BTreeMap::new();
    let mut all = AccessLogBacklog::default();
    for line in lines {
        let to = &line.to;
        let day = day_of(line.at);
        let place = open.entry((to.id, day, &to.destination)).or_insert(usize::MAX);
        if records.get(*place).is_none_or(|(_, record)| record.text.len() >= RECORD_BYTES_MAX) {
            *place = records.len();
            records.push((keys::access_log(to.id, day), record(to, line.at)));
        }
        let record = &mut records[*place].1;
        record.lines += 1;
        record.text.push_str(&line.text);
        record.text.push('\n');
        let backlogs = [of_buckets.entry(to.id).or_default(), of_owners.entry(to.owner).or_default(), &mut all];
        for backlog in backlogs {
            backlog.lines += 1;
            backlog.bytes += as_delta(line.text.len() as u64 + 1);
        }
    }
    let mut batch = GuardedBatch::new();
    for (bucket, backlog) in &of_buckets {
        grow(&mut batch, Holder::Bucket(*bucket), *backlog, BUCKET_BACKLOG_BYTES_MAX);
    }
    let room = BACKLOG_BYTES_MAX.saturating_sub(waiting.bytes);
    for (owner, backlog) in &of_owners {
        grow(&mut batch, Holder::Account(*owner), *backlog, room);
    }
    grow(&mut batch, Holder::All, all, BACKLOG_BYTES_MAX);
    for (index, (prefix, record)) in (0_u32..).zip(records) {
        let suffix = index.to_be_bytes().to_vec();
        batch.writes.push(Write::Append { prefix, suffix, value: record.encode() });
    }
    batch
}

fn record(to: &LoggedBucket, at: Timestamp) -> AccessLogRecord {
    AccessLogRecord {
        source: to.name.clone(),
        owner: to.owner,
        region: to.region.clone(),
        destination: to.destination.clone(),
        written: at,
        lines: 0,
        counted: true,
        text: String::new(),
    }
}

/// Adds to a backlog, within its bound.
fn grow(batch: &mut GuardedBatch<Holder>, of: Holder, by: AccessLogBacklog, max: i64) {
    let key = match of {
        Holder::Bucket(bucket) => keys::access_log_backlog(Some(bucket)),
        Holder::Account(owner) => keys::access_log_backlog_of(owner),
        Holder::All => keys::access_log_backlog(None),
    };
    let check = Check::CounterAtMost { key: key.clone(), index: AccessLogBacklog::BYTES, adding: by.bytes, max };
    batch.require(check, of).add(key, by.row());
}

/// Lines that were taken off the queue, which are dealt with when it is dropped.
struct Settling<'a>(&'a Outbox, u64);

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        self.0.queue.lock().settled += self.1;
    }
}
