//! Versions that are not current, and delete markers.

use super::apply::{COMMITS_AT_ONCE_MAX, LifecycleStep, Outcome, Walk, object_key};
use super::cursor::{Cursor, Known, Phase};
use super::schedule::Due;
use crate::Error;
use crate::change::Change;
use crate::domain::held;
use crate::lock::Removal;
use crate::versions::Held;
use cofre_catalog::records::{Record, VersionKind, VersionRecord};
use cofre_catalog::{Entry, Revision, Scan, Snapshot, SnapshotExt, Visit, VisitStep, keys};
use cofre_runtime::uncancelled;
use cofre_types::{ObjectKey, Timestamp};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashMap;

/// Most versions that one step reads and keeps in memory.
const VERSIONS_PER_STEP_MAX: usize = 1_000;

/// Most records that are read in search of the newest versions of a key that are not current: delete
/// markers may stand between them.
const MARKERS_PASSED_MAX: usize = 10_000;

/// What is due about a version.
#[derive(Debug, Clone)]
enum Work {
    Expire {
        keep: u32,
    },
    Transition {
        class: String,
        keep: u32,
    },
    /// A delete marker that is the only version of its key.
    LoneMarker,
}

impl From<Due> for Work {
    fn from(due: Due) -> Self {
        match due {
            Due::Expire { keep } => Self::Expire { keep },
            Due::Transition { class, keep } => Self::Transition { class, keep },
        }
    }
}

/// A version that something is due about.
#[derive(Debug)]
struct Pick {
    at: Vec<u8>,
    held: Held,
    work: Work,
}

/// The versions of one page of which something is due, key by key.
#[derive(Debug)]
struct Picks {
    key: ObjectKey,
    picks: Vec<Pick>,
}

/// Versions that must still be there when one behind them ends.
struct Kept {
    checks: Vec<(Vec<u8>, Revision)>,
    /// The place of the oldest of them.
    oldest: u64,
}

impl Walk {
    pub(super) async fn versions(&self, cursor: &Cursor, step: &mut LifecycleStep) -> Result<Option<Cursor>, Error> {
        let snapshot = self.objects.store().snapshot().await?;
        // One more than the step decides about: whether a marker is alone is seen at the next key.
        let scan = self.scan(keys::family::VERSION, cursor);
        let rows = snapshot.page(scan, VERSIONS_PER_STEP_MAX + 1).await?;
        let current = self.current_times(snapshot.as_ref(), &rows).await?;
        drop(snapshot);
        let (work, next) = self.decide(rows, cursor, &current)?;
        let each = work.into_iter().map(|picks| {
            let walk = self.clone();
            async move {
                let about = format!("{}/{}", walk.bucket.name, picks.key);
                let outcomes = uncancelled(async move { walk.carry_out_versions(picks).await }).await?;
                Ok::<_, Error>((about, outcomes))
            }
        });
        let outcomes: Vec<_> = stream::iter(each).buffer_unordered(COMMITS_AT_ONCE_MAX).try_collect().await?;
        for (about, outcomes) in outcomes {
            for (work, outcome) in outcomes {
                step.note(about.clone(), outcome, |counts| match work {
                    Work::LoneMarker => counts.markers_removed += 1,
                    Work::Expire { .. } | Work::Transition { .. } => counts.noncurrent_expired += 1,
                });
            }
        }
        Ok(next)
    }

    /// When the current objects of the keys on a page were made, by the key's text.
    async fn current_times(
        &self,
        snapshot: &dyn Snapshot,
        rows: &[(Vec<u8>, Entry)],
    ) -> Result<HashMap<ObjectKey, Timestamp>, Error> {
        let mut objects: Vec<_> = rows.iter().filter_map(|(key, _)| object_key(key)).collect();
        objects.dedup();
        let wanted = objects.iter().map(|key| keys::current(self.bucket.record.id, key)).collect();
        let found = snapshot.get_many(wanted).await?;
        let mut times = HashMap::new();
        for (key, entry) in objects.into_iter().zip(found) {
            if let Some(entry) = entry {
                times.insert(key, VersionRecord::decode(&entry.value)?.modified);
            }
        }
        Ok(times)
    }

    /// What is due about the versions of a page, and where to go on.
    fn decide(
        &self,
        rows: Vec<(Vec<u8>, Entry)>,
        cursor: &Cursor,
        current: &HashMap<ObjectKey, Timestamp>,
    ) -> Result<(Vec<Picks>, Option<Cursor>), Error> {
        let objects: Vec<_> = rows.iter().map(|(key, _)| object_key(key)).collect();
        let full = rows.len() > VERSIONS_PER_STEP_MAX;
        let (mut before, mut known) = (object_key(&cursor.after), cursor.known);
        let (mut work, mut last): (Vec<Picks>, _) = (Vec::new(), Vec::new());
        for (index, (at, entry)) in rows.into_iter().take(VERSIONS_PER_STEP_MAX).enumerate() {
            last.clone_from(&at);
            let Some(key) = objects[index].clone() else { continue };
            let held = held(entry)?;
            let is_first = before.as_ref() != Some(&key);
            let due = match (is_first, current.get(&key)) {
                // The newest version of a key without a current object is a delete marker.
                (true, None) => {
                    let alone = objects.get(index + 1).is_none_or(|next| next.as_ref() != Some(&key));
                    let ends = alone && self.rules.ends_marker(key.as_str(), &held.record, self.now, self.calendar);
                    known.newer = 0;
                    ends.then_some(Work::LoneMarker)
                }
                (is_first, current) => {
                    if is_first {
                        known = Known { since: current.copied().unwrap_or(held.record.modified), newer: 0 };
                    }
                    let when = (known.since, known.newer);
                    let due = self.rules.due_noncurrent(key.as_str(), &held.record, when, self.now, self.calendar);
                    known.newer = known.newer.saturating_add(u32::from(held.record.kind == VersionKind::Object));
                    due.map(Work::from)
                }
            };
            known.since = held.record.modified;
            before = Some(key.clone());
            let Some(due) = due else { continue };
            let pick = Pick { at, held, work: due };
            match work.last_mut() {
                Some(picks) if picks.key == key => picks.picks.push(pick),
                _ => work.push(Picks { key, picks: vec![pick] }),
            }
        }
        let next = full.then(|| Cursor { after: last, known, ..Cursor::begin(cursor.bucket, Phase::Versions) });
        Ok((work, next))
    }

