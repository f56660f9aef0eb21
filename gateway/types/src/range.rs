use serde::{Deserialize, Serialize};

/// One range of a `Range` header (RFC 9110, section 14.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// `bytes=first-` or `bytes=first-last`, both inclusive.
    From {
        /// First byte.
        first: u64,
        /// Last byte; the object's last if absent.
        last: Option<u64>,
    },
    /// `bytes=-length`: the last `length` bytes.
    Suffix {
        /// Number of bytes at the end.
        length: u64,
    },
}

impl ByteRange {
    /// Fits the range to an object of `size` bytes; `None` if no byte of it is in the object, which
    /// is 416 `InvalidRange`. The last bytes of an empty object are all that it has: none.
    pub fn resolve(self, size: u64) -> Option<ResolvedRange> {
        let (start, end) = match self {
            Self::From { first, last } => (first, last.map_or(size, |last| last.saturating_add(1)).min(size)),
            Self::Suffix { length } => (size.saturating_sub(length), size),
        };
        let is_all = matches!(self, Self::Suffix { length: 1.. });
        (start < end || is_all).then_some(ResolvedRange { start, end })
    }
}

/// A half-open range of bytes: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedRange {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl ResolvedRange {
    /// Number of bytes.
    pub const fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether it holds no byte.
    pub const fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}
