use crate::bed::{Bed, until};
use axum::http::{Method, StatusCode};
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
    bed.make_bucket().await;
    bed.put("key", b"content").await.unwrap();
    let open = [("accept", "application/openmetrics-text; version=1.0.0")];
    let answer = bed.send(Method::GET, "/metrics", &open, None).await;
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
        "cofre_health_status{status=\"ok\"} 1",
        "cofre_health_status{status=\"failing\"} 0",
        "cofre_health_verdicts{severity=\"critical\"} 0",
        "cofre_unreadable_blobs 0",
        "cofre_away_copies 0",
        "cofre_away_bytes 0",
        "cofre_catalog_up 1",
        "cofre_shard_mode{shard=\"1\",mode=\"active\"} 1",
        "cofre_shard_mode{shard=\"1\",mode=\"dead\"} 0",
        "cofre_bucket_objects{bucket=\"bucket\"} 1",
        "cofre_bucket_bytes{bucket=\"bucket\"} 7",
        "cofre_build_info{version=\"",
        "process_cpu_seconds_total ",
        "process_start_time_seconds ",
        "process_resident_memory_bytes ",
        "process_max_fds ",
        "le=\"+Inf\",",
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
    assert!(!answer.text.contains("last_backup"), "none was taken");
    every_histogram_ends(&answer.text);

    // To everybody else it is Prometheus' own format.
    let plain = bed.get("/metrics").await;
    assert_eq!(plain.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(plain.text.contains("# TYPE cofre_catalog_commits_total counter\n"), "{}", plain.text);
    assert!(!plain.text.contains("# EOF") && !plain.text.contains("# UNIT"));
    every_histogram_ends(&plain.text);

    bed.post("/v1/backups", json!({"directory": "/backup"})).await;
    until("the backup is told", async || {
        bed.get("/metrics").await.text.contains("cofre_last_backup_timestamp_seconds 1").then_some(())
    })
    .await;
    bed.post("/v1/jobs/heal/pause", json!({})).await;
    let text = bed.get("/metrics").await.text;
    for line in ["{job=\"heal\",state=\"paused\"} 1", "{job=\"heal\",state=\"idle\"} 0"] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

/// Every histogram's buckets grow, and the last one is `+Inf` and has the count.
fn every_histogram_ends(text: &str) {
    let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" histogram"));
    let mut found = 0;
    for name in names {
        let series = |suffix: &str| {
            let prefix = format!("{name}_{suffix}");
            text.lines().filter(move |line| line.starts_with(&prefix)).collect::<Vec<_>>()
        };
        let counts = series("count");
        assert_eq!(series("bucket").iter().filter(|line| line.contains("le=\"+Inf\"")).count(), counts.len(), "{name}");
        let finite = series("bucket").into_iter().filter(|line| !line.contains("+Inf"));
        for line in finite {
            let (_, bound) = line.split_once("le=\"").unwrap();
            let bound: f64 = bound.split_once('"').unwrap().0.parse().unwrap();
            assert!(bound < 1e9, "{line}");
        }
        found += usize::from(!counts.is_empty());
    }
    assert!(found >= 5, "{found} histograms");
}
