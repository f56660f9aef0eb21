use super::usage::ShardCount;
use super::{Stage, Verify, Wrong, after, wrong};
use crate::Error;
use crate::blobs::{blob_ref, copy_bytes};
use crate::maintain::{DELETED, blob_subject};
use cofre_catalog::{SnapshotExt, keys};
use cofre_shards::{BlobRef, Copy, CopyState, ReadError, standing};
use cofre_types::Scheme;
use futures_util::future::join_all;

/// Most blobs that one step looks at.
const BLOBS_PER_STEP_MAX: usize = 32;

/// Most copies that are read at once.
const READS_AT_ONCE_MAX: usize = 4;

/// What was seen of a copy: `None` if it is good.
type Seen = Option<CopyState>;

impl Verify {
    /// Looks at the copies of some blobs as they are now, and queues the blobs of bad ones to be healed.
    pub(super) async fn copies(&mut self, last: Option<Vec<u8>>, found: &mut Vec<Wrong>) -> Result<Stage, Error> {
        let scan = after(&[keys::family::BLOB], last.as_ref());
        let page = self.objects.store().snapshot().await?.page(scan, BLOBS_PER_STEP_MAX).await?;
        self.records += page.len() as u64;
        for (key, _) in &page {
            let Some(id) = keys::blob_of(key) else { continue };
            let Some(held) = self.objects.held_blob(id).await? else { continue };
            let blob = blob_ref(id, &held.record);
            let mut seen = Vec::with_capacity(blob.copies.len());
            for some in blob.copies.chunks(READS_AT_ONCE_MAX) {
                seen.extend(join_all(some.iter().map(|copy| self.look(&blob, copy))).await);
            }
            let mut bad = Vec::new();
            for (copy, seen) in blob.copies.iter().zip(seen) {
                let shard = copy.shard;
                match seen {
                    None => self.bytes += if self.deep { copy_bytes(&held.record, copy.piece) } else { 0 },
                    Some(CopyState::Unreachable(_)) => self.unreachable += 1,
                    Some(CopyState::Corrupt(why)) => bad.push((shard, why)),
                    Some(CopyState::Missing) => bad.push((shard, "it is not there".to_owned())),
                    Some(CopyState::Deleted) => bad.push((shard, DELETED.to_owned())),
                    Some(CopyState::Whole) => {}
                }
            }
            let queued = self.objects.heal_record(id).await?.is_some();
            // It may have moved or gone since its record was read.
            if self.objects.held_blob(id).await?.is_none_or(|now| now.revision != held.revision) {
                continue;
            }
            let (one, many) = match held.record.scheme {
                Scheme::Replicas { .. } => ("copy", "copies"),
                Scheme::Erasure { .. } => ("piece", "pieces"),
            };
            let object = if bad.is_empty() { None } else { self.objects.object_of(&blob).await };
            for (shard, why) in bad {
                let subject = blob_subject(id, object.as_deref());
                found.push(wrong(subject, format!("its {one} on shard {shard}: {why}")));
                self.objects.queue_heal(id, shard).await?;
            }
            let pieces = held.record.copies.iter().map(|copy| copy.piece);
            let (has, wants) = (standing(held.record.scheme, pieces), held.record.scheme.width());
            if has < wants && !queued {
                let why = format!("it has {has} of {wants} {many}, and does not wait to be healed");
                found.push(wrong(format!("blob {id}"), why));
            }
        }
        Ok(match page.last() {
            Some((key, _)) if page.len() == BLOBS_PER_STEP_MAX => Stage::Copies(Some(key.clone())),
            _ => Stage::Shards(ShardCount::default()),
        })
    }

    async fn look(&self, blob: &BlobRef, copy: &Copy) -> Seen {
        let shards = self.objects.shards();
        if self.deep {
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
