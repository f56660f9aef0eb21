//! The memory of bodies that are gathered, all of them together.

use crate::layers::slow_down;
use s3s::S3Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may be held at a time. Cloning costs a reference count.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: AtomicUsize,
    max: usize,
}

impl Budget {
    pub(super) fn new(max: usize) -> Self {
        Self(Arc::new(Inner { held: AtomicUsize::new(0), max }))
    }

    /// Nothing of it yet.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// What one request holds of a budget, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Takes more of the budget.
    pub(super) fn grow(&mut self, bytes: usize) -> S3Result<()> {
        let Inner { held, max } = &*self.budget.0;
        if held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > *max {
            held.fetch_sub(bytes, Ordering::Relaxed);
            return Err(slow_down("Too many large documents are being read."));
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared_and_given_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (budget.share(), budget.share());
        one.grow(60).unwrap();
        assert_eq!(other.grow(41).unwrap_err().code().as_str(), "SlowDown");
        other.grow(40).unwrap();
        drop(one);
        other.grow(60).unwrap();
        drop(other);
        assert_eq!(budget.0.held.load(Ordering::Relaxed), 0);
    }
}
