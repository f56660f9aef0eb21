//! What many tests need: ids, headers, bodies, pools.

use bytes::Bytes;
use cofre_runtime::{Clock, Random};
use cofre_shards::{
    Backend, BackendError, BlobHeader, Body, BodyError, ByteStream, FsBackend, FsError, FsOptions, Listed, Locator,
    MemoryBackend, ShardIdentity, ShardInfo, ShardMode, Shards, ShardsOptions,
};
use cofre_types::{BlobId, ResolvedRange, ShardId};
use futures_util::{StreamExt, stream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often a shard is tried that is in use, a millisecond apart.
const BUSY_TRIES: usize = 10_000;

pub const MIB: u64 = 1024 * 1024;

pub fn blob(n: u32) -> BlobId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    BlobId::from_bytes(bytes)
}

pub fn header(key: &str) -> BlobHeader {
    BlobHeader {
        bucket: "bucket".into(),
        key: key.into(),
        version: "null".into(),
        part: None,
        written_nanos: 1_700_000_000_000_000_000,
        scheme: None,
        piece: 0,
    }
}

/// Bytes that differ from place to place and from seed to seed.
pub fn content(seed: u64, len: usize) -> Bytes {
    let mut bytes = vec![0; len];
    Random::seeded(seed).fill(&mut bytes);
    bytes.into()
}

pub fn stream_of(content: &Bytes, piece: usize) -> ByteStream {
    let content = content.clone();
    let pieces: Vec<_> =
        (0..content.len()).step_by(piece).map(|at| Ok(content.slice(at..content.len().min(at + piece)))).collect();
    Box::pin(stream::iter(pieces))
}

pub fn streamed(content: &Bytes, piece: usize) -> Body {
    Body::Stream { stream: stream_of(content, piece), size: Some(content.len() as u64) }
}

pub fn whole(size: usize) -> ResolvedRange {
    ResolvedRange { start: 0, end: size as u64 }
}

pub async fn collect(mut stream: ByteStream) -> Result<Vec<u8>, BodyError> {
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

pub fn info(id: u32) -> ShardInfo {
    ShardInfo {
        id: ShardId(id),
        identity: [id as u8; 16],
        mode: ShardMode::Active,
        failure_domain: None,
        weight_percent: 100,
    }
}

pub fn pool_of(backends: Vec<Arc<dyn Backend>>, options: ShardsOptions) -> Shards {
    let pool = Shards::new(Clock::system(), Random::seeded(1), options);
    for (i, backend) in backends.into_iter().enumerate() {
        pool.attach(info(i as u32 + 1), backend);
    }
    pool
}

pub fn memory_pool(count: usize) -> Shards {
    pool_of((0..count).map(|_| Arc::new(MemoryBackend::new(64 * MIB)) as _).collect(), ShardsOptions::default())
}

pub const IDENTITY: ShardIdentity = ShardIdentity { shard: [1; 16], cluster: [2; 16] };

/// A directory for a filesystem shard, removed at the end.
pub struct Root(tempfile::TempDir);

impl Root {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("shard")
    }

    pub fn create(&self) -> FsBackend {
        self.create_with(FsOptions::default())
    }

    pub fn create_with(&self, options: FsOptions) -> FsBackend {
        FsBackend::create(&self.path(), IDENTITY, options, Clock::system(), Random::system()).unwrap()
    }

    pub fn open(&self) -> FsBackend {
        self.open_with(FsOptions::default())
    }

    pub fn open_with(&self, options: FsOptions) -> FsBackend {
        // A program that another test starts holds what is open here, locks too, until it is executed.
        for _ in 0..BUSY_TRIES {
            match FsBackend::open(&self.path(), IDENTITY, options.clone(), Clock::system(), Random::system()) {
                Err(FsError::Busy) => std::thread::sleep(Duration::from_millis(1)),
                opened => return opened.unwrap(),
            }
        }
        panic!("the shard stays in use");
    }

    /// Every file of the shard.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.path()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { directories.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }
}

pub async fn list_all(backend: &dyn Backend) -> Vec<Listed> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (page, next) = backend.list(cursor).await.unwrap();
        all.extend(page);
        match next {
            None => return all,
            next => cursor = next,
        }
    }
}

/// Reads a range, with the backend's own error if it ends with one.
pub async fn read(
    backend: &dyn Backend,
    blob: BlobId,
    locator: &Locator,
    range: ResolvedRange,
) -> Result<Vec<u8>, BackendError> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let stream = backend.get(blob, locator, range).await?;
    collect(stream).await.map_err(|error| *error.0.downcast::<BackendError>().unwrap())
}
