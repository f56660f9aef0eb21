//! What many tests need: options, headers, bodies.

use crate::endpoint::{ACCESS_KEY, BUCKET, PREFIX, SECRET_KEY};
use bytes::Bytes;
use cofre_runtime::{Clock, Random};
use cofre_shards::{
    Backend, BackendError, BlobHeader, Body, BodyError, ByteStream, Listed, Locator, ShardIdentity, Stored,
};
use cofre_shards_s3::{S3Backend, S3Options};
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use std::net::SocketAddr;

pub const IDENTITY: ShardIdentity = ShardIdentity { shard: [1; 16], cluster: [2; 16] };
pub const MIB: usize = 1024 * 1024;

pub fn options(address: SocketAddr) -> S3Options {
    S3Options {
        forbidden: cofre_shards_s3::Forbidden::default(),
        endpoint: format!("http://{address}"),
        region: "us-east-1".into(),
        bucket: BUCKET.into(),
        prefix: PREFIX.into(),
        access_key_id: ACCESS_KEY.into(),
        secret_access_key: SECRET_KEY.to_owned().into(),
        ca_pem: None,
        capacity_bytes: 1 << 40,
    }
}

/// A new shard behind this address.
pub async fn shard(address: SocketAddr) -> S3Backend {
    S3Backend::create(&options(address), IDENTITY, Random::system()).await.unwrap();
    S3Backend::open(&options(address), IDENTITY, Clock::system(), Random::system()).await.unwrap()
}

pub fn blob(n: u8) -> BlobId {
    BlobId::from_bytes([n; 16])
}

pub fn header() -> BlobHeader {
    BlobHeader {
        bucket: "bucket".into(),
        key: "a/key".into(),
        version: "null".into(),
        part: None,
        written_nanos: 1_700_000_000_000_000_000,
        scheme: None,
        piece: 0,
    }
}

/// Bytes that differ from place to place.
pub fn content(len: usize) -> Bytes {
    let mut bytes = vec![0; len];
    Random::seeded(len as u64).fill(&mut bytes);
    bytes.into()
}

/// A body in pieces, of unknown size.
pub fn pieces(content: &Bytes) -> Body {
    let pieces: Vec<Result<Bytes, BodyError>> =
        content.chunks(300_000).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    let stream: ByteStream = Box::pin(stream::iter(pieces));
    Body::Stream { stream, size: None }
}

pub async fn put(shard: &S3Backend, n: u8, content: &Bytes) -> Result<Stored, BackendError> {
    shard.put(blob(n), &header(), Body::Whole(content.clone())).await
}

pub async fn get(
    shard: &S3Backend,
    n: u8,
    locator: &Locator,
    start: usize,
    end: usize,
) -> Result<Vec<u8>, BackendError> {
    let range = ResolvedRange { start: start as u64, end: end as u64 };
    let mut stream = shard.get(blob(n), locator, range).await?;
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece.map_err(BackendError::of_stream)?);
    }
    Ok(all)
}

pub async fn list(shard: &S3Backend) -> Result<Vec<Listed>, BackendError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (page, next) = shard.list(cursor).await?;
        all.extend(page);
        match next {
            None => return Ok(all),
            next => cursor = next,
        }
    }
}

/// Waits for what happens in the background.
pub async fn settles(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what}");
}
