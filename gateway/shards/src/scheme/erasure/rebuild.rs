//! What is missing from what is left: each lost data piece is a sum of as many others as hold data, each times a factor.
//!
//! The library's own decoder is made for thousands of pieces: it transforms all of them, and evaluates a polynomial at
//! every element of the field for each call. For the few dozen here a matrix takes a fraction of that. The factors come
//! from the library's encoder, so that both can only mean the same code.

use bytes::Bytes;
use reed_solomon_simd::ReedSolomonEncoder;
use reed_solomon_simd::engine::tables::{self, ExpLog};
use reed_solomon_simd::engine::{DefaultEngine, Engine, GF_MODULUS, GfElement, utils};

/// Bytes of a chunk: 32 elements of the field, first all their low bytes and then all their high ones.
const CHUNK_BYTES: usize = 64;
/// Chunks that are worked on at once: what is read, multiplied and summed stays in the nearest cache.
const TILE_CHUNKS: usize = 128;

type Chunk = [u8; CHUNK_BYTES];

/// Rebuilds data pieces.
pub(super) struct Rebuilder(DefaultEngine);

impl Rebuilder {
    pub(super) fn new() -> Self {
        Self(DefaultEngine::new())
    }

    /// The data pieces that are not `given`, over one run of `run_bytes`: each by its number. `given` are as many
    /// different pieces as hold data, by number, each in parts; one that is shorter than the run counts as ending with
    /// zeros. `None` if they are not as many.
    pub(super) fn rebuild(
        &self,
        (data, parity): (usize, usize),
        run_bytes: usize,
        given: &[(usize, Vec<Bytes>)],
    ) -> Option<Vec<(usize, Bytes)>> {
        let pieces: Vec<usize> = given.iter().map(|(piece, _)| *piece).collect();
        let sums = Sums::new(data, parity, &pieces)?;
        let len = run_bytes.div_ceil(CHUNK_BYTES);
        let mut runs: Vec<Run<'_>> = given.iter().map(|(_, parts)| Run::new(parts, run_bytes)).collect();
        let mut rebuilt: Vec<Vec<Chunk>> = sums.0.iter().map(|_| vec![[0; CHUNK_BYTES]; len]).collect();
        let (mut tile, mut product) = ([[0; CHUNK_BYTES]; TILE_CHUNKS], [[0; CHUNK_BYTES]; TILE_CHUNKS]);
        for from in (0..len).step_by(TILE_CHUNKS) {
            let to = len.min(from + TILE_CHUNKS);
            let (tile, product) = (&mut tile[..to - from], &mut product[..to - from]);
            for (at, run) in runs.iter_mut().enumerate() {
                run.next(tile);
                for ((_, factors), rebuilt) in sums.0.iter().zip(&mut rebuilt) {
                    self.add(factors[at], tile, product, &mut rebuilt[from..to]);
                }
            }
        }
        let lost = sums.0.iter().map(|(lost, _)| *lost);
        Some(lost.zip(rebuilt.into_iter().map(|run| bytes(run, run_bytes))).collect())
    }

    /// Adds a tile times a factor to a sum; `product` is room to work in.
    fn add(&self, factor: GfElement, tile: &[Chunk], product: &mut [Chunk], sum: &mut [Chunk]) {
        if factor == 0 {
            return;
        }
        product.copy_from_slice(tile);
        self.0.mul(product, tables::get_exp_log().log[usize::from(factor)]);
        utils::xor(sum, product);
    }
}

/// For each lost data piece its number, and the factor of each given piece.
struct Sums(Vec<(usize, Vec<GfElement>)>);

impl Sums {
    fn new(data: usize, parity: usize, given: &[usize]) -> Option<Self> {
        let field = Field(tables::get_exp_log());
        let lost: Vec<usize> = (0..data).filter(|piece| !given.contains(piece)).collect();
        let parities: Vec<usize> = given.iter().filter_map(|piece| piece.checked_sub(data)).collect();
        if given.len() != data || lost.len() != parities.len() {
            return None;
        }
        let weights = field.weights(data, parity)?;
        // What each given parity piece owes to the lost ones: solved, it says what of the parity pieces each lost one is.
        let owed = parities.iter().map(|parity| lost.iter().map(|lost| weights[*parity][*lost]).collect()).collect();
        let solved = field.inverse(owed)?;
        let factors = |row: &Vec<GfElement>| {
            let factor = |piece: &usize| match piece.checked_sub(data) {
                Some(parity) => parities.iter().position(|other| *other == parity).map_or(0, |at| row[at]),
                None => parities
                    .iter()
                    .zip(row)
                    .fold(0, |sum, (parity, share)| sum ^ field.product(*share, weights[*parity][*piece])),
            };
            given.iter().map(factor).collect()
        };
        Some(Self(lost.iter().copied().zip(solved.iter().map(factors)).collect()))
    }
}