    /// Ends what is due of one key in one commit, and moves the rest one by one.
    async fn carry_out_versions(&self, picks: Picks) -> Result<Vec<(Work, Outcome)>, Error> {
        let Picks { key, picks } = picks;
        let (moves, ends): (Vec<_>, Vec<_>) =
            picks.into_iter().partition(|pick| matches!(pick.work, Work::Transition { .. }));
        let mut outcomes = if ends.is_empty() { Vec::new() } else { self.end_versions(&key, ends).await? };
        for Pick { at, held, work } in moves {
            if let Work::Transition { class, keep } = &work {
                let kept = match keep {
                    0 => None,
                    keep => match self.kept(&key, *keep).await? {
                        Some(kept) if held.record.place < kept.oldest => Some(kept.checks),
                        _ => {
                            outcomes.push((work, Outcome::Changed));
                            continue;
                        }
                    },
                };
                let outcome = self.transition(&key, (at, held.revision), held.record, class.clone(), kept).await?;
                outcomes.push((work, outcome));
            }
        }
        Ok(outcomes)
    }

    async fn end_versions(&self, key: &ObjectKey, picks: Vec<Pick>) -> Result<Vec<(Work, Outcome)>, Error> {
        let (objects, bucket) = (&self.objects, &self.bucket);
        let _turn = objects.lock_key(bucket, key).await;
        let state = objects.key_state(bucket, key).await?;
        let removal = Removal::at(objects.now());
        let keep = picks.iter().map(|pick| if let Work::Expire { keep } = pick.work { keep } else { 0 }).max();
        let kept = match keep {
            None | Some(0) => None,
            Some(keep) => self.kept(key, keep).await?,
        };
        let mut change = Change::default();
        let mut outcomes = Vec::with_capacity(picks.len());
        for Pick { held, work, .. } in picks {
            let stands = match work {
                Work::LoneMarker => state.current.is_none() && state.older.len() == 1,
                Work::Expire { keep: 0 } | Work::Transition { .. } => true,
                Work::Expire { .. } => kept.as_ref().is_some_and(|kept| held.record.place < kept.oldest),
            };
            let outcome = match stands {
                true => match state.remove_old(&held, removal, &mut change) {
                    Ok(()) => Outcome::Done,
                    Err(Error::Locked) => Outcome::Locked,
                    Err(error) => return Err(error),
                },
                false => Outcome::Changed,
            };
            outcomes.push((work, outcome));
        }
        for (at, revision) in kept.into_iter().flat_map(|kept| kept.checks) {
            change.batch.unchanged(at, Some(revision));
        }
        if outcomes.iter().all(|(_, outcome)| *outcome != Outcome::Done) {
            return Ok(outcomes);
        }
        let tried = Outcome::from(objects.try_commit(bucket, change).await?);
        for (_, outcome) in outcomes.iter_mut().filter(|(_, outcome)| *outcome == Outcome::Done) {
            *outcome = tried.clone();
        }
        Ok(outcomes)
    }

    /// The newest objects of a key that are not current, `count` of them; `None` if there are fewer.
    async fn kept(&self, key: &ObjectKey, count: u32) -> Result<Option<Kept>, Error> {
        let prefix = keys::object(keys::family::VERSION, self.bucket.record.id, key);
        let newest = Newest { count: count as usize, read: 0, found: Vec::new(), oldest: 0 };
        let newest = self.objects.store().snapshot().await?.scan(Scan::prefix(&prefix), newest).await?;
        let whole = newest.found.len() == newest.count;
        Ok(whole.then_some(Kept { checks: newest.found, oldest: newest.oldest }))
    }
}

/// Gathers the newest objects of a key's older versions.
struct Newest {
    count: usize,
    read: usize,
    found: Vec<(Vec<u8>, Revision)>,
    oldest: u64,
}

impl Visit for Newest {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        self.read += 1;
        // A record that cannot be read counts for nothing, so more is kept, not less.
        if let Ok(record) = VersionRecord::decode(value)
            && record.kind == VersionKind::Object
        {
            self.found.push((key.to_vec(), revision));
            self.oldest = record.place;
        }
        let full = self.found.len() == self.count || self.read == MARKERS_PASSED_MAX;
        if full { VisitStep::Stop } else { VisitStep::Continue }
    }
}
