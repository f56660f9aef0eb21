use crate::bed::{Bed, until};
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_backup_is_started_and_watched() {
    let bed = Bed::new().await;
    let begun = bed.post("/v1/backups", json!({"directory": "/backup"})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text);
    let path = format!("/v1/backups/{}", begun.json()["id"]);
    let done = until("the backup ends", async || {
        let backup = bed.get(&path).await.json();
        (backup["state"] != "running").then_some(backup)
    })
    .await;
    assert_eq!((done["state"].as_str(), done["done_bytes"].as_u64()), (Some("done"), Some(100)));
    assert!(done["ended"].is_string());

    *bed.engine.broken.lock().unwrap() = Some("no room".to_owned());
    let begun = bed.post("/v1/backups", json!({"directory": "/other"})).await.json();
    let path = format!("/v1/backups/{}", begun["id"]);
    let failed = until("the backup fails", async || {
        let backup = bed.get(&path).await.json();
        (backup["state"] == "failed").then_some(backup)
    })
    .await;
    assert_eq!(failed["error"], "no room");
    assert_eq!(bed.get("/v1/backups").await.json()["items"].as_array().unwrap().len(), 2);
    assert_eq!(bed.get("/v1/backups/99").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn jobs_are_listed_and_woken() {
    let bed = Bed::with_shard().await;
    let jobs = bed.get("/v1/jobs").await.json();
    let names: Vec<_> = jobs["items"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"heal") && names.contains(&"drain") && names.is_sorted(), "{names:?}");
    let steps = async || bed.get("/v1/jobs/heal").await.json()["steps"].as_u64().unwrap();
    until("the job has rested", async || (steps().await > 0).then_some(())).await;
    let before = steps().await;
    assert_eq!(bed.post("/v1/jobs/heal/wake", json!({})).await.status, StatusCode::OK);
    until("the job steps again", async || (steps().await > before).then_some(())).await;
    assert_eq!(bed.post("/v1/jobs/nothing/wake", json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn metrics_are_what_prometheus_reads() {
    let bed = Bed::with_shard().await;
    let answer = bed.get("/metrics").await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "cofre_catalog_commits_total 3",
        "cofre_shard_up{shard=\"1\"} 1",
        "cofre_job_busy{job=\"heal\"}",
        "cofre_job_done_total{job=\"heal\"} 0",
        "cofre_job_done_bytes_total{job=\"heal\"} 0",
        "cofre_job_remaining_objects{job=\"heal\"} 0",
        "cofre_job_remaining_bytes{job=\"rebalance\"} 0",
        "cofre_job_state{job=\"heal\",state=\"paused\"} 0",
        "cofre_job_state{job=\"heal\",state=\"stuck\"} 0",
    ] {
        assert!(answer.text.contains(line), "{line} is missing in\n{}", answer.text);
    }
    assert!(answer.text.ends_with("# EOF\n") && answer.text.matches("# EOF").count() == 1);
    let names: Vec<_> = answer.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "a metric is declared twice");
    assert!(!answer.text.contains("remaining_objects{job=\"trim-events\"}"), "what is not known is left out");
    bed.post("/v1/jobs/heal/pause", json!({})).await;
    let text = bed.get("/metrics").await.text;
    for line in ["{job=\"heal\",state=\"paused\"} 1", "{job=\"heal\",state=\"idle\"} 0"] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}
