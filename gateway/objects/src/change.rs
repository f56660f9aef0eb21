//! One commit in the making: the batch, the usage it adds up to, and the references it lets go.

use crate::Error;
use crate::blobs::copy_bytes;
use cofre_catalog::records::{
    AccountUsage, BlobRecord, BucketRecord, Content, GarbageRecord, HealRecord, Record, ShardUsage, Usage, VersionKind,
    VersionRecord,
};
use cofre_catalog::{Batch, Check, keys};
use cofre_shards::standing;
use cofre_types::{BlobId, ShardId, Timestamp, UploadId};
use std::collections::BTreeMap;

/// Most blobs that one garbage record names; more make more records.
const BLOBS_PER_GARBAGE_MAX: usize = 1_000;

/// Bounds on what a bucket, or all buckets of an account, may hold.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quota {
    pub bytes_max: Option<u64>,
    pub objects_max: Option<u64>,
}

/// The bounds that a change to a bucket is held to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quotas {
    pub bucket: Quota,
    pub account: Quota,
}

/// A blob that was written and that no record refers to yet.
#[derive(Debug, Clone)]
pub(crate) struct NewBlob {
    pub id: BlobId,
    pub record: BlobRecord,
    pub missing: usize,
}

/// A commit in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub batch: Batch,
    pub usage: Usage,
    released: Vec<BlobId>,
    released_manifests: Vec<UploadId>,
}

impl Change {
    /// Records a new blob, which some record of this change refers to.
    pub(crate) fn add_blob(&mut self, blob: &NewBlob) {
        self.batch.checks.push(Check::Absent(keys::blob(blob.id)));
        self.batch.put(keys::blob(blob.id), blob.record.encode());
        for copy in &blob.record.copies {
            // A shard that was removed while the blob was written must not be named by a record.
            self.batch.checks.push(Check::Present(keys::shard(copy.shard)));
            // Nor one that the search for orphans has given up.
            self.batch.checks.push(Check::Absent(keys::doomed(copy.shard, blob.id)));
            count_copy(&mut self.batch, copy.shard, copy_bytes(&blob.record, copy.piece), Count::Add);
        }
        if blob.missing > 0 {
            let heal = HealRecord { since: blob.record.written, suspects: Vec::new() };
            self.batch.put(keys::heal(spares(&blob.record, &[]), blob.id), heal.encode());
        }
    }

    /// Makes another change part of this one.
    pub(crate) fn join(&mut self, other: Self) {
        let Self { batch, usage, released, released_manifests } = other;
        self.batch.checks.extend(batch.checks);
        self.batch.writes.extend(batch.writes);
        self.usage += usage;
        self.released.extend(released);
        self.released_manifests.extend(released_manifests);
    }

    /// Lets go what a record that is removed referred to.
    pub(crate) fn release(&mut self, content: &Content) {
        match content {
            Content::Segments(segments) => self.released.extend(segments.iter().map(|segment| segment.blob)),
            Content::Manifest(id) => self.released_manifests.push(*id),
        }
    }

    /// Lets go single blobs.
    pub(crate) fn release_blobs(&mut self, blobs: impl IntoIterator<Item = BlobId>) {
        self.released.extend(blobs);
    }

    /// Counts a version that is a current object.
    pub(crate) fn count_current(&mut self, record: &VersionRecord, by: Count) {
        let sign = by.sign();
        let size = as_delta(record.size);
        self.usage.objects += sign;
        self.usage.bytes += sign * size;
        self.usage.total_objects += sign;
        self.usage.total_bytes += sign * size;
    }

    /// Counts a version that is not a current object: an older object, or a delete marker.
    pub(crate) fn count_old(&mut self, record: &VersionRecord, by: Count) {
        let sign = by.sign();
        match record.kind {
            VersionKind::DeleteMarker => self.usage.delete_markers += sign,
            VersionKind::Object => {
                let size = as_delta(record.size);
                self.usage.noncurrent_versions += sign;
                self.usage.noncurrent_bytes += sign * size;
                self.usage.total_objects += sign;
                self.usage.total_bytes += sign * size;
            }
        }
    }

    /// Counts bytes of a part of an upload under way.
    pub(crate) fn count_part(&mut self, size: u64, by: Count) {
        let sign = by.sign();
        self.usage.upload_parts += sign;
        self.usage.upload_bytes += sign * as_delta(size);
        self.usage.total_bytes += sign * as_delta(size);
    }

