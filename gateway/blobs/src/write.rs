use crate::blob::{copy_bytes, copy_record};
use crate::blobs::Blobs;
use crate::counts::{Count, count_copy, spares};
use crate::error::BlobsError;
use cofre_catalog::records::{BlobRecord, HealRecord, Record};
use cofre_catalog::{Check, GuardedBatch, keys};
use cofre_shards::{BlobHeader, Body, Locator};
use cofre_types::{BlobId, Scheme, ShardId, Timestamp};

/// A blob that was written and that no record refers to yet.
#[derive(Debug, Clone)]
pub struct NewBlob {
    /// Its id.
    pub id: BlobId,
    /// The record that it gets. Its `references` and `sealed_for` are for the writer to set.
    pub record: BlobRecord,
    /// Copies or pieces that it lacks: it waits to be healed from its commit on.
    pub missing: usize,
}

/// Why no record can name a blob that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobRefusal {
    /// A shard was removed while the blob was written to it.
    ShardRemoved,
    /// The write took so long that the search for orphans gave a copy up.
    GivenUp,
}

impl NewBlob {
    /// Adds the blob's record to a commit, in which some record refers to it. `refusal` tells what a refusal of the blob
    /// means there.
    pub fn add_to<R>(&self, batch: &mut GuardedBatch<R>, refusal: impl Fn(BlobRefusal) -> R) {
        batch.checks.push(Check::Absent(keys::blob(self.id)));
        batch.put(keys::blob(self.id), self.record.encode());
        for copy in &self.record.copies {
            // A shard that was removed while the blob was written must not be named by a record.
            batch.require(Check::Present(keys::shard(copy.shard)), refusal(BlobRefusal::ShardRemoved));
            // Nor one that the search for orphans has given up.
            batch.require(Check::Absent(keys::doomed(copy.shard, self.id)), refusal(BlobRefusal::GivenUp));
            count_copy(batch, copy.shard, copy_bytes(&self.record, copy.piece), Count::Add);
        }
        if self.missing > 0 {
            let heal = HealRecord { since: self.record.written, suspects: Vec::new() };
            batch.put(keys::heal(spares(&self.record, &[]), self.id), heal.encode());
        }
    }
}

impl Blobs {
    /// Refuses what would only fail once its bytes stand on the shards: a catalog that takes no commits now.
    ///
    /// # Errors
    /// Why it takes none.
    pub fn refuse_unless_committable(&self) -> Result<(), BlobsError> {
        self.store().state().refusal().map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// Writes a body durably to the shards under a fresh id. Nothing refers to it yet: commit it with
    /// [`NewBlob::add_to`], or give it up with [`Blobs::discard`].
    ///
    /// # Errors
    /// [`BlobsError::Body`], [`BlobsError::NoRoom`] or [`BlobsError::Unavailable`]; what was written is left to the search
    /// for orphans.
    pub async fn write(
        &self,
        id: BlobId,
        header: BlobHeader,
        body: Body,
        scheme: Scheme,
    ) -> Result<NewBlob, BlobsError> {
        let begun = Timestamp(header.written_nanos);
        let written = self.shards().write(id, header, body, self.redundancy(scheme)).await?;
        let copies = written.copies.into_iter().map(copy_record).collect();
        let record = BlobRecord {
            size: written.size,
            references: 1,
            scheme: written.scheme,
            written: begun,
            sealed_for: None,
            copies,
        };
        Ok(NewBlob { id, record, missing: written.missing })
    }

    /// Whether a blob was written as a scheme asks for its size.
    pub fn stands_under(&self, blob: &BlobRecord, scheme: Scheme) -> bool {
        blob.scheme == self.redundancy(scheme).of_size(blob.size)
    }

    /// Removes a blob that was written and whose commit was refused for certain: no record names it, none ever did, and
    /// none will. What cannot be removed now is left to the search for orphans.
    ///
    /// A commit whose outcome is not known may have named it: then it must stay.
    pub async fn discard(&self, blob: Option<NewBlob>) {
        let Some(NewBlob { id, record, .. }) = blob else { return };
        let each = record.copies.into_iter().map(|copy| async move {
            let (shard, locator) = (copy.shard, Locator(copy.locator));
            if let Err(error) = self.remove_copy(id, shard, locator).await {
                tracing::info!(blob = %id, %shard, %error, "a copy that is not wanted is left to the search for orphans");
            }
        });
        futures_util::future::join_all(each).await;
    }

    async fn remove_copy(&self, blob: BlobId, shard: ShardId, locator: Locator) -> Result<(), BlobsError> {
        // Nothing is deleted from a shard before it was compared with the catalog.
        if self.is_untouchable(shard).await? || self.get(keys::blob(blob)).await?.is_some() {
            return Err(BlobsError::Unavailable("it may not be deleted now".to_owned()));
        }
        let failed = self.shards().delete(shard, vec![(blob, locator)]).await;
        match failed.map(|mut failed| failed.pop()) {
            Ok(None) => Ok(()),
            Ok(Some(failed)) => Err(BlobsError::Unavailable(failed.why.to_string())),
            Err(error) => Err(BlobsError::Unavailable(error.to_string())),
        }
    }
}
