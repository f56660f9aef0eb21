//! Buckets that are kept at hand, by the memory that they take.

use crate::bucket::cached::Bucket;
use cofre_types::BucketName;
use std::collections::HashMap;
use std::sync::Arc;

/// Most bytes of buckets at hand, estimated.
const BYTES_MAX: usize = 64 << 20;

/// Bytes of a bucket beside its documents, at most.
const BUCKET_BYTES: usize = 2 << 10;

/// Bytes in memory for a byte of a record: its documents, and what they say once it is read. A rule of a lifecycle or a
/// website of 60 bytes takes some 400 when it is read.
const READ_FACTOR: usize = 8;

/// Buckets at hand, as long as none changes. They come in two generations: when the younger has its share of the bytes,
/// it becomes the older, and what was the older goes.
#[derive(Default)]
pub(crate) struct Buckets {
    /// What `touched` said when the cache was begun.
    fresh_at: u64,
    young: HashMap<BucketName, Arc<Bucket>>,
    old: HashMap<BucketName, Arc<Bucket>>,
    /// Bytes of the younger ones, estimated.
    young_bytes: usize,
}

impl Buckets {
    /// A bucket, if the cache is of the same state.
    pub(crate) fn get(&self, name: &BucketName, touched: u64) -> Option<Arc<Bucket>> {
        let found = || self.young.get(name).or_else(|| self.old.get(name)).cloned();
        (self.fresh_at == touched).then(found).flatten()
    }

    /// Keeps a bucket whose record has so many bytes.
    pub(crate) fn insert(&mut self, touched: u64, bucket: Arc<Bucket>, record_bytes: usize) {
        if self.fresh_at != touched {
            *self = Self { fresh_at: touched, ..Self::default() };
        }
        let bytes = BUCKET_BYTES.saturating_add(record_bytes.saturating_mul(READ_FACTOR));
        if self.young_bytes.saturating_add(bytes) > BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        self.young.insert(bucket.name.clone(), bucket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_catalog::records::{BucketConfig, BucketRecord, Durability, Record, Versioning};
    use cofre_catalog::{Entry, Revision};
    use cofre_types::{AccountId, BucketId, Tags, Timestamp};

    fn bucket(number: u64, document_bytes: usize) -> (Arc<Bucket>, usize) {
        let record = BucketRecord {
            id: BucketId(number),
            owner: AccountId::from_bytes([1; 32]),
            created: Timestamp(0),
            region: String::new(),
            versioning: Versioning::Unversioned,
            durability: Durability::Durable,
            scheme: None,
            bytes_max: None,
            objects_max: None,
            tags: Tags::default(),
            config: vec![BucketConfig::Policy("x".repeat(document_bytes))],
        };
        let name = BucketName::parse(&format!("bucket-{number}")).unwrap();
        let entry = Entry { revision: Revision(1), value: record.encode() };
        (Arc::new(Bucket::of(&name, &entry).unwrap()), entry.value.len())
    }

    #[test]
    fn large_buckets_are_few_and_small_ones_many() {
        for (document_bytes, at_most) in [(256 << 10, 32), (0, 32_768)] {
            let mut cache = Buckets::default();
            for number in 0..40_000 {
                let (bucket, bytes) = bucket(number, document_bytes);
                cache.insert(1, Arc::clone(&bucket), bytes);
                assert!(cache.get(&bucket.name, 1).is_some());
                assert!(cache.young.len() + cache.old.len() <= at_most, "{document_bytes}");
                if document_bytes > 0 && number == 100 {
                    break;
                }
            }
            assert!(cache.young.len() + cache.old.len() >= at_most / 4, "{document_bytes}");
        }
    }

    #[test]
    fn a_change_of_any_bucket_begins_anew() {
        let mut cache = Buckets::default();
        let (first, bytes) = bucket(1, 10);
        cache.insert(1, Arc::clone(&first), bytes);
        assert!(cache.get(&first.name, 2).is_none());
        let (second, bytes) = bucket(2, 10);
        cache.insert(2, Arc::clone(&second), bytes);
        assert!(cache.get(&first.name, 2).is_none() && cache.get(&second.name, 2).is_some());
    }
}
