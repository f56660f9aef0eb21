//! How the catalog does, as its writer and its readers find it.
//!
//! # Invariants
//! - A write that failed is remembered until the catalog is opened again: what is on disk is not known.
//! - Damage is remembered until a look at every file finds none, which began after it was found last.
//! - Asking never waits for the disk.

use crate::{COMMIT_SLOW_AFTER, CommitState, FilesChecked, StoreError, StoreState};
use cofre_runtime::Clock;
use parking_lot::RwLock;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub(crate) struct Condition {
    clock: Clock,
    /// The write that failed.
    broken: OnceLock<String>,
    /// Why commits are refused for now; `None` for want of room.
    refused: RwLock<Option<String>>,
    full: AtomicBool,
    damage: RwLock<Option<String>>,
    /// How often damage was found: several looks at every file may be under way.
    damage_found: AtomicU64,
    /// Whether any of the above says something.
    noted: AtomicBool,
    /// Microseconds of the clock, plus one, when the oldest thing that the writer does was asked for; zero while it
    /// does nothing.
    busy_since: AtomicU64,
}

impl Condition {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            broken: OnceLock::new(),
            refused: RwLock::default(),
            full: AtomicBool::new(false),
            damage: RwLock::default(),
            damage_found: AtomicU64::new(0),
            noted: AtomicBool::new(false),
            busy_since: AtomicU64::new(0),
        }
    }

    pub(crate) fn state(&self) -> StoreState {
        let waiting = self.waiting().filter(|waiting| *waiting >= COMMIT_SLOW_AFTER);
        if waiting.is_none() && !self.noted.load(Ordering::Acquire) {
            return StoreState::default();
        }
        let refused = || self.refused.read().clone().map(CommitState::Refused);
        let commits = match self.broken.get() {
            Some(cause) => CommitState::Refused(cause.clone()),
            None => refused().unwrap_or_else(|| match waiting {
                Some(waiting) => CommitState::Slow(waiting),
                None if self.full.load(Ordering::Acquire) => CommitState::Full,
                None => CommitState::Taken,
            }),
        };
        StoreState { commits, damage: self.damage.read().clone() }
    }

    /// The writer begins something that was asked for at this time.
    pub(crate) fn begin(&self, asked: Duration) {
        let micros = u64::try_from(asked.as_micros()).unwrap_or(u64::MAX - 1);
        self.busy_since.store(micros + 1, Ordering::Release);
    }

    /// The writer has done it.
    pub(crate) fn end(&self) {
        self.busy_since.store(0, Ordering::Release);
    }

    fn waiting(&self) -> Option<Duration> {
        let since = self.busy_since.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.clock.elapsed().saturating_sub(Duration::from_micros(since)))
    }

    /// A write failed, and no more are taken. The first one counts.
    pub(crate) fn break_off(&self, cause: &str) {
        self.refuse_for_good(&format!("an earlier write failed ({cause}); set that right, then start cofre again"));
    }

    /// No commits are taken until the catalog is opened again. The first reason counts.
    pub(crate) fn refuse_for_good(&self, why: &str) {
        if self.broken.set(why.to_owned()).is_ok() {
            self.noted.store(true, Ordering::Release);
        }
    }

    /// Why no commit is taken until the catalog is opened again.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// What a look at the disk's room found.
    pub(crate) fn note_room(&self, outcome: &Result<(), StoreError>) {
        let (full, refused) = match outcome {
            Ok(()) => (false, None),
            Err(StoreError::Full) => (true, None),
            Err(StoreError::Refused(why)) => (false, Some(why.clone())),
            Err(error) => (false, Some(error.to_string())),
        };
        if full == self.full.load(Ordering::Acquire) && refused.is_none() && self.refused.read().is_none() {
            return;
        }
        self.full.store(full, Ordering::Release);
        *self.refused.write() = refused;
        self.noted.store(true, Ordering::Release);
    }

    /// Something on disk is damaged, or cannot be read. The first counts.
    pub(crate) fn note_damage(&self, what: &str) {
        let mut damage = self.damage.write();
        self.damage_found.fetch_add(1, Ordering::AcqRel);
        if damage.is_none() {
            tracing::error!(what, "the catalog is damaged: take no chances with its disk, and restore or salvage it");
            *damage = Some(what.to_owned());
        }
        self.noted.store(true, Ordering::Release);
    }

    /// How often damage was found by now: a look at every file notes it when it begins.
    pub(crate) fn damage_found(&self) -> u64 {
        self.damage_found.load(Ordering::Acquire)
    }

    /// A step of a look at every file ended that began when damage had been found so often. Once a whole look has ended
    /// and none was found since it began, by it or by others, none is known.
    pub(crate) fn note_checked(&self, began: u64, checked: &FilesChecked) {
        if let Some(what) = &checked.damage {
            self.note_damage(what);
        } else if checked.next.is_none() {
            let mut damage = self.damage.write();
            if self.damage_found() == began {
                *damage = None;
            }
        }
    }
}
