use crate::blob::doom;
use crate::blobs::Blobs;
use crate::error::BlobsError;
use crate::judge::{Judgement, OutOfReach};
use crate::standing::Standing;
use cofre_catalog::records::{BlobRecord, DoomedRecord, Record};
use cofre_catalog::{Batch, Check, Entry, keys};
use cofre_shards::Listed;
use cofre_types::ShardId;
use std::time::Duration;

/// What a step of searching orphans found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Copies that were looked at.
    pub seen: u64,
    /// Copies that no record named and that their blobs lacked: they are named now.
    pub named: u64,
    /// Copies that no record names, and that are doomed now.
    pub doomed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where to go on; absent at the end of the shard.
    pub next: Option<Vec<u8>>,
}

impl Blobs {
    /// Looks for copies on a shard that no record names: what a crash between writing a blob and its
    /// commit left. Only those that are older than `grace` are doomed, for a younger one may still be
    /// committed. A shard that was given up is left alone until it was held against the catalog; after the catalog was
    /// restored, nothing is doomed before an operator let go of what is in no record.
    ///
    /// A copy of a blob that is there is read first, whatever its age. If the blob lacks it, as with a catalog that is
    /// older than where the copy stands, it is named; if that cannot be told now, it is left.
    ///
    /// # Errors
    /// [`BlobsError::Unavailable`] if the shard cannot be listed.
    pub async fn find_orphans(
        &self,
        shard: ShardId,
        after: Option<Vec<u8>>,
        grace: Duration,
    ) -> Result<Orphans, BlobsError> {
        let standing = self.standing(shard).await?;
        if standing == Standing::Untouchable {
            return Ok(Orphans::default());
        }
        let (listed, next) =
            self.shards().list(shard, after).await.map_err(|error| BlobsError::Unavailable(error.to_string()))?;
        let mut orphans = Orphans { seen: listed.len() as u64, next, ..Orphans::default() };
        let now = self.now();
        let known = self.known(shard, &listed).await?;
        let mut batch = Batch::new();
        for (copy, (blob, doomed)) in listed.iter().zip(known) {
            if is_doomed(doomed.as_ref(), copy)? || names(blob.as_ref(), shard, copy)? {
                continue;
            }
            let claim = match &blob {
                Some(_) => self.claim(shard, copy).await?,
                None => Claim::Needless,
            };
            match claim {
                Claim::Needless => {}
                Claim::Named => {
                    orphans.named += 1;
                    continue;
                }
                Claim::Unknown => continue,
            }
            let old = now.since(cofre_types::Timestamp(copy.written_nanos)) > grace;
            // One copy of a blob on a shard is deleted after the other.
            if !old || standing != Standing::Ordinary || doomed.is_some() {
                continue;
            }
            batch.unchanged(keys::blob(copy.blob), blob.map(|entry| entry.revision));
            batch.unchanged(keys::doomed(shard, copy.blob), None);
            doom(&mut batch, copy.blob, shard, copy.locator.0.clone(), copy.size);
            orphans.doomed += 1;
            orphans.bytes += copy.size;
        }
        if orphans.doomed > 0 && !self.maintain(batch).await? {
            return Err(BlobsError::Conflict);
        }
        Ok(orphans)
    }

    /// Names a copy of a blob that is there, if the blob lacks it. A bad copy on the same shard makes room for it.
    pub(crate) async fn claim(&self, shard: ShardId, found: &Listed) -> Result<Claim, BlobsError> {
        let Some(held) = self.held_blob(found.blob).await? else { return Ok(Claim::Unknown) };
        let doomed = self.get(keys::doomed(shard, held.id)).await?;
        if is_doomed(doomed.as_ref(), found)? {
            return Ok(Claim::Unknown);
        }
        // From before it is looked at until it is named compaction removes nothing there.
        let Ok(_turn) = self.shards().naming(shard).await else { return Ok(Claim::Unknown) };
        let (copy, bad) = match self.judge(&held, (shard, found.locator.clone()), OutOfReach::Undecided).await? {
            Judgement::Lacks { copy, bad } => (copy, bad),
            Judgement::Needless => return Ok(Claim::Needless),
            Judgement::Unknown => return Ok(Claim::Unknown),
        };
        let (replaced, elsewhere): (Vec<_>, Vec<_>) = bad.into_iter().partition(|other| other.shard == shard);
        let mut batch = Batch::new();
        held.change_copies(&replaced, vec![copy], &mut batch);
        if let Some(doomed) = doomed {
            // Another copy on the shard waits to be deleted, by its own locator.
            let key = keys::doomed(shard, held.id);
            batch.checks.retain(|check| !matches!(check, Check::Absent(absent) if *absent == key));
            batch.unchanged(key, Some(doomed.revision));
        }
        if !self.maintain(batch).await? {
            return Ok(Claim::Unknown);
        }
        for other in elsewhere {
            self.queue_heal(held.id, other.shard).await?;
        }
        Ok(Claim::Named)
    }
}

/// What a blob that is there says of a copy that its record does not name.
pub(crate) enum Claim {
    /// It lacked the copy, which its record names now.
    Named,
    /// It is whole without the copy, or the copy is no good.
    Needless,
    /// That cannot be told now.
    Unknown,
}

/// Whether it is this copy that waits to be deleted, and not another one of its blob.
pub(crate) fn is_doomed(doomed: Option<&Entry>, copy: &Listed) -> Result<bool, BlobsError> {
    let Some(entry) = doomed else { return Ok(false) };
    Ok(DoomedRecord::decode(&entry.value)?.locator == copy.locator.0)
}

/// Whether a blob's record names this copy.
pub(crate) fn names(blob: Option<&Entry>, shard: ShardId, copy: &Listed) -> Result<bool, BlobsError> {
    let Some(entry) = blob else { return Ok(false) };
    let record = BlobRecord::decode(&entry.value)?;
    Ok(record.copies.iter().any(|known| known.shard == shard && known.locator == copy.locator.0))
}
