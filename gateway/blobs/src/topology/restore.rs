//! What is known of a catalog that was restored from a backup: which shards were compared with it, and what they hold that
//! it does not name.

use super::{SHARDS_MAX, TRIES_MAX, Topology, TopologyError};
use cofre_catalog::records::{ComparisonRecord, EventRecord, IncarnationRecord, Record, UnknownCopies};
use cofre_catalog::{Batch, CommitError, Entry, ReadExt, Scan, keys};
use cofre_types::{ShardId, Timestamp};
use std::collections::HashMap;

/// A catalog that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// When it was restored.
    pub at: Timestamp,
    /// When the backup was taken, if that is known; of a catalog that was found behind, when its last event was.
    pub backup_taken: Option<Timestamp>,
    /// Whether nobody restored it: a start found that shards had seen more of the catalog.
    pub found_behind: bool,
    /// Shards that are to be compared with it: all that were not given up.
    pub shards: u64,
    /// Those that were gone through to their end.
    pub compared: u64,
    /// Those of them whose disks did not give some places: what stands there waits until they are compared anew.
    pub unreadable: u64,
    /// Copies that no record named and that their blobs lacked: they are named now.
    pub named: u64,
    /// What stands on shards, is in no record and is newer than the backup.
    pub newer: Unknown,
    /// What else stands on shards and is in no record: it was let go of before the backup, mostly.
    pub older: Unknown,
    /// Whether any of that waits for an operator's word.
    pub waiting: bool,
}

/// What stands on shards and is in no record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Objects, and parts of uploads, each once however many copies of it there are; nearly, beyond a thousand.
    pub objects: u64,
    /// Copies or pieces.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A comparison and the entry that it was read from.
type Found = (ComparisonRecord, Entry);

impl Topology {
    /// That the catalog was restored, and how far shards are compared with it; `None` if it never was.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn restore(&self) -> Result<Option<Restore>, TopologyError> {
        let Some(incarnation) = self.incarnation().await? else { return Ok(None) };
        let comparisons = self.comparisons(&incarnation).await?;
        let counted = self.records().await?.into_iter().filter(|found| !found.record.mode.is_given_up());
        let mut restored = Restore {
            at: incarnation.begun,
            backup_taken: incarnation.backup_taken,
            found_behind: incarnation.found_behind,
            shards: 0,
            compared: 0,
            unreadable: 0,
            named: 0,
            newer: Unknown::default(),
            older: Unknown::default(),
            waiting: false,
        };
        for shard in counted {
            restored.shards += 1;
            let ended = |record: &&ComparisonRecord| record.ended != Timestamp::default();
            let compared = comparisons.get(&shard.record.id).map(|(record, _)| record).filter(ended);
            restored.compared += u64::from(compared.is_some());
            restored.unreadable += u64::from(compared.is_some_and(|record| record.passed > 0));
        }
        let (mut newer, mut older) = (UnknownCopies::default(), UnknownCopies::default());
        for (record, _) in comparisons.values() {
            restored.named += record.named;
            if record.released == Timestamp::default() {
                newer.merge(&record.newer);
                older.merge(&record.older);
            }
        }
        restored.newer = told(&newer);
        restored.older = told(&older);
        restored.waiting = newer.copies + older.copies + restored.unreadable > 0;
        Ok(Some(restored))
    }

    /// Lets go of what stands on shards and is in no record of the restored catalog: it is deleted as what a crash left
    /// is. Tells what was let go of; nothing where nothing waits.
    ///
    /// # Errors
    /// [`TopologyError::NotRestored`], [`TopologyError::NotCompared`] while a shard has yet to be compared, or
    /// [`TopologyError::Unread`] where some of one could not be read.
    pub async fn discard_unknown(&self, actor: &str) -> Result<Restore, TopologyError> {
        for _ in 0..TRIES_MAX {
            let restored = self.restore().await?.ok_or(TopologyError::NotRestored)?;
            if restored.compared < restored.shards {
                return Err(TopologyError::NotCompared { compared: restored.compared, shards: restored.shards });
            }
            if restored.unreadable > 0 {
                return Err(TopologyError::Unread { shards: restored.unreadable });
            }
            let Some(incarnation) = self.incarnation().await? else { return Err(TopologyError::NotRestored) };
            let now = Timestamp(self.0.clock.now_nanos());
            let mut batch = Batch::new();
            for (shard, (mut record, entry)) in self.comparisons(&incarnation).await? {
                if record.ended != Timestamp::default() && record.released == Timestamp::default() {
                    record.released = now;
                    batch.unchanged(keys::comparison(shard), Some(entry.revision));
                    batch.put(keys::comparison(shard), record.encode());
                }
            }
            if batch.writes.is_empty() {
                return Ok(restored);
            }
            let detail = |name: &str, value: u64| (name.to_owned(), value.to_string());
            let event = EventRecord {
                at: now,
                kind: "catalog.unknown_discarded".to_owned(),
                subject: "catalog".to_owned(),
                actor: actor.to_owned(),
                details: vec![
                    detail("newer_objects", restored.newer.objects),
                    detail("newer_copies", restored.newer.copies),
                    detail("older_copies", restored.older.copies),
                    detail("bytes", restored.newer.bytes + restored.older.bytes),
                ],
            };
            batch.writes.push(event.append(0));
            match self.0.store.commit(batch).await {
                Ok(_) => return Ok(restored),
                Err(CommitError::Failed(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(TopologyError::Conflict)
    }

    async fn incarnation(&self) -> Result<Option<IncarnationRecord>, TopologyError> {
        let entry = self.0.store.get(keys::incarnation()).await?;
        Ok(entry.map(|entry| IncarnationRecord::decode(&entry.value)).transpose()?)
    }

    /// The comparisons of shards with an incarnation.
    async fn comparisons(&self, incarnation: &IncarnationRecord) -> Result<HashMap<ShardId, Found>, TopologyError> {
        let page = self.0.store.page(Scan::prefix(&[keys::family::COMPARISON]), SHARDS_MAX).await?;
        let mut comparisons = HashMap::with_capacity(page.len());
        for (key, entry) in page {
            let Some(id) = key.last_chunk().map(|bytes| ShardId(u32::from_be_bytes(*bytes))) else { continue };
            let record = ComparisonRecord::decode(&entry.value)?;
            if record.incarnation == incarnation.id {
                comparisons.insert(id, (record, entry));
            }
        }
        Ok(comparisons)
    }
}

fn told(unknown: &UnknownCopies) -> Unknown {
    Unknown { objects: unknown.blobs.count(), copies: unknown.copies, bytes: unknown.bytes }
}
