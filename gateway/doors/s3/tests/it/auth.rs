//! Signatures, presigned addresses, anonymous callers, and what their errors are called.

use crate::bed::Bed;
use crate::sign::{Draft, Key, amz_date};
use cofre_iam::KeyRate;
use cofre_s3::S3Options;
use http::Method;

#[tokio::test]
async fn bad_credentials_have_s3s_codes() {
    let bed = Bed::with_bucket().await;
    let get = || Draft::new(Method::GET, "/bucket/key");
    let unknown = Key { id: "NOBODY".to_owned(), secret: "whatever".to_owned() };
    bed.raw(get().signed(&unknown)).await.is_error(403, "InvalidAccessKeyId");
    let wrong = Key { id: bed.alice.id.clone(), secret: "wrong-secret".to_owned() };
    bed.raw(get().signed(&wrong)).await.is_error(403, "SignatureDoesNotMatch");
    let mut late = get();
    late.date = amz_date(-1000);
    bed.send(late).await.is_error(403, "RequestTimeTooSkewed");
    bed.send(get().header("x-amz-security-token", "token")).await.is_error(400, "InvalidToken");
    bed.raw(get().header("authorization", "AWS KEY:sig").anonymous()).await.is_error(400, "InvalidRequest");
    bed.raw(get().header("authorization", "Bearer x").anonymous()).await.is_error(400, "InvalidArgument");
}

