use crate::domain::Objects;
use crate::error::Error;
use crate::upkeep::Upkeep;
use cofre_blobs::Dropped;
use cofre_catalog::records::{
    AccountUsage, Garbage, GarbageRecord, GraceCharge, ManifestRecord, PartRecord, Record, RecordError, Usage, as_delta,
};
use cofre_catalog::{Batch, Check, ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_types::{AccountId, BlobId, BucketId, UploadId};
use std::collections::BTreeMap;
use std::ops::Bound;

/// References after which a commit takes no further record, which may name as many.
const REFERENCES_PER_STEP_MAX: usize = 1_000;

/// Most garbage records that one step reads.
const RECORDS_PER_STEP_MAX: usize = 256;

/// Most parts or uploads that one step takes off a long one.
const PARTS_PER_STEP_MAX: usize = 200;

/// What a step of reclaiming did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// References that were dropped.
    pub references: u64,
    /// Blobs that nothing refers to any more, whose copies are doomed now.
    pub blobs: u64,
    /// Their bytes of content.
    pub bytes: u64,
    /// Whether more is due now.
    pub more: bool,
}

/// References that one commit drops, blob by blob.
#[derive(Default)]
struct Drops {
    batch: Batch,
    blobs: BTreeMap<BlobId, u32>,
    manifests: BTreeMap<UploadId, Vec<Option<GraceCharge>>>,
    /// What is no longer in grace.
    ended: Vec<GraceCharge>,
}

/// Garbage that is due, as much of it as one step may take.
#[derive(Default)]
struct Due {
    records: Vec<(Vec<u8>, Revision, GarbageRecord)>,
    /// Blobs that they name.
    blobs: usize,
    error: Option<RecordError>,
}

impl Visit for Due {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        match GarbageRecord::decode(value) {
            Ok(record) => {
                if let Garbage::Blobs(blobs) = &record.what {
                    self.blobs += blobs.len();
                }
                self.records.push((key.to_vec(), revision, record));
            }
            Err(error) => {
                self.error = Some(error);
                return VisitStep::Stop;
            }
        }
        let full = self.records.len() == RECORDS_PER_STEP_MAX || self.blobs >= REFERENCES_PER_STEP_MAX;
        if full { VisitStep::Stop } else { VisitStep::Continue }
    }
}

impl Upkeep {
    /// Drops references that were let go and whose grace is over. `done` is where the last step ended:
    /// garbage comes in the order of its due times, so what is before it is only what was deleted.
    ///
    /// # Errors
    /// [`Error`]; nothing is lost, and the next step begins anew.
    pub async fn reclaim_garbage(&self, done: &mut Option<Vec<u8>>) -> Result<Reclaimed, Error> {
        let mut scan = Scan::prefix(&[keys::family::GARBAGE]);
        if let Some(done) = &done {
            scan.from = Bound::Included(done.clone());
        }
        scan.to = Bound::Excluded(keys::garbage(self.objects.now().0 + 1, [0; 16]));
        let due = self.objects.store().scan(scan, Due::default()).await?;
        if let Some(error) = due.error {
            return Err(error.into());
        }
        if due.records.is_empty() {
            return Ok(Reclaimed::default());
        }
        let mut drops = Drops::default();
        let mut last = None;
        for (key, revision, record) in due.records {
            if drops.is_full() {
                break;
            }
            last = Some(key.clone());
            drops.batch.unchanged(key.clone(), Some(revision));
            if self.objects.drop_record(record, &mut drops).await? {
                drops.batch.delete(key);
            }
        }
        self.objects.drop_manifests(&mut drops).await?;
        self.objects.end_grace(&mut drops).await?;
        let dropped = self.objects.blobs().drop_references(std::mem::take(&mut drops.blobs), &mut drops.batch).await?;
        if !self.objects.maintain(drops.batch).await? {
            return Ok(Reclaimed { more: true, ..Reclaimed::default() });
        }
        // The last record may be one that is not used up: the next step looks at it again.
        *done = last;
        let Dropped { references, blobs, bytes } = dropped;
        Ok(Reclaimed { references, blobs, bytes, more: true })
    }
}

impl Objects {
    /// Drops what a record names; true if that is all of it.
    async fn drop_record(&self, record: GarbageRecord, drops: &mut Drops) -> Result<bool, Error> {
        let GarbageRecord { what, charge } = record;
        let done = match what {
            Garbage::Blobs(blobs) => {
                drops.add(blobs);
                true
            }
            Garbage::Manifest(id) => {
                // What it counts goes on to its parts, if it is the last reference.
                drops.manifests.entry(id).or_default().push(charge);
                return Ok(true);
            }
            Garbage::Parts(id) => self.drop_parts(id, drops).await?,
            Garbage::Uploads(bucket) => self.drop_uploads(bucket, drops).await?,
        };
        if done {
            drops.ended.extend(charge);
        }
        Ok(done)
    }

