//! The code: parity cells from data cells.
//!
//! Reed-Solomon over GF(2^16) by the transforms of Lin, Al-Naffouri, Han and Chung (2016), as reed-solomon-simd has
//! it. Its output is part of the format of pieces; a golden sample holds it.

use bytes::Bytes;
use reed_solomon_simd::{Error, ReedSolomonEncoder};

/// Makes the parity of stripe after stripe, in one working memory.
pub(super) struct Encoder {
    data: usize,
    parity: usize,
    cell_bytes: usize,
    inner: ReedSolomonEncoder,
}

impl Encoder {
    /// For cells of `cell_bytes`, which is even.
    pub(super) fn new(data: usize, parity: usize, cell_bytes: usize) -> Result<Self, Error> {
        Ok(Self { data, parity, cell_bytes, inner: ReedSolomonEncoder::new(data, parity, cell_bytes)? })
    }

    /// The parity cells of a stripe. Data cells that are shorter than `cell_bytes` count as ending with zeros.
    pub(super) fn parity(&mut self, cells: &[Bytes], cell_bytes: usize) -> Result<Vec<Bytes>, Error> {
        if cell_bytes != self.cell_bytes {
            self.inner.reset(self.data, self.parity, cell_bytes)?;
            self.cell_bytes = cell_bytes;
        }
        for cell in cells {
            if cell.len() == cell_bytes {
                self.inner.add_original_shard(cell)?;
            } else {
                let mut padded = cell.to_vec();
                padded.resize(cell_bytes, 0);
                self.inner.add_original_shard(padded)?;
            }
        }
        let result = self.inner.encode()?;
        Ok(result.recovery_iter().map(Bytes::copy_from_slice).collect())
    }
}
