//! From lines in memory to records in the catalog.

use crate::bucket::LoggedBucket;
use crate::error::AccessLogError;
use crate::group::{Share, group_of};
use crate::queue::{AccessLogCounts, Line, Outbox, Settling};
use cofre_catalog::records::{AccessLogBacklog, AccountRecord, EventRecord, Record};
use cofre_catalog::{Batch, CommitError, Committed, GuardedBatch, ReadExt, Store, keys};
use cofre_runtime::{Clock, uncancelled};
use cofre_types::{AccountId, Timestamp};
use std::sync::Arc;

/// The access logs of all buckets of this process. Cloning costs a reference count.
#[derive(Clone)]
pub struct AccessLog(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Clock,
    outbox: Outbox,
}

/// The access log of one bucket.
#[derive(Clone)]
pub struct BucketLog {
    log: AccessLog,
    to: Arc<LoggedBucket>,
}

/// The place of a line in the queue.
#[derive(Clone)]
pub struct LinePlace {
    log: AccessLog,
    place: u64,
}

impl BucketLog {
    /// Whose requests it holds.
    pub fn bucket(&self) -> &LoggedBucket {
        &self.to
    }

    /// Queues a line, without its end; none if the queue is full, or the share of the bucket's owner. It waits in memory
    /// until [`AccessLog::write`] or [`LinePlace::written`] takes it. Costs no wait.
    pub fn push(&self, text: String) -> Option<LinePlace> {
        let line = Line { to: Arc::clone(&self.to), at: self.log.now(), text };
        let place = self.log.0.outbox.push(line)?;
        Some(LinePlace { log: self.log.clone(), place })
    }
}

impl LinePlace {
    /// Returns once the line, and those before it, are durable in the catalog, or were dropped.
    pub async fn written(self) {
        self.log.write_to(self.place).await;
    }
}

impl AccessLog {
    /// Over a catalog.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self(Arc::new(Inner { store, clock, outbox: Outbox::default() }))
    }

    /// That of one bucket.
    pub fn of(&self, to: &Arc<LoggedBucket>) -> BucketLog {
        BucketLog { log: self.clone(), to: Arc::clone(to) }
    }

    /// Waits for a line to come. A line that came since the last wait ends it at once.
    pub async fn came(&self) {
        self.0.outbox.came.notified().await;
    }

    /// Writes all lines that are queued.
    pub async fn write(&self) {
        self.write_to(self.0.outbox.last()).await;
    }

    /// What became of lines.
    pub fn counts(&self) -> AccessLogCounts {
        self.0.outbox.counts()
    }

    /// How much of all logs waits in the catalog for its delivery.
    ///
    /// # Errors
    /// [`AccessLogError`] if the catalog cannot be read.
    pub async fn backlog(&self) -> Result<AccessLogBacklog, AccessLogError> {
        let row = self.0.store.get(keys::access_log_backlog(None)).await?;
        Ok(row.map_or_else(AccessLogBacklog::default, |row| AccessLogBacklog::from_value(&row.value)))
    }

    /// Lines as a batch: for a commit of what they tell of. Whoever commits it says so with [`AccessLog::note_written`],
    /// or with [`AccessLog::note_dropped`] if a share has no room.
    ///
    /// # Errors
    /// [`AccessLogError`] if the catalog cannot be read.
    pub async fn batch(
        &self,
        to: &Arc<LoggedBucket>,
        lines: impl IntoIterator<Item = String>,
    ) -> Result<GuardedBatch<Share>, AccessLogError> {
        let at = self.now();
        let lines: Vec<_> = lines.into_iter().map(|text| Line { to: Arc::clone(to), at, text }).collect();
        Ok(group_of(&lines, self.backlog().await?))
    }

    /// Counts lines that are in the catalog.
    pub fn note_written(&self, lines: u64) {
        self.0.outbox.note_written(lines);
    }

    /// Counts lines that are dropped, and tells of them.
    pub async fn note_dropped(&self, of: &LoggedBucket, lines: u64) {
        self.0.outbox.drop_lines(Some(of), lines);
        self.tell_dropped().await;
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.0.clock.now_nanos())
    }

    /// Returns once the line at a place, and those before it, are durable in the catalog, or were dropped.
    async fn write_to(&self, place: u64) {
        loop {
            let turn = Arc::clone(&self.0.outbox.writing).lock_owned().await;
            if self.0.outbox.has_settled(place) {
                return;
            }
            // What was taken off the queue must be committed, whoever waits for it, and nobody else may write
            // before it is.
            let log = self.clone();
            uncancelled(async move {
                log.write_group().await;
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
            let waiting = self.backlog().await.unwrap_or_default();
            match group_of(&lines, waiting).commit(self.0.store.as_ref()).await {
                Ok(Committed::Done(_)) => {
                    outbox.note_written(lines.len() as u64);
                    break;
                }
                // One bucket or account has no room: the others need not suffer.
                Ok(Committed::Refused(Share::Bucket(full))) => lines = outbox.keep(lines, |line| line.to.id != full),
                Ok(Committed::Refused(Share::Account(full))) => {
                    lines = outbox.keep(lines, |line| line.to.owner != full);
                }
                Ok(Committed::Refused(Share::All) | Committed::Changed) => lines = outbox.keep(lines, |_| false),
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
    async fn tell_dropped(&self) {
        if let Err(error) = self.try_tell_dropped().await {
            tracing::warn!(%error, "that lines of access logs were dropped could not be told");
        }
    }

    async fn try_tell_dropped(&self) -> Result<(), AccessLogError> {
        let mut batch = Batch::new();
        for (index, (of, lines)) in (0..).zip(self.0.outbox.untold(self.0.clock.elapsed())) {
            let (subject, owner) = match of {
                Some((bucket, owner)) => (bucket.to_string(), Some(owner)),
                None => ("further buckets".to_owned(), None),
            };
            let why = "more came than its share of the outbox of access logs takes; see the job access-logs";
            batch.writes.push(self.dropped_event(subject, owner, lines, why).await?.append(index));
        }
        if batch.writes.is_empty() {
            return Ok(());
        }
        match self.0.store.commit(batch).await {
            Ok(_) | Err(CommitError::Failed(_)) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// The event of lines that are dropped: of which bucket, of which account, and why.
    ///
    /// # Errors
    /// [`AccessLogError`] if the catalog cannot be read.
    pub async fn dropped_event(
        &self,
        bucket: String,
        owner: Option<AccountId>,
        lines: u64,
        why: &str,
    ) -> Result<EventRecord, AccessLogError> {
        let mut details = vec![("lines".to_owned(), lines.to_string()), ("why".to_owned(), why.to_owned())];
        if let Some(owner) = owner {
            let entry = self.0.store.get(keys::account(owner)).await?;
            let record = entry.map(|entry| AccountRecord::decode(&entry.value)).transpose()?;
            details.extend(record.map(|record| ("account".to_owned(), record.name)));
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
