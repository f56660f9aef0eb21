use crate::bed::{Bed, until};
use axum::http::{Method, StatusCode};
use cofre_blobs::NewShard;
use cofre_objects::{CommitState, StoreState};
use serde_json::json;
use std::time::Duration;

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

    // What a redundancy needs may go after it was set.
    bed.topology.register(NewShard::at_path("/two".to_owned()), "test").await.unwrap();
    bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(json!({"redundancy": "replicas:2"}))).await;
    bed.send(Method::PATCH, "/v1/shards/2", &[("if-match", "*")], Some(json!({"read_only": true}))).await;
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

#[tokio::test]
async fn more_shards_away_than_a_redundancy_outlives_is_critical() {
    let paths = ["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"];
    let bed = Bed::with_shards(&paths).await;
    let ec = json!({"redundancy": "ec:4+2", "writes": {"replicate_bytes_max": 0}});
    bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(ec)).await;
    bed.make_bucket().await;
    for key in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] {
        bed.put(key, &[7; 10_000]).await.unwrap();
    }
    for path in &paths[..2] {
        bed.set_away(path, true);
    }
    let message = bed.verdict("warning", "one copy or piece less").await;
    assert!(message.contains("cofre admin shard declare-dead 1") && !message.contains("drain"), "{message}");
    assert_eq!(bed.get("/v1/health").await.json()["status"], "degraded", "that much it outlives");
    bed.set_away("/3", true);
    let message = bed.verdict("critical", "3 shards are away, more than ec:4+2 outlives").await;
    assert!(message.contains("objects with pieces on 3 of them cannot be read"), "{message}");
}

#[tokio::test]
async fn a_redundancy_that_cannot_be_reached_is_refused_and_one_that_no_longer_can_is_told() {
    let bed = Bed::with_shards(&["/one", "/two"]).await;
    bed.make_bucket().await;
    let settings = async |patch| bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(patch)).await;
    let bucket = async |scheme: &str| {
        let request = json!({"redundancy": scheme});
        bed.send(Method::PUT, "/v1/buckets/bucket/redundancy", &[], Some(request)).await
    };
    let wants = |scheme: &str, count: u32| format!("{scheme} wants {count} failure domains, and there are 2");
    for (answer, field, wants) in [
        (settings(json!({"redundancy": "replicas:3"})).await, "redundancy", wants("replicas:3", 3)),
        (
            settings(json!({"storage_classes": {"GLACIER": "replicas:5"}})).await,
            "storage_classes.GLACIER",
            wants("replicas:5", 5),
        ),
        (bucket("replicas:9").await, "redundancy", wants("replicas:9", 9)),
    ] {
        let problem = answer.problem();
        assert_eq!((problem.status, problem.field.as_deref()), (400, Some(field)), "{problem:?}");
        assert!(problem.detail.contains(&wants), "{problem:?}");
    }
    assert_eq!(settings(json!({"storage_classes": {"GLACIER": "replicas:2"}})).await.status, StatusCode::OK);
    assert_eq!(bucket("replicas:2").await.status, StatusCode::OK);
    bed.send(Method::PATCH, "/v1/shards/2", &[("if-match", "*")], Some(json!({"read_only": true}))).await;
    bed.verdict("critical", "a write of replicas:2 of the bucket bucket needs 2: writes are refused").await;
    bed.verdict("warning", "a write of replicas:2 of the storage class GLACIER needs 2").await;
    assert_eq!(settings(json!({"log_level": "warn"})).await.status, StatusCode::OK, "what was set may stay");
}

#[tokio::test]
async fn a_shard_that_goes_and_comes_is_an_event_each_time() {
    let bed = Bed::with_shards(&["/one", "/two"]).await;
    let told = async || {
        let page = bed.get("/v1/events?kind=shard.&subject=2").await.json();
        let kinds = page["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind != "shard.registered").collect::<Vec<_>>()
    };
    bed.topology.attach_missing().await.unwrap();
    assert!(told().await.is_empty(), "it was never away");
    let mut expected = Vec::new();
    for (away, kind) in [(true, "shard.away"), (false, "shard.back"), (true, "shard.away")] {
        bed.set_away("/two", away);
        expected.push(kind);
        for _ in 0..3 {
            bed.topology.attach_missing().await.unwrap();
        }
        assert_eq!(told().await, expected);
    }
    let last = bed.get("/v1/events?kind=shard.away").await.json();
    assert!(last["items"][0]["details"]["reason"].is_string(), "{last}");
}

#[tokio::test]
async fn a_catalog_that_is_not_good_is_told_everywhere() {
    let bed = Bed::with_shard().await;
    let states = [
        (CommitState::Slow(Duration::from_secs(9)), None, "slow", "availability"),
        (CommitState::Full, None, "full", "space"),
        (CommitState::Refused("EIO at /secret/path".to_owned()), None, "refusing", "availability"),
        (CommitState::Taken, Some("the table /secret/path is bad".to_owned()), "damaged", "durability"),
    ];
    for (commits, damage, name, promise) in states {
        *bed.engine.state.lock().unwrap() = StoreState { commits, damage };
        let readiness = bed.send_raw(Method::GET, "/health/ready", &[], None).await;
        assert_eq!(readiness.status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        assert!(!readiness.text.contains("/secret/path"), "an open route tells what failed: {}", readiness.text);
        let health = bed.get("/v1/health").await.json();
        assert_eq!((&health["status"], &health["catalog"]["state"]), (&json!("failing"), &json!(name)));
        assert_eq!(health["catalog"]["ok"], json!(false));
        let worst = &health["verdicts"][0];
        assert_eq!((&worst["subject"], &worst["promise"]), (&json!("catalog"), &json!(promise)), "{health}");
        let metrics = bed.get("/metrics").await.text;
        assert!(metrics.contains(&format!("cofre_catalog_state{{state=\"{name}\"}} 1")), "{metrics}");
        assert!(metrics.contains("cofre_catalog_state{state=\"good\"} 0"));
    }
    *bed.engine.state.lock().unwrap() = StoreState::default();
    assert_eq!(ready(&bed).await, StatusCode::OK);
    assert_eq!(bed.get("/v1/health").await.json()["catalog"]["state"], json!("good"));
}

#[tokio::test]
async fn what_was_seen_a_moment_ago_is_told_while_a_look_takes_long() {
    let bed = Bed::with_shard().await;
    assert_eq!(ready(&bed).await, StatusCode::OK);
    *bed.engine.hangs.lock().unwrap() = true;
    assert_eq!(ready(&bed).await, StatusCode::OK, "the look goes on");
    while ready(&bed).await == StatusCode::OK {}
    *bed.engine.hangs.lock().unwrap() = false;
    while ready(&bed).await != StatusCode::OK {}
}

#[tokio::test]
async fn health_answers_whatever_hangs() {
    let bed = Bed::with_shard().await;
    *bed.engine.hangs.lock().unwrap() = true;
    assert_eq!(ready(&bed).await, StatusCode::SERVICE_UNAVAILABLE);
    let health = bed.get("/v1/health").await.json();
    assert_eq!((&health["status"], &health["catalog"]["state"]), (&json!("failing"), &json!("unreadable")));
    assert_eq!(health["catalog"]["disk_bytes"], json!(null));
    assert!(bed.get("/metrics").await.text.contains("cofre_catalog_commits_total"));
}
