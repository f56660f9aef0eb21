use crate::bed::{Bed, bucket, put};
use cofre_iam::{Caller, Principal};
use cofre_objects::Error;
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
            Err(error) => assert!(matches!(error, Error::QuotaExceeded), "{error}"),
        }
    }
    assert_eq!(written, 10);
    // What replaces as much as it brings fits; so does less.
    let usage = bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap();
    assert_eq!(usage.total_bytes, 1000);
    let kept = bed.list("", "").await.0.remove(0);
    bed.put(&kept, &[1; 100]).await;
    bed.put(&kept, &[1; 50]).await;
    assert!(matches!(bed.try_put(put(&kept, &[1; 101])).await, Err(Error::QuotaExceeded)));
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 10, "what was refused is reclaimed");
}

#[tokio::test]
async fn a_buckets_own_quota_outweighs_the_default_and_only_root_sets_it() {
    let bed = Bed::with_bucket().await;
    let name = bucket("b");
    let refused = bed.objects.set_bucket_quota(&bed.alice, &name, Some(1), None).await;
    assert!(matches!(refused, Err(Error::AccessDenied)));
    let admin = Caller { principal: Principal::Internal("admin"), ..bed.alice.clone() };
    bed.objects.set_bucket_quota(&admin, &name, None, Some(1)).await.unwrap();
    bed.put("one", b"v").await;
    bed.put("one", b"w").await;
    assert!(matches!(bed.try_put(put("two", b"v")).await, Err(Error::QuotaExceeded)));
}
