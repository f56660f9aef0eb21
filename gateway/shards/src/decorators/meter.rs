use crate::backend::{
    Backend, BackendError, BlobHeader, Capacity, Compacted, ListPage, Listed, Locator, NotDeleted, Probe, Relocate,
    Stored,
};
use crate::body::{Body, ByteStream};
use async_trait::async_trait;
use cofre_runtime::Clock;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds; one more bucket holds what is slower.
pub const LATENCY_BOUNDS_MICROS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000];

/// How long calls took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latency {
    /// Calls for each bound of [`LATENCY_BOUNDS_MICROS`], and the slower ones last. Not cumulative.
    pub buckets: [u64; LATENCY_BOUNDS_MICROS.len() + 1],
    /// Sum of all, in microseconds.
    pub sum_micros: u64,
}

/// Counters of a shard since it was attached.
#[derive(Debug, Clone, Default)]
pub struct ShardFigures {
    /// Blobs written.
    pub writes: u64,
    /// Reads begun.
    pub reads: u64,
    /// Blobs deleted.
    pub deletes: u64,
    /// Calls that failed for a fault of the shard.
    pub errors: u64,
    /// Bytes of content written.
    pub written_bytes: u64,
    /// Bytes of content read.
    pub read_bytes: u64,
    /// How long writes took.
    pub write_latency: Latency,
    /// How long the beginnings of reads took.
    pub read_latency: Latency,
}

#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; LATENCY_BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_micros.fetch_add(micros, Relaxed);
    }

    fn read(&self) -> Latency {
        Latency {
            buckets: std::array::from_fn(|i| self.buckets[i].load(Relaxed)),
            sum_micros: self.sum_micros.load(Relaxed),
        }
    }
}

#[derive(Default)]
struct Counters {
    writes: AtomicU64,
    reads: AtomicU64,
    deletes: AtomicU64,
    errors: AtomicU64,
    written_bytes: AtomicU64,
    read_bytes: AtomicU64,
    writes_in_flight: AtomicU64,
    reads_in_flight: AtomicU64,
    write_latency: Histogram,
    read_latency: Histogram,
}

/// Counts and times the calls to a backend.
pub struct Meter {
    inner: Arc<dyn Backend>,
    clock: Clock,
    counters: Arc<Counters>,
}

/// Counts one call as in flight for as long as it lives, dropped calls included.
struct InFlight<'a>(&'a AtomicU64);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a AtomicU64) -> Self {
        gauge.fetch_add(1, Relaxed);
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Meter {
    /// Wraps a backend.
    pub fn new(inner: Arc<dyn Backend>, clock: Clock) -> Self {
        Self { inner, clock, counters: Arc::default() }
    }

    /// Counters so far.
    pub fn figures(&self) -> ShardFigures {
        let counters = &self.counters;
        ShardFigures {
            writes: counters.writes.load(Relaxed),
            reads: counters.reads.load(Relaxed),
            deletes: counters.deletes.load(Relaxed),
            errors: counters.errors.load(Relaxed),
            written_bytes: counters.written_bytes.load(Relaxed),
            read_bytes: counters.read_bytes.load(Relaxed),
            write_latency: counters.write_latency.read(),
            read_latency: counters.read_latency.read(),
        }
    }

    /// Writes under way.
    pub fn writes_in_flight(&self) -> u64 {
        self.counters.writes_in_flight.load(Relaxed)
    }

    /// Reads whose beginning is under way.
    pub fn reads_in_flight(&self) -> u64 {
        self.counters.reads_in_flight.load(Relaxed)
    }

    fn count<T>(&self, outcome: Result<T, BackendError>) -> Result<T, BackendError> {
        if matches!(&outcome, Err(error) if !matches!(error, BackendError::Body(_))) {
            self.counters.errors.fetch_add(1, Relaxed);
        }
        outcome
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what it does not hand on is lost")]
impl Backend for Meter {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        let _in_flight = InFlight::new(&self.counters.writes_in_flight);
        let began = self.clock.elapsed();
        let outcome = self.count(self.inner.put(blob, header, body).await);
        if let Ok(stored) = &outcome {
            self.counters.writes.fetch_add(1, Relaxed);
            self.counters.written_bytes.fetch_add(stored.size, Relaxed);
            self.counters.write_latency.record(self.clock.elapsed().saturating_sub(began));
        }
        outcome
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        let began = self.clock.elapsed();
        let outcome = {
            let _in_flight = InFlight::new(&self.counters.reads_in_flight);
            self.count(self.inner.get(blob, locator, range).await)
        };
        let stream = outcome?;
        self.counters.reads.fetch_add(1, Relaxed);
        self.counters.read_latency.record(self.clock.elapsed().saturating_sub(began));
        let counters = self.counters.clone();
        Ok(Box::pin(stream.inspect(move |piece| {
            match piece {
                Ok(piece) => counters.read_bytes.fetch_add(piece.len() as u64, Relaxed),
                Err(_) => counters.errors.fetch_add(1, Relaxed),
            };
        })))
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        self.count(self.inner.header(blob, locator).await)
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        self.inner.is_deleted(blob, locator).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        let count = blobs.len() as u64;
        let failed = self.count(self.inner.delete(blobs).await)?;
        self.counters.deletes.fetch_add(count.saturating_sub(failed.len() as u64), Relaxed);
        self.counters.errors.fetch_add(failed.len() as u64, Relaxed);
        Ok(failed)
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        self.count(self.inner.list(after).await)
    }

    async fn list_page(&self, after: Option<Vec<u8>>) -> Result<ListPage, BackendError> {
        self.count(self.inner.list_page(after).await)
    }

    async fn compact(&self, relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        self.count(self.inner.compact(relocate).await)
    }

    fn device(&self) -> Option<u64> {
        self.inner.device()
    }

    fn damage(&self) -> Option<String> {
        self.inner.damage()
    }

    async fn note_commit(&self, revision: u64) -> Result<(), BackendError> {
        self.inner.note_commit(revision).await
    }

    async fn capacity(&self) -> Result<Capacity, BackendError> {
        self.count(self.inner.capacity().await)
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        self.count(self.inner.probe().await)
    }
}
