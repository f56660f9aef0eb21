//! What many tests need: ids, headers, bodies, pools.

use bytes::Bytes;
use cofre_runtime::{Clock, Random};
use cofre_shards::{
    Backend, BlobHeader, Body, BodyError, ByteStream, MemoryBackend, ShardInfo, ShardMode, Shards, ShardsOptions,
};
use cofre_types::{BlobId, ResolvedRange, ShardId};
use futures_util::{StreamExt, stream};
use std::sync::Arc;

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
