use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn problems_name_the_field() {
    let bed = Bed::with_shard().await;
    let star = &[("if-match", "*")][..];
    let cases = [
        (Method::POST, "/v1/accounts", json!({"display_name": "a", "email": 7}), "email"),
        (Method::POST, "/v1/accounts", json!({"email": "a@b"}), "display_name"),
        (Method::POST, "/v1/accounts", json!({"display_name": "a", "email": "a@b", "x": 1}), "x"),
        (Method::POST, "/v1/tokens", json!({"scope": "everything"}), "scope"),
        (Method::POST, "/v1/shards", json!({"place": {"kind": "filesystem", "path": "relative"}}), "place.path"),
        (Method::POST, "/v1/shards", json!({"place": {"kind": "filesystem", "path": "/broken"}}), "place"),
        (Method::PATCH, "/v1/shards/1", json!({"weight_percent": 10_001}), "weight_percent"),
        (Method::PATCH, "/v1/shards/1", json!({"labels": {"": "x"}}), "labels"),
        (Method::PATCH, "/v1/shards/one", json!({}), "id"),
        (Method::PATCH, "/v1/settings", json!({"rate_limits": {"burst": "many"}}), "rate_limits.burst"),
        (Method::PATCH, "/v1/settings", json!({"timers": {"garbage_grace_secs": 1}}), "timers.garbage_grace_secs"),
        (Method::POST, "/v1/backups", json!({"directory": "relative"}), "directory"),
        (Method::GET, "/v1/jobs?limit=0", json!(null), "limit"),
        (Method::GET, "/v1/jobs?limit=many", json!(null), "limit"),
        (Method::GET, "/v1/jobs?unknown=1", json!(null), "unknown"),
        (Method::GET, "/v1/events?after=nowhere", json!(null), "after"),
        (Method::GET, "/v1/accounts/short", json!(null), "id"),
        (Method::GET, "/v1/buckets/NO", json!(null), "name"),
        (Method::GET, "/v1/settings/diff", json!(null), "from"),
    ];
    for (method, path, body, field) in cases {
        let answer = bed.send(method.clone(), path, star, Some(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}: {}", answer.text);
        let problem = answer.problem();
        assert_eq!(problem.field.as_deref(), Some(field), "{method} {path}: {}", answer.text);
        assert_eq!(problem.kind, "urn:cofre:problem:invalid-field");
    }
}

#[tokio::test]
async fn bodies_have_a_form_and_a_bound() {
    let bed = Bed::new().await;
    let bearer = format!("Bearer {}", bed.token(cofre_iam::Scope::Admin));
    let send = async |content_type: &str, body: String| {
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type)];
        bed.send_raw(Method::POST, "/v1/tokens", &headers, Some(body)).await
    };
    let good = r#"{"scope":"read"}"#;
    assert_eq!(send("text/plain", good.to_owned()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for wrong in ["", "{", "[]", "no json", &format!("{good}{good}")] {
        let answer = send("application/json", wrong.to_owned()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {}", answer.text);
        answer.problem();
    }
    let padded = format!("{good}{}", " ".repeat(cofre_admin_server::BODY_BYTES_MAX));
    let answer = send("application/json", padded).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    answer.problem();
    assert_eq!(send("application/json; charset=utf-8", good.to_owned()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let bed = Bed::new().await;
    let answer = bed.get("/v2/everything").await;
    assert_eq!((answer.status, answer.problem().status), (StatusCode::NOT_FOUND, 404));
    let answer = bed.send(Method::DELETE, "/v1/jobs", &[], None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.headers["allow"].to_str().unwrap().contains("GET"));
    answer.problem();
}

#[tokio::test]
async fn what_failed_inside_stays_inside() {
    let bed = Bed::new().await;
    *bed.engine.broken.lock().unwrap() = Some("the disk at /secret/path".to_owned());
    let answer = bed.send(Method::POST, "/v1/jobs/heal/wake", &[], None).await;
    // The engine's events still work in this bed, so the job is woken; its health tells of the failure.
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(bed.send_raw(Method::GET, "/health/ready", &[], None).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let text = bed.send_raw(Method::GET, "/health/ready", &[], None).await.text;
    assert!(!text.contains("/secret/path"), "an open route tells what failed inside: {text}");
}
