//! Writes content as a blob, and reads content back, whatever it is made of.

use crate::bucket::cached::Bucket;
use crate::digest::{Digests, prepare};
use crate::domain::Objects;
use crate::encryption::{open_stream, seal_body, take_head};
use crate::error::Error;
use crate::object::Upload;
use crate::room::BodyBound;
use cofre_blobs::NewBlob;
use cofre_catalog::records::{Content, ManifestRecord, PartRecord, Record, Segment};
use cofre_catalog::{Entry, keys};
use cofre_keys::DataKey;
use cofre_keys::stream::{HEAD_BYTES, Span, plain_len};
use cofre_shards::{BlobHeader, BodyError, ByteStream};
use cofre_types::{BlobId, ChecksumAlgorithm, ObjectKey, ResolvedRange, UploadId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::VecDeque;
use sync_wrapper::SyncStream;

/// Most parts of a manifest whose records are read at once.
const PARTS_READ_AHEAD_MAX: usize = 16;

/// What a blob is written for.
pub(crate) struct Target<'a> {
    pub bucket: &'a Bucket,
    pub key: &'a ObjectKey,
    /// The version's id, as text; empty for a part.
    pub version: String,
    pub part: Option<(u16, UploadId)>,
    /// Storage class, whose redundancy it gets; `STANDARD` if empty.
    pub class: &'a str,
    /// What it is encrypted with; in the clear if absent.
    pub data_key: Option<&'a DataKey>,
    /// The algorithm of the checksum that is kept; the declared one if absent.
    pub checksum: Option<ChecksumAlgorithm>,
}

/// What was written: digests of the plaintext, and the blob unless the content is empty.
pub(crate) struct Written {
    pub digests: Digests,
    pub blob: Option<NewBlob>,
}

impl Written {
    /// The content of a version or part that holds all of it.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let whole = |blob: &NewBlob| Segment { blob: blob.id, offset: 0, length: blob.record.size };
        self.blob.iter().map(whole).collect()
    }
}

/// A piece of content that is still to be read.
#[derive(Debug)]
enum Piece {
    /// A run of bytes of a blob.
    Blob(BlobId, ResolvedRange),
    /// A run of the plaintext of an encrypted blob of so many bytes.
    Sealed(BlobId, u64, ResolvedRange),
    /// A run of bytes of a part of a manifest.
    Part(UploadId, u16, ResolvedRange),
}

impl Objects {
    /// Writes a body durably to the shards. Nothing refers to it yet: commit it with
    /// `Change::add_blob`, or give it up with [`cofre_blobs::Blobs::discard`].
    pub(crate) async fn write_blob(
        &self,
        target: Target<'_>,
        upload: Upload,
        bound: BodyBound,
    ) -> Result<Written, Error> {
        let Target { bucket, key, version, part, class, data_key, checksum } = target;
        self.blobs().refuse_unless_committable()?;
        let (body, digests) = prepare(upload, checksum, bound).await?;
        if let cofre_shards::Body::Whole(bytes) = &body
            && bytes.is_empty()
        {
            return Ok(Written { digests: digests.take()?, blob: None });
        }
        let id = BlobId::from_bytes(self.random().bytes());
        let body = match data_key {
            Some(key) => seal_body(body, key, id, self.random().bytes())?,
            None => body,
        };
        let now = self.now();
        let header = BlobHeader {
            bucket: bucket.name.to_string(),
            key: key.to_string(),
            version,
            part: part.map(|(number, upload)| (number, upload.to_string())),
            written_nanos: now.0,
            scheme: None,
            piece: 0,
        };
        let scheme = self.scheme_of(bucket, class);
        let blob = self.blobs().write(id, header, body, scheme).await?;
        match digests.take().and_then(|digests| Ok(self.blobs().refuse_stale(now).map(|()| digests)?)) {
            Ok(digests) => Ok(Written { digests, blob: Some(blob) }),
            Err(error) => {
                self.blobs().discard(Some(blob)).await;
                Err(error)
            }
        }
    }

    /// Reads a range of content, decrypted if it has a key. The first piece is open, and its first
    /// blocks checked, on return.
    pub(crate) async fn read_content(
        &self,
        content: &Content,
        range: ResolvedRange,
        key: Option<&DataKey>,
    ) -> Result<ByteStream, Error> {
        if range.is_empty() {
            return Ok(Box::pin(stream::empty()));
        }
        let mut pieces = match content {
            Content::Segments(segments) => slice(segments, range, key)?,
            Content::Manifest(id) => self.slice_manifest(*id, range).await?,
        };
        let first = self.open_next(&mut pieces, key).await?.unwrap_or_else(|| Box::pin(stream::empty()));
        if pieces.is_empty() {
            return Ok(first);
        }
        let begun = (self.clone(), pieces, key.cloned());
        let rest = stream::try_unfold(begun, |(objects, mut pieces, key)| async move {
            let next = objects.open_next(&mut pieces, key.as_ref()).await;
            let next = next.map_err(|error| BodyError(Box::new(error)))?;
            Ok::<_, BodyError>(next.map(|stream| (stream, (objects, pieces, key))))
        });
        Ok(Box::pin(SyncStream::new(first.chain(rest.try_flatten().boxed()))))
    }

    async fn slice_manifest(&self, id: UploadId, range: ResolvedRange) -> Result<VecDeque<Piece>, Error> {
        let manifest = self.manifest(id).await?;
        let mut pieces = VecDeque::new();
        let mut start = 0;
        for (number, size) in manifest.parts {
            if let Some(within) = overlap(start, size, range) {
                pieces.push_back(Piece::Part(id, number, within));
            }
            start += size;
        }
        Ok(pieces)
    }

