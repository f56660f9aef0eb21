use crate::bed::{Bed, bucket, key, put, upload};
use cofre_catalog::records::{AccountRecord, Record};
use cofre_catalog::{Batch, ReadExt, Store, keys};
use cofre_objects::{AccountUsage, CreateBucket, CreateUpload, EncryptAs, Error, PutObject, PutPart, UploadRef};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn a_quota_is_exact_under_concurrent_writers() {
    let bed = Arc::new(Bed::with_bucket().await);
    bed.set(json!({"quotas": {"bucket_bytes_max": 1000}})).await;
    let writers: Vec<_> = (0..64)
        .map(|i| {
            let bed = Arc::clone(&bed);
            cofre_runtime::spawn(async move { bed.try_put(put(&format!("k{i}"), &[0; 100])).await })
        })
        .collect();
    let mut written = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => written += 1,
            Err(error) => assert!(matches!(error, Error::QuotaExceeded(_)), "{error}"),
        }
    }
    assert_eq!(written, 10);
    // What replaces as much as it brings fits; so does less.
    let usage = bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap();
    assert_eq!(usage.total_bytes, 1000);
    let kept = bed.list("", "").await.0.remove(0);
    bed.put(&kept, &[1; 100]).await;
    bed.put(&kept, &[1; 50]).await;
    assert!(matches!(bed.try_put(put(&kept, &[1; 101])).await, Err(Error::QuotaExceeded(_))));
    // Beside what stands only what was replaced is left: 100 bytes and 100 bytes.
    assert_eq!(bed.stored().await, 12, "what was refused is removed at once");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 10);
}

#[tokio::test]
async fn a_buckets_own_quota_outweighs_the_default_and_only_root_sets_it() {
    let bed = Bed::with_bucket().await;
    let name = bucket("b");
    let refused = bed.objects.set_bucket_quota(&bed.alice, &name, Some(1), None).await;
    assert!(matches!(refused, Err(Error::AccessDenied)));
    let admin = bed.operator().on_behalf_of("token:ops");
    bed.objects.set_bucket_quota(&admin, &name, None, Some(1)).await.unwrap();
    bed.put("one", b"v").await;
    bed.put("one", b"w").await;
    assert!(matches!(bed.try_put(put("two", b"v")).await, Err(Error::QuotaExceeded(_))));
    assert_eq!(bed.last_event().await, ("bucket.quota_changed".to_owned(), "token:ops".to_owned()));
}

impl Bed {
    async fn owned(&self) -> AccountUsage {
        let alice = self.alice.principal.account_id().unwrap();
        AccountUsage { grace_bytes: 0, ..self.upkeep.account_usage(&[alice]).await.unwrap().remove(0) }
    }

    async fn bound_alice(&self, bytes_max: Option<u64>, objects_max: Option<u64>, buckets_max: Option<u32>) {
        let key = keys::account(self.alice.principal.account_id().unwrap());
        let record = self.store.get(key.clone()).await.unwrap().unwrap();
        let record = AccountRecord::decode(&record.value).unwrap();
        let mut batch = Batch::new();
        batch.put(key, AccountRecord { bytes_max, objects_max, buckets_max, ..record }.encode());
        self.store.commit(batch).await.unwrap();
    }
}

fn usage(buckets: i64, objects: i64, bytes: i64) -> AccountUsage {
    AccountUsage { buckets, objects, bytes, grace_bytes: 0 }
}

#[tokio::test]
async fn the_quota_of_an_account_is_exact_over_its_buckets_under_concurrent_writers() {
    let bed = Arc::new(Bed::with_bucket().await);
    bed.make_bucket("c").await;
    bed.set(json!({"quotas": {"account_objects_max": 5}})).await;
    bed.bound_alice(Some(1000), Some(1000), None).await;
    let writers: Vec<_> = (0..64)
        .map(|i| {
            let bed = Arc::clone(&bed);
            let to = bucket(if i % 2 == 0 { "b" } else { "c" });
            let request = PutObject { bucket: to, ..put(&format!("k{i}"), &[0; 100]) };
            // The twin stands for another process over the same catalog.
            cofre_runtime::spawn(async move {
                let domain = if i % 4 < 2 { &bed.objects } else { &bed.twin };
                domain.put_object(&bed.alice, request).await
            })
        })
        .collect();
    let mut written = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => written += 1,
            Err(error) => assert!(matches!(error, Error::QuotaExceeded(_)), "{error}"),
        }
    }
    assert_eq!((written, bed.owned().await), (10, usage(2, 10, 1000)));
    // The default of the settings holds who has no bound of its own.
    bed.bound_alice(None, None, None).await;
    assert!(matches!(bed.try_put(put("more", b"x")).await, Err(Error::QuotaExceeded(_))));
    bed.set(json!({"quotas": {"account_objects_max": null}})).await;
    bed.put("more", b"x").await;
}

