use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

fn policy(principal: &str) -> String {
    let statement =
        json!({"Effect": "Allow", "Principal": {"CanonicalUser": principal}, "Action": "kms:*", "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

async fn set(bed: &Bed, key: &str, policy: &str) -> (StatusCode, Value) {
    let body = Some(json!({"policy": policy}));
    let answer = bed.send(Method::PUT, &format!("/v1/key-policies/{key}"), &[], body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn an_operator_says_who_uses_a_key() {
    let bed = Bed::with_shard().await;
    let ana = bed.post("/v1/accounts", json!({"display_name": "ana"})).await.json();
    let wanted = policy(ana["id"].as_str().unwrap());
    assert_eq!(bed.get("/v1/key-policies").await.json()["items"], json!([]));
    assert_eq!(bed.get("/v1/key-policies/orders").await.status, StatusCode::NOT_FOUND);
    for key in ["orders", "team%2Fphotos"] {
        let (status, made) = set(&bed, key, &wanted).await;
        assert_eq!((status, &made["policy"]), (StatusCode::OK, &json!(wanted)), "{made}");
        assert_eq!(bed.get(&format!("/v1/key-policies/{key}")).await.json(), made);
    }
    let all = bed.get("/v1/key-policies").await.json();
    let keys: Vec<_> = all["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["orders", "team/photos"]);
    let page = bed.get("/v1/key-policies?limit=1").await.json();
    assert_eq!((&page["items"][0]["key"], &page["next"]), (&json!("orders"), &json!("orders")));
    let next = bed.get("/v1/key-policies?after=orders").await.json();
    assert_eq!((&next["items"][0]["key"], next.get("next")), (&json!("team/photos"), None));

    for (key, policy, field) in [
        ("orders", "{}", "policy"),
        ("orders", "no policy", "policy"),
        (
            "orders",
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}"#,
            "policy",
        ),
        ("a%20b", &wanted, "key"),
    ] {
        let body = Some(json!({"policy": policy}));
        let answer = bed.send(Method::PUT, &format!("/v1/key-policies/{key}"), &[], body).await;
        let told = (answer.status, answer.problem().field);
        assert_eq!(told, (StatusCode::BAD_REQUEST, Some(field.to_owned())), "{key} {policy}: {}", answer.text);
    }
    for _ in 0..2 {
        let deleted = bed.send(Method::DELETE, "/v1/key-policies/orders", &[], None).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    }
    let events = bed.get("/v1/events?kind=encryption_key.policy_set").await.json();
    let about: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| &event["subject"]).collect();
    assert_eq!(about.len(), 2, "{events}");
    let events = bed.get("/v1/events?kind=encryption_key.policy_deleted").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");
}
