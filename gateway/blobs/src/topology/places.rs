//! Where the directories of shards stand.
//!
//! # Invariants
//! - The identity in a directory says which shard it is; a path is only where it was last seen.
//! - Records name a directory that moves with the catalog relative to it. In memory every path is absolute.
//! - A shard whose own directory stands never changes to another one by itself: that one is a copy, and may lack what was
//!   written since.

use super::register::{check_path, invalid};
use super::{Found, OpenBackend, ShardPlace, Topology, TopologyError, info, place_text};
use cofre_catalog::records::{Record, RemovedShardRecord, ShardRecord};
use cofre_catalog::{Batch, Entry, keys};
use cofre_types::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How often a directory is opened anew that this process still holds open by another path.
const REOPEN_TRIES: usize = 50;

/// The pause between two of them.
const REOPEN_PAUSE: Duration = Duration::from_millis(100);

/// What stands in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardPresence {
    /// The identity of the shard.
    pub identity: [u8; 16],
    /// Which directory it is: the same by every path that leads to it.
    pub directory: (u64, u64),
}

/// Where a start looks for shards that are not where they were.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Directories that the operator names, absolute.
    pub named: Vec<String>,
    /// Directories where shards stand by default, absolute.
    pub usual: Vec<String>,
}

/// A shard that is found at another place.
struct Move {
    found: Found,
    to: String,
}

impl Topology {
    /// A record, with its place absolute.
    pub(super) fn read(&self, entry: Entry) -> Result<Found, TopologyError> {
        let mut record = ShardRecord::decode(&entry.value)?;
        record.place = absolute(record.place, &*self.0.opener);
        Ok(Found { record, entry })
    }

    /// A record as the catalog keeps it.
    pub(super) fn encoded(&self, record: &ShardRecord) -> Vec<u8> {
        ShardRecord { place: kept(&record.place, &*self.0.opener), ..record.clone() }.encode()
    }

    /// A removed directory, with its path absolute.
    pub(super) fn read_removed(&self, entry: &Entry) -> Result<RemovedShardRecord, TopologyError> {
        let record = RemovedShardRecord::decode(&entry.value)?;
        Ok(RemovedShardRecord { path: self.0.opener.absolute(&record.path), ..record })
    }

    /// A removed directory as the catalog keeps it.
    pub(super) fn encoded_removed(&self, record: &RemovedShardRecord) -> Vec<u8> {
        RemovedShardRecord { path: self.0.opener.kept(&record.path), ..record.clone() }.encode()
    }

    /// Finds directories of shards that stand elsewhere than their records say, and records where they stand now. Paths
    /// below the catalog's home become relative to it.
    ///
    /// # Errors
    /// [`TopologyError::Copied`] if a shard stands in two directories; nothing is recorded then.
    pub async fn settle(&self, candidates: &Candidates, actor: &str) -> Result<(), TopologyError> {
        let records = self.records().await?;
        let own = records.iter().filter_map(|found| directory(&found.record.place));
        let paths: BTreeSet<&str> =
            own.chain(candidates.named.iter().chain(&candidates.usual).map(String::as_str)).collect();
        let (mut standing, mut unseen) = (BTreeMap::new(), BTreeSet::new());
        for path in paths {
            match self.0.opener.standing(path).await {
                Ok(Some(found)) => _ = standing.insert(path.to_owned(), found),
                Ok(None) => {}
                // That is the matter of who opens it: the shard may stand there all the same.
                Err(_) => _ = unseen.insert(path.to_owned()),
            }
        }
        // What stands in a directory that an operator had the shard leave is an old copy of it.
        let left: BTreeSet<_> = self.removed().await?.into_iter().map(|left| (left.identity, left.path)).collect();
        standing.retain(|path, found| !left.contains(&(found.identity, path.clone())));
        let mut moves = Vec::new();
        for found in records {
            let Some(path) = directory(&found.record.place) else { continue };
            let to = moved(&found, (path, unseen.contains(path)), &standing, candidates)?;
            let to = to.unwrap_or_else(|| path.to_owned());
            moves.push(Move { found, to });
        }
        for found in moves {
            self.record_move(found, actor).await?;
        }
        Ok(())
    }

    async fn record_move(&self, Move { found, to }: Move, actor: &str) -> Result<(), TopologyError> {
        let (id, from) = (found.record.id, place_text(&found.record.place));
        let mut record = found.record;
        record.place = ShardPlace::Filesystem { path: to.clone() };
        let value = self.encoded(&record);
        if value == found.entry.value {
            return Ok(());
        }
        let mut batch = Batch::new();
        batch.unchanged(keys::shard(id), Some(found.entry.revision)).put(keys::shard(id), value);
        // The same directory in other words is no change.
        if from != to {
            tracing::info!(shard = %id, from, to, "a shard stands at another place than before");
            let details = vec![("path".to_owned(), format!("{from} -> {to}"))];
            batch.writes.push(self.event("shard.changed", id, actor, details).append(0));
        }
        self.0.store.commit(batch).await?;
        Ok(())
    }

