//! Objects: put, get, head, delete, copy, ranges, headers, tags.

use crate::bed::{Bed, base64};
use crate::sign::{Draft, encode_path};
use http::Method;

#[tokio::test]
async fn nothing_is_archived_that_could_be_restored() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/k", "x").await.is(200);
    let days = "<RestoreRequest><Days>1</Days></RestoreRequest>";
    bed.post("/bucket/k?restore", days).await.is_error(403, "InvalidObjectState");
    bed.post("/bucket/missing?restore", days).await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let bed = Bed::with_bucket().await;
    let put = Draft::new(Method::PUT, "/bucket/key")
        .header("content-type", "text/plain")
        .header("cache-control", "no-cache")
        .header("expires", "Wed, 21 Oct 2015 07:28:00 GMT")
        .header("x-amz-meta-color", "blue")
        .header("x-amz-tagging", "a=1&b=2")
        .body("hello");
    let put = bed.send(put).await;
    put.is(200);
    assert_eq!(put.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert!(put.header("x-amz-checksum-crc64nvme").is_some(), "a checksum is always told: {:?}", put.headers);
    assert_eq!(put.header("x-amz-checksum-type"), Some("FULL_OBJECT"));

    let got = bed.get("/bucket/key").await;
    got.is(200);
    assert_eq!(got.text(), "hello");
    for (name, value) in [
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("expires", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("x-amz-meta-color", "blue"),
        ("x-amz-tagging-count", "2"),
        ("accept-ranges", "bytes"),
        ("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    assert!(got.header("last-modified").is_some());
    assert_eq!(got.header("x-amz-checksum-crc64nvme"), None, "only if it is asked for");

    let head = bed.send(Draft::new(Method::HEAD, "/bucket/key").header("x-amz-checksum-mode", "ENABLED")).await;
    head.is(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), Some("5"));
    assert_eq!(head.header("x-amz-checksum-crc64nvme"), put.header("x-amz-checksum-crc64nvme"));

    bed.delete("/bucket/key").await.is(204);
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    assert_eq!(bed.get("/bucket/key").await.element("Key").as_deref(), Some("key"));
    let head = bed.send(Draft::new(Method::HEAD, "/bucket/key")).await;
    head.is(404);
    assert!(head.body.is_empty() && head.header("x-amz-request-id").is_some());
}

#[tokio::test]
async fn ranges_that_s3_ignores_bring_the_whole_object() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "0123456789").await.is(200);
    let ranged = |range: &'static str| bed.send(Draft::new(Method::GET, "/bucket/key").header("range", range));
    for (range, body, content_range) in [
        ("bytes=2-5", "2345", "bytes 2-5/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=0-99999999999999999999", "0123456789", "bytes 0-9/10"),
    ] {
        let got = ranged(range).await;
        got.is(206);
        assert_eq!((got.text().as_str(), got.header("content-range")), (body, Some(content_range)), "{range}");
        let head = bed.send(Draft::new(Method::HEAD, "/bucket/key").header("range", range)).await;
        assert_eq!((head.status.as_u16(), head.header("content-range")), (206, Some(content_range)), "{range}");
    }
    for range in ["bytes=0-1,3-4", "bytes=5-2", "bytes=x-y", "rows=1-2", "bytes"] {
        let got = ranged(range).await;
        got.is(200);
        assert_eq!(got.text(), "0123456789", "{range}");
    }
    let beyond = ranged("bytes=10-").await;
    beyond.is_error(416, "InvalidRange");
    assert_eq!(beyond.header("content-range"), Some("bytes */10"));
    assert_eq!(beyond.element("ActualObjectSize").as_deref(), Some("10"));
}

