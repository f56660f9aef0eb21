//! Buckets that are kept at hand, by the memory that they take.

use crate::bucket::cached::Bucket;
use cofre_catalog::{Mark, Store};
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

/// Buckets at hand, each as long as it does not change. They come in two generations: when the younger has its share of
/// the bytes, it becomes the older, and what was the older goes.
#[derive(Default)]
pub(crate) struct Buckets {
    young: HashMap<BucketName, KnownBucket>,
    old: HashMap<BucketName, KnownBucket>,
    /// Bytes of the younger ones, estimated.
    young_bytes: usize,
}

struct KnownBucket {
    /// Of the bucket, made before it was read.
    mark: Mark,
    bucket: Arc<Bucket>,
    /// Estimated.
    bytes: usize,
}

impl Buckets {
    /// A bucket, if it is at hand and as the catalog has it.
    pub(crate) fn get(&self, name: &BucketName, store: &dyn Store) -> Option<Arc<Bucket>> {
        let kept = self.young.get(name).or_else(|| self.old.get(name))?;
        kept.mark.holds(store).then(|| Arc::clone(&kept.bucket))
    }

    /// Keeps a bucket whose record has so many bytes.
    pub(crate) fn insert(&mut self, mark: Mark, bucket: Arc<Bucket>, record_bytes: usize) {
        let bytes = BUCKET_BYTES.saturating_add(record_bytes.saturating_mul(READ_FACTOR));
        if self.young_bytes.saturating_add(bytes) > BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        let replaced = self.young.insert(bucket.name.clone(), KnownBucket { mark, bucket, bytes });
        self.young_bytes -= replaced.map_or(0, |replaced| replaced.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_catalog::records::{BucketConfig, BucketRecord, Durability, Record, Versioning};
    use cofre_catalog::{Batch, Entry, Memory, Revision, keys};
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

    fn mark(store: &Memory, bucket: &Bucket) -> Mark {
        Mark::of_key(store, &keys::bucket(&bucket.name)).unwrap()
    }

    #[test]
    fn large_buckets_are_few_and_small_ones_many() {
        for (document_bytes, at_most) in [(256 << 10, 32), (0, 32_768)] {
            let (mut cache, store) = (Buckets::default(), Memory::new());
            for number in 0..40_000 {
                let (bucket, bytes) = bucket(number, document_bytes);
                cache.insert(mark(&store, &bucket), Arc::clone(&bucket), bytes);
                assert!(cache.get(&bucket.name, &store).is_some());
                assert!(cache.young.len() + cache.old.len() <= at_most, "{document_bytes}");
                if document_bytes > 0 && number == 100 {
                    break;
                }
            }
            assert!(cache.young.len() + cache.old.len() >= at_most / 4, "{document_bytes}");
        }
    }

    #[test]
    fn a_bucket_that_is_read_again_and_again_takes_its_place_once() {
        let (mut cache, store) = (Buckets::default(), Memory::new());
        let (first, first_bytes) = bucket(1, 0);
        cache.insert(mark(&store, &first), Arc::clone(&first), first_bytes);
        let (second, bytes) = bucket(2, 256 << 10);
        for _ in 0..1_000 {
            cache.insert(mark(&store, &second), Arc::clone(&second), bytes);
        }
        assert!(cache.old.is_empty() && cache.get(&first.name, &store).is_some());
    }

    #[tokio::test]
    async fn a_change_of_a_bucket_has_it_read_again() {
        let (mut cache, store) = (Buckets::default(), Memory::new());
        let buckets: Vec<_> = (0..100).map(|number| bucket(number, 10)).collect();
        for (bucket, bytes) in &buckets {
            cache.insert(mark(&store, bucket), Arc::clone(bucket), *bytes);
        }
        let mut batch = Batch::new();
        batch.put(keys::bucket(&buckets[0].0.name), Vec::new());
        store.commit(batch).await.unwrap();
        assert!(cache.get(&buckets[0].0.name, &store).is_none());
        let kept = buckets.iter().filter(|(bucket, _)| cache.get(&bucket.name, &store).is_some()).count();
        assert!(kept > 80, "others stay: {kept} of 99");
    }
}
