use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use cofre_admin_types::SettingsDocument;
use serde_json::json;

#[tokio::test]
async fn the_documented_schema_is_that_of_the_settings() {
    let real = serde_json::to_value(cofre_settings::Settings::default()).unwrap();
    let typed: SettingsDocument = serde_json::from_value(real.clone()).expect("every field is documented");
    assert_eq!(serde_json::to_value(typed).unwrap(), real, "a documented field is no setting");
}

#[tokio::test]
async fn a_change_needs_the_revision_that_was_read() {
    let bed = Bed::new().await;
    let patch = json!({"rate_limits": {"requests_per_second_per_key": 10}});
    let missing = bed.send(Method::PATCH, "/v1/settings", &[], Some(patch.clone())).await;
    assert_eq!((missing.status, missing.problem().status), (StatusCode::PRECONDITION_REQUIRED, 428));

    let etag = bed.get("/v1/settings").await.etag();
    let first = bed.send(Method::PATCH, "/v1/settings?note=why", &[("if-match", &etag)], Some(patch.clone())).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(first.json()["document"]["rate_limits"]["requests_per_second_per_key"], 10);
    assert_ne!(first.etag(), etag);

    for stale in [etag.as_str(), "\"no revision\"", "W/\"1\""] {
        let again =
            bed.send(Method::PATCH, "/v1/settings", &[("if-match", stale)], Some(json!({"log_level": "warn"}))).await;
        assert_eq!((again.status, again.problem().status), (StatusCode::PRECONDITION_FAILED, 412), "{stale}");
    }
    assert_eq!(bed.get("/v1/settings").await.json()["document"]["log_level"], json!(null));
}

#[tokio::test]
async fn of_concurrent_changes_on_one_revision_one_wins() {
    let bed = Bed::new().await;
    let etag = bed.get("/v1/settings").await.etag();
    let change = async |rate: u32| {
        let patch = json!({"rate_limits": {"requests_per_second_per_key": rate}});
        bed.send(Method::PATCH, "/v1/settings", &[("if-match", &etag)], Some(patch)).await.status
    };
    let statuses = futures_util::future::join_all((1..=16).map(change)).await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::PRECONDITION_FAILED).count(), 15);
    assert_eq!(bed.get("/v1/settings").await.json()["revision"], 1);
}

#[tokio::test]
async fn history_diff_and_rollback() {
    let bed = Bed::new().await;
    for level in ["warn", "debug"] {
        let patch = Some(json!({"log_level": level}));
        let path = format!("/v1/settings?note={level}");
        assert_eq!(bed.send(Method::PATCH, &path, &[("if-match", "*")], patch).await.status, StatusCode::OK);
    }
    let page = bed.get("/v1/settings/history?limit=1").await.json();
    assert_eq!((page["items"][0]["revision"].as_u64(), page["items"][0]["note"].as_str()), (Some(2), Some("debug")));
    assert!(page["items"][0]["author"].as_str().unwrap().starts_with("token:"));
    let rest = bed.get(&format!("/v1/settings/history?after={}", page["next"].as_str().unwrap())).await.json();
    assert_eq!((rest["items"][0]["revision"].as_u64(), rest["next"].as_str()), (Some(1), None));

    let diff = bed.get("/v1/settings/diff?from=1").await.json();
    assert_eq!(diff["changes"], json!([{"field": "log_level", "before": "warn", "after": "debug"}]));

    let back = bed.send(Method::POST, "/v1/settings/rollback", &[("if-match", "\"2\"")], Some(json!({"to": 1}))).await;
    assert_eq!((back.status, &back.json()["document"]["log_level"]), (StatusCode::OK, &json!("warn")));
    assert_eq!(bed.get("/v1/settings").await.json()["revision"], 3);
    let gone = bed.send(Method::POST, "/v1/settings/rollback", &[("if-match", "*")], Some(json!({"to": 99}))).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!(bed.get("/v1/settings/history/2").await.json()["document"]["log_level"], "debug");
}
