//! Pieces under an erasure code: any `data` of `data + parity` shards give a blob back.
//!
//! [`layout`] says what stands where, [`code`] computes parity and [`rebuild`] what is missing, [`write`] cuts a body into pieces,
//! [`unit`] fetches a run of stripes from whichever pieces can give it, [`read`] strings units together, and [`repair`]
//! moves and rebuilds pieces.
//!
//! # Invariants
//! - Each piece stands on a failure domain of its own.
//! - A read touches only the cells that hold its range, until a piece fails; then as many others over the same run.
//! - Memory is bounded for each request, whatever the blob's size: a write holds the stripe that fills and two that wait for
//!   each shard, a read three units of 4 MiB, or of a stripe where that is longer.
//!
//! # Failure and retry
//! A write goes on while enough pieces for its quorum do; of a body that is at hand as a whole, a piece that a shard does
//! not take goes to another. A read turns to other pieces when one is missing, corrupt,
//! away or slow, also in mid-stream, and tries pieces that were merely slow last.

mod code;
mod layout;
mod read;
mod rebuild;
mod repair;
mod rope;
mod unit;
mod write;

pub(super) use read::read;
pub(super) use repair::add;
pub(super) use write::write;

use layout::Layout;

/// How many pieces there are of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) data: u8,
    pub(super) parity: u8,
}

impl Code {
    fn layout(self, size: u64) -> Layout {
        Layout::new(self.data, self.parity, size)
    }

    /// Bytes of a piece of a blob of `size` bytes.
    pub(super) fn piece_len(self, size: u64, piece: u8) -> u64 {
        self.layout(size).piece_len(usize::from(piece))
    }
}
