mod everything;

use crate::bed::{Answer, Bed};
use axum::http::{Method, StatusCode};
use cofre_iam::Scope;
use everything::everything;
use serde_json::{Value, json};

async fn plan(bed: &Bed, document: &Value, prune: bool) -> Answer {
    bed.post("/v1/provision/plan", json!({"document": document, "prune": prune})).await
}

async fn apply(bed: &Bed, document: &Value) -> Answer {
    bed.post("/v1/provision/apply", json!({"document": document})).await
}

/// Steps as `set bucket photos quota`.
fn steps(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let json = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let step = |step: &Value| {
        format!("{} {} {}", text(&step["verb"]), text(&step["subject"]), text(&step["setting"])).trim_end().to_owned()
    };
    json["steps"].as_array().unwrap().iter().map(step).collect()
}

#[tokio::test]
async fn a_document_is_carried_out_once() {
    let bed = Bed::with_shard().await;
    let first = plan(&bed, &everything(), false).await;
    assert!(steps(&first).contains(&"create bucket photos".to_owned()), "{}", first.text);
    assert_eq!(bed.get("/v1/buckets").await.json()["items"], json!([]), "a plan changes nothing");
    let done = apply(&bed, &everything()).await;
    assert_eq!(steps(&done), steps(&first));
    for prune in [false, true] {
        let again = plan(&bed, &everything(), prune).await;
        assert_eq!(
            (again.json()["steps"].clone(), again.json()["kept"].clone()),
            (json!([]), json!([])),
            "{}",
            again.text
        );
    }
    assert_eq!(steps(&apply(&bed, &everything()).await), Vec::<String>::new());
    assert!(!done.text.contains("kQ7zYw31") && !first.text.contains("kQ7zYw31"), "{}", done.text);
    let keys = bed.get(&format!("/v1/accounts/{}/keys", "a1".repeat(32))).await.json();
    assert_eq!(keys["items"].as_array().unwrap().len(), 2, "{keys}");
}

#[tokio::test]
async fn an_export_changes_nothing_here_and_makes_another_equal() {
    let bed = Bed::with_shard().await;
    assert!(!steps(&apply(&bed, &everything()).await).is_empty());
    // What new buckets get is not what this one has.
    let settings =
        json!({"settings": {"new_buckets": {"public_access_block": true, "ownership": "bucket_owner_enforced"}}});
    apply(&bed, &settings).await;
    let export = bed.get("/v1/provision").await.json();
    for prune in [false, true] {
        assert_eq!(steps(&plan(&bed, &export, prune).await), Vec::<String>::new(), "{export:#}");
    }
    assert!(!export.to_string().contains("secret"), "{export}");

    let other = Bed::with_shard().await;
    let refused = apply(&other, &export).await;
    assert_eq!(refused.problem().field.as_deref(), Some("accounts[0].keys[0].secret_access_key"));
    let mut with_secrets = export.clone();
    for key in with_secrets["accounts"][0]["keys"].as_array_mut().unwrap() {
        key["secret_access_key"] = json!("zQ7zYw31pLm9XcVbn4");
    }
    assert!(!steps(&apply(&other, &with_secrets).await).is_empty());
    assert_eq!(other.get("/v1/provision").await.json(), export);
}

#[tokio::test]
async fn changes_by_hand_are_drift() {
    let bed = Bed::with_shard().await;
    apply(&bed, &everything()).await;
    bed.send(Method::PUT, "/v1/buckets/photos/quota", &[], Some(json!({}))).await;
    let id = "a1".repeat(32);
    bed.send(Method::DELETE, "/v1/keys/ana-old", &[], None).await;
    bed.send(Method::PUT, &format!("/v1/accounts/{id}/quota"), &[], Some(json!({"bytes_max": 1}))).await;
    bed.send(Method::PATCH, "/v1/settings", &[("if-match", "*")], Some(json!({"quotas": {"bucket_objects_max": 1}})))
        .await;
    let expected = [
        "set settings quotas.bucket_objects_max",
        "set account ana quota",
        "create key ana-old",
        "set bucket photos quota",
    ];
    let found = plan(&bed, &everything(), false).await;
    assert_eq!(steps(&found), expected);
    assert_eq!(found.json()["steps"][3]["field"], "buckets[0].quota");
    assert_eq!(found.json()["steps"][3]["before"], Value::Null);

    // Another secret is told without telling it, and set in one step.
    let mut other = everything();
    other["accounts"][0]["keys"][0]["secret_access_key"] = json!("nQ7zYw31pLm9XcVbn5");
    let found = plan(&bed, &other, false).await;
    assert!(steps(&found).contains(&"set key ana-app secret_access_key".to_owned()), "{}", found.text);
    apply(&bed, &other).await;
    assert_eq!(steps(&plan(&bed, &other, false).await), Vec::<String>::new());
    assert_eq!(steps(&plan(&bed, &everything(), false).await), ["set key ana-app secret_access_key"]);
}