#[tokio::test]
async fn any_key_is_a_key() {
    let bed = Bed::with_bucket().await;
    let keys = [
        "a",
        "a/b",
        "//",
        "..",
        "../../etc/passwd",
        "a b+c&d?e#f%",
        "\u{1}\u{7f}",
        "\u{e9}/\u{65e5}\u{672c}",
        "/lead/trail/",
    ];
    for (i, key) in keys.iter().enumerate() {
        bed.put(&format!("/bucket/{}", encode_path(key)), format!("{i}")).await.is(200);
    }
    for (i, key) in keys.iter().enumerate() {
        let got = bed.get(&format!("/bucket/{}", encode_path(key))).await;
        assert_eq!(got.text(), format!("{i}"), "{key:?}");
    }
    let longest = "k".repeat(1024);
    bed.put(&format!("/bucket/{longest}"), "x").await.is(200);
    bed.put(&format!("/bucket/{longest}k"), "x").await.is_error(400, "KeyTooLongError");
}

#[tokio::test]
async fn bodies_of_all_sizes_survive() {
    let bed = Bed::with_bucket().await;
    for size in [0, 1, 4096, 128 * 1024, 128 * 1024 + 1, 3_000_000] {
        let body: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        bed.put("/bucket/key", body.clone()).await.is(200);
        let got = bed.get("/bucket/key").await;
        assert_eq!(got.header("content-length"), Some(size.to_string().as_str()));
        assert!(got.body == body, "{size}");
    }
    let seen = bed.seen.0.lock();
    let last = seen.last().unwrap();
    assert_eq!((last.operation, last.sent_bytes), ("GetObject", 3_000_000));
    assert!(seen.iter().any(|put| put.operation == "PutObject" && put.received_bytes == 3_000_000));
}