#[tokio::test]
async fn a_key_that_is_disabled_is_refused_at_once() {
    let bed = Bed::with_bucket().await;
    bed.get("/bucket").await.is(200);
    let id = cofre_types::AccessKeyId::parse(&bed.alice.id).unwrap();
    bed.iam.set_key_disabled(&id, true, "test").await.unwrap();
    bed.get("/bucket").await.is_error(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn who_sends_no_signature_may_nothing() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    for (method, address) in [
        (Method::GET, "/"),
        (Method::GET, "/bucket"),
        (Method::GET, "/bucket/key"),
        (Method::PUT, "/bucket/key"),
        (Method::DELETE, "/bucket/key"),
        (Method::PUT, "/another"),
    ] {
        bed.raw(Draft::new(method, address).anonymous()).await.is_error(403, "AccessDenied");
    }
    assert_eq!(bed.get("/bucket/key").await.text(), "x");
}

#[tokio::test]
async fn an_unsigned_trailer_upload_without_authorization_is_denied() {
    // MinIO three times, SeaweedFS once: the payload mode alone skipped authentication.
    let bed = Bed::with_bucket().await;
    for (payload, status, code) in [
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", 403, "AccessDenied"),
        ("UNSIGNED-PAYLOAD", 403, "AccessDenied"),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 400, "InvalidRequest"),
    ] {
        let put = Draft::new(Method::PUT, "/bucket/key")
            .header("x-amz-content-sha256", payload)
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
        bed.raw(put.anonymous()).await.is_error(status, code);
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn presigned_addresses_work_until_they_expire() {
    let bed = Bed::with_bucket().await;
    let put = Draft::new(Method::PUT, "/bucket/key").body("hello").presigned(&bed.alice, 60, &[]);
    bed.raw(put).await.is(200);
    let got = bed.raw(Draft::new(Method::GET, "/bucket/key").presigned(&bed.alice, 60, &[])).await;
    assert_eq!(got.is(200).text(), "hello");
    let parameters = "/bucket/key?response-content-type=text%2Fhtml";
    let got = bed.raw(Draft::new(Method::GET, parameters).presigned(&bed.alice, 60, &[])).await;
    assert_eq!(got.header("content-type"), Some("text/html"));
    let mut old = Draft::new(Method::GET, "/bucket/key");
    old.date = amz_date(-100);
    let expired = bed.raw(old.presigned(&bed.alice, 60, &[])).await;
    expired.is_error(403, "AccessDenied");
    assert_eq!(expired.element("Message").as_deref(), Some("Request has expired"));
    let tampered = Draft::new(Method::GET, "/bucket/key").presigned(&bed.alice, 60, &[]);
    let (mut parts, body) = tampered.into_parts();
    parts.uri = parts.uri.to_string().replace("/bucket/key", "/bucket/other").parse().unwrap();
    bed.raw(http::Request::from_parts(parts, body)).await.is_error(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_presigned_put_with_an_unsigned_copy_source_copies_nothing() {
    // The hole of s3s 0.14.1: any unsigned x-amz-* header counted.
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/secret", "secret").await.is(200);
    for header in [("x-amz-copy-source", "/bucket/secret"), ("x-amz-acl", "private"), ("x-amz-meta-a", "b")] {
        let put = Draft::new(Method::PUT, "/bucket/key").presigned(&bed.alice, 60, &[header]);
        bed.raw(put).await.is_error(403, "AccessDenied");
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    let range = Draft::new(Method::GET, "/bucket/secret").presigned(&bed.alice, 60, &[("range", "bytes=0-2")]);
    assert_eq!(bed.raw(range).await.is(206).text(), "sec");
}

#[tokio::test]
async fn a_body_that_is_not_what_was_signed_is_refused() {
    let bed = Bed::with_bucket().await;
    let sign_other = |address: &str| {
        let draft = Draft::new(Method::PUT, address).body("hello");
        draft.payload(&crate::sign::sha256(b"other")).signed(&bed.alice)
    };
    bed.raw(sign_other("/bucket/key")).await.is_error(400, "XAmzContentSHA256Mismatch");
    bed.raw(sign_other("/bucket?versioning")).await.is_error(400, "XAmzContentSHA256Mismatch");
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    let unsigned = Draft::new(Method::PUT, "/bucket/key").body("hello").payload("UNSIGNED-PAYLOAD");
    bed.send(unsigned).await.is(200);
}

#[tokio::test]
async fn virtual_host_style_is_only_for_configured_domains() {
    let options = S3Options { domains: vec!["s3.local".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    bed.put("/bucket", "").await.is(200);
    let at = |host: &str, method: Method, path: &str| Draft::new(method, path).header("host", host);
    bed.send(at("bucket.s3.local:9000", Method::PUT, "/key").body("hello")).await.is(200);
    assert_eq!(bed.send(at("s3.local", Method::GET, "/bucket/key")).await.text(), "hello");
    // A bare host is not a bucket's name.
    for host in ["gateway", "gateway.internal.example", "127.0.0.1:9000", "[::1]:9000"] {
        assert_eq!(bed.send(at(host, Method::GET, "/bucket/key")).await.text(), "hello", "{host}");
    }
    bed.send(at("bucket.s3.local", Method::GET, "/")).await.is(200);
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_slowed_down() {
    let bed = Bed::with_bucket().await;
    bed.admission.set_key_rate(Some(KeyRate { per_second: 1, burst: 2 }));
    bed.get("/bucket").await.is(200);
    bed.get("/bucket").await.is(200);
    bed.get("/bucket").await.is_error(503, "SlowDown");
    bed.raw(Draft::new(Method::GET, "/").signed(&bed.bob)).await.is(200);
    bed.admission.set_key_rate(None);
    bed.get("/bucket").await.is(200);
}

#[tokio::test]
async fn every_answer_has_ids() {
    let bed = Bed::with_bucket().await;
    let mut ids = Vec::new();
    for answer in [
        bed.get("/bucket").await,
        bed.get("/none").await,
        bed.raw(Draft::new(Method::GET, "/").anonymous()).await,
        bed.raw(Draft::new(Method::OPTIONS, "/bucket/key").anonymous()).await,
        bed.raw(Draft::new(Method::from_bytes(b"BREW").unwrap(), "/bucket").signed(&bed.alice)).await,
    ] {
        let id = answer.header("x-amz-request-id").unwrap().to_owned();
        assert_eq!(
            (id.len(), answer.header("x-amz-id-2"), answer.header("server")),
            (16, Some("cofre"), Some("Cofre"))
        );
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_request_may_be_dated_by_date_alone() {
    let bed = Bed::with_bucket().await;
    let (parts, body) = Draft::new(Method::GET, "/bucket").dated_by_date(&bed.alice).into_parts();
    assert!(!parts.headers.contains_key("x-amz-date"));
    bed.raw(http::Request::from_parts(parts.clone(), body)).await.is(200);
    let (mut late, body) = Draft::new(Method::GET, "/bucket").dated_by_date(&bed.alice).into_parts();
    late.headers.insert("x-amz-date", amz_date(60).parse().unwrap());
    bed.raw(http::Request::from_parts(late, body)).await.is_error(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn an_expected_owner_is_held_against_the_bucket() {
    let bed = Bed::with_bucket().await;
    let put =
        |owner: &str| Draft::new(Method::PUT, "/bucket/key").header("x-amz-expected-bucket-owner", owner).body("x");
    bed.send(put(&bed.alice_id)).await.is(200);
    bed.send(put(&"0".repeat(64))).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn an_expected_owner_is_held_against_lists_too() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read")).await.is(200);
    for address in ["/", "/bucket", "/bucket?list-type=2", "/bucket?versions", "/bucket?uploads"] {
        let list = |owner: &str| Draft::new(Method::GET, address).header("x-amz-expected-bucket-owner", owner);
        bed.send(list(&bed.alice_id)).await.is(200);
        for owner in [&bed.bob_id, &format!("{}foo", bed.alice_id)] {
            bed.send(list(owner)).await.is_error(403, "AccessDenied");
        }
        bed.by_anyone(list(&bed.bob_id)).await.is_error(403, "AccessDenied");
    }
    bed.by_bob(Draft::new(Method::GET, "/").header("x-amz-expected-bucket-owner", &bed.bob_id)).await.is(200);
}

#[tokio::test]
async fn answers_are_dressed_up_for_signed_requests_only() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket/key").header("x-amz-acl", "public-read").body("x")).await.is(200);
    let address = "/bucket/key?response-content-type=text%2Fhtml";
    assert_eq!(bed.get(address).await.is(200).header("content-type"), Some("text/html"));
    let presigned = Draft::new(Method::GET, address).presigned(&bed.alice, 60, &[]);
    assert_eq!(bed.raw(presigned).await.is(200).header("content-type"), Some("text/html"));
    for address in [address, "/bucket/key?%72esponse-content-type=text%2Fhtml"] {
        bed.by_anyone(Draft::new(Method::GET, address)).await.is_error(400, "InvalidRequest");
        bed.by_anyone(Draft::new(Method::HEAD, address)).await.is(400);
    }
    bed.by_anyone(Draft::new(Method::GET, "/bucket/key")).await.is(200);
}
