//! What a start knows of the catalog's past, and whether shards have seen more of it.
//!
//! Shards remember how far the catalog was that they were served under. A catalog that is behind that is an older copy,
//! which somebody put back by other means than a restore. It is taken for one that was restored: it becomes another
//! incarnation, and shards are compared with it before anything on them is deleted.
//!
//! # Invariants
//! - What shards remember is durable in the catalog by then: one that goes on after a crash is never behind them.
//! - What is remembered late misses a copy that was put back, at worst.

use super::boot::{ACTOR, warn_unrecorded};
use super::opener::Opener;
use anyhow::{Result, bail};
use cofre_blobs::{SHARDS_MAX, ShardPlace, Topology};
use cofre_catalog::records::{ComparisonRecord, EventRecord, IncarnationRecord, Record, ShardRecord};
use cofre_catalog::{Batch, CommitError, ReadExt, Revision, Scan, Store, StoreError, keys};
use cofre_runtime::{Clock, Random, Shutdown, spawn};
use cofre_shards::{CatalogMark, Shards};
use cofre_types::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How often shards are told how far the catalog is. Each time costs every shard a small file and its syncs.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// How long telling them may take.
const NOTE_MAX: Duration = Duration::from_secs(5);

/// The catalog as a start found it, before it committed anything.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Which incarnation it is: all zeros if it was never restored.
    incarnation: [u8; 16],
    /// Its record, at the revision that this is of.
    recorded: Option<Revision>,
    /// The last commit.
    revision: u64,
    /// When its last event was.
    last_event: Option<Timestamp>,
    /// Identities of the shards that were gone through under this incarnation.
    compared: HashSet<[u8; 16]>,
    /// Identities of the shards that this process has opened: what they remember is of itself.
    opened: HashSet<[u8; 16]>,
}

impl History {
    /// Reads it.
    pub(super) async fn read(store: &dyn Store) -> Result<Self> {
        let snapshot = store.snapshot().await?;
        let entry = snapshot.get(keys::incarnation()).await?;
        let recorded = entry.as_ref().map(|entry| entry.revision);
        let record = entry.map(|entry| IncarnationRecord::decode(&entry.value)).transpose()?;
        let incarnation = record.map_or([0; 16], |record| record.id);
        let last = snapshot.page(Scan::prefix(&keys::events()).reversed(), 1).await?.pop();
        let last_event = last.map(|(_, entry)| EventRecord::decode(&entry.value)).transpose()?.map(|event| event.at);
        let mut compared = HashSet::new();
        for (_, entry) in snapshot.page(Scan::prefix(&[keys::family::SHARD]), SHARDS_MAX).await? {
            let shard = ShardRecord::decode(&entry.value)?;
            let found = snapshot.get(keys::comparison(shard.id)).await?;
            let found = found.map(|entry| ComparisonRecord::decode(&entry.value)).transpose()?;
            let ended = found.is_some_and(|found| found.incarnation == incarnation && found.ended.0 > 0);
            compared.extend(ended.then_some(shard.identity));
        }
        let revision = snapshot.revision().0;
        Ok(Self { incarnation, recorded, revision, last_event, compared, opened: HashSet::new() })
    }

    /// What shards are told when they are opened.
    pub(super) const fn mark(&self) -> CatalogMark {
        CatalogMark { incarnation: self.incarnation, revision: self.revision }
    }

    /// Whether a shard has seen more of the catalog than there is.
    pub(super) fn is_behind(&self, shard: [u8; 16], seen: CatalogMark) -> bool {
        if self.opened.contains(&shard) {
            return false;
        }
        match seen.incarnation == self.incarnation {
            true => seen.revision > self.revision,
            // A shard that was gone through, or is of before any restore, has been told of this incarnation: another one came
            // later. One that was not is yet to be compared.
            false => self.incarnation == [0; 16] || self.compared.contains(&shard),
        }
    }

    /// This process has opened a shard.
    pub(super) fn opened(&mut self, shard: [u8; 16]) {
        self.opened.insert(shard);
    }
}

