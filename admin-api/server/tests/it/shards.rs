use crate::bed::{Bed, until};
use axum::http::{Method, StatusCode};
use serde_json::json;

async fn register(bed: &Bed, path: &str) -> u64 {
    let answer = bed.post("/v1/shards", json!({"place": {"kind": "filesystem", "path": path}})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()["id"].as_u64().unwrap()
}

/// Puts an object and gives the number of the shard that holds it.
async fn put(bed: &Bed) -> u64 {
    bed.make_bucket().await;
    bed.put("key", b"content").await.unwrap();
    let shards = bed.get("/v1/shards").await.json();
    let holder = shards["items"].as_array().unwrap().iter().find(|shard| shard["health"]["written_bytes"] == 7);
    holder.expect("a shard took it")["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_shard_is_registered_changed_and_listed() {
    let bed = Bed::new().await;
    let id = register(&bed, "/one").await;
    assert_eq!(register(&bed, "/two").await, id + 1);
    let taken = bed.post("/v1/shards", json!({"place": {"kind": "filesystem", "path": "/one"}})).await;
    assert_eq!((taken.status, taken.problem().status), (StatusCode::CONFLICT, 409));

    let path = format!("/v1/shards/{id}");
    let etag = bed.get(&path).await.etag();
    let change = json!({"labels": {"rack": "7"}, "weight_percent": 50, "failure_domain": "room", "read_only": true});
    let changed = bed.send(Method::PATCH, &path, &[("if-match", &etag)], Some(change)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let shard = changed.json();
    assert_eq!(
        (&shard["labels"]["rack"], &shard["weight_percent"], &shard["failure_domain"], &shard["mode"]),
        (&json!("7"), &json!(50), &json!("room"), &json!("read_only"))
    );
    let stale = bed.send(Method::PATCH, &path, &[("if-match", &etag)], Some(json!({"weight_percent": 1}))).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let blind = bed.send(Method::PATCH, &path, &[], Some(json!({"weight_percent": 1}))).await;
    assert_eq!(blind.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(bed.get(&path).await.json()["weight_percent"], 50);
    assert_eq!(bed.get("/v1/shards/99").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_shard_leaves_only_once_nothing_is_on_it() {
    let bed = Bed::new().await;
    register(&bed, "/one").await;
    let held = put(&bed).await;
    let path = format!("/v1/shards/{held}");
    let remove = async || bed.send(Method::DELETE, &path, &[], None).await;
    let refused = remove().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.problem().detail.contains("drain"), "{}", refused.text);

    // There is nowhere to move to yet.
    let drain = format!("{path}/drain");
    let begun = bed.send(Method::PUT, &drain, &[], None).await.json();
    assert_eq!((begun["state"].as_str(), begun["remaining_blobs"].as_u64()), (Some("moving"), Some(1)));
    let refused = remove().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.problem().detail.contains("1 blobs (7 bytes)"), "{}", refused.text);

    let cancelled = bed.send(Method::DELETE, &drain, &[], None).await.json();
    assert_eq!(cancelled["state"], "not_draining");
    assert_eq!(bed.get(&path).await.json()["mode"], "active");

    register(&bed, "/two").await;
    bed.send(Method::PUT, &drain, &[], None).await;
    until("the drain ends", async || {
        bed.post("/v1/jobs/drain/wake", json!({})).await;
        let drain = bed.get(&drain).await.json();
        (drain["state"] == "drained").then_some(())
    })
    .await;
    let removed = remove().await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    assert_eq!(bed.get(&path).await.status, StatusCode::NOT_FOUND);
    let events = bed.get("/v1/events?kind=shard.").await.text;
    assert!(events.contains("shard.removed"), "{events}");
}

#[tokio::test]
async fn a_probe_tells_good_and_bad() {
    let bed = Bed::new().await;
    let id = register(&bed, "/one").await;
    let good = bed.post(&format!("/v1/shards/{id}/probe"), json!({})).await.json();
    assert_eq!(good["ok"], true, "{good}");
    assert_eq!(bed.post("/v1/shards/99/probe", json!({})).await.status, StatusCode::NOT_FOUND);
}
