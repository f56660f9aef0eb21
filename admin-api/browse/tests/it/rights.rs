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

async fn calls(browser: &Browser<'_>) -> Vec<u16> {
    let object = "/buckets/bucket/object?key=a";
    [
        browser.get("/buckets/bucket/entries").await,
        browser.get(object).await,
        browser.get("/buckets/bucket/versions?key=a").await,
        browser.send(Method::PUT, "/buckets/bucket/object?key=b", &[], "x").await,
        browser.post("/buckets/bucket/folders", json!({"prefix": "f/"})).await,
        browser.post("/buckets/bucket/uploads", json!({"key": "u", "bytes": 1})).await,
        browser.delete("/buckets/bucket/object?key=none").await,
    ]
    .iter()
    .map(|answer| answer.status.as_u16())
    .collect()
}

#[tokio::test]
async fn others_may_what_a_policy_lets_them_and_nothing_else() {
    let bed = Bed::new().await;
    let alice = bed.with_bucket().await;
    alice.put("a", b"content").await.is(201);
    let bob = bed.browser(&bed.bob).await;
    assert_eq!(calls(&bob).await, [403; 7]);
    assert_eq!(bob.get("/buckets").await.json()["items"], json!([]));
    let arn = |name: &str| format!("arn:aws:s3:::{name}");
    let statement = |action: &str, resource: &str| json!([{"Effect": "Allow", "Principal": "*", "Action": action, "Resource": arn(resource)}]);
    allow(&bed, statement("s3:GetObject", "bucket/*")).await;
    assert_eq!(calls(&bob).await, [403, 200, 403, 403, 403, 403, 403]);
    allow(&bed, statement("s3:ListBucket", "bucket")).await;
    assert_eq!(calls(&bob).await, [200, 403, 403, 403, 403, 403, 403]);
    allow(&bed, statement("s3:PutObject", "bucket/*")).await;
    assert_eq!(calls(&bob).await, [403, 403, 403, 201, 201, 201, 403]);
    allow(&bed, statement("s3:DeleteObject", "bucket/*")).await;
    assert_eq!(calls(&bob).await, [403, 403, 403, 403, 403, 403, 200]);
    assert_eq!(calls(&alice).await, [200, 200, 200, 201, 412, 201, 200]);
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
    let nobody = Browser { bed: &bed, cookie: "cofre=".to_owned() };
    nobody.get("/buckets/bucket/object?key=a").await.is_problem(401, "SignedOut");
}
