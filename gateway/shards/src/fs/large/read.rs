use crate::backend::{BackendError, BlobHeader};
use crate::body::{BodyError, ByteStream, exclusive};
use crate::fs::buffers::{BUFFER_STRIDES, Buffers};
use crate::fs::record::{self, BLOCK_BYTES, CRC_BYTES, HEAD_BYTES_MAX, Head, Kind, STRIDE_BYTES};
use crate::fs::root::{read_exact, read_exact_vectored};
use crate::fs::{Disk, root};
use bytes::Bytes;
use cofre_runtime::blocking;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use futures_util::{StreamExt, poll, stream};
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::pin::Pin;
use std::sync::Arc;

/// An open blob.
#[derive(Clone)]
struct Blob {
    file: Arc<File>,
    id: BlobId,
    head_bytes: u64,
    size: u64,
    range: ResolvedRange,
    buffers: Buffers,
}

/// Reads a range of a blob in a file of its own. The first buffer is read and checked before this
/// returns, with the head if the range begins at the first byte.
pub(in crate::fs) async fn read(
    disk: &Arc<Disk>,
    id: BlobId,
    (nonce, head_bytes, size): (u64, u32, u64),
    range: ResolvedRange,
) -> Result<ByteStream, BackendError> {
    if range.end > size {
        return Err(BackendError::Corrupt("the range is beyond the blob".into()));
    }
    let first = range.start / BLOCK_BYTES as u64;
    let end = range.end.div_ceil(BLOCK_BYTES as u64);
    let ours = disk.clone();
    let opened = blocking(move || {
        let file = Arc::new(open(&ours, id, nonce)?);
        if range.start == 0 {
            read_head(&file, id, size)?;
        }
        let head_bytes = u64::from(head_bytes);
        let blob = Blob { file, id, head_bytes, size, range, buffers: ours.buffers.clone() };
        let read = blob.read(first, end)?;
        Ok::<_, BackendError>((blob, read))
    });
    let (blob, (piece, blocks)) = opened.await?;
    let piece = stream::iter([Ok(piece)]);
    let at = first + blocks;
    if at >= end {
        return Ok(Box::pin(piece));
    }
    let rest = stream::unfold(Reading { blob, at, end, ahead: None }, |mut reading| async {
        let piece = reading.next().await?;
        Some((piece.map_err(|error| BodyError(Box::new(error))), reading))
    });
    Ok(exclusive(piece.chain(rest)))
}

/// A read under way, or done.
type Fetch = Pin<Box<MaybeDone<BoxFuture<'static, Result<(Bytes, u64), BackendError>>>>>;

/// The buffers of a blob, one after the other.
struct Reading {
    blob: Blob,
    /// Number of the next block, and one past the last.
    at: u64,
    end: u64,
    /// What is read while the buffer before it is in its reader's hands.
    ahead: Option<Fetch>,
}

impl Reading {
    /// The next buffer. That it is asked for says that the one before was taken.
    async fn next(&mut self) -> Option<Result<Bytes, BackendError>> {
        if self.at >= self.end {
            return None;
        }
        let mut fetch = self.ahead.take().unwrap_or_else(|| self.fetch());
        fetch.as_mut().await;
        let (piece, blocks) = match fetch.as_mut().take_output()? {
            Ok(read) => read,
            Err(error) => {
                self.at = self.end;
                return Some(Err(error));
            }
        };
        self.at += blocks;
        if self.at < self.end && self.blob.buffers.has_spare() {
            let mut ahead = self.fetch();
            // Begins it; whoever asks next waits for it.
            let _ = poll!(ahead.as_mut());
            self.ahead = Some(ahead);
        }
        Some(Ok(piece))
    }

    fn fetch(&self) -> Fetch {
        let (blob, at, end) = (self.blob.clone(), self.at, self.end);
        Box::pin(maybe_done(blocking(move || blob.read(at, end)).boxed()))
    }
}

/// Reads what a blob in a file of its own says about itself.
pub(in crate::fs) async fn header(
    disk: &Arc<Disk>,
    id: BlobId,
    (nonce, _, size): (u64, u32, u64),
) -> Result<BlobHeader, BackendError> {
    let disk = disk.clone();
    blocking(move || Ok(read_head(&open(&disk, id, nonce)?, id, size)?.header)).await
}

fn open(disk: &Disk, id: BlobId, nonce: u64) -> Result<File, BackendError> {
    root::open_file(&disk.root.blobs, &root::blob_path(id, nonce)).map_err(|error| match error.kind() {
        // Missing is a proof only while this is the shard that it should be.
        io::ErrorKind::NotFound => disk.root.verify().err().unwrap_or(BackendError::Missing),
        _ => root::failure("opening a file", &error),
    })
}

fn read_head(file: &File, id: BlobId, size: u64) -> Result<Head, BackendError> {
    let len = file.metadata().map_err(|error| root::failure("reading a file", &error))?.len();
    let mut bytes = vec![0; len.min(4096) as usize];
    read_exact(file, &mut bytes, 0)?;
    if let Some(longer) = record::head_len(&bytes, Kind::File).filter(|longer| *longer > bytes.len()) {
        bytes.resize((len.min(HEAD_BYTES_MAX as u64) as usize).min(longer), 0);
        read_exact(file, &mut bytes, 0)?;
    }
    let head = record::check_head(&bytes, Kind::File, id)?;
    if head.size == size && head.len as u64 + record::content_len(size) == len {
        return Ok(head);
    }
    Err(BackendError::Corrupt(format!("the file holds {len} bytes, which is not what a blob of {size} takes")))
}

impl Blob {
    /// Reads and checks a buffer of blocks from number `first` on, before `end`, and gives what of it is wanted, and how
    /// many blocks that were. Blocks.
    ///
    /// Where the file has a checksum behind each block, the buffer has only the blocks: so whoever decrypts or rebuilds
    /// them finds them in one piece, and copies nothing to have that.
    fn read(&self, first: u64, end: u64) -> Result<(Bytes, u64), BackendError> {
        let mut buffer = self.buffers.take((end - first).min(BUFFER_STRIDES as u64) as usize);
        let blocks = (end - first).min(buffer.strides() as u64);
        let begins = first * BLOCK_BYTES as u64;
        let len = (blocks * BLOCK_BYTES as u64).min(self.size - begins) as usize;
        buffer.truncate(len);
        self.fill(buffer.as_mut(), first)?;
        let content = Bytes::from_owner(buffer);
        let from = self.range.start.saturating_sub(begins) as usize;
        let to = (self.range.end - begins).min(len as u64) as usize;
        Ok((content.slice(from..to), blocks))
    }

    /// Fills `content` with whole blocks from number `first` on, and checks them.
    fn fill(&self, content: &mut [u8], first: u64) -> Result<(), BackendError> {
        let mut checksums = [[0; CRC_BYTES]; BUFFER_STRIDES];
        let blocks = content.chunks_mut(BLOCK_BYTES).zip(&mut checksums);
        let mut parts: Vec<_> =
            blocks.flat_map(|(block, checksum)| [IoSliceMut::new(block), IoSliceMut::new(checksum)]).collect();
        read_exact_vectored(&self.file, &mut parts, self.head_bytes + first * STRIDE_BYTES as u64)?;
        record::check_blocks(content, &checksums, self.id, first)
    }
}
