use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use cofre_objects::Error;
use serde_json::json;

#[tokio::test]
async fn usage_and_quota() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let put = async |key: &str| bed.put(key, b"12345").await;
    put("one").await.unwrap();
    let list = bed.get("/v1/buckets").await.json();
    let usage = &list["items"][0]["usage"];
    assert_eq!((usage["objects"].as_u64(), usage["bytes"].as_u64()), (Some(1), Some(5)), "{list}");

    let quota = Some(json!({"bytes_max": 9}));
    let set = bed.send(Method::PUT, "/v1/buckets/bucket/quota", &[], quota).await;
    assert_eq!((set.status, &set.json()["quota"]["bytes_max"]), (StatusCode::OK, &json!(9)));
    assert!(matches!(put("two").await, Err(Error::QuotaExceeded)));
    bed.send(Method::PUT, "/v1/buckets/bucket/quota", &[], Some(json!({}))).await;
    put("two").await.unwrap();
    assert_eq!(bed.get("/v1/buckets/absent").await.status, StatusCode::NOT_FOUND);
}
