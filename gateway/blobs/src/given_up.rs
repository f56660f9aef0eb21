//! Shards that were given up: what had copies on them is made whole elsewhere.
//!
//! Their copies stop counting, and leave the records as the blobs are healed. They become doomed, but nothing is
//! deleted from a shard until it was held against the catalog: it may come back with the last good copy of something.

use crate::blobs::Blobs;
use crate::error::BlobsError;
use cofre_catalog::records::{Record, ShardRecord};
use cofre_catalog::{ReadExt, Revision, Scan, keys};
use cofre_types::{BlobId, ShardId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashMap;

/// Most blobs that one step queues.
const BLOBS_PER_STEP_MAX: usize = 256;

/// Most commits of a step that are under way at once.
const COMMITS_AT_ONCE_MAX: usize = 16;

/// The shards that were given up, as they were read: what is decided by that holds only while they are.
pub(crate) type GivenUp = HashMap<ShardId, Revision>;

/// What a step of queueing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RebuildStep {
    /// Blobs that wait to be healed now.
    pub blobs: u64,
    /// Where to go on; absent at the end of the catalog.
    pub next: Option<BlobId>,
}

impl Blobs {
    /// Queues some blobs after `after` to be healed that have a copy on a shard which was given up.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn queue_given_up(&self, shard: ShardId, after: Option<BlobId>) -> Result<RebuildStep, BlobsError> {
        let (found, next) = self.blobs_on(shard, after, BLOBS_PER_STEP_MAX).await?;
        let queued = RebuildStep { blobs: found.len() as u64, next };
        let each = found.into_iter().map(|blob| self.queue_heal(blob, shard));
        stream::iter(each).buffer_unordered(COMMITS_AT_ONCE_MAX).try_collect::<()>().await?;
        Ok(queued)
    }

    /// The shards whose copies do not count, with the commits that wrote their records.
    pub(crate) async fn given_up_shards(&self) -> Result<GivenUp, BlobsError> {
        let page = self.store().page(Scan::prefix(&[keys::family::SHARD]), crate::SHARDS_MAX).await?;
        let mut given_up = HashMap::new();
        for (_, entry) in page {
            let record = ShardRecord::decode(&entry.value)?;
            if record.mode.is_given_up() {
                given_up.insert(record.id, entry.revision);
            }
        }
        Ok(given_up)
    }

    /// The failure domain of each of some shards; absent where a shard is its own, or is none.
    pub(crate) async fn failure_domains(&self, shards: &[ShardId]) -> Result<Vec<Option<String>>, BlobsError> {
        let entries = self.store().get_many(shards.iter().map(|shard| keys::shard(*shard)).collect()).await?;
        let mut domains = Vec::with_capacity(entries.len());
        for entry in entries {
            let record = entry.map(|entry| ShardRecord::decode(&entry.value)).transpose()?;
            domains.push(record.and_then(|record| record.failure_domain));
        }
        Ok(domains)
    }
}
