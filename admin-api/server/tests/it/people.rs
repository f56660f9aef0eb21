use crate::bed::Bed;
use axum::http::{Method, StatusCode};
use cofre_iam::Lookup;
use cofre_types::AccessKeyId;
use serde_json::{Value, json};

async fn account(bed: &Bed, name: &str) -> Value {
    let body = json!({"display_name": name, "email": format!("{name}@example.org")});
    let answer = bed.post("/v1/accounts", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()
}

async fn works(bed: &Bed, key: &str) -> bool {
    matches!(bed.iam.lookup(&AccessKeyId::parse(key).unwrap()).await.unwrap(), Lookup::Active(_))
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let bed = Bed::new().await;
    let made = account(&bed, "ana").await;
    let id = made["id"].as_str().unwrap();
    let secret = made["secret_access_key"].as_str().unwrap();
    assert_eq!(id.len(), 64);
    assert!(works(&bed, made["access_key_id"].as_str().unwrap()).await);
    for path in [format!("/v1/accounts/{id}"), format!("/v1/accounts/{id}/keys"), "/v1/accounts".to_owned()] {
        let text = bed.get(&path).await.text;
        assert!(!text.contains(secret) && !text.contains("secret"), "{path}: {text}");
    }
    assert!(!bed.get("/v1/events").await.text.contains(secret));
}

#[tokio::test]
async fn names_and_addresses_are_unique() {
    let bed = Bed::new().await;
    account(&bed, "ana").await;
    for body in
        [json!({"display_name": "ANA", "email": "x@y.z"}), json!({"display_name": "b", "email": "Ana@example.org"})]
    {
        let answer = bed.post("/v1/accounts", body).await;
        assert_eq!((answer.status, answer.problem().status), (StatusCode::CONFLICT, 409));
    }
}

#[tokio::test]
async fn keys_are_made_rotated_disabled_and_deleted() {
    let bed = Bed::new().await;
    let made = account(&bed, "ana").await;
    let (id, first) = (made["id"].as_str().unwrap(), made["access_key_id"].as_str().unwrap());
    let second = bed.post(&format!("/v1/accounts/{id}/keys"), json!({"note": "ci"})).await.json();
    let second = second["access_key_id"].as_str().unwrap();
    let rotated = bed.post(&format!("/v1/keys/{second}/rotate"), json!({})).await;
    assert_eq!(rotated.status, StatusCode::CREATED, "{}", rotated.text);
    let rotated = rotated.json();
    assert_eq!(rotated["note"], "ci");
    let third = rotated["access_key_id"].as_str().unwrap();
    assert!(!works(&bed, second).await && works(&bed, third).await);

    let path = format!("/v1/keys/{first}");
    for (disabled, good) in [(true, false), (false, true)] {
        let answer = bed.send(Method::PATCH, &path, &[], Some(json!({"disabled": disabled}))).await;
        assert_eq!(answer.json()["disabled"], disabled);
        assert_eq!(works(&bed, first).await, good);
    }
    assert_eq!(bed.send(Method::DELETE, &path, &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bed.send(Method::DELETE, &path, &[], None).await.status, StatusCode::NOT_FOUND);

    let account = format!("/v1/accounts/{id}");
    assert_eq!(bed.send(Method::PATCH, &account, &[], Some(json!({"disabled": true}))).await.status, StatusCode::OK);
    assert!(!works(&bed, third).await);
    assert_eq!(bed.send(Method::DELETE, &account, &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bed.get(&account).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_goes_on_page_by_page() {
    let bed = Bed::new().await;
    for name in ["ana", "bea", "caio"] {
        account(&bed, name).await;
    }
    let first = bed.get("/v1/accounts?limit=2").await.json();
    let after = first["next"].as_str().expect("there is more");
    let second = bed.get(&format!("/v1/accounts?limit=2&after={after}")).await.json();
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["display_name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([names(&first), names(&second)].concat(), ["ana", "bea", "caio"]);
    assert_eq!(second["next"], json!(null));
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let bed = Bed::new().await;
    let made = bed.post("/v1/tokens", json!({"scope": "read", "note": "prometheus"})).await.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let bearer = format!("Bearer {secret}");
    let metrics = async || bed.send_raw(Method::GET, "/metrics", &[("authorization", &bearer)], None).await.status;
    assert_eq!(metrics().await, StatusCode::OK);
    let list = bed.get("/v1/tokens").await.text;
    assert!(list.contains(id) && !list.contains(secret));
    assert_eq!(bed.send(Method::DELETE, &format!("/v1/tokens/{id}"), &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(metrics().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_quota_of_an_account_is_set_and_shown_with_what_it_owns() {
    let bed = Bed::new().await;
    let made = account(&bed, "ana").await;
    let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    let set = bed.send(Method::PUT, &format!("{path}/quota"), &[], Some(json!({"bytes_max": 1000}))).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text);
    for shown in [set.json(), bed.get(&path).await.json(), bed.get("/v1/accounts").await.json()["items"][0].clone()] {
        assert_eq!(shown["quota"], json!({"bytes_max": 1000}));
        assert_eq!(shown["usage"], json!({"buckets": 0, "objects": 0, "bytes": 0, "grace_bytes": 0}));
    }
    let events = bed.get("/v1/events?kind=account.quota_changed").await.json();
    let event = &events["items"][0];
    assert_eq!((event["subject"].as_str(), event["details"]["bytes_max"].as_str()), (Some("ana"), Some("1000")));
    assert!(event["actor"].as_str().is_some_and(|actor| actor.starts_with("token:")), "{event}");
    let refused = bed.send(Method::PUT, &format!("{path}/quota"), &[], Some(json!({"bytes_max": u64::MAX}))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
}

#[tokio::test]
async fn keys_are_brought_from_elsewhere_unless_they_can_be_guessed() {
    let bed = Bed::new().await;
    let good = json!({"access_key_id": "BROUGHTKEY", "secret_access_key": "aB3dE5gH7jK9mN1p"});
    let answer = bed.post("/v1/accounts", json!({"display_name": "ana", "key": good})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let made = answer.json();
    assert_eq!((&made["email"], &made["access_key_id"]), (&json!(""), &json!("BROUGHTKEY")), "no e-mail is asked for");
    let path = format!("/v1/accounts/{}/keys", made["id"].as_str().unwrap());
    let import = |id: &str, secret: &str| json!({"import": {"access_key_id": id, "secret_access_key": secret}});
    let second = bed.post(&path, import("second-key", "qW8eR2tY6uI4oP0a")).await;
    assert_eq!(second.status, StatusCode::CREATED, "{}", second.text);
    assert_eq!(
        (&second.json()["account_name"], &second.json()["secret_access_key"]),
        (&json!("ana"), &json!("qW8eR2tY6uI4oP0a"))
    );
    let id = AccessKeyId::parse("second-key").unwrap();
    let Lookup::Active(credential) = bed.iam.lookup(&id).await.unwrap() else { panic!("it counts") };
    assert_eq!(credential.secret.expose(), "qW8eR2tY6uI4oP0a");
    assert_eq!(bed.post(&path, import("second-key", "qW8eR2tY6uI4oP0a")).await.status, StatusCode::CONFLICT);
    for (id, secret, field) in [
        ("minioadmin", "qW8eR2tY6uI4oP0a", "import.access_key_id"),
        ("third-key", "minioadmin", "import.secret_access_key"),
        ("third-key", "MinioAdmin-MinioAdmin", "import.secret_access_key"),
        ("third-key", "qW8eR2tY6uI4oP0", "import.secret_access_key"),
        ("third-key", "abababababababababab", "import.secret_access_key"),
        ("third-key", "a1b2c3-third-key-d4e5", "import.secret_access_key"),
        ("third-key", "qW8eR2tY6uI4 oP0a", "import.secret_access_key"),
        ("t!", "qW8eR2tY6uI4oP0a", "import.access_key_id"),
    ] {
        let answer = bed.post(&path, import(id, secret)).await;
        let problem = answer.problem();
        assert_eq!(
            (answer.status, problem.field.as_deref()),
            (StatusCode::BAD_REQUEST, Some(field)),
            "{id} {secret}: {}",
            answer.text
        );
        assert!(!answer.text.contains(secret), "a refusal does not repeat the secret");
    }
    assert!(!bed.get("/v1/events").await.text.contains("qW8eR2tY6uI4oP0a"));
}
