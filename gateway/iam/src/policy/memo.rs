use super::steps::{DECISION_STEPS_MAX, Steps};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most steps of all decisions of one request about many keys.
pub const BATCH_STEPS_MAX: u64 = 16 * DECISION_STEPS_MAX;

/// What decisions of one request about many keys share: whom statements are about and those of their conditions that
/// do not look at the key are decided once, and all draw on one budget of steps.
///
/// It is of one policy, caller and request. Between its decisions only the object, its version and the
/// action differ.
#[derive(Debug)]
pub struct DecisionMemo {
    statements: OnceLock<Box<[OnceLock<bool>]>>,
    left: AtomicU64,
}

impl DecisionMemo {
    /// Of a request of which nothing is decided yet.
    pub fn new() -> Self {
        Self { statements: OnceLock::new(), left: AtomicU64::new(BATCH_STEPS_MAX) }
    }

    /// Whether a statement is about the request, whatever the key; none if that is not known yet.
    pub(super) fn known(&self, statement: usize) -> Option<bool> {
        self.statements.get()?.get(statement)?.get().copied()
    }

    /// Keeps what was found of a statement of so many.
    pub(super) fn keep(&self, statement: usize, count: usize, about: bool) {
        let all = self.statements.get_or_init(|| (0..count).map(|_| OnceLock::new()).collect());
        if let Some(one) = all.get(statement) {
            let _ = one.set(about);
        }
    }

    /// The steps of the next decision.
    pub(crate) fn steps(&self) -> Steps {
        Steps::new(self.left.load(Ordering::Relaxed))
    }

    /// Takes what a decision took.
    pub(crate) fn spend(&self, steps: &Steps) {
        let taken = steps.taken();
        let _ = self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(taken)));
    }
}

impl Default for DecisionMemo {
    fn default() -> Self {
        Self::new()
    }
}