    pub(crate) async fn manifest(&self, id: UploadId) -> Result<ManifestRecord, Error> {
        let entry = self.get(keys::manifest(id)).await?;
        let entry = entry.ok_or_else(|| Error::Unreadable("the object was replaced".to_owned()))?;
        Ok(ManifestRecord::decode(&entry.value)?)
    }

    pub(crate) async fn part(&self, id: UploadId, number: u16) -> Result<PartRecord, Error> {
        held_part(self.get(keys::part(id, number)).await?)
    }

    /// Opens the next run of bytes; parts become the blobs behind them on the way.
    async fn open_next(
        &self,
        pieces: &mut VecDeque<Piece>,
        key: Option<&DataKey>,
    ) -> Result<Option<ByteStream>, Error> {
        loop {
            match pieces.pop_front() {
                None => return Ok(None),
                Some(Piece::Blob(id, range)) => return Ok(Some(self.blobs().read(id, range).await?.0)),
                Some(Piece::Sealed(id, sealed, range)) => {
                    let key = key.ok_or_else(|| Error::Internal("encrypted content has no key".to_owned()))?;
                    return Ok(Some(self.read_sealed(id, sealed, range, key).await?));
                }
                Some(Piece::Part(id, number, range)) => {
                    let mut parts = vec![(id, number, range)];
                    while let Some(Piece::Part(id, number, range)) = pieces.front()
                        && parts.len() < PARTS_READ_AHEAD_MAX
                    {
                        parts.push((*id, *number, *range));
                        pieces.pop_front();
                    }
                    self.resolve(parts, pieces, key).await?;
                }
            }
        }
    }

    /// Puts the blobs behind some parts before the pieces that follow.
    async fn resolve(
        &self,
        parts: Vec<(UploadId, u16, ResolvedRange)>,
        pieces: &mut VecDeque<Piece>,
        key: Option<&DataKey>,
    ) -> Result<(), Error> {
        let entries =
            self.store().get_many(parts.iter().map(|(id, number, _)| keys::part(*id, *number)).collect()).await?;
        for ((.., range), entry) in parts.into_iter().zip(entries).rev() {
            let part = held_part(entry)?;
            for piece in slice(&part.segments, range, key)?.into_iter().rev() {
                pieces.push_front(piece);
            }
        }
        Ok(())
    }

    /// Reads a range of the plaintext of an encrypted blob of `sealed` bytes, by the chunks that hold it.
    async fn read_sealed(
        &self,
        id: BlobId,
        sealed: u64,
        range: ResolvedRange,
        key: &DataKey,
    ) -> Result<ByteStream, Error> {
        let span = Span::new(sealed, range).map_err(|error| Error::Unreadable(format!("blob {id}: {error}")))?;
        let chunks = span.chunks();
        let head = ResolvedRange { start: 0, end: HEAD_BYTES as u64 };
        if chunks.start == head.end {
            let (stream, sealed_for) = self.blobs().read(id, ResolvedRange { start: 0, end: chunks.end }).await?;
            return open_stream(stream, None, key, sealed_for, span).await;
        }
        let ((mut head, sealed_for), (stream, _)) =
            futures_util::try_join!(self.blobs().read(id, head), self.blobs().read(id, chunks))?;
        let (head, _) = take_head(&mut head).await?;
        open_stream(stream, Some(head), key, sealed_for, span).await
    }
}

fn held_part(entry: Option<Entry>) -> Result<PartRecord, Error> {
    let entry = entry.ok_or_else(|| Error::Unreadable("the object was replaced".to_owned()))?;
    Ok(PartRecord::decode(&entry.value)?)
}

/// The pieces of a range of what segments hold, encrypted if there is a key: each segment is then a
/// whole stream.
fn slice(segments: &[Segment], range: ResolvedRange, key: Option<&DataKey>) -> Result<VecDeque<Piece>, Error> {
    if key.is_none() {
        return Ok(slice_segments(segments, range));
    }
    let mut pieces = VecDeque::new();
    let mut start = 0;
    for segment in segments {
        let plain = plain_len(segment.length);
        let plain = plain.map_err(|error| Error::Unreadable(format!("blob {}: {error}", segment.blob)))?;
        if let Some(within) = overlap(start, plain, range) {
            pieces.push_back(Piece::Sealed(segment.blob, segment.length, within));
        }
        start += plain;
    }
    Ok(pieces)
}

fn slice_segments(segments: &[Segment], range: ResolvedRange) -> VecDeque<Piece> {
    let mut pieces = VecDeque::new();
    let mut start = 0;
    for segment in segments {
        if let Some(within) = overlap(start, segment.length, range) {
            let range = ResolvedRange { start: segment.offset + within.start, end: segment.offset + within.end };
            pieces.push_back(Piece::Blob(segment.blob, range));
        }
        start += segment.length;
    }
    pieces
}

/// The segments that hold a range of the bytes that `segments` hold.
pub(crate) fn narrow(segments: &[Segment], range: ResolvedRange) -> Vec<Segment> {
    let pieces = slice_segments(segments, range);
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Blob(blob, range) => Some(Segment { blob, offset: range.start, length: range.len() }),
            Piece::Part(..) | Piece::Sealed(..) => None,
        })
        .collect()
}

/// What of `range` lies in the `size` bytes from `start`, counted from `start`.
pub(crate) fn overlap(start: u64, size: u64, range: ResolvedRange) -> Option<ResolvedRange> {
    let from = range.start.max(start);
    let to = range.end.min(start + size);
    (from < to).then(|| ResolvedRange { start: from - start, end: to - start })
}
