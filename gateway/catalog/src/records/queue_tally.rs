use super::usage::counter;

/// How much waits in a queue, kept exactly: each commit that changes the queue changes it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueTally {
    /// Records of the queue.
    pub records: i64,
    /// Of the heal queue, the blobs that have nothing to spare; of doomed copies, their bytes.
    pub weight: i64,
}

impl QueueTally {
    /// The row of counters.
    pub fn row(&self) -> Vec<i64> {
        vec![self.records, self.weight]
    }

    /// Reads a row as the store keeps it; missing counters are zero.
    pub fn from_value(value: &[u8]) -> Self {
        Self { records: counter(value, 0), weight: counter(value, 1) }
    }
}
