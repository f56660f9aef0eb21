//! Whether what was read may still be believed.
//!
//! Commits are counted by slots. A slot is a part of the keys of one family, told by a hash of the key, or a whole
//! family. So a change of one bucket makes a cache read few others again. The hash is the same in every process, since
//! engines that many processes share tell each other slots.

use crate::Store;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use twox_hash::XxHash3_64;

/// Slots that the keys of a family are spread over.
const SLOTS_PER_FAMILY: usize = 256;

/// Seed of the hash of a key.
const SEED: u64 = 0;

/// How often [`crate::Store::wait_changed`] looks, in an engine that wakes nobody or does not hear of others' commits.
pub const FRESHNESS_POLL: Duration = Duration::from_millis(200);

/// What a cache watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    family: u8,
    /// `None` for all of the family.
    part: Option<u8>,
}

impl Slot {
    /// The slot of a key, which it shares with about one in 256 of its family.
    pub fn of_key(key: &[u8]) -> Self {
        let (family, rest) = key.split_first().unwrap_or((&0, &[]));
        let [part, ..] = XxHash3_64::oneshot_with_seed(SEED, rest).to_be_bytes();
        Self { family: *family, part: Some(part) }
    }

    /// All keys of a family.
    pub const fn of_family(family: u8) -> Self {
        Self { family, part: None }
    }
}

/// How fresh a slot was when it was asked for. Two that are equal tell that nothing touched the slot in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// How often the news of others' commits was lost and heard again.
    stream: u64,
    commits: u64,
}

/// What a cache notes before it reads: what it then read may be used as long as this holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    slot: Slot,
    freshness: Freshness,
}

impl Mark {
    /// Notes how fresh a slot is now. `None` while the store cannot say: what is read then must not be kept.
    pub fn of(store: &dyn Store, slot: Slot) -> Option<Self> {
        store.freshness(slot).map(|freshness| Self { slot, freshness })
    }

    /// Notes how fresh the record of a key is now.
    pub fn of_key(store: &dyn Store, key: &[u8]) -> Option<Self> {
        Self::of(store, Slot::of_key(key))
    }

    /// Whether what was read after the mark was made is still what stands in the catalog, as far as the store knows: see
    /// [`Store::staleness_max`]. Ask at each use.
    pub fn holds(&self, store: &dyn Store) -> bool {
        store.freshness(self.slot) == Some(self.freshness)
    }
}

/// Counts the commits that touched each slot.
///
/// An engine counts a commit after readers see it and before the commit returns. The other way
/// round, a cache could read the new count, then the old state, and believe itself fresh for ever.
pub(crate) struct Touched {
    families: Box<[OnceLock<Family>]>,
    stream: AtomicU64,
}

struct Family {
    commits: AtomicU64,
    slots: Box<[AtomicU64]>,
    waiters: Notify,
}

impl Default for Family {
    fn default() -> Self {
        let slots = (0..SLOTS_PER_FAMILY).map(|_| AtomicU64::new(0)).collect();
        Self { commits: AtomicU64::new(0), slots, waiters: Notify::new() }
    }
}

impl Family {
    fn commits(&self, part: Option<u8>) -> &AtomicU64 {
        part.and_then(|part| self.slots.get(usize::from(part))).unwrap_or(&self.commits)
    }
}

/// Slots of the keys of some commits, each once, in order.
pub(crate) type Touches = Vec<Slot>;

impl Default for Touched {
    fn default() -> Self {
        Self { families: (0..=u8::MAX).map(|_| OnceLock::new()).collect(), stream: AtomicU64::new(0) }
    }
}

impl Touched {
    /// The slots of some keys.
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a Vec<u8>>) -> Touches {
        let mut touches: Touches = keys.map(|key| Slot::of_key(key)).collect();
        touches.sort_unstable();
        touches.dedup();
        touches
    }

    /// Counts a commit and wakes who waits for it.
    pub(crate) fn touch(&self, touches: &Touches) {
        for (index, slot) in touches.iter().enumerate() {
            let family = self.family(slot.family);
            family.commits(slot.part).fetch_add(1, Ordering::SeqCst);
            let last = touches.get(index + 1).is_none_or(|next| next.family != slot.family);
            if last {
                family.commits.fetch_add(1, Ordering::SeqCst);
                family.waiters.notify_waiters();
            }
        }
    }

    /// The news of others' commits was lost, and is heard again from now on: nothing that was fresh is.
    pub(crate) fn begin_stream(&self) {
        self.stream.fetch_add(1, Ordering::SeqCst);
        for family in self.families.iter().filter_map(OnceLock::get) {
            family.waiters.notify_waiters();
        }
    }

    pub(crate) fn freshness(&self, slot: Slot) -> Freshness {
        let commits = self.family(slot.family).commits(slot.part).load(Ordering::SeqCst);
        Freshness { stream: self.stream.load(Ordering::SeqCst), commits }
    }

    /// Waits until the freshness of a slot is not `seen`.
    pub(crate) async fn wait(&self, slot: Slot, seen: Option<Freshness>) -> Freshness {
        loop {
            // Listening begins before the look, so that no touch falls between the two.
            let mut touched = pin!(self.family(slot.family).waiters.notified());
            touched.as_mut().enable();
            let now = self.freshness(slot);
            if Some(now) != seen {
                return now;
            }
            touched.await;
        }
    }

    fn family(&self, family: u8) -> &Family {
        self.families[usize::from(family)].get_or_init(Family::default)
    }
}
