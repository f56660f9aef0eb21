use aws_lc_rs::digest;

/// Bytes that are the same for the same seed, at any place in them: contents that a test need not
/// keep to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill(pub u64);

impl Fill {
    /// `bytes.len()` bytes that begin at `offset`.
    pub fn write(self, offset: u64, bytes: &mut [u8]) {
        for (at, byte) in (offset..).zip(bytes.iter_mut()) {
            *byte = word(self.0, at / 8).to_le_bytes()[(at % 8) as usize];
        }
    }

    /// The first `size` bytes.
    pub fn bytes(self, size: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size + 8);
        let mut index = 0;
        while bytes.len() < size {
            bytes.extend_from_slice(&word(self.0, index).to_le_bytes());
            index += 1;
        }
        bytes.truncate(size);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_from_any_offset() {
        let whole = Fill(7).bytes(1_000);
        let mut part = vec![0; 100];
        Fill(7).write(333, &mut part);
        assert_eq!(part, whole[333..433]);
        assert_ne!(whole, Fill(8).bytes(1_000));
    }
}
