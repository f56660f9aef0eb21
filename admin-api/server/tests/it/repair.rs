//! Jobs, shards that are given up, and the tools that tell the truth, over HTTP.

use crate::bed::{Bed, until};
use axum::http::{Method, StatusCode};
use cofre_admin_types::VerifyLine;
use serde_json::{Value, json};

#[tokio::test]
async fn jobs_have_one_shape_and_are_paused_and_resumed_by_the_settings() {
    let bed = Bed::with_shard().await;
    let jobs = bed.get("/v1/jobs").await.json();
    for job in jobs["items"].as_array().unwrap() {
        for field in ["state", "remaining_objects", "remaining_bytes", "objects_per_second", "seconds_left", "finished"]
        {
            assert!(job.get(field).is_some(), "{field} is not in {job}");
        }
    }
    let paused = bed.post("/v1/jobs/scrub/pause", json!({})).await.json();
    assert_eq!(paused["state"], "paused");
    let settings = bed.get("/v1/settings").await.json();
    assert_eq!(settings["document"]["jobs"]["scrub"]["paused"], true);
    let verdicts = bed.get("/v1/health").await.json()["verdicts"].clone();
    assert!(verdicts.as_array().unwrap().iter().any(|verdict| verdict["subject"] == "job scrub"), "{verdicts}");
    assert_ne!(bed.post("/v1/jobs/scrub/resume", json!({})).await.json()["state"], "paused");
    assert_eq!(bed.get("/v1/settings/history").await.json()["items"].as_array().unwrap().len(), 2);

    let passes = async || bed.get("/v1/jobs/scrub").await.json()["passes"].as_u64().unwrap();
    until("the first scrub", async || (passes().await == 1).then_some(())).await;
    bed.post("/v1/jobs/scrub/run", json!({})).await;
    until("a scrub that is not due", async || (passes().await == 2).then_some(())).await;
    for action in ["run", "pause", "resume", "wake"] {
        let answer = bed.post(&format!("/v1/jobs/nothing/{action}"), json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let bad = json!({"jobs": {"heal": {"busy_share": 2}}});
    let refused = bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(bad)).await;
    assert!(
        refused.status == StatusCode::BAD_REQUEST && refused.text.contains("jobs.heal.busy_share"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_catalog_that_was_never_restored_has_nothing_to_discard() {
    let bed = Bed::with_shard().await;
    assert_eq!(bed.get("/v1/catalog/restore").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bed.post("/v1/catalog/restore/discard", json!({})).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_shard_is_declared_dead_rebuilt_and_taken_back() {
    let bed = Bed::new().await;
    for path in ["/one", "/two", "/three"] {
        bed.post("/v1/shards", json!({"place": {"kind": "filesystem", "path": path}})).await;
    }
    let redundancy = json!({"redundancy": "replicas:2"});
    bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(redundancy)).await;
    bed.make_bucket().await;
    bed.put("key", b"content").await.unwrap();
    let inspected = bed.get("/v1/inspect?bucket=bucket&key=key&check=true").await.json();
    let copies = &inspected["versions"][0]["blobs"][0]["copies"];
    assert!(copies.as_array().unwrap().iter().all(|copy| copy["check"]["state"] == "whole"), "{inspected}");
    let id = copies[0]["shard"].as_u64().unwrap();
    let path = format!("/v1/shards/{id}/dead");
    assert_eq!(bed.send(Method::DELETE, &path, &[], None).await.status, StatusCode::CONFLICT);
    assert_eq!(bed.send(Method::PUT, &path, &[], None).await.json()["mode"], "dead");
    until("its copy is made anew", async || {
        bed.post("/v1/jobs/rebuild/run", json!({})).await;
        let rebuild = bed.get("/v1/jobs/rebuild").await.json();
        (rebuild["remaining_objects"] == 0 && rebuild["finished"].is_string()).then_some(())
    })
    .await;
    let inspected = bed.get("/v1/inspect?bucket=bucket&key=key").await.json();
    let copies = inspected["versions"][0]["blobs"][0]["copies"].as_array().unwrap().clone();
    assert!(copies.len() == 2 && copies.iter().all(|copy| copy["shard"] != id), "{inspected}");

    assert_eq!(bed.send(Method::DELETE, &path, &[], None).await.json()["mode"], "returning");
    until("it takes blobs again", async || {
        bed.post("/v1/jobs/reconcile/run", json!({})).await;
        (bed.get(&format!("/v1/shards/{id}")).await.json()["mode"] == "active").then_some(())
    })
    .await;
    let events = bed.get("/v1/events?kind=shard.").await.text;
    for kind in ["shard.given_up", "shard.returned", "shard.reconciled"] {
        assert!(events.contains(kind), "{kind} is not in {events}");
    }
}

#[tokio::test]
async fn verify_streams_lines_and_ends() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    bed.put("key", b"content").await.unwrap();
    let answer = bed.post("/v1/verify?deep=true", json!({})).await;
    assert_eq!(
        (answer.status, answer.headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "application/x-ndjson")
    );
    let lines: Vec<VerifyLine> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(lines.last(), Some(VerifyLine::End { wrong: 0, unreachable: 0, .. })), "{lines:?}");
    assert_eq!(bed.get("/v1/inspect?bucket=bucket&key=nothing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bed.get("/v1/inspect?bucket=nothing&key=key").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_bucket_gets_a_redundancy_of_its_own_and_is_converted() {
    let bed = Bed::with_shard().await;
    bed.post("/v1/shards", json!({"place": {"kind": "filesystem", "path": "/two"}})).await;
    bed.make_bucket().await;
    bed.put("key", b"content").await.unwrap();
    let path = "/v1/buckets/bucket/redundancy";
    let refused = bed.send(Method::PUT, path, &[], Some(json!({"redundancy": "raid:5"}))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let set = bed.send(Method::PUT, path, &[], Some(json!({"redundancy": "replicas:2"}))).await.json();
    assert_eq!((&set["redundancy"], &set["redundancy_in_force"]), (&json!("replicas:2"), &json!("replicas:2")));
    until("it is converted", async || {
        bed.post("/v1/jobs/convert/run", json!({})).await;
        let blob = bed.get("/v1/inspect?bucket=bucket&key=key").await.json()["versions"][0]["blobs"][0].clone();
        (blob["redundancy"] == "replicas:2" && blob["copies"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    let unset = bed.send(Method::PUT, path, &[], Some(json!({"redundancy": null}))).await.json();
    assert_eq!((&unset["redundancy"], &unset["redundancy_in_force"]), (&Value::Null, &json!("replicas:1")));
}