#[tokio::test]
async fn what_is_not_in_the_document_goes_only_when_asked() {
    let bed = Bed::with_shard().await;
    apply(&bed, &everything()).await;
    let less = json!({
        "accounts": [{"name": "ana", "keys": [{"access_key_id": "ana-app"}]}],
        "buckets": [{"name": "photos", "owner": "ana"}],
    });
    let found = plan(&bed, &less, false).await;
    assert_eq!(steps(&found), Vec::<String>::new());
    let kept = found.json()["kept"].as_array().unwrap().len();
    assert!(kept > 10, "{}", found.text);
    let pruned = bed.post("/v1/provision/apply", json!({"document": less, "prune": true})).await;
    let done = steps(&pruned);
    for gone in ["delete bucket logs", "delete key ana-old", "delete account béa", "delete bucket photos policy"] {
        assert!(done.contains(&gone.to_owned()), "{gone}: {done:?}");
    }
    let export = bed.get("/v1/provision").await.json();
    assert_eq!(export["buckets"][0]["name"], "photos");
    assert_eq!(export["buckets"][0].as_object().unwrap().len(), 6, "{export:#}");
    assert_eq!(export["key_policies"].as_array().unwrap().len(), 1, "the document names none");
}

#[tokio::test]
async fn what_cannot_be_deleted_holds_up_nothing_else() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    bed.put("held", b"12345").await.unwrap();
    let document = json!({"accounts": [{"name": "owner"}, {"name": "extra"}],
        "buckets": [{"name": "kept", "owner": "owner"}, {"name": "zz-gone", "owner": "owner"}]});
    apply(&bed, &document).await;
    let less = json!({"accounts": [{"name": "owner"}], "buckets": [{"name": "kept"}]});
    let pruned = bed.post("/v1/provision/apply", json!({"document": less, "prune": true})).await.problem();
    assert_eq!(pruned.field.as_deref(), Some("bucket bucket"), "{}", pruned.detail);
    assert!(pruned.detail.contains("not empty"), "{}", pruned.detail);
    assert_eq!(bed.get("/v1/buckets/zz-gone").await.status, StatusCode::NOT_FOUND);
    let accounts = bed.get("/v1/accounts").await.json();
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1, "{accounts}");
}

