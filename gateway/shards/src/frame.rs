//! How a blob looks where it stands: in a pack, in a file of its own, or as an object of a remote shard. Pure.
//!
//! ```text
//! head     magic "cofb" | version u8 | kind u8 | header length u16 | head length u32 | blob id [16] | size u64
//!          | header (postcard) | zeros | CRC-32C of all before, u32
//! content  blocks of up to 131,068 bytes, each followed by its CRC-32C: 128 KiB a stride
//! ```
//! Numbers are little-endian. Version 1 had a header without scheme and piece. In a file of its own the head is
//! padded to a multiple of 4 KiB, so that every stride is aligned; elsewhere it is not padded. The version covers the
//! header as well.

use crate::backend::{BackendError, BlobHeader};
use crate::body::BodyError;
use crate::crc;
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange};
use std::ops::Range;

/// A block and its checksum.
pub const STRIDE_BYTES: usize = 128 * 1024;
/// Content of a block; the last one of a blob may have less.
pub const BLOCK_BYTES: usize = STRIDE_BYTES - CRC_BYTES;
/// Longest head.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Longest content of a blob that goes to a pack: such blobs are read whole, in one call.
pub(crate) const SMALL_BYTES_MAX: usize = 128 * 1024;
/// Most content that a head may promise: far above any object, and sums with it do not overflow.
pub const CONTENT_BYTES_MAX: u64 = 1 << 50;
/// Longest record in a pack.
pub(crate) const RECORD_BYTES_MAX: usize = HEAD_BYTES_MAX + SMALL_BYTES_MAX + 2 * CRC_BYTES;
/// First bytes of a head.
pub(crate) const MAGIC: [u8; 4] = *b"cofb";

/// Bytes of a checksum.
pub(crate) const CRC_BYTES: usize = 4;
/// Bytes of the head before the header.
pub(crate) const FIXED_BYTES: usize = 36;
const VERSION: u8 = 2;
/// The version whose header ends with the time of writing.
const VERSION_1: u8 = 1;
const FILE_ALIGN_BYTES: usize = 4096;

const _: () = assert!(SMALL_BYTES_MAX <= 2 * BLOCK_BYTES && FIXED_BYTES + CRC_BYTES < HEAD_BYTES_MAX);

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// In a pack, among others.
    Pack = 1,
    /// In a file of its own.
    File = 2,
    /// In an object of its own, on a remote shard.
    Object = 3,
}

/// A head that passed its checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose head it is.
    pub blob: BlobId,
    /// Bytes of content.
    pub size: u64,
    /// Its own length in bytes.
    pub len: usize,
    /// What the blob says about itself.
    pub header: BlobHeader,
}

/// Bytes that content of `size` bytes takes on disk.
pub const fn content_len(size: u64) -> u64 {
    size + size.div_ceil(BLOCK_BYTES as u64) * CRC_BYTES as u64
}

/// Bytes of content in `len` bytes on disk: the reverse of [`content_len`].
pub const fn content_size(len: u64) -> u64 {
    len.saturating_sub(len.div_ceil(STRIDE_BYTES as u64) * CRC_BYTES as u64)
}

/// The head of a blob.
///
/// # Errors
/// [`BackendError::Body`] if its names are too long for a head.
pub fn encode_head(kind: Kind, blob: BlobId, size: u64, header: &BlobHeader) -> Result<Vec<u8>, BackendError> {
    let header = postcard::to_stdvec(header).map_err(|error| BodyError(error.to_string().into()))?;
    let bare = FIXED_BYTES + header.len() + CRC_BYTES;
    let len = match kind {
        Kind::Pack | Kind::Object => bare,
        Kind::File => bare.next_multiple_of(FILE_ALIGN_BYTES),
    };
    let (Ok(header_len), true) = (u16::try_from(header.len()), len <= HEAD_BYTES_MAX) else {
        return Err(BodyError("the names of the blob are too long".into()).into());
    };
    let mut head = Vec::with_capacity(len);
    head.extend(MAGIC);
    head.extend([VERSION, kind as u8]);
    head.extend(header_len.to_le_bytes());
    head.extend((len as u32).to_le_bytes());
    head.extend(blob.as_bytes());
    head.extend(size.to_le_bytes());
    head.extend(header);
    head.resize(len - CRC_BYTES, 0);
    head.extend(crc::of(&head).to_le_bytes());
    Ok(head)
}

/// The checksum that follows block `index` of a blob.
pub fn block_checksum(blob: BlobId, index: u64, content: &[u8]) -> [u8; 4] {
    crc::of_block(blob, index, content).to_le_bytes()
}

/// A whole record for a pack.
pub(crate) fn encode(blob: BlobId, header: &BlobHeader, content: &[u8]) -> Result<Vec<u8>, BackendError> {
    let mut record = encode_head(Kind::Pack, blob, content.len() as u64, header)?;
    record.reserve_exact(content_len(content.len() as u64) as usize);
    for (index, block) in content.chunks(BLOCK_BYTES).enumerate() {
        record.extend_from_slice(block);
        record.extend(block_checksum(blob, index as u64, block));
    }
    Ok(record)
}

/// The same record with another time of writing; `None` if its head is not whole or has no room for it.
pub(crate) fn rewritten(record: &[u8], written_nanos: u64) -> Option<Vec<u8>> {
    let head = parse_head(record, Kind::Pack)?;
    let header = BlobHeader { written_nanos, ..head.header };
    let mut again = encode_head(Kind::Pack, head.blob, head.size, &header).ok()?;
    again.extend_from_slice(record.get(head.len..)?);
    Some(again)
}

