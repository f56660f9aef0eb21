//! Compares shards with a catalog that was restored from a backup, before anything on them is deleted or compacted.
//!
//! Such a catalog is older than the shards. What moved since stands where no record says: it is named again at once. What
//! was written since is in no record: it is counted, and stays until an operator lets go of it.

use crate::blobs::Blobs;
use crate::error::BlobsError;
use crate::orphans::{Claim, is_doomed, names};
use cofre_catalog::records::{ComparisonRecord, IncarnationRecord, Record};
use cofre_catalog::{Batch, Entry, keys};
use cofre_shards::{BlobRef, Copy, ListPage, Listed};
use cofre_types::{Scheme, ShardId, Timestamp};

/// What a step of comparing a shard found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Copies that were looked at.
    pub seen: u64,
    /// Copies that no record named and that their blobs lacked: they are named now.
    pub named: u64,
    /// Copies that are in no record, and stay.
    pub unknown: u64,
    /// Whether the shard was gone through to its end.
    pub ended: bool,
}

impl Blobs {
    /// Whether a shard has yet to be compared with the catalog, which was restored.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read.
    pub async fn is_uncompared(&self, shard: ShardId) -> Result<bool, BlobsError> {
        let Some(incarnation) = self.incarnation().await? else { return Ok(false) };
        let (record, _) = self.comparison(shard, &incarnation).await?;
        Ok(record.ended == Timestamp::default())
    }

    /// Compares some of what a shard lists with the catalog. Nothing where it was not restored, or the shard was gone
    /// through already.
    ///
    /// # Errors
    /// [`BlobsError::Unavailable`] if the shard cannot be listed or read: the next step goes on there.
    pub async fn compare(&self, shard: ShardId) -> Result<Compared, BlobsError> {
        let Some(incarnation) = self.incarnation().await? else { return Ok(Compared::default()) };
        let (mut record, revision) = self.comparison(shard, &incarnation).await?;
        if record.ended != Timestamp::default() {
            return Ok(Compared { ended: true, ..Compared::default() });
        }
        let cursor = Some(record.cursor.clone()).filter(|cursor| !cursor.is_empty());
        let page = self.shards().list_page(shard, cursor).await;
        let ListPage { blobs: listed, next, passed } =
            page.map_err(|error| BlobsError::Unavailable(error.to_string()))?;
        let mut step = Compared { seen: listed.len() as u64, ended: next.is_none(), ..Compared::default() };
        let known = self.known(shard, &listed).await?;
        for (copy, (blob, doomed)) in listed.iter().zip(known) {
            if is_doomed(doomed.as_ref(), copy)? || names(blob.as_ref(), shard, copy)? {
                continue;
            }
            if blob.is_some() {
                step.named += u64::from(matches!(self.claim(shard, copy).await?, Claim::Named));
            } else if self.is_of_before(copy, &incarnation) && !self.is_probe(shard, copy).await {
                step.unknown += 1;
                let newer = incarnation.backup_taken.is_none_or(|taken| copy.written_nanos > taken.0);
                let counts = if newer { &mut record.newer } else { &mut record.older };
                counts.copies += 1;
                counts.bytes += copy.size;
                counts.blobs.insert(copy.blob);
            }
        }
        record.passed += passed;
        record.seen += step.seen;
        record.named += step.named;
        record.cursor = next.unwrap_or_default();
        if step.ended {
            record.ended = self.now();
            let unknown = record.newer.copies + record.older.copies;
            // What stands where the disk did not give it may be the only copy of something that is newer.
            let nothing = unknown == 0 && record.passed == 0;
            record.released = if nothing { self.now() } else { Timestamp::default() };
        }
        let mut batch = Batch::new();
        batch.unchanged(keys::comparison(shard), revision);
        batch.checks.push(cofre_catalog::Check::Present(keys::shard(shard)));
        batch.put(keys::comparison(shard), record.encode());
        if self.maintain(batch).await? { Ok(step) } else { Err(BlobsError::Conflict) }
    }

    /// Has a shard compared anew that was gone through though its disk did not give some places; nothing for any other.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn compare_anew(&self, shard: ShardId) -> Result<(), BlobsError> {
        let Some(incarnation) = self.incarnation().await? else { return Ok(()) };
        let (record, revision) = self.comparison(shard, &incarnation).await?;
        if record.ended == Timestamp::default() || record.passed == 0 {
            return Ok(());
        }
        let anew = ComparisonRecord { incarnation: incarnation.id, named: record.named, ..ComparisonRecord::default() };
        let mut batch = Batch::new();
        batch.unchanged(keys::comparison(shard), revision).put(keys::comparison(shard), anew.encode());
        // Where it changed meanwhile the next search looks again.
        self.maintain(batch).await?;
        Ok(())
    }

    /// The blob of each copy on a shard as its record has it, and whether the copy waits to be deleted.
    pub(crate) async fn known(
        &self,
        shard: ShardId,
        listed: &[Listed],
    ) -> Result<Vec<(Option<Entry>, Option<Entry>)>, BlobsError> {
        let mut wanted: Vec<_> = listed.iter().map(|copy| keys::blob(copy.blob)).collect();
        wanted.extend(listed.iter().map(|copy| keys::doomed(shard, copy.blob)));
        let mut blobs = self.store().get_many(wanted).await?;
        let dooms = blobs.split_off(listed.len());
        Ok(blobs.into_iter().zip(dooms).collect())
    }

    /// How far a shard is compared under an incarnation, and the revision of the record of that.
    async fn comparison(
        &self,
        shard: ShardId,
        incarnation: &IncarnationRecord,
    ) -> Result<(ComparisonRecord, Option<cofre_catalog::Revision>), BlobsError> {
        let entry = self.get(keys::comparison(shard)).await?;
        let revision = entry.as_ref().map(|entry| entry.revision);
        let record = entry.map(|entry| ComparisonRecord::decode(&entry.value)).transpose()?;
        let fresh = || ComparisonRecord { incarnation: incarnation.id, ..ComparisonRecord::default() };
        Ok((record.filter(|record| record.incarnation == incarnation.id).unwrap_or_else(fresh), revision))
    }

    /// Whether a copy is what a probe of the shard left, which is of no object. One that cannot be read may be of one.
    async fn is_probe(&self, shard: ShardId, copy: &Listed) -> bool {
        let at = Copy { shard, locator: copy.locator.clone(), piece: 0 };
        let (size, scheme) = (copy.size, Scheme::Replicas { count: 1 });
        let blob = BlobRef { id: copy.blob, size, scheme, copies: vec![at] };
        self.shards().header(&blob).await.is_ok_and(|header| header.bucket.is_empty())
    }

    /// Whether a copy was written before the catalog was restored. A time that has not come yet is of another clock.
    fn is_of_before(&self, copy: &Listed, incarnation: &IncarnationRecord) -> bool {
        copy.written_nanos < incarnation.begun.0 || copy.written_nanos > self.now().0
    }
}