    /// The last reference to a manifest makes its parts garbage, which a later step takes.
    async fn drop_manifests(&self, drops: &mut Drops) -> Result<(), Error> {
        let manifests = std::mem::take(&mut drops.manifests);
        let entries = self.store().get_many(manifests.keys().map(|id| keys::manifest(*id)).collect()).await?;
        for ((id, mut charges), entry) in manifests.into_iter().zip(entries) {
            let Some(entry) = entry else {
                drops.ended.extend(charges.into_iter().flatten());
                continue;
            };
            let count = u32::try_from(charges.len()).unwrap_or(u32::MAX);
            let key = keys::manifest(id);
            let mut manifest = ManifestRecord::decode(&entry.value)?;
            drops.batch.unchanged(key.clone(), Some(entry.revision));
            if manifest.references > count {
                manifest.references -= count;
                drops.batch.put(key, manifest.encode());
            } else {
                drops.batch.delete(key);
                let parts = GarbageRecord { what: Garbage::Parts(id), charge: charges.pop().flatten() };
                drops.batch.put(keys::garbage(self.now().0, self.random().bytes()), parts.encode());
            }
            drops.ended.extend(charges.into_iter().flatten());
        }
        Ok(())
    }

    /// Takes what is no longer in grace off the counters of its bucket and account, which may be gone by now.
    async fn end_grace(&self, drops: &mut Drops) -> Result<(), Error> {
        let (mut buckets, mut accounts) = (BTreeMap::<BucketId, i64>::new(), BTreeMap::<AccountId, i64>::new());
        for charge in std::mem::take(&mut drops.ended) {
            *buckets.entry(charge.bucket).or_default() -= as_delta(charge.bytes);
            *accounts.entry(charge.account).or_default() -= as_delta(charge.bytes);
        }
        let mut rows: Vec<(Vec<u8>, Vec<u8>, Vec<i64>)> = Vec::with_capacity(buckets.len() + accounts.len());
        rows.extend(buckets.into_iter().map(|(id, grace_bytes)| {
            (keys::bucket_id(id), keys::usage(id), Usage { grace_bytes, ..Usage::default() }.row())
        }));
        rows.extend(accounts.into_iter().map(|(id, grace_bytes)| {
            (keys::account(id), keys::account_usage(id), AccountUsage { grace_bytes, ..AccountUsage::default() }.row())
        }));
        let holders = self.store().get_many(rows.iter().map(|(holder, ..)| holder.clone()).collect()).await?;
        for ((holder, row, less), _) in rows.into_iter().zip(holders).filter(|(_, holder)| holder.is_some()) {
            drops.batch.checks.push(Check::Present(holder));
            drops.batch.add(row, less);
        }
        Ok(())
    }

    /// Takes some parts off an upload that ended; true when none is left. Stops where the step is full:
    /// a part may have thousands of segments.
    async fn drop_parts(&self, id: UploadId, drops: &mut Drops) -> Result<bool, Error> {
        let scan = Scan::prefix(&keys::parts(id));
        let parts = self.store().page(scan, PARTS_PER_STEP_MAX).await?;
        let done = parts.len() < PARTS_PER_STEP_MAX;
        for (key, entry) in parts {
            if drops.is_full() {
                return Ok(false);
            }
            drops.batch.unchanged(key.clone(), Some(entry.revision));
            drops.batch.delete(key);
            let part = PartRecord::decode(&entry.value)?;
            drops.add(part.segments.iter().map(|segment| segment.blob));
        }
        Ok(done)
    }

    /// Ends some uploads of a bucket that was deleted; true when none is left.
    async fn drop_uploads(&self, bucket: BucketId, drops: &mut Drops) -> Result<bool, Error> {
        let scan = Scan::prefix(&keys::in_bucket(keys::family::UPLOAD, bucket));
        let uploads = self.store().page(scan, PARTS_PER_STEP_MAX).await?;
        let done = uploads.len() < PARTS_PER_STEP_MAX;
        for (key, entry) in uploads {
            let Some(id) = key.last_chunk().copied().map(UploadId::from_bytes) else { continue };
            drops.batch.unchanged(key.clone(), Some(entry.revision));
            drops.batch.delete(key);
            drops.batch.delete(keys::upload_activity(id));
            // What they count stays with the record of the uploads.
            let parts = GarbageRecord::from(Garbage::Parts(id)).encode();
            drops.batch.put(keys::garbage(self.now().0, self.random().bytes()), parts);
        }
        Ok(done)
    }
}

impl Drops {
    fn is_full(&self) -> bool {
        self.blobs.len() >= REFERENCES_PER_STEP_MAX
    }

    fn add(&mut self, blobs: impl IntoIterator<Item = BlobId>) {
        for blob in blobs {
            *self.blobs.entry(blob).or_default() += 1;
        }
    }
}