    /// The batch, with usage, quotas and garbage in it. `random` makes garbage keys unique.
    pub(crate) fn finish(
        mut self,
        bucket: &BucketRecord,
        quotas: Quotas,
        due: Timestamp,
        mut random: impl FnMut() -> [u8; 16],
    ) -> Batch {
        let of_bucket = (Usage::TOTAL_BYTES, Usage::TOTAL_OBJECTS);
        self.check_quota(keys::usage(bucket.id), of_bucket, quotas.bucket);
        let of_account = (AccountUsage::BYTES, AccountUsage::OBJECTS);
        self.check_quota(keys::account_usage(bucket.owner), of_account, quotas.account);
        if self.usage != Usage::default() {
            self.batch.add(keys::usage(bucket.id), self.usage.row());
        }
        let owned = AccountUsage { buckets: 0, objects: self.usage.total_objects, bytes: self.usage.total_bytes };
        if owned != AccountUsage::default() {
            self.batch.add(keys::account_usage(bucket.owner), owned.row());
        }
        for blobs in self.released.chunks(BLOBS_PER_GARBAGE_MAX) {
            let garbage = GarbageRecord::Blobs(blobs.to_vec());
            self.batch.put(keys::garbage(due.0, random()), garbage.encode());
        }
        for manifest in &self.released_manifests {
            let garbage = GarbageRecord::Manifest(*manifest);
            self.batch.put(keys::garbage(due.0, random()), garbage.encode());
        }
        // What leaves less than it found must go on while the disk is full.
        self.batch.frees = (self.usage.total_bytes, self.usage.total_objects) < (0, 0);
        self.batch
    }

    /// Holds the counters of a row at these indexes, bytes and objects, to a quota.
    fn check_quota(&mut self, row: Vec<u8>, (bytes, objects): (usize, usize), quota: Quota) {
        let bounds =
            [(bytes, self.usage.total_bytes, quota.bytes_max), (objects, self.usage.total_objects, quota.objects_max)];
        for (index, adding, max) in bounds {
            if let Some(max) = max
                && adding > 0
            {
                let (key, max) = (row.clone(), as_delta(max));
                self.batch.checks.push(Check::CounterAtMost { key, index, adding, max });
            }
        }
    }
}

/// Copies or pieces of a blob beyond those that reading takes, without those on suspect shards.
pub(crate) fn spares(record: &BlobRecord, suspects: &[ShardId]) -> usize {
    let sound = record.copies.iter().filter(|copy| !suspects.contains(&copy.shard));
    standing(record.scheme, sound.map(|copy| copy.piece)).saturating_sub(record.scheme.needed())
}

/// Counts a copy of so many bytes on its shard.
pub(crate) fn count_copy(batch: &mut Batch, shard: ShardId, bytes: u64, by: Count) {
    let usage = ShardUsage { copies: by.sign(), bytes: by.sign() * as_delta(bytes) };
    batch.add(keys::shard_usage(shard), usage.row());
}

/// Copies that come and go on shards, summed up, so that a commit about many changes each shard's counters once.
#[derive(Debug, Default)]
pub(crate) struct CopyCounts(BTreeMap<ShardId, ShardUsage>);

impl CopyCounts {
    pub(crate) fn count(&mut self, shard: ShardId, bytes: u64, by: Count) {
        let usage = self.0.entry(shard).or_default();
        usage.copies += by.sign();
        usage.bytes += by.sign() * as_delta(bytes);
    }

    pub(crate) fn add_to(&self, batch: &mut Batch) {
        for (shard, usage) in &self.0 {
            batch.add(keys::shard_usage(*shard), usage.row());
        }
    }
}

/// What a failed check says where trying again is of no use.
pub(crate) fn failed_for_good(failed: &Check) -> Option<Error> {
    match failed {
        Check::CounterAtMost { .. } => Some(Error::QuotaExceeded),
        Check::Present(_) => Some(Error::Refused("a shard was removed during the upload".to_owned())),
        Check::Absent(key) if key.first() == Some(&keys::family::DOOMED) => {
            Some(Error::Refused("the upload took so long that its bytes were given up".to_owned()))
        }
        // Another delivery has made an object of these lines.
        Check::At(key, _) if key.first() == Some(&keys::family::ACCESS_LOG) => Some(Error::Conflict),
        Check::At(..) | Check::Absent(_) | Check::NoneWithPrefix(_) => None,
    }
}

/// More or fewer by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Add,
    Remove,
}

impl Count {
    const fn sign(self) -> i64 {
        match self {
            Self::Add => 1,
            Self::Remove => -1,
        }
    }
}

/// Sizes are below 2^63: an object has at most 5 TiB.
fn as_delta(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
