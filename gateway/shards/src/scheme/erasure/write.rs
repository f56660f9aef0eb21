use super::Code;
use super::code::Encoder;
use super::layout::{CELL_BYTES, tail_cell};
use crate::backend::BlobHeader;
use crate::body::{Body, BodyError, ByteStream};
use crate::pool::{Copy, Excluded, Shard, Shards, WriteError, Written};
use crate::scheme::feed::Feeds;
use crate::scheme::writing::{Job, Progress};
use bytes::{Buf, Bytes, BytesMut};
use cofre_runtime::blocking;
use cofre_types::{BlobId, Scheme};
use futures_util::future::FutureExt;
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Cells that wait for one shard, beside the stripe that fills.
const CELLS_WAITING_MAX: usize = 2;
/// Content of a stripe that is encoded in the caller's task: some 100 µs. A wider one goes to a blocking thread.
const INLINE_BYTES_MAX: usize = 1024 * 1024;

/// Writes a piece to each shard, at least to `quorum` of them. A piece that one does not take goes to another, if the
/// body is at hand as a whole.
pub(in crate::scheme) async fn write(
    pool: &Shards,
    blob: BlobId,
    header: &BlobHeader,
    body: Body,
    (code, quorum): (Code, usize),
) -> Result<Written, WriteError> {
    let scheme = Scheme::Erasure { data: code.data, parity: code.parity };
    let size = body.size();
    // A parity piece is the longest.
    let size_bytes = size.map_or(0, |size| code.piece_len(size, code.data));
    let (shards, shortage) = pool.choose(scheme.width(), size_bytes, &Excluded::default()).await;
    if shards.len() < quorum {
        return Err(shortage.error(quorum));
    }
    let job = Job { pool, blob, size_bytes, quorum };
    let headers = headers(header, &(0..).take(shards.len()).collect::<Vec<u8>>());
    let takers = shards.into_iter().zip(&headers).collect();
    let seen = Arc::new(AtomicU64::new(0));
    let copies = match body {
        Body::Whole(bytes) => whole(&job, code, takers, bytes).await?,
        Body::Stream { stream, .. } => {
            let mut feeds = Feeds::new(quorum, job.grace(), CELLS_WAITING_MAX);
            let puts = bodies(code, takers, size, &mut feeds);
            job.fed(puts, Striper::new(code, feeds).pump(stream, size, seen.clone()).boxed()).await?
        }
    };
    let copies: Vec<_> = copies.into_iter().map(|(copy, _)| copy).collect();
    let missing = scheme.width() - copies.len();
    Ok(Written { size: size.unwrap_or_else(|| seen.load(Relaxed)), scheme, copies, missing })
}

/// A shard, and the header of the piece that it is to take.
type Taker<'a> = (Arc<Shard>, &'a BlobHeader);

/// What each taker puts, as `feeds` will hand it out.
fn bodies<'a>(
    code: Code,
    takers: Vec<Taker<'a>>,
    size: Option<u64>,
    feeds: &mut Feeds,
) -> Vec<(Arc<Shard>, &'a BlobHeader, Body)> {
    let puts = takers.into_iter().map(|(shard, header)| {
        let stream = feeds.reader(usize::from(header.piece));
        (shard, header, Body::Stream { stream, size: size.map(|size| code.piece_len(size, header.piece)) })
    });
    puts.collect()
}

/// Writes pieces of a body that is at hand: one that a shard does not take is cut anew for another.
async fn whole<'a>(
    job: &'a Job<'a>,
    code: Code,
    takers: Vec<Taker<'a>>,
    bytes: Bytes,
) -> Result<Vec<(Copy, u64)>, WriteError> {
    let size = bytes.len() as u64;
    let (mut progress, mut puts, mut pumps) = (Progress::default(), FuturesUnordered::new(), FuturesUnordered::new());
    let mut piece_on = HashMap::new();
    let mut begun = Some((takers, job.quorum));
    loop {
        if let Some((takers, needed)) = begun.take() {
            for (shard, header) in &takers {
                progress.begin(shard);
                piece_on.insert(shard.info.id, *header);
            }
            let mut feeds = Feeds::new(needed, job.grace(), CELLS_WAITING_MAX).down_to(1);
            let new = bodies(code, takers, Some(size), &mut feeds);
            puts.extend(new.into_iter().map(|(shard, header, body)| job.put(shard, header, body)));
            let stream = Box::pin(stream::iter([Ok(bytes.clone())]));
            pumps.push(Striper::new(code, feeds).pump(stream, Some(size), Arc::default()).boxed());
        }
        let settled = progress.copies.len() >= job.quorum;
        tokio::select! {
            Some(ended) = pumps.next() => ended.map_err(WriteError::Body)?,
            next = job.next(&mut puts, settled) => match next {
                None => break,
                Some((shard, Ok(done))) => progress.done(shard, done),
                Some((shard, Err(error))) => {
                    progress.lost(&shard, &error);
                    let header = piece_on.get(&shard.info.id).copied();
                    begun = job.spare(&mut progress).await.zip(header).map(|taker| (vec![taker], 1));
                    if begun.is_none() && progress.copies.len() + puts.len() < job.quorum {
                        break;
                    }
                }
            }
        }
    }
    let stragglers = !puts.is_empty();
    drop(puts);
    job.finish(progress, stragglers).await
}

