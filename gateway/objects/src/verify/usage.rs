use super::references::{Counts, Round};
use super::{Stage, Verify, after, wrong};
use crate::change::Change;
use crate::error::Error;
use cofre_blobs::{Count, Wrong};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{BlobRecord, PartRecord, Record, ShardUsage, Usage, VersionRecord};
use cofre_catalog::{ReadExt, compare_tally};
use cofre_types::{BucketId, ShardId, UploadId};
use std::collections::BTreeMap;

/// What records of blobs add up to on each shard.
#[derive(Default)]
pub(super) struct ShardCount {
    blobs: u64,
    shards: BTreeMap<ShardId, ShardUsage>,
    last: Option<Vec<u8>>,
}

/// What the records of one bucket add up to.
pub(super) struct BucketCount {
    bucket: BucketId,
    name: String,
    change: Change,
    reading: Reading,
    last: Option<Vec<u8>>,
}

/// What of a bucket is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Current,
    Versions,
    Uploads,
}

impl Verify {
    pub(super) async fn shards(&mut self, mut count: ShardCount, found: &mut Vec<Wrong>) -> Result<Stage, Error> {
        let page = self.page(after(&[family::BLOB], count.last.as_ref())).await?;
        for (_, entry) in &page {
            let record = BlobRecord::decode(&entry.value)?;
            count.blobs += 1;
            for copy in &record.copies {
                let held = count.shards.entry(copy.shard).or_default();
                held.copies += 1;
                held.bytes += cofre_blobs::copy_bytes(&record, copy.piece) as i64;
            }
        }
        if let Some((last, _)) = page.last() {
            count.last = Some(last.clone());
            return Ok(Stage::Shards(count));
        }
        let rows = self.page(after(&[family::SHARD_USAGE], None)).await?;
        for (key, entry) in rows {
            let Some(id) = key.last_chunk().map(|bytes| ShardId(u32::from_be_bytes(*bytes))) else { continue };
            let (says, counted) = (ShardUsage::from_value(&entry.value), count.shards.remove(&id).unwrap_or_default());
            if says != counted {
                let why = format!(
                    "its counters say {} copies and {} bytes, and records name {} and {}",
                    says.copies, says.bytes, counted.copies, counted.bytes
                );
                found.push(wrong(format!("shard {id}"), why));
            }
        }
        for (id, counted) in count.shards {
            found.push(wrong(
                format!("shard {id}"),
                format!("records name {} copies, and it has no counters", counted.copies),
            ));
        }
        self.queues(found).await?;
        Ok(Stage::References(Box::new(Counts::of(Round::first(count.blobs)))))
    }

    /// Compares the counters of what waits with what does.
    async fn queues(&mut self, found: &mut Vec<Wrong>) -> Result<(), Error> {
        for (of, queue) in [(family::HEAL, "the heal queue"), (family::DOOMED, "copies to be deleted")] {
            if let Some([says, counted]) = compare_tally(self.snapshot().await?, of).await? {
                let why = format!("its counters say {says:?}, and its records add up to {counted:?}");
                found.push(wrong(queue.to_owned(), why));
            }
        }
        Ok(())
    }

    /// Adds a page of a bucket up; between two buckets, goes on to the next after `last`.
    pub(super) async fn usage(
        &mut self,
        count: Option<Box<BucketCount>>,
        last: Option<Vec<u8>>,
        found: &mut Vec<Wrong>,
    ) -> Result<Stage, Error> {
        let Some(mut count) = count else { return self.next_bucket(last).await };
        let family = match count.reading {
            Reading::Current => family::CURRENT,
            Reading::Versions => family::VERSION,
            Reading::Uploads => family::UPLOAD,
        };
        let page = self.page(after(&keys::in_bucket(family, count.bucket), count.last.as_ref())).await?;
        for (key, entry) in &page {
            match count.reading {
                Reading::Current => count.change.count_current(&VersionRecord::decode(&entry.value)?, Count::Add),
                Reading::Versions => count.change.count_old(&VersionRecord::decode(&entry.value)?, Count::Add),
                Reading::Uploads => {
                    count.change.usage.uploads += 1;
                    self.add_parts(key, &mut count).await?;
                }
            }
        }
        if let Some((key, _)) = page.last() {
            count.last = Some(key.clone());
            return Ok(Stage::Usage(Some(count), last));
        }
        count.last = None;
        count.reading = match count.reading {
            Reading::Current => Reading::Versions,
            Reading::Versions => Reading::Uploads,
            Reading::Uploads => {
                let entry = self.get_many(vec![keys::usage(count.bucket)]).await?.pop().flatten();
                let says = entry.map_or_else(Usage::default, |entry| Usage::from_value(&entry.value));
                count.change.usage.grace_bytes = self.grace.get(&count.bucket).copied().unwrap_or(0);
                if says != count.change.usage {
                    let why = format!("its counters say {says:?}, and its records add up to {:?}", count.change.usage);
                    found.push(wrong(format!("bucket {}", count.name), why));
                }
                return Ok(Stage::Usage(None, Some(keys::bucket_id(count.bucket))));
            }
        };
        Ok(Stage::Usage(Some(count), last))
    }

    async fn add_parts(&mut self, upload: &[u8], count: &mut BucketCount) -> Result<(), Error> {
        let Some(id) = upload.last_chunk().copied().map(UploadId::from_bytes) else { return Ok(()) };
        let mut last = None;
        loop {
            let page = self.page(after(&keys::parts(id), last.as_ref())).await?;
            for (_, entry) in &page {
                count.change.count_part(PartRecord::decode(&entry.value)?.size, Count::Add);
            }
            let Some((key, _)) = page.last() else { return Ok(()) };
            last = Some(key.clone());
        }
    }

    async fn next_bucket(&mut self, last: Option<Vec<u8>>) -> Result<Stage, Error> {
        let scan = after(&[family::BUCKET_ID], last.as_ref());
        let next = self.snapshot().await?.page(scan, 1).await?.into_iter().next();
        let Some((key, entry)) = next else { return Ok(Stage::Done) };
        let Some(bucket) = key.last_chunk().map(|bytes| BucketId(u64::from_be_bytes(*bytes))) else {
            return Ok(Stage::Usage(None, Some(key)));
        };
        let name = String::from_utf8_lossy(&entry.value).into_owned();
        let change = Change::default();
        let count = BucketCount { bucket, name, change, reading: Reading::Current, last: None };
        Ok(Stage::Usage(Some(Box::new(count)), Some(key)))
    }
}
