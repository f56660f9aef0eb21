//! Ends what is due: many versions in one commit.
//!
//! # Ordering
//! A joint commit takes no lock on its keys: held while it syncs, the locks of so many keys would make a large part
//! of all requests wait. Its checks are enough. A key that has a current object is changed in no way that matters
//! here without a change of that object's record, which is checked; of a key that has none the marker that hides it
//! must still stand. A version that ends is checked itself. Who acts on a key meanwhile checks what it read in the
//! same way.
//!
//! Where a check fails, because a request was faster, each key of the batch is done for itself, under its lock and by
//! what stands then: one that is changed all the time does not keep the others.

use super::apply::{COMMITS_AT_ONCE_MAX, LifecycleCounts, LifecycleStep, Outcome, Walk};
use super::log;
use crate::change::Change;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::versions::{Held, KeyState};
use cofre_catalog::records::{VersionKind, VersionRecord, Versioning};
use cofre_catalog::{Check, keys};
use cofre_rules::Removal;
use cofre_runtime::uncancelled;
use cofre_types::ObjectKey;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::VecDeque;

/// Most versions that one commit ends. The catalog's one writer looks each up and removes it while PUTs wait for it.
/// A PUT is about ten such looks and writes, so this many are the work of some forty PUTs: a small part of what a
/// loaded catalog writes with one sync.
pub(super) const ENDS_PER_COMMIT_MAX: usize = 256;

/// Bytes of keys and records after which a commit takes no further key.
const BYTES_PER_COMMIT_MAX: usize = 256 << 10;

/// Most joint commits that are under way at once: while one is synced the next is made.
const JOINT_COMMITS_AT_ONCE_MAX: usize = 2;

/// What of one key is due to end.
#[derive(Debug)]
pub(super) struct Ending {
    pub key: ObjectKey,
    /// The current object, if there was one when the key was read.
    pub current: Option<Held>,
    pub what: What,
    /// Bytes of keys and records.
    pub bytes: usize,
}

#[derive(Debug)]
pub(super) enum What {
    /// The current object.
    Current,
    /// Versions that are not current, or a marker that is alone.
    Versions(Vec<Ended>),
}

/// A version that is due to end.
#[derive(Debug)]
pub(super) struct Ended {
    pub held: Held,
    pub why: Why,
}

/// Why a version ends that is no current object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    /// It has not been current for long, and so many newer objects that are not current stand before it.
    Noncurrent { keep: u32 },
    /// It is a delete marker, and the only version of its key.
    LoneMarker,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
enum Act {
    Expire,
    ExpireNoncurrent,
    RemoveMarker,
}

/// What ending something of a key comes to: the change, its lines, and the outcomes if it is committed.
#[derive(Default)]
struct Plan {
    change: Change,
    lines: Vec<String>,
    outcomes: Vec<(Act, Outcome)>,
}

impl Walk {
    /// Ends what is due of some keys.
    pub(super) async fn end(&self, endings: Vec<Ending>, step: &mut LifecycleStep) -> Result<(), Error> {
        let each = groups(endings).into_iter().map(|group| {
            let walk = self.clone();
            uncancelled(async move { walk.end_group(group).await })
        });
        let outcomes: Vec<_> = stream::iter(each).buffer_unordered(JOINT_COMMITS_AT_ONCE_MAX).try_collect().await?;
        for (act, outcome) in outcomes.into_iter().flatten() {
            step.note(self.bucket.name.as_str(), outcome, |counts| act.counter(counts));
        }
        Ok(())
    }

    async fn end_group(&self, group: Vec<Ending>) -> Result<Vec<(Act, Outcome)>, Error> {
        let mut states = self.states(&group).await?;
        let mut joint = Plan::default();
        for ending in &group {
            let state = states.pop_front().unwrap_or_else(|| self.nothing_at(&ending.key));
            joint.join(self.plan(ending, &state).await?);
        }
        match joint.commit(&self.objects, self).await? {
            (Tried::Done, outcomes) => Ok(outcomes),
            (Tried::Again, _) => self.end_each(group).await,
        }
    }

