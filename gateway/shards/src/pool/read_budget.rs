use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that reads may hold beyond the least that each needs.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The memory of long reads, all of them together: who gets none of it reads in short pieces.
#[derive(Clone, Default)]
pub(crate) struct ReadBudget(Arc<AtomicU64>);

impl ReadBudget {
    /// Bytes of it, until what this gives is dropped; none if it has no more.
    pub(crate) fn take(&self, bytes: u64) -> Option<ReadShare> {
        let held = self.0.fetch_add(bytes, Ordering::Relaxed);
        let share = ReadShare { budget: self.clone(), bytes };
        (held + bytes <= BYTES_MAX).then_some(share)
    }

    /// Whether there is enough of it for some to be read before anyone asks.
    pub(crate) fn has_spare(&self) -> bool {
        self.0.load(Ordering::Relaxed) < BYTES_MAX / 2
    }
}

/// What one read holds.
pub(crate) struct ReadShare {
    budget: ReadBudget,
    bytes: u64,
}

impl Drop for ReadShare {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_given_back() {
        let budget = ReadBudget::default();
        let most = budget.take(BYTES_MAX).expect("all of it");
        assert!(budget.take(1).is_none() && !budget.has_spare());
        drop(most);
        assert!(budget.take(BYTES_MAX).is_some());
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }
}