/// Arithmetic of the field; addition is exclusive or.
struct Field(&'static ExpLog);

impl Field {
    const fn one(&self) -> GfElement {
        self.0.exp[0]
    }

    fn product(&self, one: GfElement, other: GfElement) -> GfElement {
        if other == 0 { 0 } else { tables::mul(one, self.0.log[usize::from(other)], &self.0.exp, &self.0.log) }
    }

    /// One over an element that is not zero.
    fn reciprocal(&self, element: GfElement) -> GfElement {
        self.0.exp[usize::from((GF_MODULUS - self.0.log[usize::from(element)]) % GF_MODULUS)]
    }

    /// How much of each data piece is in each parity piece: what the encoder makes of pieces that are one at a place of
    /// their own and zero elsewhere.
    fn weights(&self, data: usize, parity: usize) -> Option<Vec<Vec<GfElement>>> {
        let [low, high] = self.one().to_le_bytes();
        let mut encoder = ReedSolomonEncoder::new(data, parity, CHUNK_BYTES).ok()?;
        for piece in 0..data {
            let mut chunk = [0; CHUNK_BYTES];
            (chunk[piece], chunk[piece + CHUNK_BYTES / 2]) = (low, high);
            encoder.add_original_shard(chunk).ok()?;
        }
        let encoded = encoder.encode().ok()?;
        let weight = |chunk: &[u8], piece| GfElement::from_le_bytes([chunk[piece], chunk[piece + CHUNK_BYTES / 2]]);
        Some(encoded.recovery_iter().map(|chunk| (0..data).map(|piece| weight(chunk, piece)).collect()).collect())
    }

    /// The inverse of a square matrix, by Gauss and Jordan; `None` if it has none.
    fn inverse(&self, mut matrix: Vec<Vec<GfElement>>) -> Option<Vec<Vec<GfElement>>> {
        let size = matrix.len();
        let unit = |row: usize| (0..size).map(|column| if row == column { self.one() } else { 0 }).collect();
        let mut inverse: Vec<Vec<GfElement>> = (0..size).map(unit).collect();
        for column in 0..size {
            let pivot = (column..size).find(|row| matrix[*row][column] != 0)?;
            matrix.swap(column, pivot);
            inverse.swap(column, pivot);
            let scale = self.reciprocal(matrix[column][column]);
            for rows in [&mut matrix, &mut inverse] {
                rows[column].iter_mut().for_each(|element| *element = self.product(*element, scale));
            }
            for row in (0..size).filter(|row| *row != column) {
                let times = matrix[row][column];
                for rows in [&mut matrix, &mut inverse] {
                    let taken: Vec<_> = rows[column].iter().map(|element| self.product(*element, times)).collect();
                    rows[row].iter_mut().zip(taken).for_each(|(element, taken)| *element ^= taken);
                }
            }
        }
        Some(inverse)
    }
}

/// The run of a given piece, tile after tile, from the parts in which it came.
struct Run<'a> {
    parts: std::slice::Iter<'a, Bytes>,
    /// What is left of the part in hand.
    part: &'a [u8],
    /// What is left of the run.
    left: usize,
}

impl<'a> Run<'a> {
    fn new(parts: &'a [Bytes], run_bytes: usize) -> Self {
        Self { parts: parts.iter(), part: &[], left: run_bytes }
    }

    /// The next chunks, zeros where the piece has ended. What is left over at the end of the run is half low bytes and
    /// half high ones, as the encoder takes it.
    fn next(&mut self, tile: &mut [Chunk]) {
        let mut rest = tile.as_flattened_mut();
        let len = rest.len();
        while !rest.is_empty() {
            if self.part.is_empty() {
                match self.parts.next() {
                    Some(part) => self.part = part,
                    None => break,
                }
            }
            let taken = self.part.len().min(rest.len());
            let (now, later) = self.part.split_at(taken);
            let (begin, after) = rest.split_at_mut(taken);
            begin.copy_from_slice(now);
            (self.part, rest) = (later, after);
        }
        rest.fill(0);
        let half = if self.left < len { self.left % CHUNK_BYTES / 2 } else { 0 };
        self.left = self.left.saturating_sub(len);
        if let Some(last) = tile.last_mut().filter(|_| half > 0) {
            let plain = *last;
            *last = [0; CHUNK_BYTES];
            last[..half].copy_from_slice(&plain[..half]);
            last[CHUNK_BYTES / 2..][..half].copy_from_slice(&plain[half..2 * half]);
        }
    }
}

/// What chunks hold, with what is left over at the end of the run in its plain order again.
fn bytes(mut chunks: Vec<Chunk>, run_bytes: usize) -> Bytes {
    let half = run_bytes % CHUNK_BYTES / 2;
    if let Some(last) = chunks.last_mut().filter(|_| half > 0) {
        last.copy_within(CHUNK_BYTES / 2..CHUNK_BYTES / 2 + half, half);
    }
    let mut bytes = chunks.into_flattened();
    bytes.truncate(run_bytes);
    bytes.into()
}
