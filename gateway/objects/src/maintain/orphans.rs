use super::doom;
use super::standing::Standing;
use crate::blobs::blob_ref;
use crate::{Error, Objects};
use cofre_catalog::records::{BlobRecord, DoomedRecord, Record};
use cofre_catalog::{Batch, Check, Entry, keys};
use cofre_shards::{BlobRef, Copy, CopyState, Listed, ReadError, standing};
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

impl Objects {
    /// Looks for copies on a shard that no record names: what a crash between writing a blob and its
    /// commit left. Only those that are older than `grace` are doomed, for a younger one may still be
    /// committed. A shard that was given up is left alone until it was held against the catalog; after the catalog was
    /// restored, nothing is doomed before an operator let go of what is in no record.
    ///
    /// A copy of a blob that is there is read first, whatever its age. If the blob lacks it, as with a catalog that is
    /// older than where the copy stands, it is named; if that cannot be told now, it is left.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the shard cannot be listed.
    pub async fn find_orphans(
        &self,
        shard: ShardId,
        after: Option<Vec<u8>>,
        grace: Duration,
    ) -> Result<Orphans, Error> {
        let standing = self.standing(shard).await?;
        if standing == Standing::Untouchable {
            return Ok(Orphans::default());
        }
        let (listed, next) =
            self.shards().list(shard, after).await.map_err(|error| Error::Unavailable(error.to_string()))?;
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
            return Err(Error::Conflict);
        }
        Ok(orphans)
    }

    /// Names a copy of a blob that is there, if the blob lacks it. A bad copy on the same shard makes room for it.
    pub(super) async fn claim(&self, shard: ShardId, found: &Listed) -> Result<Claim, Error> {
        let Some(held) = self.held_blob(found.blob).await? else { return Ok(Claim::Unknown) };
        let doomed = self.get(keys::doomed(shard, held.id)).await?;
        if is_doomed(doomed.as_ref(), found)? {
            return Ok(Claim::Unknown);
        }
        let known = blob_ref(held.id, &held.record);
        let mut copy = Copy { shard, locator: found.locator.clone(), piece: 0 };
        match self.shards().header(&BlobRef { copies: vec![copy.clone()], ..known.clone() }).await {
            Ok(header) => copy.piece = header.piece,
            Err(ReadError::Unreachable(_)) => return Ok(Claim::Unknown),
            Err(ReadError::AllMissing | ReadError::Corrupt(_)) => return Ok(Claim::Needless),
        }
        let (mut whole, mut bad) = (Vec::new(), Vec::new());
        for named in &known.copies {
            match self.shards().verify(&known, named).await {
                CopyState::Whole => whole.push(named.clone()),
                CopyState::Missing | CopyState::Corrupt(_) | CopyState::Deleted => bad.push(named.clone()),
                CopyState::Unreachable(_) => return Ok(Claim::Unknown),
            }
        }
        let stands = |copies: &[Copy]| standing(known.scheme, copies.iter().map(|copy| copy.piece));
        let with: Vec<Copy> = whole.iter().chain([&copy]).cloned().collect();
        let is_there = whole.iter().any(|other| other.shard == shard);
        if is_there || stands(&whole) >= known.scheme.width() || stands(&with) == stands(&whole) {
            return Ok(Claim::Needless);
        }
        // As for a shard that comes back: two on one failure domain are no more than one, where one can be read.
        if stands(&whole) >= known.scheme.needed() && self.shares_domain(shard, &whole).await? {
            return Ok(Claim::Needless);
        }
        let Ok(_turn) = self.shards().naming(shard).await else { return Ok(Claim::Unknown) };
        match self.shards().verify(&known, &copy).await {
            CopyState::Whole => {}
            CopyState::Missing | CopyState::Corrupt(_) | CopyState::Deleted => return Ok(Claim::Needless),
            CopyState::Unreachable(_) => return Ok(Claim::Unknown),
        }
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
pub(super) enum Claim {
    /// It lacked the copy, which its record names now.
    Named,
    /// It is whole without the copy, or the copy is no good.
    Needless,
    /// That cannot be told now.
    Unknown,
}

/// Whether it is this copy that waits to be deleted, and not another one of its blob.
pub(super) fn is_doomed(doomed: Option<&Entry>, copy: &Listed) -> Result<bool, Error> {
    let Some(entry) = doomed else { return Ok(false) };
    Ok(DoomedRecord::decode(&entry.value)?.locator == copy.locator.0)
}

/// Whether a blob's record names this copy.
pub(super) fn names(blob: Option<&Entry>, shard: ShardId, copy: &Listed) -> Result<bool, Error> {
    let Some(entry) = blob else { return Ok(false) };
    let record = BlobRecord::decode(&entry.value)?;
    Ok(record.copies.iter().any(|known| known.shard == shard && known.locator == copy.locator.0))
}
