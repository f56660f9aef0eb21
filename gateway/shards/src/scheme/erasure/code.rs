//! The code: parity cells from data cells, and missing data from what is left.
//!
//! Reed-Solomon over GF(2^16) by the transforms of Lin, Al-Naffouri, Han and Chung (2016), as reed-solomon-simd has
//! it. Its output is part of the format of pieces; a golden sample holds it.

use bytes::Bytes;
use parking_lot::Mutex;
use reed_solomon_simd::{Error, ReedSolomonDecoder, ReedSolomonEncoder};

/// Idle decoders that one read keeps: as many as work at once.
const DECODERS_IDLE_MAX: usize = 2;

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
                self.inner.add_original_shard(padded(cell, cell_bytes))?;
            }
        }
        let result = self.inner.encode()?;
        Ok(result.recovery_iter().map(Bytes::copy_from_slice).collect())
    }
}

/// Rebuilds data, with working memories that are used again.
#[derive(Default)]
pub(super) struct Decoders(Mutex<Vec<ReedSolomonDecoder>>);

impl Decoders {
    /// The data pieces that are not `given`, over one run of `run_bytes`: each by its number. `given` are as many
    /// pieces as hold data, by number; one that is shorter than the run counts as ending with zeros.
    pub(super) fn rebuild(
        &self,
        (data, parity): (usize, usize),
        run_bytes: usize,
        given: &[(usize, Vec<u8>)],
    ) -> Result<Vec<(usize, Bytes)>, Error> {
        let idle = self.0.lock().pop();
        let mut decoder = match idle {
            Some(mut decoder) => {
                decoder.reset(data, parity, run_bytes)?;
                decoder
            }
            None => ReedSolomonDecoder::new(data, parity, run_bytes)?,
        };
        for (piece, run) in given {
            let longer;
            let run = if run.len() == run_bytes {
                run.as_slice()
            } else {
                longer = padded(run, run_bytes);
                longer.as_slice()
            };
            match piece.checked_sub(data) {
                None => decoder.add_original_shard(*piece, run)?,
                Some(recovery) => decoder.add_recovery_shard(recovery, run)?,
            }
        }
        let decoded = decoder.decode()?;
        let copied = |(piece, run)| (piece, Bytes::copy_from_slice(run));
        let rebuilt = decoded.restored_original_iter().map(copied).collect();
        drop(decoded);
        let mut idle = self.0.lock();
        if idle.len() < DECODERS_IDLE_MAX {
            idle.push(decoder);
        }
        Ok(rebuilt)
    }
}

fn padded(bytes: &[u8], len: usize) -> Vec<u8> {
    let mut padded = Vec::with_capacity(len);
    padded.extend_from_slice(bytes);
    padded.resize(len, 0);
    padded
}