    /// The place of a shard that is said to stand at `path` now.
    ///
    /// # Errors
    /// [`TopologyError::Invalid`] if it does not, or if it stands at its old place still.
    pub(super) async fn place_at(&self, record: &ShardRecord, path: &str) -> Result<ShardPlace, TopologyError> {
        let Some(old) = directory(&record.place) else {
            return Err(invalid("path", "the shard is no directory; a remote one has s3.endpoint"));
        };
        check_path("path", path)?;
        let look = |path: &str| {
            let (opener, path) = (Arc::clone(&self.0.opener), path.to_owned());
            async move { opener.standing(&path).await }
        };
        let found = look(path).await.map_err(|error| invalid("path", &format!("{path}: {error}")))?;
        let found = match found {
            Some(found) if found.identity == record.identity => found,
            Some(_) => return Err(invalid("path", &format!("{path} is another shard than {}", record.id))),
            None => return Err(invalid("path", &format!("there is no shard of this Cofre at {path}"))),
        };
        match look(old).await {
            Ok(Some(before)) if before.identity == record.identity && before.directory != found.directory => {
                Err(TopologyError::Copied { id: record.id, places: [old.to_owned(), path.to_owned()] })
            }
            _ => Ok(ShardPlace::Filesystem { path: path.to_owned() }),
        }
    }

    /// Notes the directory that a shard left, so that a start which names it still makes no new shard of it.
    pub(super) async fn note_left(
        &self,
        batch: &mut Batch,
        from: &ShardRecord,
        to: &ShardRecord,
    ) -> Result<(), TopologyError> {
        let (Some(left), Some(now)) = (directory(&from.place), directory(&to.place)) else { return Ok(()) };
        for older in self.removed().await?.iter().filter(|removed| removed.path == now) {
            batch.delete(keys::removed_shard(older.id));
        }
        let (id, identity, removed) = (from.id, from.identity, Timestamp(self.0.clock.now_nanos()));
        let record = RemovedShardRecord { id, identity, path: left.to_owned(), removed };
        batch.put(keys::removed_shard(id), self.encoded_removed(&record));
        Ok(())
    }

    /// Opens a shard at the place where it stands now. The pool lets go of it first: a directory is open once.
    pub(super) async fn reopen(&self, record: &ShardRecord) {
        self.0.shards.detach(record.id);
        self.0.shards.note_unattached(info(record));
        for _ in 0..REOPEN_TRIES {
            if let Ok(backend) = self.open(record).await {
                return self.attached(record, backend).await;
            }
            // Calls that are under way hold it still.
            tokio::time::sleep(REOPEN_PAUSE).await;
        }
        self.attach(record).await;
    }
}

/// Where a shard stands now, if it is not where its record says.
fn moved(
    found: &Found,
    (own, unseen): (&str, bool),
    standing: &BTreeMap<String, ShardPresence>,
    candidates: &Candidates,
) -> Result<Option<String>, TopologyError> {
    let identity = found.record.identity;
    let at = |path: &str| standing.get(path).filter(|found| found.identity == identity);
    let named = candidates.named.iter().filter(|path| at(path).is_some());
    let copied = |one: &str, other: &str| {
        Err(TopologyError::Copied { id: found.record.id, places: [one.to_owned(), other.to_owned()] })
    };
    if let Some(stands) = at(own) {
        let mut others = named.filter(|path| at(path).is_some_and(|other| other.directory != stands.directory));
        return others.next().map_or(Ok(None), |other| copied(own, other));
    }
    let named: Vec<&String> = named.collect();
    let there: Vec<&String> = match named.is_empty() {
        // It may stand there still; only an operator's word says that it does not.
        true if unseen => Vec::new(),
        true => standing.keys().filter(|path| at(path).is_some()).collect(),
        false => named,
    };
    let Some(first) = there.first() else { return Ok(None) };
    let directory = at(first).map(|found| found.directory);
    match there.iter().find(|path| at(path).map(|found| found.directory) != directory) {
        Some(other) => copied(first, other),
        None => Ok(Some((*first).clone())),
    }
}

fn directory(place: &ShardPlace) -> Option<&str> {
    match place {
        ShardPlace::Filesystem { path } => Some(path),
        ShardPlace::S3(_) => None,
    }
}

fn absolute(place: ShardPlace, opener: &dyn OpenBackend) -> ShardPlace {
    match place {
        ShardPlace::Filesystem { path } => ShardPlace::Filesystem { path: opener.absolute(&path) },
        place @ ShardPlace::S3(_) => place,
    }
}

fn kept(place: &ShardPlace, opener: &dyn OpenBackend) -> ShardPlace {
    match place {
        ShardPlace::Filesystem { path } => ShardPlace::Filesystem { path: opener.kept(path) },
        place @ ShardPlace::S3(_) => place.clone(),
    }
}
