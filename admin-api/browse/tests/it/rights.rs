use crate::bed::{Bed, Browser};
use axum::http::Method;
use cofre_iam::{Caller, Origin, RequestId};
use cofre_objects::BucketConfig;
use cofre_runtime::Random;
use cofre_types::BucketName;
use serde_json::json;

/// Sets the policy of alice's bucket.
async fn allow(bed: &Bed, statement: serde_json::Value) {
    let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let lookup = bed.iam.lookup(&bed.alice.key.id).await.unwrap();
    let cofre_iam::Lookup::Active(credential) = lookup else { panic!("the key is good") };
    let id = RequestId::new(&Random::seeded(1));
    let caller = Caller::new(credential.principal.clone(), Origin::default(), id);
    let bucket = BucketName::parse("bucket").unwrap();
    bed.objects.put_bucket_config(&caller, &bucket, BucketConfig::Policy(policy)).await.unwrap();
}

/// What each call answers, with the right of S3 that it takes.
async fn calls(browser: &Browser<'_>) -> Vec<(&'static str, u16)> {
    let to = |to: &str| json!({"key": "a", "to_key": to, "replace": true});
    let answers = [
        ("ListBucket", browser.get("/buckets/bucket").await),
        ("ListBucket", browser.get("/buckets/bucket/entries").await),
        ("ListBucket", browser.get("/buckets/bucket/search?q=a").await),
        ("ListBucket", browser.get("/buckets/bucket/measure").await),
        ("ListBucket", browser.get("/buckets/bucket/zip").await),
        ("ListBucketVersions", browser.get("/buckets/bucket/versions?key=a").await),
        ("ListBucketVersions", browser.get("/buckets/bucket/deleted").await),
        ("ListBucketMultipartUploads", browser.get("/buckets/bucket/uploads").await),
        ("GetObject", browser.get("/buckets/bucket/object?key=a").await),
        ("GetObject", browser.get("/buckets/bucket/about?key=a").await),
        ("GetObject", browser.get("/buckets/bucket/preview?key=a").await),
        ("GetObject", browser.get("/buckets/bucket/text?key=a").await),
        ("GetObject", browser.post("/buckets/bucket/links", json!({"key": "a", "seconds": 60})).await),
        ("PutObject", browser.send(Method::PUT, "/buckets/bucket/object?key=b", &[], "x").await),
        ("PutObject", browser.post("/buckets/bucket/folders", json!({"prefix": "f/"})).await),
        ("PutObject", browser.post("/buckets/bucket/uploads", json!({"key": "u", "bytes": 1})).await),
        ("GetObject+PutObject", browser.post("/buckets/bucket/copy", to("c")).await),
        (
            "GetObjectVersion+PutObject",
            browser.post("/buckets/bucket/restore", json!({"key": "a", "version": "null"})).await,
        ),
        (
            "PutObjectTagging",
            browser.put_json("/buckets/bucket/about", json!({"key": "tagged", "tags": {"a": "b"}})).await,
        ),
        ("DeleteObject", browser.delete("/buckets/bucket/object?key=none").await),
        ("DeleteBucket", browser.delete("/buckets/bucket").await),
    ];
    answers.iter().map(|(right, answer)| (*right, answer.status.as_u16())).collect()
}

