use bytes::Bytes;
use std::ops::Range;

/// A run of a piece, as it came.
pub(super) struct Rope {
    begin: u64,
    len: u64,
    parts: Vec<Bytes>,
}

impl Rope {
    /// Nothing, at a place in the piece.
    pub(super) fn empty(begin: u64) -> Self {
        Self { begin, len: 0, parts: Vec::new() }
    }

    /// Adds what comes next.
    pub(super) fn push(&mut self, part: Bytes) {
        self.len += part.len() as u64;
        self.parts.push(part);
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Where in the piece it ends.
    pub(super) const fn end(&self) -> u64 {
        self.begin + self.len
    }

    /// Whether it has all of a run; of an empty one it has.
    pub(super) fn covers(&self, run: &Range<u64>) -> bool {
        run.is_empty() || self.begin <= run.start && run.end <= self.end()
    }

    /// The bytes of a run that it covers, without copying.
    pub(super) fn cut(&self, run: &Range<u64>) -> Vec<Bytes> {
        let mut at = self.begin;
        let mut cut = Vec::new();
        for part in &self.parts {
            let end = at + part.len() as u64;
            let (from, to) = (run.start.max(at), run.end.min(end));
            if from < to {
                cut.push(part.slice((from - at) as usize..(to - at) as usize));
            }
            at = end;
        }
        cut
    }
}
