use crate::backend::{BackendError, BlobHeader, Stored};
use crate::body::{BodyError, ByteStream};
use crate::fs::buffers::{BUFFER_STRIDES, Buffer};
use crate::fs::chores::{Chore, Chores, Unclaimed};
use crate::fs::locator::Place;
use crate::fs::record::{self, BLOCK_BYTES, CRC_BYTES, Kind, STRIDE_BYTES};
use crate::fs::{Disk, crc, root};
use cofre_runtime::{Task, blocking, spawn};
use cofre_types::BlobId;
use futures_util::StreamExt;
use rustix::fs::{Advice, FallocateFlags};
use std::collections::VecDeque;
use std::fs::File;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Buffers that are written while the next one fills.
const WRITES_IN_FLIGHT_MAX: usize = 2;
/// Room that is allocated ahead of the content, where its size was declared: enough for long extents, and no more
/// than that of the disk is taken by a client that declares terabytes and sends nothing.
const PREALLOCATE_BYTES: u64 = 64 * 1024 * 1024;

/// Writes a blob to a file of its own.
pub(in crate::fs) async fn write(
    disk: &Arc<Disk>,
    chores: &Chores,
    blob: BlobId,
    header: &BlobHeader,
    mut body: ByteStream,
    size: Option<u64>,
) -> Result<Stored, BackendError> {
    let mut writing = Writing::begin(disk, chores, blob, header, size).await?;
    while let Some(piece) = body.next().await {
        let piece = piece?;
        let received = writing.size + piece.len() as u64;
        if let Some(size) = size.filter(|size| received > *size) {
            return Err(BodyError::wrong_size(size, received).into());
        }
        writing.add(&piece).await?;
    }
    if let Some(size) = size.filter(|size| *size != writing.size) {
        return Err(BodyError::wrong_size(size, writing.size).into());
    }
    writing.finish(header).await
}

/// A blob that is being written.
struct Writing {
    disk: Arc<Disk>,
    blob: BlobId,
    nonce: u64,
    file: Arc<File>,
    unclaimed: Unclaimed,
    head_bytes: u64,
    /// What the file will be long, where that was declared.
    len: Option<u64>,
    /// What of it is allocated.
    allocated: u64,
    /// Content that was taken so far.
    size: u64,
    filling: Option<Buffer>,
    /// Content in the buffer that fills.
    filled: usize,
    writes: VecDeque<Task<Result<(), BackendError>>>,
}

fn temp_name(nonce: u64) -> String {
    format!("{nonce:016x}")
}

impl Writing {
    async fn begin(
        disk: &Arc<Disk>,
        chores: &Chores,
        blob: BlobId,
        header: &BlobHeader,
        size: Option<u64>,
    ) -> Result<Self, BackendError> {
        let head_bytes = record::encode_head(Kind::File, blob, 0, header)?.len() as u64;
        let nonce = disk.random.u64();
        let unclaimed = chores.unclaimed(Chore::Temp(temp_name(nonce)));
        let len = size.map(|size| head_bytes + record::content_len(size));
        let ours = disk.clone();
        let file = blocking(move || {
            if ours.capacity_now()?.free_bytes < len.unwrap_or(1) {
                return Err(BackendError::Full);
            }
            let create = root::create_file(&ours.root.temp, &temp_name(nonce));
            create.map_err(|error| root::failure("creating a file", &error))
        });
        Ok(Self {
            file: Arc::new(file.await?),
            disk: disk.clone(),
            blob,
            nonce,
            unclaimed,
            head_bytes,
            len,
            allocated: 0,
            size: 0,
            filling: None,
            filled: 0,
            writes: VecDeque::new(),
        })
    }