/// Holds that a call is refused exactly where one of its rights is missing.
#[track_caller]
fn only(answers: &[(&'static str, u16)], granted: &[&str]) {
    for (rights, status) in answers {
        let may = rights.split('+').all(|right| granted.contains(&right));
        assert_eq!(*status != 403, may, "{rights}: {status}, granted {granted:?}");
    }
}

#[tokio::test]
async fn others_may_what_a_policy_lets_them_and_nothing_else() {
    let bed = Bed::new().await;
    let alice = bed.with_bucket().await;
    alice.put("a", b"content").await.is(201);
    // Who puts an object owns it: this one stays hers.
    alice.put("tagged", b"content").await.is(201);
    let bob = bed.browser(&bed.bob).await;
    only(&calls(&bob).await, &[]);
    assert_eq!(bob.get("/buckets").await.json()["items"], json!([]));
    let sets: [&[&str]; 10] = [
        &["GetObject"],
        &["ListBucket"],
        &["ListBucketVersions"],
        &["ListBucketMultipartUploads"],
        &["PutObject"],
        &["GetObject", "PutObject"],
        &["GetObjectVersion", "PutObject"],
        &["PutObjectTagging"],
        &["DeleteObject"],
        &["GetObject", "ListBucket", "DeleteObject"],
    ];
    for granted in sets {
        // What bob restored was his: this one is hers again.
        alice.put("a", b"content").await.is(201);
        let actions: Vec<_> = granted.iter().map(|action| format!("s3:{action}")).collect();
        let resources = json!(["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]);
        let statement = json!([{"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resources}]);
        allow(&bed, statement).await;
        only(&calls(&bob).await, granted);
    }
    // What a policy denies the owner's account too is denied here.
    let deny =
        json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}]);
    allow(&bed, deny).await;
    alice.get("/buckets/bucket/object?key=a").await.is_problem(403, "AccessDenied");
    alice.get("/buckets/bucket/preview?key=a").await.is_problem(403, "AccessDenied");
    alice.post("/buckets/bucket/links", json!({"key": "a", "seconds": 60})).await.is_problem(403, "AccessDenied");
}

#[tokio::test]
async fn moving_takes_the_rights_of_both_its_halves() {
    let bed = Bed::new().await;
    let alice = bed.with_bucket().await;
    alice.put("a", b"content").await.is(201);
    let bob = bed.browser(&bed.bob).await;
    let shift = json!({"key": "a", "to_key": "b"});
    let grant = |actions: &[&str]| json!([{"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": "arn:aws:s3:::bucket/*"}]);
    allow(&bed, grant(&["s3:GetObject", "s3:DeleteObject"])).await;
    bob.post("/buckets/bucket/move", shift.clone()).await.is_problem(403, "AccessDenied");
    allow(&bed, grant(&["s3:GetObject", "s3:PutObject"])).await;
    let half = bob.post("/buckets/bucket/move", shift.clone()).await;
    assert_eq!(half.is_problem(409, "SourceStays").json()["args"], json!({"why": "AccessDenied"}));
    let listed = alice.get("/buckets/bucket/entries").await.json();
    let keys = listed["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap());
    assert_eq!(keys.collect::<Vec<_>>(), ["a", "b"], "both are there");
}

#[tokio::test]
async fn conditions_see_the_prefix_of_a_listing_and_the_address() {
    let bed = Bed::new().await;
    let alice = bed.with_bucket().await;
    alice.put("home/bob/a", b"content").await.is(201);
    let bob = bed.browser(&bed.bob).await;
    let listing = |condition: serde_json::Value| json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket", "Condition": condition}]);
    allow(&bed, listing(json!({"StringLike": {"s3:prefix": ["", "home/bob/*"]}}))).await;
    bob.get("/buckets/bucket/entries").await.is(200);
    bob.get("/buckets/bucket/entries?prefix=home%2Fbob%2F").await.is(200);
    bob.get("/buckets/bucket/entries?prefix=home%2F").await.is_problem(403, "AccessDenied");
    allow(&bed, listing(json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))).await;
    bob.get("/buckets/bucket/entries").await.is(200);
    allow(&bed, listing(json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}))).await;
    bob.get("/buckets/bucket/entries").await.is_problem(403, "AccessDenied");
}

#[tokio::test]
async fn a_public_bucket_still_needs_a_session_here() {
    let bed = Bed::new().await;
    let alice = bed.with_bucket().await;
    alice.put("a", b"content").await.is(201);
    allow(
        &bed,
        json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}]),
    )
    .await;
    let nobody = Browser { bed: &bed, cookie: "cofre=".to_owned(), session: "1".to_owned() };
    nobody.get("/buckets/bucket/object?key=a").await.is_problem(401, "SignedOut");
}
