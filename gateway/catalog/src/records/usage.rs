use std::ops::AddAssign;

/// What a bucket holds, kept exactly: each change of an object adds to it in the same commit.
///
/// Stored as a row of counters, so that concurrent commits do not conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Objects: current versions that are not delete markers.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Versions that are not current.
    pub noncurrent_versions: i64,
    /// Their bytes.
    pub noncurrent_bytes: i64,
    /// Delete markers.
    pub delete_markers: i64,
    /// Multipart uploads under way.
    pub uploads: i64,
    /// Parts of uploads under way.
    pub upload_parts: i64,
    /// Their bytes.
    pub upload_bytes: i64,
    /// All versions that are objects, current or not: what a quota on objects bounds.
    pub total_objects: i64,
    /// All bytes, of versions and of parts under way: what a quota on bytes bounds.
    pub total_bytes: i64,
    /// Bytes that were overwritten or deleted and whose grace is not over.
    pub grace_bytes: i64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let Self {
            objects,
            bytes,
            noncurrent_versions,
            noncurrent_bytes,
            delete_markers,
            uploads,
            upload_parts,
            upload_bytes,
            total_objects,
            total_bytes,
            grace_bytes,
        } = other;
        self.objects += objects;
        self.bytes += bytes;
        self.noncurrent_versions += noncurrent_versions;
        self.noncurrent_bytes += noncurrent_bytes;
        self.delete_markers += delete_markers;
        self.uploads += uploads;
        self.upload_parts += upload_parts;
        self.upload_bytes += upload_bytes;
        self.total_objects += total_objects;
        self.total_bytes += total_bytes;
        self.grace_bytes += grace_bytes;
    }
}

impl Usage {
    /// Indexes of what must be zero in a bucket that is deleted: objects, older versions, delete markers.
    pub const EMPTY_WHEN_ZERO: [usize; 3] = [0, 2, 4];
    /// Index of [`Usage::delete_markers`] in the row.
    pub const DELETE_MARKERS: usize = 4;
    /// Index of [`Usage::uploads`] in the row.
    pub const UPLOADS: usize = 5;
    /// Index of [`Usage::upload_parts`] in the row.
    pub const UPLOAD_PARTS: usize = 6;
    /// Index of [`Usage::total_objects`] in the row.
    pub const TOTAL_OBJECTS: usize = 8;
    /// Index of [`Usage::total_bytes`] in the row.
    pub const TOTAL_BYTES: usize = 9;
    /// Index of [`Usage::grace_bytes`] in the row.
    pub const GRACE_BYTES: usize = 10;

    /// The row of counters.
    pub fn row(&self) -> Vec<i64> {
        vec![
            self.objects,
            self.bytes,
            self.noncurrent_versions,
            self.noncurrent_bytes,
            self.delete_markers,
            self.uploads,
            self.upload_parts,
            self.upload_bytes,
            self.total_objects,
            self.total_bytes,
            self.grace_bytes,
        ]
    }

    /// Reads a row as the store keeps it; missing counters are zero.
    pub fn from_value(value: &[u8]) -> Self {
        let at = |index| counter(value, index);
        Self {
            objects: at(0),
            bytes: at(1),
            noncurrent_versions: at(2),
            noncurrent_bytes: at(3),
            delete_markers: at(4),
            uploads: at(5),
            upload_parts: at(6),
            upload_bytes: at(7),
            total_objects: at(8),
            total_bytes: at(9),
            grace_bytes: at(10),
        }
    }

    /// Whether nothing at all is in the bucket, uploads under way aside.
    pub const fn is_empty(&self) -> bool {
        self.objects == 0 && self.noncurrent_versions == 0 && self.delete_markers == 0
    }
}

/// What an account owns in all its buckets, kept exactly: each commit that changes the usage of a bucket
/// changes that of its owner too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountUsage {
    /// Buckets.
    pub buckets: i64,
    /// Objects over all versions, as [`Usage::total_objects`].
    pub objects: i64,
    /// Bytes over all versions and parts under way, as [`Usage::total_bytes`].
    pub bytes: i64,
    /// Bytes whose grace is not over, as [`Usage::grace_bytes`].
    pub grace_bytes: i64,
}

impl AccountUsage {
    /// Index of [`AccountUsage::buckets`] in the row.
    pub const BUCKETS: usize = 0;
    /// Index of [`AccountUsage::objects`] in the row.
    pub const OBJECTS: usize = 1;
    /// Index of [`AccountUsage::bytes`] in the row.
    pub const BYTES: usize = 2;
    /// Index of [`AccountUsage::grace_bytes`] in the row.
    pub const GRACE_BYTES: usize = 3;

    /// The row of counters.
    pub fn row(&self) -> Vec<i64> {
        vec![self.buckets, self.objects, self.bytes, self.grace_bytes]
    }

    /// Reads a row as the store keeps it; missing counters are zero.
    pub fn from_value(value: &[u8]) -> Self {
        Self {
            buckets: counter(value, Self::BUCKETS),
            objects: counter(value, Self::OBJECTS),
            bytes: counter(value, Self::BYTES),
            grace_bytes: counter(value, Self::GRACE_BYTES),
        }
    }
}

/// One counter of a row as the store keeps it; zero if the row is shorter.
pub(super) fn counter(value: &[u8], index: usize) -> i64 {
    let bytes = value.get(index * 8..index * 8 + 8).and_then(|b| b.try_into().ok());
    bytes.map_or(0, i64::from_le_bytes)
}

/// A size as a change of a counter. Sizes are below 2^63: an object has at most 5 TiB.
pub fn as_delta(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