    async fn add(&mut self, mut piece: &[u8]) -> Result<(), BackendError> {
        while !piece.is_empty() {
            let disk = &self.disk;
            let buffer = self.filling.get_or_insert_with(|| disk.buffers.take(BUFFER_STRIDES));
            let room = buffer.content_bytes();
            let in_block = self.filled % BLOCK_BYTES;
            let at = self.filled / BLOCK_BYTES * STRIDE_BYTES + in_block;
            let taken = piece.len().min(BLOCK_BYTES - in_block);
            buffer.as_mut()[at..at + taken].copy_from_slice(&piece[..taken]);
            piece = &piece[taken..];
            self.filled += taken;
            self.size += taken as u64;
            if self.filled == room {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Begins to write the buffer, once few enough others are under way.
    async fn flush(&mut self) -> Result<(), BackendError> {
        let Some(mut buffer) = self.filling.take() else { return Ok(()) };
        while self.writes.len() >= WRITES_IN_FLIGHT_MAX {
            self.wait_for_one().await?;
        }
        let filled = std::mem::take(&mut self.filled);
        let first = (self.size - filled as u64) / BLOCK_BYTES as u64;
        buffer.truncate(record::content_len(filled as u64) as usize);
        let (disk, file, blob) = (self.disk.clone(), self.file.clone(), self.blob);
        let offset = self.head_bytes + first * STRIDE_BYTES as u64;
        let ahead = self.ahead(offset + buffer.as_ref().len() as u64);
        let write = blocking(move || {
            allocate(&disk, &file, ahead)?;
            write_buffer(&disk, &file, blob, buffer, first, offset)
        });
        self.writes.push_back(spawn(write));
        Ok(())
    }

    /// What is to be allocated before the file is written up to `end`; empty if that was done.
    fn ahead(&mut self, end: u64) -> Range<u64> {
        let from = self.allocated;
        if let Some(len) = self.len.filter(|_| end > from) {
            self.allocated = (from + PREALLOCATE_BYTES).max(end).min(len);
        }
        from..self.allocated
    }

    async fn wait_for_one(&mut self) -> Result<(), BackendError> {
        match self.writes.pop_front() {
            None => Ok(()),
            Some(write) => write.await.unwrap_or_else(|error| Err(BackendError::Unreachable(error.to_string()))),
        }
    }

    async fn finish(mut self, header: &BlobHeader) -> Result<Stored, BackendError> {
        self.flush().await?;
        while !self.writes.is_empty() {
            self.wait_for_one().await?;
        }
        let head = record::encode_head(Kind::File, self.blob, self.size, header)?;
        let Self { disk, blob, nonce, file, mut unclaimed, head_bytes, size, .. } = self;
        let place = Place::File { nonce, head_bytes: head_bytes as u32, size };
        // The claim travels with the work: a call that is dropped meanwhile still cleans up behind it.
        let unclaimed = blocking(move || {
            file.write_all_at(&head, 0)?;
            file.sync_data()?;
            let path = root::blob_path(blob, nonce);
            rustix::fs::renameat(&disk.root.temp, temp_name(nonce), &disk.root.blobs, path)?;
            unclaimed.becomes(Chore::Copy(blob, place));
            disk.directories.sync(&disk.root.blobs, blob.as_bytes()[0])?;
            Ok::<_, std::io::Error>(unclaimed)
        });
        unclaimed.await.map_err(|error| root::failure("finishing a file", &error))?.claim();
        Ok(Stored { locator: place.locator(), size })
    }
}

/// Allocates a part of a file. Blocks.
fn allocate(disk: &Disk, file: &File, part: Range<u64>) -> Result<(), BackendError> {
    if part.is_empty() {
        return Ok(());
    }
    let bytes = part.end - part.start;
    if disk.capacity_now()?.free_bytes < bytes {
        return Err(BackendError::Full);
    }
    match rustix::fs::fallocate(file, FallocateFlags::empty(), part.start, bytes) {
        // A file system that cannot lets the file grow with each write instead.
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(root::failure("allocating a file", &error.into())),
    }
}

/// Fills in the checksums and writes the buffer. Blocks.
fn write_buffer(
    disk: &Disk,
    file: &File,
    blob: BlobId,
    mut buffer: Buffer,
    first: u64,
    offset: u64,
) -> Result<(), BackendError> {
    for (i, stride) in buffer.as_mut().chunks_mut(STRIDE_BYTES).enumerate() {
        if let Some((content, checksum)) = stride.split_last_chunk_mut::<CRC_BYTES>() {
            *checksum = crc::of_block(blob, first + i as u64, content).to_le_bytes();
        }
    }
    if disk.capacity_now()?.free_bytes == 0 {
        return Err(BackendError::Full);
    }
    let bytes = buffer.as_ref();
    file.write_all_at(bytes, offset).map_err(|error| root::failure("writing a file", &error))?;
    // On Linux this begins to write the dirty pages back and keeps them, so that the sync at the end finds
    // little to do. It is only advice.
    let _ = rustix::fs::fadvise(file, offset, NonZeroU64::new(bytes.len() as u64), Advice::DontNeed);
    Ok(())
}