/// Length of the head that `bytes` begins with, by its fixed part alone; `None` if it is no head.
pub fn head_len(bytes: &[u8], kind: Kind) -> Option<usize> {
    let fixed: &[u8; FIXED_BYTES] = bytes.first_chunk()?;
    let len = u32::from_le_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]) as usize;
    let known = fixed[..4] == MAGIC && matches!(fixed[4], VERSION_1 | VERSION) && fixed[5] == kind as u8;
    (known && (FIXED_BYTES + CRC_BYTES..=HEAD_BYTES_MAX).contains(&len)).then_some(len)
}

/// The head that `bytes` begins with, checked; `None` if it is not whole.
pub(crate) fn parse_head(bytes: &[u8], kind: Kind) -> Option<Head> {
    let head = bytes.get(..head_len(bytes, kind)?)?;
    let (covered, stored) = head.split_last_chunk::<CRC_BYTES>()?;
    if crc::of(covered) != u32::from_le_bytes(*stored) {
        return None;
    }
    let header_len = usize::from(u16::from_le_bytes([head[6], head[7]]));
    let size = u64::from_le_bytes(head[28..FIXED_BYTES].try_into().ok()?);
    if size > CONTENT_BYTES_MAX {
        return None;
    }
    Some(Head {
        blob: BlobId::from_bytes(head[12..28].try_into().ok()?),
        size,
        len: head.len(),
        header: parse_header(head[4], covered.get(FIXED_BYTES..FIXED_BYTES + header_len)?)?,
    })
}

/// The header in a head of a version.
fn parse_header(version: u8, bytes: &[u8]) -> Option<BlobHeader> {
    if version == VERSION {
        return postcard::from_bytes(bytes).ok();
    }
    let (bucket, key, version, part, written_nanos) = postcard::from_bytes(bytes).ok()?;
    Some(BlobHeader { bucket, key, version, part, written_nanos, scheme: None, piece: 0 })
}

/// Checks a whole record of a pack, and cuts `range` out of it without copying.
pub(crate) fn read(record: &Bytes, blob: BlobId, range: ResolvedRange) -> Result<Vec<Bytes>, BackendError> {
    let head = check_head(record, Kind::Pack, blob)?;
    if head.len as u64 + content_len(head.size) != record.len() as u64 || range.end > head.size {
        return Err(BackendError::Corrupt("the record has another length than its head says".into()));
    }
    blocks(&record.slice(head.len..), blob, 0, range)
}

/// Checks the head that `bytes` begins with, and that it is the blob's.
///
/// # Errors
/// [`BackendError::Corrupt`].
pub fn check_head(bytes: &[u8], kind: Kind, blob: BlobId) -> Result<Head, BackendError> {
    let head = parse_head(bytes, kind).ok_or_else(|| BackendError::Corrupt("the head fails its checksum".into()))?;
    if head.blob == blob {
        return Ok(head);
    }
    Err(BackendError::Corrupt(format!("another blob stands there: {}", head.blob)))
}

/// Checks the blocks in `strides`, of which the first has number `first`, and cuts `range` (bytes of the
/// blob) out of them, without copying.
///
/// # Errors
/// [`BackendError::Corrupt`] with the number of a block that fails its checksum.
pub fn blocks(strides: &Bytes, blob: BlobId, first: u64, range: ResolvedRange) -> Result<Vec<Bytes>, BackendError> {
    let mut pieces = Vec::with_capacity(strides.len().div_ceil(STRIDE_BYTES));
    for (i, at) in (0..strides.len()).step_by(STRIDE_BYTES).enumerate() {
        let stride = at..strides.len().min(at + STRIDE_BYTES);
        let index = first + i as u64;
        let block = check_block(strides, stride, blob, index)?;
        let begins = index * BLOCK_BYTES as u64;
        let ends = begins + block.len() as u64;
        let (from, to) = (range.start.max(begins), range.end.min(ends));
        if from < to {
            pieces.push(strides.slice(block.start + (from - begins) as usize..block.start + (to - begins) as usize));
        }
    }
    Ok(pieces)
}

/// Checks blocks that stand without their checksums between them; the first has number `first`.
pub(crate) fn check_blocks(
    content: &[u8],
    checksums: &[[u8; CRC_BYTES]],
    blob: BlobId,
    first: u64,
) -> Result<(), BackendError> {
    for ((block, stored), index) in content.chunks(BLOCK_BYTES).zip(checksums).zip(first..) {
        if crc::of_block(blob, index, block) != u32::from_le_bytes(*stored) {
            return Err(corrupt_block(index));
        }
    }
    Ok(())
}

fn corrupt_block(index: u64) -> BackendError {
    BackendError::Corrupt(format!("block {index} fails its checksum"))
}

fn check_block(bytes: &[u8], stride: Range<usize>, blob: BlobId, index: u64) -> Result<Range<usize>, BackendError> {
    let checked = bytes[stride.clone()]
        .split_last_chunk::<CRC_BYTES>()
        .is_some_and(|(content, stored)| crc::of_block(blob, index, content) == u32::from_le_bytes(*stored));
    if checked {
        return Ok(stride.start..stride.end - CRC_BYTES);
    }
    Err(corrupt_block(index))
}
