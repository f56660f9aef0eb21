use crate::body::exclusive;
use crate::fs::buffers::{BUFFER_STRIDES, Buffers};
use crate::fs::record::{self, BLOCK_BYTES, CRC_BYTES, HEAD_BYTES_MAX, Head, Kind, STRIDE_BYTES};
use crate::fs::root::{read_exact, read_exact_vectored};
use crate::fs::{Disk, root};
use crate::{BackendError, BlobHeader, BodyError, ByteStream};
use bytes::Bytes;
use cofre_runtime::blocking;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::sync::Arc;

/// Buffers that are read ahead of the one in hand.
const READS_IN_FLIGHT_MAX: usize = 2;

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
        let piece = blob.read(first, end)?;
        Ok::<_, BackendError>((blob, piece))
    });
    let (blob, piece) = opened.await?;
    let piece = stream::iter([Ok(piece)]);
    if end - first <= BUFFER_STRIDES as u64 {
        return Ok(Box::pin(piece));
    }
    let rest = stream::iter((first..end).step_by(BUFFER_STRIDES).skip(1))
        .map(move |at| {
            let blob = blob.clone();
            blocking(move || blob.read(at, end))
        })
        .buffered(READS_IN_FLIGHT_MAX)
        .map_err(|error| BodyError(Box::new(error)));
    Ok(exclusive(piece.chain(rest)))
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
    /// Reads and checks a buffer of blocks from number `first` on, before `end`, and gives what of it is wanted. Blocks.
    ///
    /// Where the file has a checksum behind each block, the buffer has only the blocks: so whoever decrypts or rebuilds
    /// them finds them in one piece, and copies nothing to have that.
    fn read(&self, first: u64, end: u64) -> Result<Bytes, BackendError> {
        let blocks = (end - first).min(BUFFER_STRIDES as u64);
        let begins = first * BLOCK_BYTES as u64;
        let len = (blocks * BLOCK_BYTES as u64).min(self.size - begins) as usize;
        let content = if blocks == 1 {
            let mut content = vec![0; len];
            self.fill(&mut content, first)?;
            Bytes::from(content)
        } else {
            let mut buffer = self.buffers.take();
            buffer.truncate(len);
            self.fill(buffer.as_mut(), first)?;
            Bytes::from_owner(buffer)
        };
        let from = self.range.start.saturating_sub(begins) as usize;
        let to = (self.range.end - begins).min(len as u64) as usize;
        Ok(content.slice(from..to))
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