#[tokio::test]
async fn of_many_buckets_at_once_an_account_gets_as_many_as_it_may_own() {
    let bed = Arc::new(Bed::new("replicas:1").await);
    bed.bound_alice(None, None, Some(3)).await;
    let makers: Vec<_> = (0..16)
        .map(|i| {
            let bed = Arc::clone(&bed);
            let name = bucket(&format!("n{i}"));
            cofre_runtime::spawn(async move {
                let request =
                    CreateBucket { name, region: String::new(), object_lock: false, acl: None, ownership: None };
                bed.objects.create_bucket(&bed.alice, request).await
            })
        })
        .collect();
    let mut made = Vec::new();
    for maker in makers {
        match maker.await.unwrap() {
            Ok(info) => made.push(info.name),
            Err(error) => assert!(matches!(error, Error::TooManyBuckets), "{error}"),
        }
    }
    assert_eq!((made.len(), bed.owned().await), (3, usage(3, 0, 0)));
    bed.objects.delete_bucket(&bed.alice, &made[0]).await.unwrap();
    bed.make_bucket("again").await;
    assert_eq!(bed.owned().await, usage(3, 0, 0));
}

#[tokio::test]
async fn what_goes_with_a_bucket_is_no_longer_its_owners() {
    let bed = Bed::with_bucket().await;
    bed.put("one", b"12345").await;
    let part = begin_upload(&bed).await;
    bed.objects.put_part(&bed.alice, part).await.unwrap();
    assert_eq!(bed.owned().await, usage(1, 1, 12));
    bed.delete("one", None).await.unwrap();
    assert_eq!(bed.owned().await, usage(1, 0, 7));
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.owned().await, usage(0, 0, 0), "parts of uploads that end with the bucket count no more");
}

async fn begin_upload(bed: &Bed) -> PutPart {
    let create = CreateUpload {
        bucket: bucket("b"),
        key: key("up"),
        headers: Default::default(),
        tags: Default::default(),
        storage_class: String::new(),
        lock: Default::default(),
        checksum: None,
        checksum_kind: None,
        acl: None,
        encryption: EncryptAs::AsBucket,
    };
    let id = bed.objects.create_upload(&bed.alice, create).await.unwrap().id;
    let at = UploadRef { bucket: bucket("b"), key: key("up"), upload: id };
    PutPart { upload: at, number: 1, content: upload(b"content"), encryption: EncryptAs::AsBucket }
}

#[tokio::test]
async fn a_catalog_without_the_counters_of_accounts_gets_them_once() {
    let bed = Bed::with_bucket().await;
    bed.put("one", b"12345").await;
    let part = begin_upload(&bed).await;
    bed.objects.put_part(&bed.alice, part).await.unwrap();
    for name in ["c", "d"] {
        bed.make_bucket(name).await;
        let request = PutObject { bucket: bucket(name), ..put("k", b"123") };
        bed.objects.put_object(&bed.alice, request).await.unwrap();
    }
    let (alice, bob) = (bed.alice.principal.account_id().unwrap(), bed.bob.principal.account_id().unwrap());
    let request =
        CreateBucket { name: bucket("bobs"), region: String::new(), object_lock: false, acl: None, ownership: None };
    bed.objects.create_bucket(&bed.bob, request).await.unwrap();
    let exact = bed.upkeep.account_usage(&[alice, bob]).await.unwrap();
    assert_eq!(exact, [usage(3, 3, 18), usage(1, 0, 0)]);

    // What the version before leaves.
    let mut batch = Batch::new();
    batch.delete(keys::account_usage(alice)).delete(keys::account_usage(bob));
    bed.store.commit(batch).await.unwrap();
    assert_eq!(bed.upkeep.count_account_usage().await.unwrap(), 2);
    assert_eq!(bed.upkeep.account_usage(&[alice, bob]).await.unwrap(), exact);
    bed.put("two", b"1").await;
    assert_eq!(bed.upkeep.count_account_usage().await.unwrap(), 0, "it is done once");
    assert_eq!(bed.owned().await, usage(3, 4, 19));
}
