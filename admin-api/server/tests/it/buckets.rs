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
    assert!(matches!(put("two").await, Err(Error::QuotaExceeded(_))));
    bed.send(Method::PUT, "/v1/buckets/bucket/quota", &[], Some(json!({}))).await;
    put("two").await.unwrap();
    assert_eq!(bed.get("/v1/buckets/absent").await.status, StatusCode::NOT_FOUND);
}

async fn account(bed: &Bed, name: &str) -> String {
    let made = bed.post("/v1/accounts", json!({"display_name": name})).await.json();
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_operator_makes_hands_over_and_removes_buckets() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let (ana, bea) = (account(&bed, "ana").await, account(&bed, "bea").await);
    let made = bed.post("/v1/buckets", json!({"name": "photos", "owner": "ana"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!((&made.json()["owner"], &made.json()["owner_name"]), (&json!(ana), &json!("ana")));
    assert_eq!(bed.post("/v1/buckets", json!({"name": "photos", "owner": bea})).await.status, StatusCode::CONFLICT);
    for (body, field) in [
        (json!({"name": "Photos", "owner": "ana"}), "name"),
        (json!({"name": "others", "owner": "nobody"}), "owner"),
        (json!({"name": "others"}), "owner"),
    ] {
        let answer = bed.post("/v1/buckets", body).await;
        assert_eq!((answer.status, answer.problem().field.as_deref()), (StatusCode::BAD_REQUEST, Some(field)));
    }

    let owned = async |id: &str| {
        let usage = bed.get(&format!("/v1/accounts/{id}")).await.json()["usage"].clone();
        ["buckets", "objects", "bytes"].map(|name| usage[name].as_u64().unwrap())
    };
    bed.put("one", b"12345").await.unwrap();
    let to = Some(json!({"owner": "bea"}));
    let handed = bed.send(Method::PUT, "/v1/buckets/bucket/owner", &[], to.clone()).await;
    assert_eq!((handed.status, &handed.json()["owner_name"]), (StatusCode::OK, &json!("bea")), "{}", handed.text);
    assert_eq!((owned(&ana).await, owned(&bea).await), ([1, 0, 0], [1, 1, 5]));
    // Again is no change, and what comes counts for the new owner.
    assert_eq!(bed.send(Method::PUT, "/v1/buckets/bucket/owner", &[], to).await.status, StatusCode::OK);
    let events = bed.get("/v1/events?kind=bucket.owner_changed").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");
    let event = &events["items"][0];
    assert!(event["details"]["owner"].as_str().is_some_and(|owner| owner.ends_with("-> bea")), "{event}");
    assert!(event["actor"].as_str().is_some_and(|actor| actor.starts_with("token:")), "{event}");

    let remove = async |name: &str| bed.send(Method::DELETE, &format!("/v1/buckets/{name}"), &[], None).await.status;
    assert_eq!(remove("bucket").await, StatusCode::CONFLICT);
    assert_eq!(remove("photos").await, StatusCode::NO_CONTENT);
    assert_eq!(remove("photos").await, StatusCode::NOT_FOUND);
    assert_eq!(owned(&ana).await, [0, 0, 0]);
}

#[tokio::test]
async fn a_list_is_no_object() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let id = account(&bed, "ana").await;
    for (method, path, body, field) in [
        (Method::PATCH, format!("/v1/accounts/{id}"), json!([true]), "body"),
        (Method::PUT, "/v1/buckets/bucket/quota".to_owned(), json!([5, 5]), "body"),
        (Method::POST, "/v1/accounts".to_owned(), json!(["bea", ""]), "body"),
        (
            Method::POST,
            format!("/v1/accounts/{id}/keys"),
            json!({"import": ["some-key", "qW8eR2tY6uI4oP0a"]}),
            "import",
        ),
    ] {
        let answer = bed.send(method, &path, &[], Some(body)).await;
        let problem = answer.problem();
        assert_eq!(
            (answer.status, problem.field.as_deref()),
            (StatusCode::BAD_REQUEST, Some(field)),
            "{path}: {}",
            answer.text
        );
    }
    assert_eq!(bed.get(&format!("/v1/accounts/{id}")).await.json()["disabled"], json!(false));
}