    async fn end_each(&self, group: Vec<Ending>) -> Result<Vec<(Act, Outcome)>, Error> {
        let each = group.into_iter().map(|ending| {
            let walk = self.clone();
            uncancelled(async move { walk.end_alone(&ending).await })
        });
        let outcomes: Vec<_> = stream::iter(each).buffer_unordered(COMMITS_AT_ONCE_MAX).try_collect().await?;
        Ok(outcomes.into_iter().flatten().collect())
    }

    async fn end_alone(&self, ending: &Ending) -> Result<Vec<(Act, Outcome)>, Error> {
        let _turn = self.objects.lock_key(&self.bucket, &ending.key).await;
        let state = self.objects.key_state(&self.bucket, &ending.key).await?;
        let plan = self.plan(ending, &state).await?;
        let (tried, mut outcomes) = plan.commit(&self.objects, self).await?;
        if matches!(tried, Tried::Again) {
            for (_, outcome) in outcomes.iter_mut().filter(|(_, outcome)| *outcome == Outcome::Done) {
                *outcome = Outcome::Changed;
            }
        }
        Ok(outcomes)
    }

    /// What stands at some keys, in their order; read again only where what was read with the page is not enough.
    async fn states(&self, group: &[Ending]) -> Result<VecDeque<KeyState>, Error> {
        let each: Vec<_> = group
            .iter()
            .map(|ending| {
                let (walk, key, known) = (self.clone(), ending.key.clone(), self.known_state(ending));
                async move {
                    match known {
                        Some(state) => Ok(state),
                        None => walk.objects.key_state(&walk.bucket, &key).await,
                    }
                }
            })
            .collect();
        stream::iter(each).buffered(COMMITS_AT_ONCE_MAX).try_collect().await
    }

    fn known_state(&self, ending: &Ending) -> Option<KeyState> {
        let read_whole = match (&ending.what, self.bucket.record.versioning) {
            // The null version may stand behind it, and would have to go.
            (What::Current, Versioning::Suspended) => true,
            (What::Current, Versioning::Unversioned | Versioning::Enabled) | (What::Versions(_), _) => false,
        };
        let current = ending.current.clone().filter(|_| !read_whole)?;
        Some(KeyState::of_current(self.bucket.record.id, ending.key.clone(), current))
    }

    async fn plan(&self, ending: &Ending, state: &KeyState) -> Result<Plan, Error> {
        match &ending.what {
            What::Current => self.plan_current(ending, state),
            What::Versions(versions) => self.plan_versions(&ending.key, versions, state).await,
        }
    }

    /// Ends a current object, if it still is as it was read.
    fn plan_current(&self, ending: &Ending, state: &KeyState) -> Result<Plan, Error> {
        let (objects, bucket) = (&self.objects, &self.bucket);
        let was_read = ending.current.as_ref().map(|held| held.revision);
        let Some(held) = state.current.as_ref().filter(|held| Some(held.revision) == was_read) else {
            return Ok(Plan::of(Act::Expire, Outcome::Changed));
        };
        let now = objects.now();
        let place = state.next_place(now);
        let marker = VersionRecord::delete_marker(objects.version_at(bucket, place), place, now, bucket.record.owner);
        let mut change = Change::default();
        let made = match state.delete(bucket.record.versioning, marker, Removal::at(now), &mut change) {
            Ok(made) => made,
            Err(Error::Locked) => return Ok(Plan::of(Act::Expire, Outcome::Locked)),
            Err(error) => return Err(error),
        };
        let line = match &made {
            Some(marker) => {
                // Whatever else is true of the key, a marker takes no other version's place.
                let at = keys::version(bucket.record.id, &ending.key, marker.place);
                change.batch.checks.push(Check::Absent(at));
                self.line(log::CREATE_MARKER, &ending.key, None, Some(marker.version))
            }
            None => self.line(log::EXPIRE, &ending.key, Some(held.record.size), Some(held.record.version)),
        };
        Ok(Plan { change, lines: line.into_iter().collect(), ..Plan::of(Act::Expire, Outcome::Done) })
    }

