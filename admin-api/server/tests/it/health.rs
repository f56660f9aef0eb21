use crate::bed::{Bed, until};
use axum::http::{Method, StatusCode};
use serde_json::json;

async fn ready(bed: &Bed) -> StatusCode {
    bed.send_raw(Method::GET, "/health/ready", &[], None).await.status
}

#[tokio::test]
async fn readiness_needs_catalog_and_shards_and_no_end() {
    let bed = Bed::new().await;
    assert_eq!(bed.send_raw(Method::GET, "/health/live", &[], None).await.status, StatusCode::OK);
    assert_eq!(ready(&bed).await, StatusCode::SERVICE_UNAVAILABLE, "without a shard no write succeeds");
    bed.post("/v1/shards", json!({"place": {"kind": "filesystem", "path": "/one"}})).await;
    assert_eq!(ready(&bed).await, StatusCode::OK);

    *bed.engine.broken.lock().unwrap() = Some("torn".to_owned());
    assert_eq!(ready(&bed).await, StatusCode::SERVICE_UNAVAILABLE);
    *bed.engine.broken.lock().unwrap() = None;
    assert_eq!(ready(&bed).await, StatusCode::OK);

    bed.draining.begin();
    assert_eq!(ready(&bed).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bed.send_raw(Method::GET, "/health/live", &[], None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn verdicts_name_the_promise() {
    let bed = Bed::with_shard().await;
    let health = bed.get("/v1/health").await.json();
    assert_eq!((&health["status"], &health["verdicts"]), (&json!("ok"), &json!([])), "{health}");

    bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(json!({"redundancy": "replicas:2"}))).await;
    let health = bed.get("/v1/health").await.json();
    assert_eq!(health["status"], "failing");
    let worst = &health["verdicts"][0];
    assert_eq!((worst["severity"].as_str(), worst["promise"].as_str()), (Some("critical"), Some("availability")));
    assert!(worst["message"].as_str().unwrap().contains("replicas:2"), "{worst}");

    bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(json!({"redundancy": null}))).await;
    bed.send(Method::PATCH, "/v1/shards/1", &[("if-match", "*")], Some(json!({"read_only": true}))).await;
    assert_eq!(bed.get("/v1/health").await.json()["status"], "failing");
    assert_eq!(ready(&bed).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_blob_without_a_whole_copy_is_critical_and_named() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    bed.put("key", b"content").await.unwrap();
    bed.spoil("/one");
    let run = async |job: &str| bed.post(&format!("/v1/jobs/{job}/run"), json!({})).await;
    run("scrub").await;
    until("it is known to be lost", async || {
        run("heal").await;
        (bed.get("/v1/health").await.json()["redundancy"]["unreadable_blobs"] == 1).then_some(())
    })
    .await;
    let message = bed.verdict("critical", "1 blob cannot be read").await;
    assert!(message.contains("cofre admin job show heal"), "{message}");
    let health = bed.get("/v1/health").await.json();
    assert!(health["status"] == "failing" && !health.to_string().contains("wait to be healed"), "{health}");
    let heal = bed.get("/v1/jobs/heal").await.json();
    assert!(heal["problems"][0]["subject"].as_str().unwrap().ends_with("(bucket/key)"), "{heal}");
}
