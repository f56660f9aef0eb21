use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Counts the commits that touched each one-byte prefix.
///
/// An engine counts a commit after readers see it and before the commit returns. The other way
/// round, a cache could read the new count, then the old state, and believe itself fresh for ever.
pub(crate) struct Touched(Box<[Prefix]>);

#[derive(Default)]
struct Prefix {
    commits: AtomicU64,
    waiters: Notify,
}

/// First bytes of the keys of some commits, each once.
pub(crate) type Touches = Vec<u8>;

impl Default for Touched {
    fn default() -> Self {
        Self((0..=u8::MAX).map(|_| Prefix::default()).collect())
    }
}

impl Touched {
    /// The first bytes of keys that come in order.
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a Vec<u8>>) -> Touches {
        let mut touches: Touches = keys.filter_map(|key| key.first().copied()).collect();
        touches.dedup();
        touches
    }

    /// Counts a commit and wakes who waits for it.
    pub(crate) fn touch(&self, touches: &Touches) {
        for prefix in touches {
            let prefix = &self.0[usize::from(*prefix)];
            prefix.commits.fetch_add(1, Ordering::SeqCst);
            prefix.waiters.notify_waiters();
        }
    }

    pub(crate) fn get(&self, prefix: u8) -> u64 {
        self.0[usize::from(prefix)].commits.load(Ordering::SeqCst)
    }

    /// Waits until the count is no longer `seen`.
    pub(crate) async fn wait(&self, prefix: u8, seen: u64) -> u64 {
        loop {
            // Listening begins before the look, so that no touch falls between the two.
            let mut touched = pin!(self.0[usize::from(prefix)].waiters.notified());
            touched.as_mut().enable();
            let now = self.get(prefix);
            if now != seen {
                return now;
            }
            touched.await;
        }
    }
}