    async fn plan_versions(&self, key: &ObjectKey, versions: &[Ended], state: &KeyState) -> Result<Plan, Error> {
        let removal = Removal::at(self.objects.now());
        let keep = versions.iter().map(|version| version.why.keep()).max().unwrap_or(0);
        let kept = if keep == 0 { None } else { self.kept(key, keep).await? };
        let hiding = state.hiding().map(|marker| marker.record.place);
        let mut plan = Plan::default();
        for Ended { held, why } in versions {
            let place = held.record.place;
            let stands = match why {
                Why::LoneMarker => state.older.len() == 1 && hiding == Some(place),
                // What hides the key now was not current when it was read, and is.
                Why::Noncurrent { .. } if hiding == Some(place) => false,
                Why::Noncurrent { keep: 0 } => true,
                Why::Noncurrent { .. } => kept.as_ref().is_some_and(|kept| place < kept.oldest),
            };
            let outcome = match stands.then(|| state.remove_old(held, removal, &mut plan.change)) {
                None => Outcome::Changed,
                Some(Ok(())) => {
                    let size = (held.record.kind == VersionKind::Object).then_some(held.record.size);
                    plan.lines.extend(self.line(log::EXPIRE, key, size, Some(held.record.version)));
                    Outcome::Done
                }
                Some(Err(Error::Locked)) => Outcome::Locked,
                Some(Err(error)) => return Err(error),
            };
            plan.outcomes.push((why.act(), outcome));
        }
        for (at, revision) in kept.into_iter().flat_map(|kept| kept.checks) {
            plan.change.batch.unchanged(at, Some(revision));
        }
        Ok(plan)
    }

    fn nothing_at(&self, key: &ObjectKey) -> KeyState {
        let bucket = self.bucket.record.id;
        KeyState { bucket, key: key.clone(), current: None, older: Vec::new(), null: None }
    }
}

impl Plan {
    fn of(act: Act, outcome: Outcome) -> Self {
        Self { outcomes: vec![(act, outcome)], ..Self::default() }
    }

    /// Joins the plan of another key to this one.
    fn join(&mut self, other: Self) {
        // The checks of a plan that does nothing would only make the others fail.
        if other.does_something() {
            self.change.join(other.change);
        }
        self.lines.extend(other.lines);
        self.outcomes.extend(other.outcomes);
    }

    fn does_something(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Done)
    }

    /// Commits it, if it does something. The outcomes hold if that is done.
    async fn commit(self, objects: &Objects, walk: &Walk) -> Result<(Tried, Vec<(Act, Outcome)>), Error> {
        if !self.does_something() {
            return Ok((Tried::Done, self.outcomes));
        }
        Ok((objects.try_commit_logged(&walk.bucket, self.change, self.lines).await?, self.outcomes))
    }
}

impl Why {
    const fn keep(self) -> u32 {
        match self {
            Self::Noncurrent { keep } => keep,
            Self::LoneMarker => 0,
        }
    }

    const fn act(self) -> Act {
        match self {
            Self::Noncurrent { .. } => Act::ExpireNoncurrent,
            Self::LoneMarker => Act::RemoveMarker,
        }
    }
}

impl Act {
    const fn counter(self, counts: &mut LifecycleCounts) -> &mut u64 {
        match self {
            Self::Expire => &mut counts.expired,
            Self::ExpireNoncurrent => &mut counts.noncurrent_expired,
            Self::RemoveMarker => &mut counts.markers_removed,
        }
    }
}

impl What {
    fn versions(&self) -> usize {
        match self {
            Self::Current => 1,
            Self::Versions(versions) => versions.len(),
        }
    }
}

/// Endings in the groups that one commit takes, in their order.
fn groups(endings: Vec<Ending>) -> Vec<Vec<Ending>> {
    let (mut groups, mut group): (_, Vec<Ending>) = (Vec::new(), Vec::new());
    let (mut versions, mut bytes) = (0, 0);
    for ending in endings {
        let more = ending.what.versions();
        if !group.is_empty() && (versions + more > ENDS_PER_COMMIT_MAX || bytes >= BYTES_PER_COMMIT_MAX) {
            groups.push(std::mem::take(&mut group));
            (versions, bytes) = (0, 0);
        }
        versions += more;
        bytes += ending.bytes;
        group.push(ending);
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}
