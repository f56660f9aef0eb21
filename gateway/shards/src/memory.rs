use crate::backend::{Backend, BackendError, BlobHeader, Capacity, Listed, Locator, NotDeleted, Probe, Stored};
use crate::body::{Body, BodyError, ByteStream};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

/// Blobs in one page of a listing.
const LIST_PAGE_BLOBS: usize = 1000;
/// Bytes of content in one piece of a read.
const PIECE_BYTES: usize = 128 * 1024;

/// A backend in memory, for tests and simulations.
pub struct MemoryBackend {
    total_bytes: u64,
    blobs: Mutex<Blobs>,
}

#[derive(Default)]
struct Blobs {
    held: BTreeMap<(BlobId, u64), Held>,
    used_bytes: u64,
    last_copy: u64,
    /// Copies that were deleted and can still be read.
    lingering: BTreeMap<(BlobId, u64), Held>,
    lingers: bool,
}

struct Held {
    header: BlobHeader,
    content: Bytes,
}

impl MemoryBackend {
    /// An empty backend with room for `total_bytes` of content.
    pub fn new(total_bytes: u64) -> Self {
        Self { total_bytes, blobs: Mutex::default() }
    }

    /// Has what is deleted from now on stay readable, as in packs until their room is used again.
    pub fn linger(&self) {
        self.blobs.lock().lingers = true;
    }

    /// Uses the room again of everything that lingers.
    pub fn reuse_room(&self) {
        self.blobs.lock().lingering.clear();
    }

    fn find(&self, blob: BlobId, locator: &Locator) -> Result<(BlobHeader, Bytes), BackendError> {
        let copy = copy_number(locator).ok_or_else(|| BackendError::Corrupt("not a locator of this backend".into()))?;
        let blobs = self.blobs.lock();
        let at = (blob, copy);
        let held = blobs.held.get(&at).or_else(|| blobs.lingering.get(&at)).ok_or(BackendError::Missing)?;
        Ok((held.header.clone(), held.content.clone()))
    }

    fn fits(&self, more_bytes: u64) -> bool {
        self.blobs.lock().used_bytes.saturating_add(more_bytes) <= self.total_bytes
    }

    async fn collect(&self, body: Body) -> Result<Bytes, BackendError> {
        let (mut stream, size) = match body {
            Body::Whole(bytes) => return Ok(bytes),
            Body::Stream { stream, size } => (stream, size),
        };
        let mut content = BytesMut::new();
        while let Some(piece) = stream.next().await {
            content.extend_from_slice(&piece?);
            if !self.fits(content.len() as u64) {
                return Err(BackendError::Full);
            }
        }
        match size {
            Some(size) if size != content.len() as u64 => Err(BodyError::wrong_size(size, content.len() as u64).into()),
            _ => Ok(content.freeze()),
        }
    }
}

fn copy_number(locator: &Locator) -> Option<u64> {
    Some(u64::from_be_bytes(locator.0.as_slice().try_into().ok()?))
}

fn locator(copy: u64) -> Locator {
    Locator(copy.to_be_bytes().to_vec())
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        let content = self.collect(body).await?;
        let size = content.len() as u64;
        let mut blobs = self.blobs.lock();
        if blobs.used_bytes.saturating_add(size) > self.total_bytes {
            return Err(BackendError::Full);
        }
        blobs.used_bytes += size;
        blobs.last_copy += 1;
        let copy = blobs.last_copy;
        let held = Held { header: header.clone(), content };
        blobs.held.insert((blob, copy), held);
        Ok(Stored { locator: locator(copy), size })
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        let (_, content) = self.find(blob, locator)?;
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
            return Err(BackendError::Corrupt("the range is beyond the blob".into()));
        };
        if start > end || end > content.len() {
            return Err(BackendError::Corrupt("the range is beyond the blob".into()));
        }
        let pieces = (start..end).step_by(PIECE_BYTES).map(move |at| Ok(content.slice(at..end.min(at + PIECE_BYTES))));
        Ok(Box::pin(stream::iter(pieces)))
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        Ok(self.find(blob, locator)?.0)
    }

    async fn is_deleted(&self, blob: BlobId, locator: &Locator) -> Result<bool, BackendError> {
        let copy = copy_number(locator);
        Ok(copy.is_some_and(|copy| self.blobs.lock().lingering.contains_key(&(blob, copy))))
    }

    async fn delete(&self, doomed: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        let mut blobs = self.blobs.lock();
        let mut failed = Vec::new();
        for (blob, locator) in doomed {
            let Some(copy) = copy_number(&locator) else {
                failed.push(NotDeleted { blob, why: "the locator is not one of this backend".into() });
                continue;
            };
            if let Some(held) = blobs.held.remove(&(blob, copy)) {
                blobs.used_bytes -= held.content.len() as u64;
                if blobs.lingers {
                    blobs.lingering.insert((blob, copy), held);
                }
            }
        }
        Ok(failed)
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        let from = match after {
            None => Bound::Unbounded,
            Some(cursor) => Bound::Excluded(parse_cursor(&cursor)?),
        };
        let blobs = self.blobs.lock();
        let page: Vec<_> = blobs.held.range((from, Bound::Unbounded)).take(LIST_PAGE_BLOBS).collect();
        let next = (page.len() == LIST_PAGE_BLOBS).then(|| page.last().map(|(at, _)| cursor(at))).flatten();
        let listed = page.into_iter().map(|((blob, copy), held)| Listed {
            blob: *blob,
            locator: locator(*copy),
            size: held.content.len() as u64,
            written_nanos: held.header.written_nanos,
        });
        Ok((listed.collect(), next))
    }

    async fn capacity(&self) -> Result<Capacity, BackendError> {
        let used_bytes = self.blobs.lock().used_bytes;
        Ok(Capacity { total_bytes: self.total_bytes, free_bytes: self.total_bytes.saturating_sub(used_bytes) })
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        Ok(Probe { round_trip: Duration::ZERO })
    }
}

fn cursor((blob, copy): &(BlobId, u64)) -> Vec<u8> {
    [blob.as_bytes().as_slice(), &copy.to_be_bytes()].concat()
}

fn parse_cursor(cursor: &[u8]) -> Result<(BlobId, u64), BackendError> {
    let parsed = cursor
        .split_first_chunk::<16>()
        .and_then(|(blob, copy)| Some((BlobId::from_bytes(*blob), u64::from_be_bytes(copy.try_into().ok()?))));
    parsed.ok_or_else(|| BackendError::Unreachable("not a cursor of this backend".into()))
}
