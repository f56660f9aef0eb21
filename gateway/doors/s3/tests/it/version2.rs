//! Addresses signed by version 2.

use crate::bed::Bed;
use crate::forms::form;
use crate::sign::{Draft, Key, now_secs};
use cofre_s3::S3Options;
use http::{Method, Request};
use serde_json::json;

fn soon() -> i64 {
    now_secs() + 60
}

#[tokio::test]
async fn an_address_signed_by_version_2_does_what_it_says_until_its_time() {
    let bed = Bed::with_bucket().await;
    let put = Draft::new(Method::PUT, "/bucket/a%20b?x-amz-acl=public-read&x-amz-meta-a=b%20c")
        .header("content-type", "text/x")
        .body("hello");
    bed.raw(put.presigned_v2(&bed.alice, soon(), "/bucket/a%20b")).await.is(200);
    let got = Draft::new(Method::GET, "/bucket/a%20b?response-content-type=a%2Fb");
    let got = bed.raw(got.presigned_v2(&bed.alice, soon(), "/bucket/a%20b?response-content-type=a/b")).await;
    assert_eq!((got.is(200).text().as_str(), got.header("content-type")), ("hello", Some("a/b")));
    let public = bed.by_anyone(Draft::new(Method::GET, "/bucket/a%20b")).await;
    let headers = (public.is(200).header("content-type"), public.header("x-amz-meta-a"));
    assert_eq!(headers, (Some("text/x"), Some("b c")));

    let get = || Draft::new(Method::GET, "/bucket/a%20b");
    let late = bed.raw(get().presigned_v2(&bed.alice, now_secs() - 2, "/bucket/a%20b")).await;
    assert_eq!(late.is_error(403, "AccessDenied").element("Message").as_deref(), Some("Request has expired"));
    assert!(late.element("Expires").unwrap() < late.element("ServerTime").unwrap());
    let wrong = Key { id: bed.alice.id.clone(), secret: "wrong".to_owned() };
    let refused = bed.raw(get().presigned_v2(&wrong, soon(), "/bucket/a%20b")).await;
    refused.is_error(403, "SignatureDoesNotMatch");
    assert!(refused.element("StringToSign").unwrap().starts_with("GET\n\n\n"));
    assert_eq!(refused.element("AWSAccessKeyId"), Some(bed.alice.id.clone()));
    let unknown = Key { id: "NOBODY".to_owned(), secret: "wrong".to_owned() };
    bed.raw(get().presigned_v2(&unknown, soon(), "/bucket/a%20b")).await.is_error(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn nothing_can_be_added_to_what_version_2_signs() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "hello").await.is(200);
    let added = |method: Method, query: &str| {
        let draft = Draft::new(method, "/bucket/key").presigned_v2(&bed.alice, soon(), "/bucket/key");
        let (mut parts, body) = draft.into_parts();
        parts.uri = format!("{}&{query}", parts.uri).parse().unwrap();
        Request::from_parts(parts, body)
    };
    for (method, query) in [
        (Method::PUT, "acl"),
        (Method::PUT, "tagging"),
        (Method::PUT, "x-amz-acl=public-read"),
        (Method::PUT, "X-Amz-Copy-Source=%2Fbucket%2Fother"),
        (Method::GET, "versionId=null"),
        (Method::DELETE, "tagging&tagging"),
    ] {
        bed.raw(added(method, query)).await.is_error(403, "SignatureDoesNotMatch");
    }
    for (method, query) in [
        (Method::PUT, "retention"),
        (Method::PUT, "legal-hold"),
        (Method::PUT, "%6Cegal-hold"),
        (Method::GET, "attributes"),
        (Method::PUT, "encryption"),
    ] {
        bed.raw(added(method, query)).await.is_error(403, "AccessDenied");
    }
    let mut header = Draft::new(Method::PUT, "/bucket/key").presigned_v2(&bed.alice, soon(), "/bucket/key");
    header.headers_mut().insert("x-amz-acl", "public-read".parse().unwrap());
    bed.raw(header).await.is_error(403, "SignatureDoesNotMatch");
    let expires = Draft::new(Method::GET, "/bucket/key").presigned_v2(&bed.alice, soon(), "/bucket/key");
    let (mut parts, body) = expires.into_parts();
    parts.uri = format!("{}0", parts.uri).parse().unwrap();
    bed.raw(Request::from_parts(parts, body)).await.is_error(403, "SignatureDoesNotMatch");
    bed.raw(added(Method::GET, "x-id=GetObject&other=1")).await.is(200);
}

#[tokio::test]
async fn a_bucket_of_the_host_is_part_of_what_is_signed() {
    let options = S3Options { domains: vec!["s3.local".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    bed.put("/bucket", "").await.is(200);
    let put = Draft::new(Method::PUT, "/key").header("host", "bucket.s3.local:9000").body("hello");
    bed.raw(put.presigned_v2(&bed.alice, soon(), "/bucket/key")).await.is(200);
    let get = Draft::new(Method::GET, "/key").header("host", "bucket.s3.local:9000");
    bed.raw(get.presigned_v2(&bed.alice, soon(), "/key")).await.is_error(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn conditions_see_the_version() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "hello").await.is(200);
    let deny = json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": {"StringEquals": {"s3:signatureversion": "AWS"}}}});
    bed.put("/bucket?policy", deny.to_string()).await.is(204);
    let get = || Draft::new(Method::GET, "/bucket/key");
    bed.raw(get().presigned_v2(&bed.alice, soon(), "/bucket/key")).await.is_error(403, "AccessDenied");
    bed.raw(get().presigned(&bed.alice, 60, &[])).await.is(200);
}

#[tokio::test]
async fn version_2_can_be_turned_off_and_is_never_taken_in_headers() {
    let bed = Bed::with(S3Options { takes_version_2: false, ..S3Options::default() }).await;
    bed.put("/bucket", "").await.is(200);
    bed.put("/bucket/key", "hello").await.is(200);
    let get = Draft::new(Method::GET, "/bucket/key").presigned_v2(&bed.alice, soon(), "/bucket/key");
    let signed =
        form(&[("key", "k"), ("AWSAccessKeyId", &bed.alice.id), ("policy", "e30="), ("signature", "x")], "f", "x");
    for request in [get, signed.anonymous()] {
        let refused = bed.raw(request).await;
        let message = refused.is_error(400, "InvalidRequest").element("Message").unwrap();
        assert!(message.contains("Please use AWS4-HMAC-SHA256"), "{message}");
        assert!(message.contains("boto3") && message.contains("s3v4"), "{message}");
    }
    let bed = Bed::with_bucket().await;
    let header = Draft::new(Method::GET, "/bucket").header("authorization", &format!("AWS {}:sig", bed.alice.id));
    bed.raw(header.anonymous()).await.is_error(400, "InvalidRequest");
}
