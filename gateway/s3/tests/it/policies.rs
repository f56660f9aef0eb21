//! Bucket policies over the door: their documents, and what conditions see of a request.

use crate::bed::Bed;
use crate::sign::Draft;
use http::Method;
use serde_json::{Value, json};

async fn set(bed: &Bed, statements: Value) {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    bed.put("/bucket?policy", document.to_string()).await.is(204);
}

fn open(action: &str, resource: &str, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": action,
           "Resource": format!("arn:aws:s3:::{resource}"), "Condition": condition})
}

#[tokio::test]
async fn a_policy_is_told_as_it_was_put() {
    let bed = Bed::with_bucket().await;
    bed.get("/bucket?policy").await.is_error(404, "NoSuchBucketPolicy");
    let document = "{ \"Statement\":\n [ {\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::bucket/*\"} ] }";
    bed.put("/bucket?policy", document).await.is(204);
    assert_eq!(bed.get("/bucket?policy").await.is(200).text(), document);
    bed.delete("/bucket?policy").await.is(204);
    bed.get("/bucket?policy").await.is_error(404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn what_is_no_policy_is_refused_by_the_element() {
    let bed = Bed::with_bucket().await;
    let refused = |document: Value| {
        let bed = &bed;
        async move {
            bed.put("/bucket?policy", document.to_string())
                .await
                .is_error(400, "MalformedPolicy")
                .element("Message")
                .unwrap()
        }
    };
    assert!(refused(json!([])).await.starts_with("Policy"));
    assert!(refused(json!({"Statement": {"Effect": "Perhaps"}})).await.starts_with("Statement[0].Effect"));
    let elsewhere = open("s3:GetObject", "other/*", json!({}));
    assert!(refused(json!({"Statement": elsewhere})).await.starts_with("Statement[0].Resource"));
    let large = open("s3:GetObject", &format!("bucket/{}", "k".repeat(20 * 1024)), json!({}));
    assert!(refused(json!({"Statement": large})).await.contains("20 KB"));
    bed.get("/bucket?policy").await.is_error(404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn policy_status_tells_whether_the_public_gets_in() {
    let bed = Bed::with_bucket().await;
    let status = || async { bed.get("/bucket?policyStatus").await.is(200).element("IsPublic").unwrap() };
    assert_eq!(status().await, "false");
    set(&bed, open("s3:GetObject", "bucket/*", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))).await;
    assert_eq!(status().await, "false");
    set(&bed, open("s3:GetObject", "bucket/*", json!({}))).await;
    assert_eq!(status().await, "true");
    bed.delete("/bucket?policy").await.is(204);
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read")).await.is(200);
    assert_eq!(status().await, "true");
}

#[tokio::test]
async fn conditions_see_the_request() {
    let get = || Draft::new(Method::GET, "/bucket/key");
    for (condition, draft, allowed) in [
        (json!({"StringEquals": {"aws:Referer": "http://a/"}}), get().header("referer", "http://a/"), true),
        (json!({"StringEquals": {"aws:Referer": "http://a/"}}), get().header("referer", "http://b/"), false),
        (json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), get(), true),
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), get().header("x-forwarded-for", "10.0.0.1"), false),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), get().header("x-forwarded-proto", "https"), false),
        (json!({"StringEquals": {"s3:authType": "REST-HEADER"}}), get(), true),
        (json!({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}), get(), false),
        (json!({"NumericLessThan": {"s3:signatureAge": "60000"}}), get(), true),
        (json!({"StringEquals": {"s3:ExistingObjectTag/team": "red"}}), get(), true),
        (json!({"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}), get(), false),
        (json!({"StringEquals": {"s3:prefix": "key"}}), Draft::new(Method::GET, "/bucket/key?prefix=key"), false),
    ] {
        let bed = Bed::with_bucket().await;
        bed.send(Draft::new(Method::PUT, "/bucket/key").header("x-amz-tagging", "team=red").body("x")).await.is(200);
        set(&bed, open("s3:GetObject", "bucket/*", condition.clone())).await;
        let answer = bed.by_bob(draft).await;
        assert_eq!(answer.status == 200, allowed, "{condition}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_address_that_was_signed_has_its_age() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let condition =
        json!({"NumericLessThan": {"s3:signatureAge": "60000"}, "StringEquals": {"s3:authType": "REST-QUERY-STRING"}});
    set(&bed, open("s3:GetObject", "bucket/*", condition)).await;
    let presigned = |secs| {
        let mut draft = Draft::new(Method::GET, "/bucket/key");
        draft.date = crate::sign::amz_date(secs);
        draft.presigned(&bed.bob, 3600, &[])
    };
    bed.raw(presigned(-5)).await.is(200);
    bed.raw(presigned(-120)).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn listings_are_held_to_their_prefix() {
    let bed = Bed::with_bucket().await;
    set(&bed, open("s3:ListBucket", "bucket", json!({"StringLike": {"s3:prefix": "home/ann/*"}}))).await;
    let list = |query: &str| bed.by_bob(Draft::new(Method::GET, &format!("/bucket?{query}")));
    list("prefix=home%2Fann%2F").await.is(200);
    list("list-type=2&prefix=home/ann/x").await.is(200);
    list("prefix=home%2F").await.is_error(403, "AccessDenied");
    list("list-type=2").await.is_error(403, "AccessDenied");
    // What is not there is told to who may list it.
    bed.by_bob(Draft::new(Method::GET, "/bucket/home/ann/a")).await.is_error(404, "NoSuchKey");
    bed.by_bob(Draft::new(Method::GET, "/bucket/home/bob/a")).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn writes_are_held_to_their_headers() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/from/a", "x").await.is(200);
    set(
        &bed,
        json!([
            open("s3:GetObject", "bucket/from/*", json!({})),
            open("s3:PutObject", "bucket/copies/*", json!({"StringLike": {"s3:x-amz-copy-source": "bucket/from/*"}})),
            open(
                "s3:PutObject",
                "bucket/granted/*",
                json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}})
            ),
            open("s3:PutObject", "bucket/once/*", json!({"StringEquals": {"s3:if-none-match": "*"}})),
            open("s3:PutObject", "bucket/tagged/*", json!({"StringEquals": {"s3:RequestObjectTag/a": "1"}})),
            open(
                "s3:PutObjectTagging",
                "bucket/tagged/*",
                json!({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}})
            ),
        ]),
    )
    .await;
    let put = |key: &str, headers: &[(&str, &str)]| {
        let mut draft = Draft::new(Method::PUT, &format!("/bucket/{key}"));
        for (name, value) in headers {
            draft = draft.header(name, value);
        }
        bed.by_bob(draft)
    };
    put("copies/a", &[("x-amz-copy-source", "/bucket/from%2Fa")]).await.is(200);
    put("copies/a", &[("x-amz-copy-source", "bucket/from/a")]).await.is(200);
    put("copies/a", &[]).await.is_error(403, "AccessDenied");
    put("copies/a", &[("x-amz-copy-source", "bucket/copies/a")]).await.is_error(403, "AccessDenied");
    put("granted/a", &[("x-amz-acl", "bucket-owner-full-control")]).await.is(200);
    put("granted/a", &[("x-amz-acl", "private")]).await.is_error(403, "AccessDenied");
    put("once/a", &[("if-none-match", "*")]).await.is(200);
    put("once/b", &[]).await.is_error(403, "AccessDenied");
    put("tagged/a", &[("x-amz-tagging", "a=1")]).await.is(200);
    put("tagged/a", &[("x-amz-tagging", "a=2")]).await.is_error(403, "AccessDenied");
    put("tagged/a", &[("x-amz-tagging", "a=1&b=2")]).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn an_expected_owner_is_looked_at_before_rights() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    set(&bed, open("s3:GetObject", "bucket/*", json!({}))).await;
    let get = |owner: &str| Draft::new(Method::GET, "/bucket/key").header("x-amz-expected-bucket-owner", owner);
    bed.by_anyone(get(&bed.alice_id)).await.is(200);
    bed.by_anyone(get(&bed.bob_id)).await.is_error(403, "AccessDenied");
}
