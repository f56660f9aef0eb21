//! What one decision may cost.

use std::cell::Cell;

/// Most steps of one decision: about a millisecond. A step is one byte that is looked at, or one element
/// of a policy.
pub const DECISION_STEPS_MAX: u64 = 1 << 20;

/// Longest value, in bytes, that a condition or a resource is held against. Larger ones are no name of AWS's: a
/// key has at most 1,024 bytes and all headers of a request 8 KiB (AWS, "PutObject").
pub const SUBJECT_BYTES_MAX: usize = 8 * 1024;

/// Why a policy says nothing to a request: it would cost too much to find out. It counts as a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overrun {
    /// It takes more than [`DECISION_STEPS_MAX`].
    #[error("the decision takes too many steps")]
    Steps,
    /// A value of the request is longer than [`SUBJECT_BYTES_MAX`].
    #[error("a value that a condition looks at is longer than 8 KiB")]
    Subject,
}

/// The steps that are left to a decision.
#[derive(Debug)]
pub(crate) struct Steps {
    given: u64,
    left: Cell<u64>,
}

impl Steps {
    /// For one decision, of which at most `left` may be taken.
    pub(crate) fn new(left: u64) -> Self {
        let given = left.min(DECISION_STEPS_MAX);
        Self { given, left: Cell::new(given) }
    }

    /// Takes steps before they are done.
    pub(super) fn take(&self, steps: usize) -> Result<(), Overrun> {
        let left = self.left.get().checked_sub(steps as u64);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(Overrun::Steps)
    }

    /// How many were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.given - self.left.get()
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self::new(DECISION_STEPS_MAX)
    }
}