/// Makes the catalog another incarnation if a shard that stands has seen more of it. To be called before any shard is
/// opened.
pub(super) async fn settle(
    opener: &Opener,
    topology: &Topology,
    store: &dyn Store,
    (clock, random): (&Clock, &Random),
) -> Result<()> {
    let mut ahead = Vec::new();
    for view in topology.list().await? {
        if let ShardPlace::Filesystem { path } = &view.record.place
            && opener.is_behind(path, view.record.identity).await
        {
            ahead.push(view.record.id.to_string());
        }
    }
    if ahead.is_empty() {
        return Ok(());
    }
    let ahead = ahead.join(", ");
    tracing::warn!(
        shards = ahead,
        "the catalog is behind what shards have seen: an older copy of it was put back; nothing on shards is deleted before \
         they are compared with it"
    );
    let history = opener.history();
    let now = Timestamp(clock.now_nanos());
    let (id, backup_taken) = (random.bytes(), history.last_event);
    let record = IncarnationRecord { id, begun: now, backup_taken, found_behind: true };
    let event = EventRecord {
        at: now,
        kind: "catalog.found_behind".to_owned(),
        subject: "catalog".to_owned(),
        actor: ACTOR.to_owned(),
        details: vec![("shards".to_owned(), ahead)],
    };
    let mut batch = Batch::new();
    // Not to record it would let what is newer be deleted.
    batch.frees = true;
    batch.unchanged(keys::incarnation(), history.recorded).put(keys::incarnation(), record.encode());
    batch.writes.push(event.append(0));
    match store.commit(batch).await {
        Ok(revision) => {
            let (incarnation, recorded, revision) = (id, Some(revision), revision.0);
            opener.set_history(History { incarnation, recorded, revision, ..History::default() });
            Ok(())
        }
        Err(CommitError::Failed(_)) => bail!("another process began to use the catalog at the same time"),
        // It takes no commits until the next start, so that nothing is deleted either; that one sees the same.
        Err(CommitError::Store(error @ StoreError::Refused(_))) => {
            warn_unrecorded("that the catalog is behind its shards", &error);
            Ok(())
        }
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// Tells shards how far the catalog is, now and then, until shutdown begins.
pub(super) fn keep(store: Arc<dyn Store>, shards: Shards, clock: Clock, shutdown: Shutdown) {
    drop(spawn(async move {
        let mut noted = 0;
        loop {
            tokio::select! {
                () = clock.sleep(NOTE_EVERY) => {}
                () = shutdown.begun() => return,
            }
            noted = note(&*store, &shards, noted).await;
        }
    }));
}

/// Tells shards the last durable commit, unless it was told already. Gives it.
pub(super) async fn note(store: &dyn Store, shards: &Shards, noted: u64) -> u64 {
    let Ok(snapshot) = store.snapshot().await else { return noted };
    let revision = snapshot.revision().0;
    // A disk that hangs must not hold the end of the process up.
    if revision > noted && timeout(NOTE_MAX, shards.note_commit(revision)).await.is_err() {
        tracing::debug!(revision, "not all shards could note a commit in time");
    }
    revision.max(noted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: [u8; 16] = [1; 16];

    fn mark(incarnation: u8, revision: u64) -> CatalogMark {
        CatalogMark { incarnation: [incarnation; 16], revision }
    }

    #[test]
    fn a_catalog_is_behind_what_came_after_it_and_nothing_else() {
        let first = History { revision: 10, ..History::default() };
        assert!(!first.is_behind(SHARD, mark(0, 0)) && !first.is_behind(SHARD, mark(0, 10)));
        assert!(first.is_behind(SHARD, mark(0, 11)), "later commits of its own");
        assert!(first.is_behind(SHARD, mark(7, 1)), "a catalog that was restored came after the first");
        let restored = History { incarnation: [7; 16], revision: 10, ..History::default() };
        assert!(!restored.is_behind(SHARD, mark(0, 99)), "a restored one is yet to be compared with the shard");
        assert!(!restored.is_behind(SHARD, mark(6, 99)));
        assert!(restored.is_behind(SHARD, mark(7, 11)));
        let compared = History { compared: HashSet::from([SHARD]), ..restored };
        assert!(compared.is_behind(SHARD, mark(8, 1)), "a shard that was compared has seen another since");
        assert!(!compared.is_behind([2; 16], mark(6, 1)));
        let opened = History { opened: HashSet::from([SHARD]), ..first };
        assert!(!opened.is_behind(SHARD, mark(0, 99)), "what this process told");
    }
}
