//! DeleteObjects.

use crate::bed::{Bed, base64};
use crate::sign::Draft;
use http::Method;
use s3s::crypto::{Checksum, Crc32, Md5};

fn list(keys: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let objects: String = keys.into_iter().map(|key| format!("<Object><Key>{}</Key></Object>", key.as_ref())).collect();
    format!("<Delete>{objects}</Delete>")
}

#[tokio::test]
async fn many_keys_are_deleted_at_once() {
    let bed = Bed::with_bucket().await;
    for key in ["a", "b"] {
        bed.put(&format!("/bucket/{key}"), "x").await.is(200);
    }
    let deleted = bed.post("/bucket?delete", list(["a", "b", "never-there"])).await;
    assert_eq!(deleted.is(200).elements("Key"), ["a", "b", "never-there"]);
    bed.get("/bucket/a").await.is_error(404, "NoSuchKey");
    let quiet = list(["a"]).replace("<Delete>", "<Delete><Quiet>true</Quiet>");
    assert!(bed.post("/bucket?delete", quiet).await.is(200).elements("Key").is_empty());
    let long = list(["k".repeat(1025)]);
    assert_eq!(bed.post("/bucket?delete", long).await.is(200).elements("Code"), ["KeyTooLongError"]);
    bed.post("/none?delete", list(["a"])).await.is_error(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_list_that_is_not_what_its_digest_says_deletes_nothing() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/a", "x").await.is(200);
    let body = list(["a"]);
    let send = |name: &str, value: &str| {
        bed.send(Draft::new(Method::POST, "/bucket?delete").header(name, value).body(body.clone()))
    };
    send("content-md5", &base64(&Md5::checksum(b"other"))).await.is_error(400, "BadDigest");
    send("content-md5", "short").await.is_error(400, "InvalidDigest");
    send("x-amz-checksum-crc32", &base64(&Crc32::checksum(b"other"))).await.is_error(400, "BadDigest");
    bed.get("/bucket/a").await.is(200);
    send("x-amz-checksum-crc32", &base64(&Crc32::checksum(body.as_bytes()))).await.is(200);
    bed.get("/bucket/a").await.is_error(404, "NoSuchKey");
    bed.put("/bucket/a", "x").await.is(200);
    send("content-md5", &base64(&Md5::checksum(body.as_bytes()))).await.is(200);
    bed.get("/bucket/a").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn lists_are_bounded_and_well_formed() {
    let bed = Bed::with_bucket().await;
    let keys: Vec<String> = (0..1001).map(|i| format!("k{i}")).collect();
    bed.post("/bucket?delete", list(&keys[..1000])).await.is(200);
    bed.post("/bucket?delete", list(&keys)).await.is_error(400, "MalformedXML");
    bed.post("/bucket?delete", "<Delete></Delete>").await.is_error(400, "MalformedXML");
    bed.post("/bucket?delete", "<Delete><Object>").await.is_error(400, "MalformedXML");
    bed.post("/bucket?delete", " ".repeat(9 << 20)).await.is_error(400, "MaxMessageLengthExceeded");
}

#[tokio::test]
async fn a_key_with_a_control_character_is_deleted_and_named_by_reference() {
    let bed = Bed::with_bucket().await;
    for written in ["a&#x1;b", "a&#1;b", "a\u{1}b"] {
        bed.put("/bucket/a%01b", "x").await.is(200);
        let deleted = bed.post("/bucket?delete", list([written])).await;
        assert_eq!(deleted.is(200).elements("Key"), ["a&#x1;b"]);
        bed.get("/bucket/a%01b").await.is_error(404, "NoSuchKey");
    }
}
