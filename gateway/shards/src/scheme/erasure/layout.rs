//! Which byte of a blob stands in which piece, and where. Pure.
//!
//! A blob is cut into stripes of `data` cells; piece *i* is the concatenation of the *i*th cells, and each stripe has
//! `parity` more cells for the other pieces. The last stripe is shorter: its cells share what is left evenly, so that
//! nothing is padded on disk but for less than `data` bytes in each parity cell. Each piece ends with the size of the
//! blob, so that the pieces alone tell it.
//!
//! Cells of one stripe begin at the same offset of their pieces: what a run of one piece is rebuilt from are the same
//! runs of others.

use cofre_types::ResolvedRange;
use std::ops::Range;

/// Bytes of a cell of a full stripe. Part of the format of pieces: it never changes.
pub(super) const CELL_BYTES: u64 = 128 * 1024;
/// Bytes at the end of a piece: the size of the blob, little-endian.
pub(super) const TRAILER_BYTES: u64 = 8;
/// Runs are coded in chunks of so many bytes, counted from the beginning of a cell.
const CHUNK_BYTES: u64 = 64;

const _: () = assert!(CELL_BYTES.is_multiple_of(CHUNK_BYTES));

/// The pieces of one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Pieces that hold content.
    pub(super) data: usize,
    /// Pieces that hold parity.
    pub(super) parity: usize,
    /// Bytes of the blob.
    pub(super) size: u64,
}

/// A place in a stripe.
struct Spot {
    /// The data piece.
    piece: usize,
    /// Where in the piece.
    at: u64,
    /// Where in the piece the cell begins and ends.
    cell: Range<u64>,
}

impl Layout {
    pub(super) fn new(data: u8, parity: u8, size: u64) -> Self {
        Self { data: usize::from(data), parity: usize::from(parity), size }
    }

    /// All pieces.
    pub(super) const fn width(&self) -> usize {
        self.data + self.parity
    }

    /// Content of a full stripe, in bytes.
    pub(super) const fn stripe_bytes(&self) -> u64 {
        self.data as u64 * CELL_BYTES
    }

    const fn full_stripes(&self) -> u64 {
        self.size / self.stripe_bytes()
    }

    /// Bytes of the cells of the last stripe, if it is not full.
    const fn tail_cell(&self) -> u64 {
        tail_cell(self.size % self.stripe_bytes(), self.data)
    }

    /// Bytes of a piece without its trailer.
    pub(super) fn cells_len(&self, piece: usize) -> u64 {
        let (full, cell) = (self.full_stripes() * CELL_BYTES, self.tail_cell());
        if piece >= self.data {
            return full + cell;
        }
        let tail = self.size % self.stripe_bytes();
        full + tail.saturating_sub(piece as u64 * cell).min(cell)
    }

    /// Bytes of a piece.
    pub(super) fn piece_len(&self, piece: usize) -> u64 {
        self.cells_len(piece) + TRAILER_BYTES
    }

    /// What of a run of a piece is on disk: the rest of it, at the end of a data piece, is zeros.
    pub(super) fn on_disk(&self, piece: usize, run: &Range<u64>) -> Range<u64> {
        let len = self.cells_len(piece);
        run.start.min(len)..run.end.min(len)
    }

    fn locate(&self, at: u64) -> Spot {
        let (stripe, cell, within) = if at / self.stripe_bytes() < self.full_stripes() {
            (at / self.stripe_bytes(), CELL_BYTES, at % self.stripe_bytes())
        } else {
            (self.full_stripes(), self.tail_cell().max(1), at - self.full_stripes() * self.stripe_bytes())
        };
        let begins = stripe * CELL_BYTES;
        Spot { piece: (within / cell) as usize, at: begins + within % cell, cell: begins..begins + cell }
    }

    /// What of each data piece holds bytes of a range that is not empty. Each is one run, empty where it holds none.
    pub(super) fn runs(&self, range: ResolvedRange) -> Vec<Range<u64>> {
        let (first, last) = (self.locate(range.start), self.locate(range.end - 1));
        let run = |piece: usize| {
            let begin = match piece.cmp(&first.piece) {
                std::cmp::Ordering::Less => first.cell.end,
                std::cmp::Ordering::Equal => first.at,
                std::cmp::Ordering::Greater => first.cell.start,
            };
            let end = match piece.cmp(&last.piece) {
                std::cmp::Ordering::Less => last.cell.end,
                std::cmp::Ordering::Equal => last.at + 1,
                std::cmp::Ordering::Greater => last.cell.start,
            };
            begin..end.max(begin)
        };
        (0..self.data).map(run).collect()
    }

    /// The run that is enough of every piece to rebuild all runs of one range.
    pub(super) fn hull(&self, runs: &[Range<u64>]) -> Range<u64> {
        let filled = || runs.iter().filter(|run| !run.is_empty());
        let begin = filled().map(|run| run.start).min().unwrap_or(0);
        let end = filled().map(|run| run.end).max().unwrap_or(0);
        let len = self.full_stripes() * CELL_BYTES + self.tail_cell();
        begin / CHUNK_BYTES * CHUNK_BYTES..end.next_multiple_of(CHUNK_BYTES).min(len)
    }

    /// The cells of a range in the order of content: piece, and where in it.
    pub(super) fn cells(&self, range: ResolvedRange) -> impl Iterator<Item = (usize, Range<u64>)> + use<> {
        let (layout, mut at) = (*self, range.start);
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let spot = layout.locate(at);
            let end = spot.cell.end.min(spot.at + (range.end - at));
            at += end - spot.at;
            Some((spot.piece, spot.at..end))
        })
    }

    /// Where the stripe that holds a byte ends, `more` stripes later, within a range.
    pub(super) fn stripe_end(&self, at: u64, more: u64, end: u64) -> u64 {
        ((at / self.stripe_bytes() + 1 + more) * self.stripe_bytes()).min(end)
    }
}

/// Bytes of the cells of a last stripe of `tail` bytes: even, as the code wants them, and at most a full cell.
pub(super) const fn tail_cell(tail: u64, data: usize) -> u64 {
    tail.div_ceil(data as u64).next_multiple_of(2)
}
