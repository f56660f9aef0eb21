use super::locator::Place;
use super::pack::Append;
use super::record::{self, SMALL_BYTES_MAX};
use super::{FsBackend, large};
use crate::backend::{Backend, BackendError, BlobHeader, Probe, Stored};
use crate::body::{Body, BodyError, ByteStream};
use bytes::{Bytes, BytesMut};
use cofre_runtime::blocking;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use tokio::sync::oneshot;

/// Writes a blob: to a pack if it turns out small, else to a file of its own.
pub(super) async fn put(
    shard: &FsBackend,
    blob: BlobId,
    header: &BlobHeader,
    body: Body,
) -> Result<Stored, BackendError> {
    let (stream, size): (ByteStream, _) = match body {
        Body::Whole(content) if content.len() <= SMALL_BYTES_MAX => {
            return small(shard, blob, header, &content).await;
        }
        Body::Whole(content) => {
            let size = content.len() as u64;
            (Box::pin(stream::iter([Ok(content)])), Some(size))
        }
        Body::Stream { stream, size } if size.is_some_and(|size| size > SMALL_BYTES_MAX as u64) => (stream, size),
        Body::Stream { stream, size } => match gather(stream, size).await? {
            Gathered::Small(content) => return small(shard, blob, header, &content).await,
            Gathered::Large(stream) => (stream, None),
        },
    };
    large::write(&shard.disk, &shard.senders().1, blob, header, stream, size).await
}

enum Gathered {
    Small(Bytes),
    Large(ByteStream),
}

/// Takes a stream that is or may be small, until that is decided.
async fn gather(mut stream: ByteStream, size: Option<u64>) -> Result<Gathered, BackendError> {
    let longest = size.unwrap_or(SMALL_BYTES_MAX as u64);
    let mut content = BytesMut::with_capacity(size.unwrap_or(0) as usize);
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        let received = (content.len() + piece.len()) as u64;
        if received > longest {
            if let Some(size) = size {
                return Err(BodyError::wrong_size(size, received).into());
            }
            let begun = [Ok(content.freeze()), Ok(piece)];
            return Ok(Gathered::Large(Box::pin(stream::iter(begun).chain(stream))));
        }
        content.extend_from_slice(&piece);
    }
    match size {
        Some(size) if size != content.len() as u64 => Err(BodyError::wrong_size(size, content.len() as u64).into()),
        _ => Ok(Gathered::Small(content.freeze())),
    }
}

async fn small(shard: &FsBackend, blob: BlobId, header: &BlobHeader, content: &[u8]) -> Result<Stored, BackendError> {
    let record = record::encode(blob, header, content)?;
    let (reply, appended) = oneshot::channel();
    let append = Append { blob, record, reply };
    let gone = || BackendError::Unreachable("the pack writer is gone".into());
    shard.senders().0.send(append).await.map_err(|_| gone())?;
    let appended = appended.await.map_err(|_| gone())??;
    appended.unclaimed.claim();
    Ok(Stored { locator: appended.place.locator(), size: content.len() as u64 })
}

/// Puts, reads and deletes a small blob, after a look at whether the root is still the one that was opened.
pub(super) async fn probe(shard: &FsBackend) -> Result<Probe, BackendError> {
    let began = shard.disk.clock.elapsed();
    let disk = shard.disk.clone();
    blocking(move || disk.root.verify()).await?;
    let blob = BlobId::from_bytes(shard.disk.random.bytes());
    let header = BlobHeader {
        bucket: String::new(),
        key: "probe".into(),
        version: String::new(),
        part: None,
        written_nanos: shard.disk.clock.now_nanos(),
        scheme: None,
        piece: 0,
    };
    let content = blob.as_bytes();
    let stored = small(shard, blob, &header, content).await?;
    let Place::Pack { pack, offset, len } = Place::parse(&stored.locator)? else {
        return Err(BackendError::Corrupt("a small blob is in no pack".into()));
    };
    let range = ResolvedRange { start: 0, end: stored.size };
    let read = super::pack::read(&shard.disk, blob, (pack, offset, len), range).await;
    let failed = shard.delete(vec![(blob, stored.locator)]).await?;
    if read?.concat() != content {
        return Err(BackendError::Corrupt("a blob did not come back as it was written".into()));
    }
    if let Some(failed) = failed.into_iter().next() {
        return Err(BackendError::Unreachable(failed.why));
    }
    Ok(Probe { round_trip: shard.disk.clock.elapsed().saturating_sub(began) })
}
