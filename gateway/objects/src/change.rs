//! One commit in the making: the batch, the usage it adds up to, and the references it lets go.

use cofre_blobs::{BlobRefusal, Count, NewBlob};
use cofre_catalog::records::{
    AccountUsage, BucketRecord, Content, Garbage, GarbageRecord, GraceCharge, Record, Usage, VersionKind,
    VersionRecord, as_delta,
};
use cofre_catalog::{GuardedBatch, keys};
use cofre_rules::{Adds, Bound, Quotas};
use cofre_types::{BlobId, Timestamp, UploadId};

/// Most blobs that one garbage record names; more make more records.
const BLOBS_PER_GARBAGE_MAX: usize = 1_000;

/// A commit in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub batch: GuardedBatch<Refusal>,
    pub usage: Usage,
    /// Whether a request brings bytes: what waits for the end of its grace is held to its bound then.
    brings_bytes: bool,
    /// Whether a request makes a delete marker, whose number is held to its bound then.
    makes_marker: bool,
    /// Blobs that are let go, and the bytes of content that go with them.
    released: (Vec<BlobId>, u64),
    /// Manifests and uploads that are let go, with their bytes.
    released_whole: Vec<(Garbage, u64)>,
}

impl Change {
    /// Records a new blob, which some record of this change refers to.
    pub(crate) fn add_blob(&mut self, blob: &NewBlob) {
        blob.add_to(&mut self.batch, Refusal::Blob);
    }

    /// Records the blob of a request, as [`Change::add_blob`] does. The quotas bound what waits for the end of its grace
    /// then, beside what stands: else overwriting would fill the disk.
    pub(crate) fn bring_blob(&mut self, blob: &NewBlob) {
        self.add_blob(blob);
        self.brings_bytes = true;
    }

    /// Says that a request asks for the delete marker that the change makes. Those of lifecycle rules have no bound: they
    /// are at most as many as there are objects.
    pub(crate) const fn make_marker(&mut self) {
        self.makes_marker = true;
    }

    /// Makes another change part of this one.
    pub(crate) fn join(&mut self, other: Self) {
        let Self { batch, usage, brings_bytes, makes_marker, released: (blobs, bytes), released_whole } = other;
        self.batch.append(batch, |refusal| refusal);
        self.usage += usage;
        self.brings_bytes |= brings_bytes;
        self.makes_marker |= makes_marker;
        self.released.0.extend(blobs);
        self.released.1 += bytes;
        self.released_whole.extend(released_whole);
    }

    /// Lets go what a record that is removed referred to: so many bytes of content.
    pub(crate) fn release(&mut self, content: &Content, bytes: u64) {
        match content {
            Content::Segments(segments) => self.release_blobs(segments.iter().map(|segment| segment.blob), bytes),
            Content::Manifest(id) => self.released_whole.push((Garbage::Manifest(*id), bytes)),
        }
    }

    /// Lets go single blobs: so many bytes of content.
    pub(crate) fn release_blobs(&mut self, blobs: impl IntoIterator<Item = BlobId>, bytes: u64) {
        self.released.0.extend(blobs);
        self.released.1 += bytes;
    }

    /// Bytes of content that are let go.
    pub(crate) fn released_bytes(&self) -> i64 {
        as_delta(self.released.1 + self.released_whole.iter().map(|(_, bytes)| bytes).sum::<u64>())
    }

    /// Lets go all parts of an upload: so many bytes of content.
    pub(crate) fn release_parts(&mut self, upload: UploadId, bytes: u64) {
        self.released_whole.push((Garbage::Parts(upload), bytes));
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
    ) -> GuardedBatch<Refusal> {
        for garbage in self.garbage(bucket) {
            self.usage.grace_bytes += garbage.charge.map_or(0, |charge| as_delta(charge.bytes));
            self.batch.put(keys::garbage(due.0, random()), garbage.encode());
        }
        let adds = Adds { usage: &self.usage, bytes: self.brings_bytes, marker: self.makes_marker };
        for bound in quotas.bounds(&adds) {
            self.batch.require(bound.check(bucket), Refusal::Bound(bound));
        }
        if self.usage != Usage::default() {
            self.batch.add(keys::usage(bucket.id), self.usage.row());
        }
        let Usage { total_objects: objects, total_bytes: bytes, grace_bytes, .. } = self.usage;
        let owned = AccountUsage { buckets: 0, objects, bytes, grace_bytes };
        if owned != AccountUsage::default() {
            self.batch.add(keys::account_usage(bucket.owner), owned.row());
        }
        // What leaves less than it found must go on while the disk is full.
        self.batch.frees = (self.usage.total_bytes, self.usage.total_objects) < (0, 0);
        self.batch
    }

    /// What is let go, as records. The bytes of blobs stand in the first record that names some of them.
    fn garbage(&mut self, bucket: &BucketRecord) -> Vec<GarbageRecord> {
        let charge =
            |bytes| Some(GraceCharge { bucket: bucket.id, account: bucket.owner, bytes }).filter(|_| bytes > 0);
        let (blobs, mut bytes) = std::mem::take(&mut self.released);
        let blobs = blobs
            .chunks(BLOBS_PER_GARBAGE_MAX)
            .map(|blobs| (Garbage::Blobs(blobs.to_vec()), std::mem::take(&mut bytes)));
        let whole = std::mem::take(&mut self.released_whole);
        blobs.chain(whole).map(|(what, bytes)| GarbageRecord { what, charge: charge(bytes) }).collect()
    }
}

/// Why a change cannot be made as things stand: what it means that a check of its commit does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A blob that was written cannot be named.
    Blob(BlobRefusal),
    /// It would pass a bound.
    Bound(Bound),
    /// The outbox of access logs has no room for the lines.
    Backlog,
    /// Another delivery has made an object of the lines.
    Delivered,
}
