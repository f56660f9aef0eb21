//! Checksums in headers and behind bodies.

use crate::bed::{Bed, base64};
use crate::sign::{Draft, chunks_with_trailer};
use http::Method;
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, XxHash3, XxHash64, XxHash128};

fn all(body: &[u8]) -> [(&'static str, String); 10] {
    [
        ("crc32", base64(&Crc32::checksum(body))),
        ("crc32c", base64(&Crc32c::checksum(body))),
        ("crc64nvme", base64(&Crc64Nvme::checksum(body))),
        ("sha1", base64(&Sha1::checksum(body))),
        ("sha256", base64(&Sha256::checksum(body))),
        ("md5", base64(&Md5::checksum(body))),
        ("sha512", base64(&Sha512::checksum(body))),
        ("xxhash64", base64(&XxHash64::checksum(body))),
        ("xxhash3", base64(&XxHash3::checksum(body))),
        ("xxhash128", base64(&XxHash128::checksum(body))),
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
        &[("x-amz-checksum-xxhash64", "AAAAAA==")],
        &[("x-amz-checksum-crc32", "AAAAAA==-1")],
        &[("x-amz-checksum-md4", "AAAAAA==")],
        &[("x-amz-trailer", "x-amz-checksum-none")],
        &[("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-checksum-crc32", "NhCmhg==")],
        &[("x-amz-sdk-checksum-algorithm", "CRC32")],
        &[("x-amz-sdk-checksum-algorithm", "CRC32C"), ("x-amz-checksum-crc32", "NhCmhg==")],
    ] {
        let mut put = Draft::new(Method::PUT, "/bucket/key").body("hello");
        for (name, value) in headers {
            put = put.header(name, value);
        }
        bed.send(put).await.is_error(400, "InvalidRequest");
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    let body = "<Delete><Object><Key>q</Key></Object></Delete>";
    let delete = Draft::new(Method::POST, "/bucket?delete").header("x-amz-sdk-checksum-algorithm", "CRC32").body(body);
    bed.send(delete).await.is_error(400, "InvalidRequest");
}

#[tokio::test]
async fn a_value_behind_the_body_that_is_none_is_named() {
    let bed = Bed::with_bucket().await;
    for value in ["AAAA", "not-base64", "NhCmhg==-1"] {
        let refused = bed.send(trailing("crc32", value, 5, b"hello")).await;
        refused.is_error(400, "InvalidRequest");
        let message = refused.element("Message").unwrap();
        assert_eq!(message, "Value for x-amz-checksum-crc32 trailing header is invalid.");
    }
}

#[tokio::test]
async fn parts_and_completion_of_a_composite_checksum_carry_theirs() {
    let bed = Bed::with_bucket().await;
    // Those that have a full object kind too: of the others completing may name none at all.
    let chosen = ["crc32", "crc32c"];
    for (algorithm, value) in all(b"hello").into_iter().filter(|(algorithm, _)| *algorithm != "crc64nvme") {
        let create = Draft::new(Method::POST, "/bucket/key?uploads")
            .header("x-amz-checksum-algorithm", algorithm)
            .header("x-amz-checksum-type", "COMPOSITE");
        let id = bed.send(create).await.is(200).element("UploadId").unwrap();
        let part = || Draft::new(Method::PUT, &format!("/bucket/key?partNumber=1&uploadId={id}")).body("hello");
        let refused = bed.send(part()).await;
        assert!(refused.is_error(400, "InvalidRequest").element("Message").unwrap().ends_with(": null"));
        let header = format!("x-amz-checksum-{algorithm}");
        let put = bed.send(part().header(&header, &value)).await;
        assert_eq!(put.is(200).header(&header), Some(value.as_str()));
        let etag = put.header("etag").unwrap();
        let element = format!("Checksum{}", algorithm.to_uppercase());
        let complete = |sum: &str| {
            let part = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>{sum}</Part>");
            let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
            bed.send(Draft::new(Method::POST, &format!("/bucket/key?uploadId={id}")).body(body))
        };
        if chosen.contains(&algorithm) {
            complete("").await.is_error(400, "InvalidRequest");
        }
        let bad = complete(&format!("<{element}>bad</{element}>")).await;
        assert_eq!(bad.is_error(400, "InvalidArgument").element("ArgumentName").as_deref(), Some("Checksum"));
        let two = format!("<{element}>{value}</{element}><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>");
        complete(&two).await.is_error(400, "InvalidArgument");
        let sum = format!("<{element}>{value}</{element}>");
        let done = complete(if chosen.contains(&algorithm) { &sum } else { "" }).await;
        assert!(done.is(200).element(&element).unwrap().ends_with("-1"), "{}", done.text());
        let attributes = Draft::new(Method::GET, "/bucket/key?attributes");
        let told = bed.send(attributes.header("x-amz-object-attributes", "Checksum,ObjectParts")).await;
        assert_eq!(told.is(200).elements(&element).last(), Some(&value));
    }
}