#[tokio::test]
async fn what_lifecycle_rules_say_of_small_objects_stays() {
    let bed = Bed::with_shard().await;
    apply(&bed, &everything()).await;
    let rules = json!({"buckets": [{"name": "photos", "lifecycle": [{"id": "x", "expiration": {"days": 1}}]}]});
    apply(&bed, &rules).await;
    let bucket = &bed.get("/v1/provision").await.json()["buckets"][1];
    assert_eq!(bucket["transition_default_minimum_object_size"], "all_storage_classes_128K", "{bucket}");
    assert_eq!(bucket["lifecycle"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn errors_name_the_field_and_change_nothing() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let key = json!({"access_key_id": "one", "secret_access_key": "kQ7zYw31pLm9XcVbn2"});
    let bucket = |settings: Value| {
        let mut bucket = json!({"name": "photos", "owner": "owner"});
        bucket.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        json!({"buckets": [{"name": "fine", "owner": "owner"}, bucket]})
    };
    let wrong = [
        (json!({"accounts": [{"name": "a"}, {"name": "A"}]}), "accounts[1].name"),
        (json!({"accounts": [{"name": "a", "keys": [key, key]}]}), "accounts[0].keys[1].access_key_id"),
        (
            json!({"accounts": [{"name": "a", "keys": [key]}, {"name": "b", "keys": [key]}]}),
            "accounts[1].keys[0].access_key_id",
        ),
        (
            json!({"accounts": [{"name": "a", "keys": [{"access_key_id": "one", "secret_access_key": "password12345678"}]}]}),
            "accounts[0].keys[0].secret_access_key",
        ),
        (
            json!({"accounts": [{"name": "a", "keys": [{"access_key_id": "no spaces"}]}]}),
            "accounts[0].keys[0].access_key_id",
        ),
        (json!({"accounts": [{"name": "a", "id": "12"}]}), "accounts[0].id"),
        (json!({"accounts": [{"name": "a", "email": "nobody"}]}), "accounts[0].email"),
        (json!({"accounts": [{"name": "a\u{7}"}]}), "accounts[0].name"),
        (json!({"accounts": [{"name": "root", "disabled": true}]}), "accounts[0].disabled"),
        (json!({"accounts": [{"name": "owner", "email": "x@example.com"}]}), "accounts[0].email"),
        (json!({"settings": {"quotas": {"grace_multiple": 0}}}), "settings.quotas.grace_multiple"),
        (json!({"settings": {"colour": 1}}), "settings.colour"),
        (json!({"settings": {"redundancy": "replicas:3"}}), "settings.redundancy"),
        (json!({"settings": {"storage_classes": {"COLD": "replicas:3"}}}), "settings.storage_classes.COLD"),
        (json!({"key_policies": [{"key": "k", "policy": "{}"}]}), "key_policies[0].policy"),
        (json!({"buckets": [{"name": "Photos"}]}), "buckets[0].name"),
        (json!({"buckets": [{"name": "photos"}, {"name": "photos"}]}), "buckets[1].name"),
        (bucket(json!({"owner": "nobody"})), "buckets[1].owner"),
        (bucket(json!({"policy": "{"})), "buckets[1].policy"),
        (bucket(json!({"redundancy": "replicas:9"})), "buckets[1].redundancy"),
        (bucket(json!({"lifecycle": [{"id": "x"}]})), "buckets[1].lifecycle"),
        (
            bucket(json!({"lifecycle": [{"id": "x", "transitions": [{"days": 1, "storage_class": "NONE"}]}]})),
            "buckets[1].lifecycle",
        ),
        (
            bucket(json!({"cors": [{"allowed_origins": ["*"], "allowed_methods": ["PATCH"]}]})),
            "buckets[1].cors[0].allowed_methods",
        ),
        (bucket(json!({"unset": ["colour"]})), "buckets[1].unset[0]"),
        (bucket(json!({"unset": ["versioning"]})), "buckets[1].unset[0]"),
        (bucket(json!({"logging": {"target_bucket": "absent"}})), "buckets[1].logging.target_bucket"),
        (bucket(json!({"acl": [{"permission": "read"}]})), "buckets[1].acl[0]"),
        (bucket(json!({"tags": {"aws:x": "y"}})), "buckets[1].tags"),
        (
            bucket(
                json!({"ownership": "bucket_owner_enforced", "acl": [{"group": "all_users", "permission": "read"}]}),
            ),
            "buckets[1].acl",
        ),
        (bucket(json!({"object_lock": {}, "versioning": "suspended"})), "buckets[1].versioning"),
    ];
    for (document, field) in wrong {
        for answer in [plan(&bed, &document, false).await, apply(&bed, &document).await] {
            let problem = answer.problem();
            assert_eq!(
                (answer.status, problem.field.as_deref()),
                (StatusCode::BAD_REQUEST, Some(field)),
                "{}",
                answer.text
            );
        }
    }
    let many: Vec<_> = (0..10_001).map(|at| json!({"name": format!("bucket-{at}")})).collect();
    let many = plan(&bed, &json!({"buckets": many}), false).await.problem();
    assert_eq!(many.field.as_deref(), Some("document.buckets"), "{}", many.detail);
    let unknown = plan(&bed, &json!({"buckets": [{"name": "x", "colour": 1}]}), false).await.problem();
    assert_eq!(unknown.field.as_deref(), Some("document.buckets[0].colour"));
    assert_eq!(bed.get("/v1/buckets/fine").await.status, StatusCode::NOT_FOUND);

    // What the bucket that is there cannot become is told before the first step.
    bed.post("/v1/accounts", json!({"display_name": "other"})).await;
    let listed = json!([{"group": "all_users", "permission": "read"}]);
    apply(&bed, &json!({"buckets": [{"name": "listed", "owner": "owner", "acl": listed, "object_lock": {}}]})).await;
    for (settings, field) in [
        (json!({"versioning": "suspended"}), "buckets[0].versioning"),
        (json!({"owner": "other", "ownership": "object_writer"}), "buckets[0].owner"),
        (json!({"region": "eu-west-1"}), "buckets[0].region"),
    ] {
        let mut document = json!({"buckets": [{"name": "listed"}, {"name": "fine", "owner": "owner"}]});
        document["buckets"][0].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let problem = apply(&bed, &document).await.problem();
        assert_eq!(problem.field.as_deref(), Some(field), "{}", problem.detail);
    }
    assert_eq!(bed.get("/v1/buckets/fine").await.status, StatusCode::NOT_FOUND);

    // A key of another account is not taken.
    apply(&bed, &json!({"accounts": [{"name": "a", "keys": [key]}]})).await;
    let taken = plan(&bed, &json!({"accounts": [{"name": "b", "keys": [key]}]}), false).await.problem();
    assert_eq!(taken.field.as_deref(), Some("accounts[0].keys[0].access_key_id"));
    assert!(taken.detail.contains("the account a"), "{}", taken.detail);
    // A public policy under a block is refused as that, unless the document says both.
    let policy = everything()["buckets"][0]["policy"].clone();
    let block = json!({"block_public_policy": true, "block_public_acls": true});
    for version in ["2012-10-17", "2008-10-17"] {
        let policy = policy.as_str().unwrap().replace("2012-10-17", version);
        let acl = json!([{"group": "all_users", "permission": "read"}]);
        let both = bucket(json!({"policy": policy, "acl": acl, "public_access_block": block}));
        assert!(!steps(&apply(&bed, &both).await).is_empty());
        assert_eq!(steps(&plan(&bed, &both, false).await), Vec::<String>::new());
    }
    // Lists that are disabled go.
    let enforced = bucket(json!({"ownership": "bucket_owner_enforced"}));
    assert_eq!(steps(&apply(&bed, &enforced).await), ["set bucket photos ownership"]);
    apply(&bed, &bucket(json!({"unset": ["policy"]}))).await;
    let refused = apply(&bed, &bucket(json!({"policy": policy}))).await.problem();
    assert_eq!((refused.status, refused.field.as_deref()), (400, Some("buckets[1].policy")), "{}", refused.detail);
    assert!(refused.detail.contains("public access block"), "{}", refused.detail);
}

#[tokio::test]
async fn values_that_say_nothing_are_no_drift() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let document = json!({"buckets": [
        {"name": "listless", "owner": "owner", "acl": [], "blocked_encryption_types": [], "tags": {}, "quota": {},
         "abac": false, "acceleration": false, "request_payer": "bucket_owner", "public_access_block": {},
         "lifecycle": [{"id": "a", "expiration": {"days": 1}}],
         "transition_default_minimum_object_size": "varies_by_storage_class", "object_lock": {}},
    ]});
    assert!(!steps(&apply(&bed, &document).await).is_empty());
    assert_eq!(steps(&plan(&bed, &document, false).await), Vec::<String>::new());
    let export = bed.get("/v1/provision").await.json();
    assert_eq!(steps(&plan(&bed, &export, true).await), Vec::<String>::new(), "{export:#}");
}

#[tokio::test]
async fn a_name_that_looks_like_an_id_is_a_name() {
    let bed = Bed::with_shard().await;
    let id = "ab".repeat(32);
    let document = json!({
        "accounts": [
            {"name": "ana", "id": id, "quota": {"bytes_max": 1}},
            {"name": id, "quota": {"bytes_max": 2},
             "keys": [{"access_key_id": "odd", "secret_access_key": "kQ7zYw31pLm9XcVbn2"}]},
            {"name": "cd".repeat(32)},
        ],
        "buckets": [{"name": "of-ana", "owner": id}, {"name": "of-odd", "owner": "cd".repeat(32)}],
    });
    assert!(!steps(&apply(&bed, &document).await).is_empty());
    assert_eq!(steps(&plan(&bed, &document, false).await), Vec::<String>::new());
    let buckets = bed.get("/v1/buckets").await.json();
    let owners: Vec<_> = buckets["items"].as_array().unwrap().iter().map(|bucket| &bucket["owner_name"]).collect();
    assert_eq!(owners, [&json!("ana"), &json!("cd".repeat(32))]);
    assert_eq!(bed.get(&format!("/v1/accounts/{id}")).await.json()["quota"]["bytes_max"], 1);
    assert_eq!(bed.get(&format!("/v1/accounts/{id}/keys")).await.json()["items"], json!([]), "the key is the other's");
}

#[tokio::test]
async fn a_plan_that_is_stale_is_not_carried_out() {
    let bed = Bed::with_shard().await;
    let document = json!({"buckets": [{"name": "photos", "quota": {"bytes_max": 5}}], "accounts": [{"name": "root"}]});
    // The bed has no root account until somebody makes one.
    bed.post("/v1/accounts", json!({"display_name": "root"})).await;
    let seen = plan(&bed, &document, false).await.json()["id"].clone();
    bed.post("/v1/buckets", json!({"name": "photos", "owner": "root"})).await;
    let request = json!({"document": document, "plan": seen});
    assert_eq!(bed.post("/v1/provision/apply", request).await.status, StatusCode::PRECONDITION_FAILED);
    let seen = plan(&bed, &document, false).await.json()["id"].clone();
    assert_eq!(
        bed.post("/v1/provision/apply", json!({"document": document, "plan": seen})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn each_step_wants_the_scope_of_its_change() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let quota = json!({"buckets": [{"name": "bucket", "quota": {"bytes_max": 5}}]});
    let account = json!({"accounts": [{"name": "new"}]});
    let secret = json!({"accounts": [{"name": "new", "keys": [
        {"access_key_id": "one", "secret_access_key": "kQ7zYw31pLm9XcVbn2"}]}]});
    let send = async |scope: Scope, path: &str, document: &Value| {
        let bearer = format!("Bearer {}", bed.token(scope));
        let body = Some(json!({"document": document}).to_string());
        bed.send_raw(Method::POST, path, &[("authorization", &bearer)], body).await.status.as_u16()
    };
    let (plan, apply) = ("/v1/provision/plan", "/v1/provision/apply");
    assert_eq!(send(Scope::Read, plan, &quota).await, 403);
    assert_eq!(send(Scope::Operate, plan, &account).await, 200);
    assert_eq!(send(Scope::Operate, apply, &account).await, 403);
    assert_eq!(send(Scope::Operate, plan, &secret).await, 403, "it would tell whether a secret is right");
    assert_eq!(send(Scope::Operate, apply, &quota).await, 200);
    assert_eq!(send(Scope::Admin, apply, &secret).await, 200);
}

#[tokio::test]
async fn runs_at_the_same_time_wait_for_each_other() {
    let bed = Bed::with_shard().await;
    bed.post("/v1/accounts", json!({"display_name": "root"})).await;
    let buckets: Vec<_> = (0..1000).map(|at| json!({"name": format!("bucket-{at}"), "abac": true})).collect();
    let document = json!({"accounts": [{"name": "root", "buckets_max": 2000}], "buckets": buckets});
    let (one, other) = tokio::join!(apply(&bed, &document), apply(&bed, &document));
    let mut done = [steps(&one).len(), steps(&other).len()];
    done.sort_unstable();
    assert_eq!(done, [0, 2001]);
}
