//! Figures of a filesystem shard: `cargo run --release --example backend_bench -- DIRECTORY [BLOBS]`.
//!
//! The directory must be missing or empty. BLOBS (default 100,000) is how many small blobs the restart is
//! measured with.

use bytes::Bytes;
use cofre_runtime::{Clock, Random, spawn};
use cofre_shards::{Backend, BlobHeader, Body, FsBackend, FsOptions, Locator, ShardIdentity};
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

const SMALL_BYTES: usize = 4096;
const LARGE_BYTES: usize = 64 * 1024 * 1024;
/// Pieces as a connection brings them.
const PIECE_BYTES: usize = 64 * 1024;
const SMALL_TIME: Duration = Duration::from_secs(3);
const LARGE_ROUNDS: usize = 8;

struct Bench {
    shard: Arc<dyn Backend>,
    clock: Clock,
    random: Random,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().expect("a directory to make the shard in"));
    let blobs = arguments.next().map_or(100_000, |blobs| blobs.parse().expect("a number of blobs"));
    let (clock, random) = (Clock::system(), Random::system());
    let shard = FsBackend::create(&path, identity(), FsOptions::default(), clock.clone(), random.clone());
    let bench = Bench { shard: Arc::new(shard.expect("the directory takes a shard")), clock, random };
    for tasks in [1, 16, 64] {
        bench.small_puts(tasks).await;
    }
    bench.small_gets().await;
    for tasks in [1, 4] {
        bench.large(tasks).await;
    }
    bench.fill(blobs).await;
    bench.restart(&path);
}

fn identity() -> ShardIdentity {
    ShardIdentity { shard: [1; 16], cluster: [2; 16] }
}

fn header(random: &Random) -> BlobHeader {
    BlobHeader {
        bucket: "bench".into(),
        key: format!("some/ordinary/key/{:016x}", random.u64()),
        version: "null".into(),
        part: None,
        written_nanos: 0,
        scheme: None,
        piece: 0,
    }
}

impl Bench {
    async fn put(&self, content: Bytes) -> (BlobId, Locator) {
        let blob = BlobId::from_bytes(self.random.bytes());
        let header = header(&self.random);
        let stored = self.shard.put(blob, &header, Body::Whole(content)).await;
        (blob, stored.expect("a put").locator)
    }

    async fn small_puts(&self, tasks: usize) {
        let done = Arc::new(AtomicUsize::new(0));
        let content = Bytes::from(vec![7; SMALL_BYTES]);
        let began = self.clock.elapsed();
        let running: Vec<_> = (0..tasks)
            .map(|_| {
                let (bench, content, done) = (self.clone(), content.clone(), done.clone());
                spawn(async move {
                    while bench.clock.elapsed() - began < SMALL_TIME {
                        bench.put(content.clone()).await;
                        done.fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        for task in running {
            task.await.expect("a task");
        }
        let rate = done.load(Relaxed) as f64 / (self.clock.elapsed() - began).as_secs_f64();
        println!("{tasks:>3} tasks: {rate:>9.0} durable puts of 4 KiB a second");
    }

    async fn small_gets(&self) {
        let stored: Vec<_> =
            stream::iter(0..1000).then(|_| self.put(Bytes::from(vec![7; SMALL_BYTES]))).collect().await;
        let range = ResolvedRange { start: 0, end: SMALL_BYTES as u64 };
        let (mut done, began) = (0, self.clock.elapsed());
        while self.clock.elapsed() - began < SMALL_TIME {
            for (blob, locator) in &stored {
                let mut body = self.shard.get(*blob, locator, range).await.expect("a get");
                while let Some(piece) = body.next().await {
                    piece.expect("a piece");
                }
                done += 1;
            }
        }
        let rate = f64::from(done) / (self.clock.elapsed() - began).as_secs_f64();
        println!("  1 task:  {rate:>9.0} gets of 4 KiB a second");
    }

    async fn large(&self, tasks: usize) {
        let content = Bytes::from(vec![7; LARGE_BYTES]);
        let began = self.clock.elapsed();
        let puts = stream::iter(0..LARGE_ROUNDS * tasks).map(|_| {
            let (bench, content) = (self.clone(), content.clone());
            spawn(async move {
                let pieces = (0..LARGE_BYTES).step_by(PIECE_BYTES);
                let pieces = stream::iter(pieces).map(move |at| Ok(content.slice(at..at + PIECE_BYTES)));
                let body = Body::Stream { stream: Box::pin(pieces), size: Some(LARGE_BYTES as u64) };
                let blob = BlobId::from_bytes(bench.random.bytes());
                let header = header(&bench.random);
                let stored = bench.shard.put(blob, &header, body).await;
                (blob, stored.expect("a put").locator)
            })
        });
        let stored: Vec<_> = puts.buffer_unordered(tasks).map(|done| done.expect("a task")).collect().await;
        let mib = (LARGE_ROUNDS * tasks * LARGE_BYTES / 1024 / 1024) as f64;
        let rate = mib / (self.clock.elapsed() - began).as_secs_f64();
        println!("{tasks:>3} tasks: {rate:>9.0} MiB/s in durable puts of 64 MiB");
        let began = self.clock.elapsed();
        let gets = stream::iter(stored.clone()).map(|(blob, locator)| {
            let bench = self.clone();
            spawn(async move {
                let range = ResolvedRange { start: 0, end: LARGE_BYTES as u64 };
                let mut body = bench.shard.get(blob, &locator, range).await.expect("a get");
                while let Some(piece) = body.next().await {
                    piece.expect("a piece");
                }
            })
        });
        gets.buffer_unordered(tasks).for_each(|done| async { done.expect("a task") }).await;
        let rate = mib / (self.clock.elapsed() - began).as_secs_f64();
        println!("{tasks:>3} tasks: {rate:>9.0} MiB/s in gets of 64 MiB");
        self.shard.delete(stored).await.expect("a deletion");
    }

    async fn fill(&self, blobs: usize) {
        let content = Bytes::from(vec![7; 1024]);
        let puts = stream::iter(0..blobs).map(|_| self.put(content.clone()));
        puts.buffer_unordered(64).for_each(|_| async {}).await;
    }

    fn restart(self, path: &Path) {
        let Self { shard, clock, random } = self;
        drop(shard);
        let began = clock.elapsed();
        let shard = FsBackend::open(path, identity(), FsOptions::default(), clock.clone(), random);
        println!("restart:   {:>9.1} ms", (clock.elapsed() - began).as_secs_f64() * 1000.0);
        drop(shard.expect("the shard opens again"));
    }
}

impl Clone for Bench {
    fn clone(&self) -> Self {
        Self { shard: self.shard.clone(), clock: self.clock.clone(), random: self.random.clone() }
    }
}
