//! Checksums in headers and behind bodies.

use crate::bed::{Bed, base64};
use crate::sign::{Draft, chunks_with_trailer};
use http::Method;
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};

fn all(body: &[u8]) -> [(&'static str, String); 5] {
    [
        ("crc32", base64(&Crc32::checksum(body))),
        ("crc32c", base64(&Crc32c::checksum(body))),
        ("crc64nvme", base64(&Crc64Nvme::checksum(body))),
        ("sha1", base64(&Sha1::checksum(body))),
        ("sha256", base64(&Sha256::checksum(body))),
    ]
}

fn trailing(algorithm: &str, value: &str, decoded: usize, body: &[u8]) -> Draft {
    Draft::new(Method::PUT, "/bucket/key")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", &decoded.to_string())
        .header("x-amz-trailer", &format!("x-amz-checksum-{algorithm}"))
        .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .body(chunks_with_trailer(&[body], &format!("x-amz-checksum-{algorithm}:{value}\r\n")))
}

#[tokio::test]
async fn a_value_in_a_header_is_checked_kept_and_told() {
    let bed = Bed::with_bucket().await;
    for (algorithm, value) in all(b"hello") {
        let name = format!("x-amz-checksum-{algorithm}");
        let put = bed.send(Draft::new(Method::PUT, "/bucket/key").header(&name, &value).body("hello")).await;
        assert_eq!(put.is(200).header(&name), Some(value.as_str()), "{algorithm}");
        let got = bed.send(Draft::new(Method::GET, "/bucket/key").header("x-amz-checksum-mode", "ENABLED")).await;
        assert_eq!(got.header(&name), Some(value.as_str()), "{algorithm}");
        assert_eq!(got.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
        let ranged = Draft::new(Method::GET, "/bucket/key").header("x-amz-checksum-mode", "ENABLED");
        let ranged = bed.send(ranged.header("range", "bytes=0-1")).await;
        assert_eq!(ranged.header(&name), None, "a range has none");
        let bad = Draft::new(Method::PUT, "/bucket/bad").header(&name, &value).body("other");
        bed.send(bad).await.is_error(400, "BadDigest");
        bed.get("/bucket/bad").await.is_error(404, "NoSuchKey");
    }
}

#[tokio::test]
async fn a_value_behind_the_body_is_checked_kept_and_told() {
    let bed = Bed::with_bucket().await;
    let large = vec![9; 300_000];
    for body in [&b"hello"[..], &large] {
        for (algorithm, value) in all(body) {
            let put = bed.send(trailing(algorithm, &value, body.len(), body)).await;
            assert_eq!(put.is(200).header(&format!("x-amz-checksum-{algorithm}")), Some(value.as_str()));
            let got = bed.get("/bucket/key").await;
            assert!(got.body == body && got.header("content-encoding").is_none(), "{algorithm}");
            let other = all(b"other").into_iter().find(|(name, _)| *name == algorithm).unwrap().1;
            bed.send(trailing(algorithm, &other, body.len(), body)).await.is_error(400, "BadDigest");
        }
    }
}

#[tokio::test]
async fn a_declared_trailer_that_never_comes_is_refused() {
    let bed = Bed::with_bucket().await;
    for body in [chunks_with_trailer(&[b"hello"], ""), chunks_with_trailer(&[b"hello"], "x-amz-checksum-sha1:AAAA\r\n")]
    {
        let put = Draft::new(Method::PUT, "/bucket/key")
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .body(body);
        bed.send(put).await.is_error(400, "MalformedTrailerError");
    }
    // Promised for a body that has no trailers at all.
    let put = Draft::new(Method::PUT, "/bucket/key").header("x-amz-trailer", "x-amz-checksum-crc32").body("hello");
    bed.send(put).await.is_error(400, "MalformedTrailerError");
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn bad_declarations_are_refused() {
    let bed = Bed::with_bucket().await;
    for headers in [
        &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")][..],
        &[("x-amz-checksum-xxhash64", "AAAAAAAAAAA=")],
        &[("x-amz-trailer", "x-amz-checksum-none")],
    ] {
        let mut put = Draft::new(Method::PUT, "/bucket/key").body("hello");
        for (name, value) in headers {
            put = put.header(name, value);
        }
        bed.send(put).await.is_error(400, "InvalidRequest");
    }
}
