//! Figures of the erasure code: `cargo run --release --example erasure_bench [-- K M]`, 4+2 by default.
//!
//! Encoding alone for cells of several sizes, then whole writes, repairs and reads of 64 MiB blobs over shards that cost
//! next to nothing: bytes are cut, encoded, handed to the shards, and come back. Speeds are of content, for each second
//! of processor time.

use async_trait::async_trait;
use bytes::Bytes;
use cofre_runtime::{Clock, Random};
use cofre_shards::{
    Backend, BackendError, BlobHeader, BlobRef, Body, ByteStream, Capacity, Listed, Locator, MemoryBackend, NotDeleted,
    Probe, ShardInfo, ShardMode, Shards, ShardsOptions, Stored,
};
use cofre_types::{BlobId, ResolvedRange, Scheme, ShardId};
use futures_util::{StreamExt, stream};
use reed_solomon_simd::ReedSolomonEncoder;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

const BLOB_BYTES: usize = 64 * 1024 * 1024;
/// Pieces as a connection brings them.
const PIECE_BYTES: usize = 64 * 1024;
const TIME: Duration = Duration::from_secs(2);
const GIB: f64 = (1_u64 << 30) as f64;

/// Keeps what it takes, or throws it away.
struct Shelf {
    kept: MemoryBackend,
    discards: AtomicBool,
}

#[async_trait]
impl Backend for Shelf {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        match body {
            Body::Stream { mut stream, .. } if self.discards.load(Relaxed) => {
                let mut size = 0;
                while let Some(piece) = stream.next().await {
                    size += piece?.len() as u64;
                }
                Ok(Stored { locator: Locator(Vec::new()), size })
            }
            body => self.kept.put(blob, header, body).await,
        }
    }
    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        self.kept.get(blob, locator, range).await
    }
    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        self.kept.header(blob, locator).await
    }
    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        self.kept.delete(blobs).await
    }
    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        self.kept.list(after).await
    }
    async fn capacity(&self) -> Result<Capacity, BackendError> {
        Ok(Capacity { total_bytes: 1 << 50, free_bytes: 1 << 49 })
    }
    async fn probe(&self) -> Result<Probe, BackendError> {
        self.kept.probe().await
    }
}

/// Processor time of this process so far, in seconds.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields follow the name").split(' ').collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("ticks are a number");
    (ticks(11) + ticks(12)) / 100.0
}

/// Does work of so many bytes over and over, and prints its speed.
async fn measure<F: Future<Output = ()>>(clock: &Clock, name: &str, bytes: usize, mut work: impl FnMut() -> F) {
    work().await;
    let (began, processor, mut done) = (clock.elapsed(), processor_seconds(), 0);
    while clock.elapsed() - began < TIME {
        work().await;
        done += bytes;
    }
    let (wall, processor) = ((clock.elapsed() - began).as_secs_f64(), processor_seconds() - processor);
    let (speed, wall) = (done as f64 / GIB / processor, done as f64 / GIB / wall);
    println!("{name:<44} {speed:>7.2} GiB/s a core  {wall:>7.2} GiB/s by the clock");
}

/// Encoding alone.
async fn code(clock: &Clock, data: usize, parity: usize) {
    for cell in [64, 128, 256, 1024].map(|kib| kib * 1024) {
        let mut cells = vec![vec![0; cell]; data];
        cells.iter_mut().for_each(|cell| Random::seeded(1).fill(cell));
        let mut encoder = ReedSolomonEncoder::new(data, parity, cell).expect("a code");
        let mut encode = || {
            cells.iter().for_each(|cell| encoder.add_original_shard(cell).expect("a cell"));
            encoder.encode().expect("encodes").recovery_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        measure(clock, &format!("code: encode, cells of {} KiB", cell / 1024), data * cell, || {
            encode();
            std::future::ready(())
        })
        .await;
    }
}

async fn read(pool: &Shards, blob: &BlobRef) {
    let range = ResolvedRange { start: 0, end: blob.size };
    let mut body = pool.read(blob, range).await.expect("a read");
    while let Some(piece) = body.next().await {
        piece.expect("a piece");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|count| count.parse().expect("a number of pieces"));
    let (data, parity): (u8, u8) = (arguments.next().unwrap_or(4), arguments.next().unwrap_or(2));
    let scheme = Scheme::erasure(data, parity).expect("a scheme");
    let clock = Clock::system();
    println!("{scheme}");
    code(&clock, data.into(), parity.into()).await;

    let pool = Shards::new(clock.clone(), Random::seeded(1), ShardsOptions::default());
    let shelf = || Arc::new(Shelf { kept: MemoryBackend::new(1 << 40), discards: AtomicBool::new(false) });
    let shelves: Vec<_> = (0..scheme.width() + usize::from(parity)).map(|_| shelf()).collect();
    for (number, shelf) in (1..).zip(&shelves) {
        let info = ShardInfo {
            id: ShardId(number),
            identity: [0; 16],
            mode: ShardMode::Active,
            failure_domain: None,
            weight_percent: 100,
        };
        pool.attach(info, shelf.clone());
    }
    let header = BlobHeader {
        bucket: "bench".into(),
        key: "key".into(),
        version: "null".into(),
        part: None,
        written_nanos: 0,
        scheme: None,
        piece: 0,
    };
    let mut content = vec![0; BLOB_BYTES];
    Random::seeded(1).fill(&mut content);
    let content = Bytes::from(content);
    let id = BlobId::from_bytes([1; 16]);
    let write = || {
        let content = content.clone();
        let pieces = (0..BLOB_BYTES).step_by(PIECE_BYTES);
        let pieces = stream::iter(pieces).map(move |at| Ok(content.slice(at..at + PIECE_BYTES)));
        let body = Body::Stream { stream: Box::pin(pieces), size: Some(BLOB_BYTES as u64) };
        pool.write(id, header.clone(), body, scheme)
    };
    let written = write().await.expect("a write");
    let blob = BlobRef { id, size: written.size, scheme, copies: written.copies };
    shelves.iter().for_each(|shelf| shelf.discards.store(true, Relaxed));
    measure(&clock, "write", BLOB_BYTES, || async { drop(write().await.expect("a write")) }).await;
    measure(&clock, "read, all pieces there", BLOB_BYTES, || read(&pool, &blob)).await;
    for lost in 1..=parity {
        let copies = blob.copies.iter().filter(|copy| copy.piece >= lost).cloned().collect();
        let left = BlobRef { copies, ..blob.clone() };
        measure(&clock, &format!("read, {lost} data pieces lost"), BLOB_BYTES, || read(&pool, &left)).await;
        measure(&clock, &format!("repair of {lost} data pieces"), BLOB_BYTES, || async {
            let added = pool.add_copies(&left, &left.copies, scheme, &[]).await.expect("a repair");
            assert_eq!(added.len(), usize::from(lost));
        })
        .await;
    }
}
