//! Headers that stand in the address of a request count as the headers that they are.

use crate::bed::{Answer, Bed, base64};
use crate::sign::Draft;
use http::{Method, Request};
use s3s::crypto::{Checksum, Crc32};
use serde_json::json;

/// Puts `hello` at a presigned address that carries this.
async fn put(bed: &Bed, address: &str, carried: &str) -> Answer {
    let draft = Draft::new(Method::PUT, &format!("{address}?{carried}")).body("hello");
    bed.raw(draft.presigned(&bed.alice, 60, &[])).await
}

#[tokio::test]
async fn what_an_address_carries_is_done() {
    let bed = Bed::with_bucket().await;
    put(&bed, "/bucket/acl", "x-amz-acl=public-read").await.is(200);
    bed.by_anyone(Draft::new(Method::GET, "/bucket/acl")).await.is(200);
    put(&bed, "/bucket/tags", "x-amz-tagging=a%3Db%26c%3Dd").await.is(200);
    assert_eq!(bed.get("/bucket/tags?tagging").await.elements("Value"), ["b", "d"]);
    // Go's SDK writes names as its headers are written.
    put(&bed, "/bucket/meta", "X-Amz-Meta-Colour=blue&X-Amz-Storage-Class=STANDARD").await.is(200);
    assert_eq!(bed.get("/bucket/meta").await.header("x-amz-meta-colour"), Some("blue"));
    put(&bed, "/bucket/sse", "x-amz-server-side-encryption=AES256").await.is(200);
    assert_eq!(bed.get("/bucket/sse").await.header("x-amz-server-side-encryption"), Some("AES256"));
    put(&bed, "/bucket/class", "x-amz-storage-class=NONE").await.is_error(400, "InvalidStorageClass");

    let crc = base64(&Crc32::checksum(b"hello"));
    let crc = crc.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
    put(&bed, "/bucket/sum", &format!("x-amz-checksum-crc32={crc}&x-amz-sdk-checksum-algorithm=CRC32")).await.is(200);
    put(&bed, "/bucket/none", "x-amz-checksum-crc32=AAAAAA%3D%3D").await.is_error(400, "BadDigest");
    put(&bed, "/bucket/none", &format!("x-amz-expected-bucket-owner={}", bed.bob_id))
        .await
        .is_error(403, "AccessDenied");
    put(&bed, "/bucket/none", "x-amz-content-sha256=GIBBERISH").await.is_error(400, "InvalidArgument");
    put(&bed, "/bucket/none", &format!("x-amz-content-sha256={}", "0".repeat(64)))
        .await
        .is_error(400, "XAmzContentSHA256Mismatch");
    put(&bed, "/bucket/sum", "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD").await.is(200);
    bed.get("/bucket/none").await.is_error(404, "NoSuchKey");

    let copy = Draft::new(Method::PUT, "/bucket/copy?x-amz-copy-source=%2Fbucket%2Fmeta");
    let copied = bed.raw(copy.presigned(&bed.alice, 60, &[])).await;
    assert!(copied.is(200).text().contains("<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    assert_eq!(bed.get("/bucket/copy").await.header("x-amz-meta-colour"), Some("blue"));
}

#[tokio::test]
async fn a_lock_in_an_address_locks() {
    let bed = Bed::new().await;
    bed.send(Draft::new(Method::PUT, "/locked").header("x-amz-bucket-object-lock-enabled", "true")).await.is(200);
    let lock = "x-amz-object-lock-mode=COMPLIANCE&x-amz-object-lock-retain-until-date=2100-01-01T00%3A00%3A00Z";
    let draft = Draft::new(Method::PUT, &format!("/locked/key?{lock}"))
        .header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")
        .body("hello");
    bed.raw(draft.presigned(&bed.alice, 60, &[])).await.is(200);
    assert_eq!(bed.get("/locked/key?retention").await.is(200).element("Mode").as_deref(), Some("COMPLIANCE"));
}

#[tokio::test]
async fn an_address_and_a_header_that_differ_are_refused() {
    let bed = Bed::with_bucket().await;
    let put = |carried: &str, header: &str| {
        let draft = Draft::new(Method::PUT, &format!("/bucket/key?x-amz-acl={carried}")).body("x");
        draft.header("x-amz-acl", header)
    };
    for request in
        [put("private", "public-read").signed(&bed.alice), put("private", "public-read").presigned(&bed.alice, 60, &[])]
    {
        let refused = bed.raw(request).await;
        refused.is_error(400, "InvalidArgument");
        assert_eq!(refused.element("ArgumentName").as_deref(), Some("x-amz-acl"));
        assert_eq!(refused.element("ArgumentValue").as_deref(), Some("private"));
    }
    let twice =
        Draft::new(Method::PUT, "/bucket/key?x-amz-acl=private&X-Amz-Acl=public-read").header("x-amz-acl", "private");
    bed.raw(twice.presigned(&bed.alice, 60, &[])).await.is_error(400, "InvalidArgument");
    let line_end = Draft::new(Method::PUT, "/bucket/key?x-amz-meta-a=a%0Ab");
    bed.raw(line_end.presigned(&bed.alice, 60, &[])).await.is_error(400, "InvalidArgument");
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    bed.raw(put("private", "private").presigned(&bed.alice, 60, &[])).await.is(200);
    // One that is the same need not be signed once more.
    let same = Draft::new(Method::PUT, "/bucket/key?x-amz-acl=private").body("x");
    bed.raw(same.presigned(&bed.alice, 60, &[("x-amz-acl", "private")])).await.is(200);
}

#[tokio::test]
async fn what_was_signed_cannot_be_added_to() {
    let bed = Bed::with_bucket().await;
    for added in ["x-amz-acl=public-read", "X-Amz-Acl=public-read", "x-amz-copy-source=%2Fbucket%2Fother"] {
        let (mut parts, body) =
            Draft::new(Method::PUT, "/bucket/key").body("x").presigned(&bed.alice, 60, &[]).into_parts();
        parts.uri = format!("{}&{added}", parts.uri).parse().unwrap();
        bed.raw(Request::from_parts(parts, body)).await.is_error(403, "SignatureDoesNotMatch");
    }
}

#[tokio::test]
async fn conditions_see_what_an_address_carries() {
    let bed = Bed::with_bucket().await;
    let deny = json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": {"StringEquals": {"s3:x-amz-acl": "public-read"}}}});
    bed.put("/bucket?policy", deny.to_string()).await.is(204);
    for name in ["x-amz-acl", "X-Amz-Acl", "x-amz-%61cl"] {
        put(&bed, "/bucket/key", &format!("{name}=public-read")).await.is_error(403, "AccessDenied");
    }
    put(&bed, "/bucket/key", "x-amz-acl=private").await.is(200);
}
