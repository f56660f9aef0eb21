use crate::blob::{DELETED, HeldBlob, blob_ref, blob_subject, copy_bytes};
use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_shards::{BlobRef, Copy, CopyState, ReadError, standing};
use cofre_types::Scheme;
use futures_util::future::join_all;

/// Most blobs that one step looks at.
const BLOBS_PER_STEP_MAX: usize = 32;

/// Most copies that are read at once.
const READS_AT_ONCE_MAX: usize = 4;

/// What was seen of a copy: `None` if it is good.
type Seen = Option<CopyState>;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What it is about: `blob ID`, `bucket/key`, `bucket NAME`, `shard 2`.
    pub subject: String,
    /// What is wrong, for a person to read.
    pub why: String,
}

/// What a step of looking at copies saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopiesVerified {
    /// Records that were looked at.
    pub records: u64,
    /// Bytes of copies that were read.
    pub bytes: u64,
    /// Copies that could not be reached, of which nothing is known.
    pub unreachable: u64,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
    /// Where to go on; absent at the end of the catalog.
    pub next: Option<Vec<u8>>,
}

impl Blobs {
    /// Looks at the copies of some blobs as they are now, and queues the blobs of bad ones to be healed. With `deep` all
    /// bytes of the copies are read.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn verify_copies(&self, last: Option<Vec<u8>>, deep: bool) -> Result<CopiesVerified, BlobsError> {
        let mut scan = Scan::prefix(&[keys::family::BLOB]);
        if let Some(last) = last {
            scan = scan.after(last);
        }
        let page = self.store().page(scan, BLOBS_PER_STEP_MAX).await?;
        let mut verified = CopiesVerified { records: page.len() as u64, ..CopiesVerified::default() };
        for (key, entry) in &page {
            let Some(id) = keys::blob_of(key) else { continue };
            let held = HeldBlob::of(id, entry)?;
            let blob = blob_ref(id, &held.record);
            let mut seen = Vec::with_capacity(blob.copies.len());
            for some in blob.copies.chunks(READS_AT_ONCE_MAX) {
                seen.extend(join_all(some.iter().map(|copy| self.look(&blob, copy, deep))).await);
            }
            let mut bad = Vec::new();
            for (copy, seen) in blob.copies.iter().zip(seen) {
                let shard = copy.shard;
                match seen {
                    None => verified.bytes += if deep { copy_bytes(&held.record, copy.piece) } else { 0 },
                    Some(CopyState::Unreachable(_)) => verified.unreachable += 1,
                    Some(CopyState::Corrupt(why)) => bad.push((shard, why)),
                    Some(CopyState::Missing) => bad.push((shard, "it is not there".to_owned())),
                    Some(CopyState::Deleted) => bad.push((shard, DELETED.to_owned())),
                    Some(CopyState::Whole) => {}
                }
            }
            let queued = self.heal_record(id).await?.is_some();
            // It may have moved or gone since its record was read.
            if self.held_blob(id).await?.is_none_or(|now| now.revision != held.revision) {
                continue;
            }
            let (one, many) = match held.record.scheme {
                Scheme::Replicas { .. } => ("copy", "copies"),
                Scheme::Erasure { .. } => ("piece", "pieces"),
            };
            let object = if bad.is_empty() { None } else { self.object_of(&blob).await };
            for (shard, why) in bad {
                let subject = blob_subject(id, object.as_deref());
                verified.wrong.push(wrong(subject, format!("its {one} on shard {shard}: {why}")));
                self.queue_heal(id, shard).await?;
            }
            let pieces = held.record.copies.iter().map(|copy| copy.piece);
            let (has, wants) = (standing(held.record.scheme, pieces), held.record.scheme.width());
            if has < wants && !queued {
                let why = format!("it has {has} of {wants} {many}, and does not wait to be healed");
                verified.wrong.push(wrong(format!("blob {id}"), why));
            }
        }
        let full = page.len() == BLOBS_PER_STEP_MAX;
        verified.next = page.last().filter(|_| full).map(|(key, _)| key.clone());
        Ok(verified)
    }

    async fn look(&self, blob: &BlobRef, copy: &Copy, deep: bool) -> Seen {
        let shards = self.shards();
        if deep {
            return Some(shards.verify(blob, copy).await).filter(|state| *state != CopyState::Whole);
        }
        let alone = BlobRef { copies: vec![copy.clone()], ..blob.clone() };
        match shards.header(&alone).await {
            Ok(_) => match shards.is_deleted(blob.id, copy).await {
                Ok(deleted) => deleted.then_some(CopyState::Deleted),
                Err(error) => Some(CopyState::Unreachable(error.to_string())),
            },
            Err(ReadError::AllMissing) => Some(CopyState::Missing),
            Err(ReadError::Corrupt(why)) => Some(CopyState::Corrupt(why)),
            Err(ReadError::Unreachable(why)) => Some(CopyState::Unreachable(why)),
        }
    }
}

fn wrong(subject: String, why: String) -> Wrong {
    Wrong { subject, why }
}