/// A header for each piece.
pub(super) fn headers(header: &BlobHeader, pieces: &[u8]) -> Vec<BlobHeader> {
    pieces.iter().map(|piece| BlobHeader { piece: *piece, ..header.clone() }).collect()
}

/// Cuts a body into stripes and hands their cells to the pieces that are wanted.
pub(super) struct Striper {
    data: usize,
    parity: usize,
    feeds: Feeds,
    encoder: Option<Encoder>,
}

impl Striper {
    pub(super) fn new(code: Code, feeds: Feeds) -> Self {
        Self { data: usize::from(code.data), parity: usize::from(code.parity), feeds, encoder: None }
    }

    /// Hands out the whole body, and counts its bytes in `seen`. Returns early if too few readers are left.
    ///
    /// # Errors
    /// The body's own error, or that it has not the declared size.
    pub(super) async fn pump(
        mut self,
        mut body: ByteStream,
        size: Option<u64>,
        seen: Arc<AtomicU64>,
    ) -> Result<(), BodyError> {
        let stripe_bytes = self.data * CELL_BYTES as usize;
        let capacity = size.map_or(stripe_bytes, |size| size.min(stripe_bytes as u64) as usize);
        let mut filling = BytesMut::new();
        let mut received = 0;
        while let Some(piece) = body.next().await {
            let mut piece = piece?;
            received += piece.len() as u64;
            while !piece.is_empty() {
                if filling.is_empty() && piece.len() >= stripe_bytes {
                    self.stripe(piece.split_to(stripe_bytes)).await?;
                } else {
                    if filling.capacity() == 0 {
                        filling.reserve(capacity);
                    }
                    let taken = piece.len().min(stripe_bytes - filling.len());
                    filling.extend_from_slice(&piece[..taken]);
                    piece.advance(taken);
                    if filling.len() == stripe_bytes {
                        self.stripe(std::mem::take(&mut filling).freeze()).await?;
                    }
                }
                if self.feeds.too_few() {
                    return Ok(());
                }
            }
        }
        if let Some(size) = size.filter(|size| *size != received) {
            return Err(BodyError::wrong_size(size, received));
        }
        if !filling.is_empty() {
            self.stripe(filling.freeze()).await?;
        }
        seen.store(received, Relaxed);
        let trailer = Bytes::copy_from_slice(&received.to_le_bytes());
        self.feeds.send(|_| trailer.clone()).await;
        self.feeds.end().await;
        Ok(())
    }

    /// Hands out the cells of a stripe, which is shorter only at the end.
    async fn stripe(&mut self, stripe: Bytes) -> Result<(), BodyError> {
        let cell = tail_cell(stripe.len() as u64, self.data) as usize;
        let begins = |piece: usize| (piece * cell).min(stripe.len());
        let mut cells: Vec<_> = (0..self.data).map(|piece| stripe.slice(begins(piece)..begins(piece + 1))).collect();
        if self.feeds.listening().any(|piece| piece >= self.data) {
            cells = self.encode(cells, cell, stripe.len()).await?;
        }
        self.feeds.send(|piece| cells.get(piece).cloned().unwrap_or_default()).await;
        Ok(())
    }

    /// Adds the parity cells.
    async fn encode(&mut self, mut cells: Vec<Bytes>, cell: usize, stripe: usize) -> Result<Vec<Bytes>, BodyError> {
        let failed = |error: reed_solomon_simd::Error| BodyError(Box::new(error));
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(self.data, self.parity, cell).map_err(failed)?,
        };
        let work = move || {
            let parity = encoder.parity(&cells, cell);
            parity.map(|parity| {
                cells.extend(parity);
                (encoder, cells)
            })
        };
        let done = if stripe <= INLINE_BYTES_MAX { work() } else { blocking(work).await };
        let (encoder, cells) = done.map_err(failed)?;
        self.encoder = Some(encoder);
        Ok(cells)
    }
}
