use cofre_types::BlobId;
use serde::{Deserialize, Serialize};

/// Blobs that are told apart, by the least of the first halves of their ids: ids are random.
const KEPT_MAX: usize = 1_024;

/// How many blobs there are, each counted once however often it is met: exact to a thousand of them, within some percent
/// beyond.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DistinctBlobs(Vec<u64>);

impl DistinctBlobs {
    /// Counts a blob, if it was not met yet.
    pub fn insert(&mut self, blob: BlobId) {
        let bytes = blob.as_bytes();
        self.add(u64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]));
    }

    /// Counts what others have met.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|half| self.add(*half));
    }

    fn add(&mut self, half: u64) {
        if let Err(at) = self.0.binary_search(&half) {
            self.0.insert(at, half);
            self.0.truncate(KEPT_MAX);
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match self.0.last() {
            // So many lie below the greatest that is kept, and as densely above it.
            Some(last) if self.0.len() == KEPT_MAX => {
                (((KEPT_MAX - 1) as f64) * (u64::MAX as f64) / (*last as f64).max(1.0)) as u64
            }
            _ => self.0.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids as they are drawn: spread over all that there are.
    fn blobs(count: u64) -> DistinctBlobs {
        let mut blobs = DistinctBlobs::default();
        for number in 0..count {
            let half = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            blobs.insert(BlobId::from_bytes(((u128::from(half) << 64) | 7).to_be_bytes()));
        }
        blobs
    }

    #[test]
    fn few_are_counted_exactly_and_many_nearly() {
        for count in [0, 1, 2, 1_000, KEPT_MAX as u64 - 1] {
            let mut twice = blobs(count);
            twice.merge(&blobs(count));
            assert_eq!(twice.count(), count);
        }
        let many = blobs(100_000);
        assert_eq!(many.0.len(), KEPT_MAX);
        assert!((90_000..110_000).contains(&many.count()), "{}", many.count());
    }
}
