use bytes::BytesMut;
use cofre_shards::BackendError;
use cofre_shards::frame::{self, BLOCK_BYTES, STRIDE_BYTES};
use cofre_types::BlobId;

/// Bytes of a part: the least that S3 allows for all but the last (Amazon S3 multipart upload limits).
pub(crate) const PART_BYTES: usize = 5 * 1024 * 1024;
/// Most parts of an upload (Amazon S3 multipart upload limits).
pub(crate) const PARTS_MAX: u64 = 10_000;

/// Puts content into frames, and gives them in parts.
pub(crate) struct Framer {
    blob: BlobId,
    out: BytesMut,
    /// Where in `out` the block that fills begins.
    block_at: usize,
    /// Number of that block.
    index: u64,
    /// Content that was taken.
    size: u64,
}

impl Framer {
    /// Begins with the head.
    pub(crate) fn new(blob: BlobId, head: &[u8]) -> Self {
        Self { blob, out: BytesMut::from(head), block_at: head.len(), index: 0, size: 0 }
    }

    /// Takes content up to the end of a block at most, and leaves the rest.
    pub(crate) fn take(&mut self, content: &mut &[u8]) {
        let room = BLOCK_BYTES - (self.out.len() - self.block_at);
        let (taken, rest) = content.split_at(room.min(content.len()));
        *content = rest;
        self.out.extend_from_slice(taken);
        self.size += taken.len() as u64;
        if taken.len() == room {
            self.close_block();
        }
    }

    /// A part, once there is one of finished blocks.
    pub(crate) fn part(&mut self) -> Option<BytesMut> {
        if self.block_at < PART_BYTES {
            return None;
        }
        let mut next = BytesMut::with_capacity(PART_BYTES + STRIDE_BYTES);
        next.extend_from_slice(&self.out[PART_BYTES..]);
        let mut part = std::mem::replace(&mut self.out, next);
        part.truncate(PART_BYTES);
        self.block_at -= PART_BYTES;
        Some(part)
    }

    /// Size of all content, and what is left of the frames.
    pub(crate) fn finish(mut self) -> (u64, BytesMut) {
        if self.out.len() > self.block_at {
            self.close_block();
        }
        (self.size, self.out)
    }

    /// Content that was taken so far.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    fn close_block(&mut self) {
        let checksum = frame::block_checksum(self.blob, self.index, &self.out[self.block_at..]);
        self.out.extend_from_slice(&checksum);
        self.block_at = self.out.len();
        self.index += 1;
    }
}

/// Refuses a blob of more parts than an upload may have.
pub(crate) fn check_parts(object_bytes: u64) -> Result<(), BackendError> {
    if object_bytes.div_ceil(PART_BYTES as u64) <= PARTS_MAX {
        return Ok(());
    }
    Err(cofre_shards::BodyError("the blob is longer than a remote shard takes".into()).into())
}
