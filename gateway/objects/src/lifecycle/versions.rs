//! Versions that are not current, and delete markers.

use super::apply::{LifecycleStep, Walk, object_key};
use super::cursor::{Cursor, Known, Phase};
use super::ends::{ENDS_PER_COMMIT_MAX, Ended, Ending, What, Why};
use super::transition::Move;
use crate::domain::held;
use crate::error::Error;
use crate::versions::Held;
use cofre_catalog::records::{Record, VersionKind, VersionRecord};
use cofre_catalog::{Entry, ReadExt, Revision, Scan, Snapshot, Visit, VisitStep, keys};
use cofre_rules::Due;
use cofre_types::ObjectKey;
use std::collections::HashMap;

/// Most versions that one step reads and keeps in memory.
const VERSIONS_PER_STEP_MAX: usize = 1_000;

/// Most records that are read in search of the newest versions of a key that are not current: delete
/// markers may stand between them.
const MARKERS_PASSED_MAX: usize = 10_000;

/// What is due of a page.
#[derive(Debug, Default)]
struct DueWork {
    /// Key by key.
    ends: Vec<Ending>,
    moves: Vec<Move>,
    /// Where to go on.
    next: Option<Cursor>,
}

/// Versions that must still be there when one behind them ends.
pub(super) struct Kept {
    pub checks: Vec<(Vec<u8>, Revision)>,
    /// The place of the oldest of them.
    pub oldest: u64,
}

impl Walk {
    pub(super) async fn versions(&self, cursor: &Cursor, step: &mut LifecycleStep) -> Result<Option<Cursor>, Error> {
        let snapshot = self.objects.store().snapshot().await?;
        // One more than the step decides about: whether a marker is alone is seen at the next key.
        let scan = self.scan(keys::family::VERSION, cursor);
        let rows = snapshot.page(scan, VERSIONS_PER_STEP_MAX + 1).await?;
        step.looked_at += rows.len().min(VERSIONS_PER_STEP_MAX) as u64;
        let current = self.current_of(snapshot.as_ref(), &rows).await?;
        drop(snapshot);
        let DueWork { ends, moves, next } = self.decide(rows, cursor, &current)?;
        self.end(ends, step).await?;
        self.move_each(moves, step).await?;
        Ok(next)
    }

    /// The current objects of the keys on a page.
    async fn current_of(
        &self,
        snapshot: &dyn Snapshot,
        rows: &[(Vec<u8>, Entry)],
    ) -> Result<HashMap<ObjectKey, Held>, Error> {
        let mut objects: Vec<_> = rows.iter().filter_map(|(key, _)| object_key(key)).collect();
        objects.dedup();
        let wanted = objects.iter().map(|key| keys::current(self.bucket.record.id, key)).collect();
        let found = snapshot.get_many(wanted).await?;
        let mut current = HashMap::new();
        for (key, entry) in objects.into_iter().zip(found) {
            if let Some(entry) = entry {
                current.insert(key, held(entry)?);
            }
        }
        Ok(current)
    }

    /// What is due about the versions of a page, and where to go on.
    fn decide(
        &self,
        rows: Vec<(Vec<u8>, Entry)>,
        cursor: &Cursor,
        current: &HashMap<ObjectKey, Held>,
    ) -> Result<DueWork, Error> {
        let objects: Vec<_> = rows.iter().map(|(key, _)| object_key(key)).collect();
        let full = rows.len() > VERSIONS_PER_STEP_MAX;
        let (mut before, mut known) = (object_key(&cursor.after), cursor.known);
        let (mut work, mut last) = (DueWork::default(), Vec::new());
        for (index, (at, entry)) in rows.into_iter().take(VERSIONS_PER_STEP_MAX).enumerate() {
            last.clone_from(&at);
            let Some(key) = objects[index].clone() else { continue };
            let bytes = at.len() + entry.value.len();
            let held = held(entry)?;
            let modified = held.record.modified;
            let is_first = before.as_ref() != Some(&key);
            match (is_first, current.get(&key)) {
                // The newest version of a key without a current object is a delete marker.
                (true, None) => {
                    let alone = objects.get(index + 1).is_none_or(|next| next.as_ref() != Some(&key));
                    known.newer = 0;
                    if alone && self.rules.ends_marker(key.as_str(), &held.record, self.now, self.calendar) {
                        work.end(&key, None, Ended { held, why: Why::LoneMarker }, bytes);
                    }
                }
                (is_first, current) => {
                    if is_first {
                        let since = current.map_or(modified, |current| current.record.modified);
                        known = Known { since, newer: 0 };
                    }
                    let when = (known.since, known.newer);
                    let due = self.rules.due_noncurrent(key.as_str(), &held.record, when, self.now, self.calendar);
                    known.newer = known.newer.saturating_add(u32::from(held.record.kind == VersionKind::Object));
                    match due {
                        Some(Due::Expire { keep }) => {
                            let ended = Ended { held, why: Why::Noncurrent { keep } };
                            work.end(&key, current, ended, bytes);
                        }
                        Some(Due::Transition { class, keep }) => {
                            work.moves.push(Move { key: key.clone(), at, held, class, keep });
                        }
                        None => {}
                    }
                }
            }
            known.since = modified;
            before = Some(key);
        }
        work.next = full.then(|| Cursor { after: last, known, ..Cursor::begin(cursor.bucket, Phase::Versions) });
        Ok(work)
    }

    /// The newest objects of a key that are not current, `count` of them; `None` if there are fewer.
    pub(super) async fn kept(&self, key: &ObjectKey, count: u32) -> Result<Option<Kept>, Error> {
        let prefix = keys::object(keys::family::VERSION, self.bucket.record.id, key);
        let newest = Newest { count: count as usize, read: 0, found: Vec::new(), oldest: 0 };
        let newest = self.objects.store().scan(Scan::prefix(&prefix), newest).await?;
        let whole = newest.found.len() == newest.count;
        Ok(whole.then_some(Kept { checks: newest.found, oldest: newest.oldest }))
    }
}

impl DueWork {
    /// Adds a version that ends, beside the others of its key.
    fn end(&mut self, key: &ObjectKey, current: Option<&Held>, ended: Ended, bytes: usize) {
        if let Some(Ending { key: last, what: What::Versions(versions), bytes: sum, .. }) = self.ends.last_mut()
            && last == key
            && versions.len() < ENDS_PER_COMMIT_MAX
        {
            versions.push(ended);
            *sum += bytes;
            return;
        }
        let what = What::Versions(vec![ended]);
        self.ends.push(Ending { key: key.clone(), current: current.cloned(), what, bytes });
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