#[tokio::test]
async fn response_parameters_override_headers() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let address = "/bucket/key?response-content-type=foo%2Fbar&response-cache-control=no-store";
    for method in [Method::GET, Method::HEAD] {
        let got = bed.send(Draft::new(method, address)).await;
        assert_eq!(got.header("content-type"), Some("foo/bar"));
        assert_eq!(got.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_headers_and_tags() {
    let bed = Bed::with_bucket().await;
    let source = Draft::new(Method::PUT, "/bucket/a%20b")
        .header("content-type", "text/plain")
        .header("x-amz-meta-color", "blue")
        .header("x-amz-tagging", "t=1")
        .body("hello");
    bed.send(source).await.is(200);
    let copy = |to: &str| Draft::new(Method::PUT, to).header("x-amz-copy-source", "/bucket/a%20b");

    let copied = bed.send(copy("/bucket/kept")).await;
    copied.is(200);
    assert_eq!(copied.element("ETag").as_deref(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let kept = bed.get("/bucket/kept").await;
    assert_eq!((kept.text().as_str(), kept.header("x-amz-meta-color")), ("hello", Some("blue")));
    assert_eq!(kept.header("x-amz-tagging-count"), Some("1"));

    let replaced = copy("/bucket/replaced")
        .header("x-amz-metadata-directive", "REPLACE")
        .header("x-amz-tagging-directive", "REPLACE")
        .header("x-amz-meta-size", "big");
    bed.send(replaced).await.is(200);
    let replaced = bed.get("/bucket/replaced").await;
    assert_eq!((replaced.header("x-amz-meta-color"), replaced.header("x-amz-meta-size")), (None, Some("big")));
    assert_eq!(replaced.header("x-amz-tagging-count"), None);

    bed.send(copy("/bucket/a%20b")).await.is_error(400, "InvalidRequest");
    let missing = Draft::new(Method::PUT, "/bucket/x").header("x-amz-copy-source", "bucket/none");
    bed.send(missing).await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn a_copy_of_anothers_object_is_denied() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/secret", "x").await.is(200);
    bed.raw(Draft::new(Method::PUT, "/bobs").signed(&bed.bob)).await.is(200);
    let copy = Draft::new(Method::PUT, "/bobs/mine").header("x-amz-copy-source", "/bucket/secret");
    bed.raw(copy.signed(&bed.bob)).await.is_error(403, "AccessDenied");
    bed.raw(Draft::new(Method::GET, "/bucket/secret").signed(&bed.bob)).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn tags_are_put_told_and_deleted() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket/key").header("x-amz-tagging", "").body("x")).await.is(200);
    assert!(bed.get("/bucket/key?tagging").await.is(200).elements("Tag").is_empty(), "Velero sends an empty header");
    let set = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    bed.put("/bucket/key?tagging", set).await.is(200);
    assert_eq!(bed.get("/bucket/key?tagging").await.element("Value").as_deref(), Some("v"));
    bed.delete("/bucket/key?tagging").await.is(204);
    assert!(bed.get("/bucket/key?tagging").await.elements("Tag").is_empty());

    bed.get("/bucket?tagging").await.is_error(404, "NoSuchTagSet");
    bed.put("/bucket?tagging", set).await.is(204);
    assert_eq!(bed.get("/bucket?tagging").await.element("Key").as_deref(), Some("k"));
    bed.delete("/bucket?tagging").await.is(204);
    let bad = "<Tagging><TagSet><Tag><Key></Key><Value>v</Value></Tag></TagSet></Tagging>";
    bed.put("/bucket/key?tagging", bad).await.is_error(400, "InvalidTag");
    bed.put("/bucket/key?tagging", "<Tagging").await.is_error(400, "MalformedXML");
}

#[tokio::test]
async fn content_md5_is_held_against_the_body() {
    let bed = Bed::with_bucket().await;
    let put = |md5: &str| Draft::new(Method::PUT, "/bucket/key").header("content-md5", md5).body("hello");
    let good = base64(&hex::decode("5d41402abc4b2a76b9719d911017c592").unwrap());
    bed.send(put(&good)).await.is(200);
    bed.send(put("AAAAAAAAAAAAAAAAAAAAAA==")).await.is_error(400, "BadDigest");
    for bad in ["", "YWJyYWNhZGFicmE="] {
        bed.send(put(bad)).await.is_error(400, "InvalidDigest");
    }
    assert_eq!(bed.get("/bucket/key").await.text(), "hello");
}

#[tokio::test]
async fn aws_chunked_is_not_a_content_encoding() {
    let bed = Bed::with_bucket().await;
    for (sent, kept) in [("aws-chunked", None), ("gzip, aws-chunked", Some("gzip")), ("gzip", Some("gzip"))] {
        bed.send(Draft::new(Method::PUT, "/bucket/key").header("content-encoding", sent).body("x")).await.is(200);
        assert_eq!(bed.get("/bucket/key").await.header("content-encoding"), kept, "{sent}");
    }
}

#[tokio::test]
async fn attributes_of_an_object() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "hello").await.is(200);
    let asked = Draft::new(Method::GET, "/bucket/key?attributes")
        .header("x-amz-object-attributes", "ETag,ObjectSize,Checksum,StorageClass,ObjectParts");
    let told = bed.send(asked).await;
    told.is(200);
    assert_eq!(told.element("ETag").as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(told.element("ObjectSize").as_deref(), Some("5"));
    assert_eq!(told.element("StorageClass").as_deref(), Some("STANDARD"));
    assert!(told.element("ChecksumCRC64NVME").is_some());
    assert_eq!(told.element("ObjectParts"), None);
}

#[tokio::test]
async fn what_is_not_done_is_refused_by_name() {
    let bed = Bed::with_bucket().await;
    for (name, value, status, code) in [
        ("x-amz-write-offset-bytes", "5", 501, "NotImplemented"),
        ("x-amz-grant-read", "id=1", 400, "InvalidArgument"),
        ("x-amz-acl", "public-ready", 400, "InvalidArgument"),
        ("x-amz-storage-class", "DEEP_ARCHIVE", 400, "InvalidStorageClass"),
    ] {
        let put = Draft::new(Method::PUT, "/bucket/key").header(name, value).body("x");
        bed.send(put).await.is_error(status, code);
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    let put = Draft::new(Method::PUT, "/bucket/key").header("x-amz-storage-class", "STANDARD_IA").body("x");
    bed.send(put).await.is(200);
    assert_eq!(bed.get("/bucket/key").await.header("x-amz-storage-class"), Some("STANDARD_IA"));
}
