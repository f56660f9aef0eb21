//! Lines as records of the catalog: many lines become one commit.

use crate::bucket::LoggedBucket;
use crate::queue::Line;
use cofre_catalog::records::{AccessLogBacklog, AccessLogRecord, Record, as_delta};
use cofre_catalog::{Check, GuardedBatch, Write, keys};
use cofre_types::{AccountId, BucketId, Timestamp};
use std::collections::BTreeMap;

/// Bytes of lines after which a record takes no further one.
const RECORD_BYTES_MAX: usize = 256 << 10;

/// Most bytes of one bucket's lines that wait in the catalog.
const BUCKET_BACKLOG_BYTES_MAX: i64 = 64 << 20;

/// Most bytes of all lines that wait in the catalog; accounts share it as they share the memory.
const BACKLOG_BYTES_MAX: i64 = 1 << 30;

const DAY_NANOS: u64 = 86_400_000_000_000;

/// The day of a moment, from 1970.
pub fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.0 / DAY_NANOS).unwrap_or(u32::MAX)
}

/// Who has a share of the lines that wait in the catalog.
#[derive(Debug, Clone, Copy)]
pub enum Share {
    /// A bucket.
    Bucket(BucketId),
    /// An account.
    Account(AccountId),
    /// All of them.
    All,
}

/// Lines as one batch, beside so much that waits in the catalog already.
pub(crate) fn group_of(lines: &[Line], waiting: AccessLogBacklog) -> GuardedBatch<Share> {
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
        grow(&mut batch, Share::Bucket(*bucket), *backlog, BUCKET_BACKLOG_BYTES_MAX);
    }
    let room = BACKLOG_BYTES_MAX.saturating_sub(waiting.bytes);
    for (owner, backlog) in &of_owners {
        grow(&mut batch, Share::Account(*owner), *backlog, room);
    }
    grow(&mut batch, Share::All, all, BACKLOG_BYTES_MAX);
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
fn grow(batch: &mut GuardedBatch<Share>, of: Share, by: AccessLogBacklog, max: i64) {
    let key = match of {
        Share::Bucket(bucket) => keys::access_log_backlog(Some(bucket)),
        Share::Account(owner) => keys::access_log_backlog_of(owner),
        Share::All => keys::access_log_backlog(None),
    };
    let check = Check::CounterAtMost { key: key.clone(), index: AccessLogBacklog::BYTES, adding: by.bytes, max };
    batch.require(check, of).add(key, by.row());
}
