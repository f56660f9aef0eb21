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
    let refused = bed.send(Method::PUT, &drain, &[], None).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.problem().detail.contains("0 would be left"), "{}", refused.text);
    assert_eq!(bed.get(&path).await.json()["mode"], "active");
    let begun = bed.send(Method::PUT, &format!("{drain}?force=true"), &[], None).await.json();
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

fn remote(secret: &str) -> serde_json::Value {
    json!({"kind": "s3", "endpoint": "https://s3.example.com", "bucket": "cofre", "prefix": "node-1/",
        "access_key_id": "AKIAEXAMPLE", "secret_access_key": secret})
}

#[tokio::test]
async fn a_remote_shard_is_registered_and_its_secret_never_shown() {
    let bed = Bed::new().await;
    let made = bed.post("/v1/shards", json!({"place": remote("good-secret")})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let shown = json!({"kind": "s3", "endpoint": "https://s3.example.com", "region": "us-east-1", "bucket": "cofre",
        "prefix": "node-1/", "access_key_id": "AKIAEXAMPLE", "capacity_bytes": 1_u64 << 40});
    assert_eq!(made.json()["place"], shown);
    let path = format!("/v1/shards/{}", made.json()["id"]);
    let taken = bed.post("/v1/shards", json!({"place": remote("good-secret")})).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text);

    let patch = async |s3: serde_json::Value| {
        bed.send(Method::PATCH, &path, &[("if-match", "*")], Some(json!({"s3": s3}))).await
    };
    let wrong = patch(json!({"access_key_id": "AKIANEW", "secret_access_key": "bad-secret"})).await;
    assert_eq!((wrong.status, wrong.problem().field.as_deref()), (StatusCode::BAD_REQUEST, Some("place")));
    assert!(wrong.problem().detail.contains("403"), "{}", wrong.text);
    assert_eq!(bed.get(&path).await.json()["place"]["access_key_id"], "AKIAEXAMPLE");
    let good =
        patch(json!({"access_key_id": "AKIANEW", "secret_access_key": "good-secret", "capacity_bytes": 5})).await;
    assert_eq!(good.status, StatusCode::OK, "{}", good.text);
    let place = good.json()["place"].clone();
    assert_eq!((&place["access_key_id"], &place["capacity_bytes"]), (&json!("AKIANEW"), &json!(5)));
    let events = bed.get("/v1/events?kind=shard.").await.text;
    assert!(events.contains("AKIAEXAMPLE -> AKIANEW"), "{events}");
    for text in [made.text, good.text, events, bed.get("/v1/shards").await.text] {
        assert!(!text.contains("good-secret"), "{text}");
    }
}

#[tokio::test]
async fn errors_of_a_remote_shard_name_the_field() {
    let bed = Bed::new().await;
    let field = async |place: serde_json::Value| {
        let answer = bed.post("/v1/shards", json!({"place": place})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        answer.problem().field.unwrap_or_default()
    };
    let mut place = remote("good-secret");
    place["endpoint"] = json!("ftp://host");
    assert_eq!(field(place).await, "place.endpoint");
    assert_eq!(field(remote("bad-secret")).await, "place");
    let id = register(&bed, "/one").await;
    let path = format!("/v1/shards/{id}");
    for (s3, field) in [
        (json!({"access_key_id": "AKIANEW"}), "s3.secret_access_key"),
        (json!({"secret_access_key": "good-secret"}), "s3.access_key_id"),
        (json!({"capacity_bytes": 1}), "s3"),
    ] {
        let answer = bed.send(Method::PATCH, &path, &[("if-match", "*")], Some(json!({"s3": s3}))).await;
        assert_eq!((answer.status, answer.problem().field.as_deref()), (StatusCode::BAD_REQUEST, Some(field)));
    }
}

#[tokio::test]
async fn where_a_shard_is_takes_the_scope_admin() {
    let bed = Bed::new().await;
    let id = register(&bed, "/one").await;
    let remote = bed.post("/v1/shards", json!({"place": remote("good-secret")})).await.json()["id"].clone();
    let operate = format!("Bearer {}", bed.token(cofre_iam::Scope::Operate));
    let send = async |method, path: &str, body: serde_json::Value| {
        let headers = [("authorization", operate.as_str()), ("if-match", "*")];
        bed.send_raw(method, path, &headers, Some(body.to_string())).await
    };
    let (directory, s3) = (format!("/v1/shards/{id}"), format!("/v1/shards/{remote}"));
    let place = json!({"place": {"kind": "filesystem", "path": "/two"}});
    for (method, path, body) in [
        (Method::POST, "/v1/shards", place),
        (Method::POST, "/v1/backups", json!({"directory": "/etc/cron.d/backup"})),
        (Method::PATCH, &*directory, json!({"path": "/two"})),
        (Method::PATCH, &*s3, json!({"s3": {"endpoint": "http://192.0.2.1"}})),
        (Method::PATCH, &*s3, json!({"s3": {"access_key_id": "AKIANEW", "secret_access_key": "good-secret"}})),
        (Method::PATCH, &*s3, json!({"s3": {"ca_pem": ""}})),
    ] {
        let refused = send(method, path, body.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {body}: {}", refused.text);
        assert!(refused.problem().detail.contains("admin"), "{}", refused.text);
    }
    for (path, body) in [(&directory, json!({"weight_percent": 50})), (&s3, json!({"s3": {"capacity_bytes": 5}}))] {
        let taken = send(Method::PATCH, path, body).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    }
}
