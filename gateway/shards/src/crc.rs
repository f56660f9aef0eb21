use cofre_types::BlobId;
use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi};

/// CRC-32C of one block, bound to its blob and its place in it: a block that was written to or read
/// from the wrong place fails as one with flipped bits does.
pub(crate) fn of_block(blob: BlobId, index: u64, content: &[u8]) -> u32 {
    let mut place = [0; 24];
    place[..16].copy_from_slice(blob.as_bytes());
    place[16..].copy_from_slice(&index.to_le_bytes());
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&place);
    digest.update(content);
    digest.finalize() as u32
}

/// CRC-32C of bytes that stand alone.
pub(crate) fn of(bytes: &[u8]) -> u32 {
    crc32_iscsi(bytes)
}
