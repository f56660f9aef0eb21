//! Ranges of keys, and who walks them.

use crate::{Revision, prefix_end};
use std::any::Any;
use std::ops::Bound;

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From small keys to large ones.
    Forward,
    /// From large keys to small ones.
    Reverse,
}

/// A range of keys to walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Where the range begins, whatever the direction.
    pub from: Bound<Vec<u8>>,
    /// Where it ends.
    pub to: Bound<Vec<u8>>,
    /// Which way to walk it.
    pub direction: Direction,
    /// Most keys that the visitor is shown; those that it seeks over do not count. All, if absent. So an engine knows
    /// how much to read ahead.
    pub keys_max: Option<usize>,
    /// Whether the visitor is shown empty values in the place of those that stand there. So an engine need not move them.
    pub keys_only: bool,
}

impl Scan {
    /// All keys that begin with `prefix`, forward.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            from: Bound::Included(prefix.to_vec()),
            to: prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded),
            direction: Direction::Forward,
            keys_max: None,
            keys_only: false,
        }
    }

    /// All keys.
    pub fn everything() -> Self {
        Self::prefix(&[])
    }

    /// The same range, and no more than its first `keys` keys.
    #[must_use]
    pub fn at_most(mut self, keys: usize) -> Self {
        self.keys_max = Some(self.keys_max.map_or(keys, |max| max.min(keys)));
        self
    }

    /// The same range, without its values.
    #[must_use]
    pub fn without_values(mut self) -> Self {
        self.keys_only = true;
        self
    }

    /// The same range, but only keys after `key` (forward).
    #[must_use]
    pub fn after(mut self, key: Vec<u8>) -> Self {
        self.from = Bound::Excluded(key);
        self
    }

    /// The same range, backward.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.direction = Direction::Reverse;
        self
    }

    /// Whether the visitor is shown no key: the ends have met or crossed, or none is wanted.
    pub fn is_empty(&self) -> bool {
        if self.keys_max == Some(0) {
            return true;
        }
        match (&self.from, &self.to) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
        }
    }

    /// Both ends, borrowed, as ordered collections take them.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.from.as_ref().map(Vec::as_slice), self.to.as_ref().map(Vec::as_slice))
    }
}

/// What a visitor wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitStep {
    /// The next key.
    Continue,
    /// The first key at or beyond this one, in the scan's direction. It never goes back.
    Seek(Vec<u8>),
    /// No more.
    Stop,
}

/// Receives the keys of a scan, on the engine's side: nothing is copied that it does not keep.
/// It runs where blocking is allowed, and should be quick.
pub trait Visit: Send + 'static {
    /// Called for each key in order.
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep;
}

/// Object-safe twin of [`Visit`]; use [`crate::ReadExt::scan`].
pub trait VisitDyn: Visit {
    /// Gives the visitor back as it is.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

impl<V: Visit> VisitDyn for V {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
