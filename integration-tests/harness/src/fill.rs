use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, Engine};

/// Bytes that are the same for the same seed, at any place in them: contents that a test need not
/// keep to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill(pub u64);

impl Fill {
    /// `bytes.len()` bytes that begin at `offset`.
    pub fn write(self, offset: u64, bytes: &mut [u8]) {
        let (mut index, skip) = (offset / 8, (offset % 8) as usize);
        let head = if skip == 0 { 0 } else { (8 - skip).min(bytes.len()) };
        let (head, whole) = bytes.split_at_mut(head);
        if !head.is_empty() {
            head.copy_from_slice(&word(self.0, index).to_le_bytes()[skip..skip + head.len()]);
            index += 1;
        }
        for piece in whole.chunks_mut(8) {
            piece.copy_from_slice(&word(self.0, index).to_le_bytes()[..piece.len()]);
            index += 1;
        }
    }

    /// The first `size` bytes.
    pub fn bytes(self, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        self.write(0, &mut bytes);
        bytes
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
fn word(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// SHA-256 in base64, as S3's headers have it.
pub fn sha256_base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_from_any_offset() {
        let whole = Fill(7).bytes(1_000);
        for (from, to) in [(333, 433), (0, 8), (8, 9), (5, 7), (7, 8), (991, 1_000)] {
            let mut part = vec![0; to - from];
            Fill(7).write(from as u64, &mut part);
            assert_eq!(part, whole[from..to]);
        }
        assert_ne!(whole, Fill(8).bytes(1_000));
    }
}
