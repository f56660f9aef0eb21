//! Conditional reads and writes.

use crate::bed::Bed;
use crate::sign::Draft;
use http::Method;

const ETAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";
const OTHER: &str = "\"00000000000000000000000000000000\"";
const LONG_AGO: &str = "Wed, 21 Oct 2015 07:28:00 GMT";
const FAR_AHEAD: &str = "Wed, 21 Oct 2099 07:28:00 GMT";

#[tokio::test]
async fn reads_hold_to_their_conditions() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "hello").await.is(200);
    let list = format!("{OTHER}, {ETAG}");
    for (name, value, status) in [
        ("if-match", ETAG, 200),
        ("if-match", "*", 200),
        ("if-match", &list, 200),
        ("if-match", OTHER, 412),
        ("if-none-match", ETAG, 304),
        ("if-none-match", &list, 304),
        ("if-none-match", "W/\"5d41402abc4b2a76b9719d911017c592\"", 304),
        ("if-none-match", OTHER, 200),
        ("if-modified-since", LONG_AGO, 200),
        ("if-modified-since", "not a date", 200),
        ("if-unmodified-since", LONG_AGO, 412),
        ("if-unmodified-since", FAR_AHEAD, 200),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let got = bed.send(Draft::new(method.clone(), "/bucket/key").header(name, value)).await;
            assert_eq!(got.status.as_u16(), status, "{method} {name}: {value}");
            if status == 304 {
                assert!(got.body.is_empty());
                assert_eq!(got.header("etag"), Some(ETAG));
                assert!(got.header("last-modified").is_some());
            }
        }
    }
    let failed = bed.send(Draft::new(Method::GET, "/bucket/key").header("if-match", OTHER)).await;
    failed.is_error(412, "PreconditionFailed");
    assert_eq!(failed.element("Condition").as_deref(), Some("If-Match"));
}

#[tokio::test]
async fn writes_hold_to_their_conditions() {
    let bed = Bed::with_bucket().await;
    let put = |name: &str, value: &str| Draft::new(Method::PUT, "/bucket/key").header(name, value).body("hello");
    bed.send(put("if-match", ETAG)).await.is_error(404, "NoSuchKey");
    bed.send(put("if-none-match", "*")).await.is(200);
    bed.send(put("if-none-match", "*")).await.is_error(412, "PreconditionFailed");
    bed.send(put("if-match", ETAG)).await.is(200);
    bed.send(put("if-match", "\"ABCORZ\"")).await.is_error(412, "PreconditionFailed");
    let delete = Draft::new(Method::DELETE, "/bucket/key").header("if-match", OTHER);
    bed.send(delete).await.is_error(412, "PreconditionFailed");
    let delete = Draft::new(Method::DELETE, "/bucket/key").header("if-match", ETAG);
    bed.send(delete).await.is(204);
}

#[tokio::test]
async fn copies_hold_to_conditions_on_their_source() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "hello").await.is(200);
    for (name, value, status) in [
        ("x-amz-copy-source-if-match", ETAG, 200),
        ("x-amz-copy-source-if-match", OTHER, 412),
        ("x-amz-copy-source-if-none-match", ETAG, 412),
        ("x-amz-copy-source-if-none-match", OTHER, 200),
        ("x-amz-copy-source-if-unmodified-since", LONG_AGO, 412),
        ("x-amz-copy-source-if-modified-since", LONG_AGO, 200),
    ] {
        let copy =
            Draft::new(Method::PUT, "/bucket/copy").header("x-amz-copy-source", "bucket/key").header(name, value);
        assert_eq!(bed.send(copy).await.status.as_u16(), status, "{name}: {value}");
    }
}

const SIZE: &str = "x-amz-if-match-size";
const TIME: &str = "x-amz-if-match-last-modified-time";

/// Deletes `/bucket/key` on a condition: the status and the code of the answer.
async fn delete_if(bed: &Bed, query: &str, name: &str, value: &str) -> (u16, Option<String>) {
    let delete = Draft::new(Method::DELETE, &format!("/bucket/key{query}")).header(name, value);
    let answer = bed.send(delete).await;
    (answer.status.as_u16(), answer.element("Code"))
}

#[tokio::test]
async fn deletes_hold_to_their_conditions() {
    let bed = Bed::with_bucket().await;
    let no_key = || (404, Some("NoSuchKey".to_owned()));
    let failed = || (412, Some("PreconditionFailed".to_owned()));
    let done = || (204, None);
    for (name, value, there, missing) in [
        ("if-match", ETAG, done(), no_key()),
        ("if-match", "*", done(), no_key()),
        ("if-match", OTHER, failed(), no_key()),
        ("if-match", "\"ABCORZ\"", failed(), no_key()),
        (SIZE, "5", done(), done()),
        (SIZE, "6", failed(), done()),
        (SIZE, "-1", failed(), done()),
        (TIME, LONG_AGO, failed(), done()),
    ] {
        assert_eq!(delete_if(&bed, "", name, value).await, missing, "{name}: {value} where nothing is");
        bed.put("/bucket/key", "hello").await.is(200);
        assert_eq!(delete_if(&bed, "", name, value).await, there, "{name}: {value}");
        bed.delete("/bucket/key").await.is(204);
    }
    bed.put("/bucket/key", "hello").await.is(200);
    let modified = bed.get("/bucket/key").await.header("last-modified").unwrap().to_owned();
    let both = Draft::new(Method::DELETE, "/bucket/key").header(TIME, &modified).header("if-match", OTHER);
    bed.send(both).await.is_error(412, "PreconditionFailed");
    assert_eq!(delete_if(&bed, "", TIME, &modified).await, done());
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn a_delete_marker_is_no_object_to_the_conditions_of_a_delete() {
    let bed = Bed::with_bucket().await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    bed.put("/bucket?versioning", enabled).await.is(200);
    let failed = || (412, Some("PreconditionFailed".to_owned()));
    let put = bed.put("/bucket/key", "hello").await;
    let version = format!("?versionId={}", put.header("x-amz-version-id").unwrap());
    let marker = bed.delete("/bucket/key").await;
    let marker = format!("?versionId={}", marker.header("x-amz-version-id").unwrap());
    for value in ["*", ETAG, OTHER] {
        assert_eq!(delete_if(&bed, "", "if-match", value).await, failed(), "{value}");
        assert_eq!(delete_if(&bed, &marker, "if-match", value).await, failed(), "{value}");
    }
    assert_eq!(delete_if(&bed, "", SIZE, "5").await, failed());
    assert_eq!(delete_if(&bed, "", TIME, LONG_AGO).await, failed());
    assert_eq!(delete_if(&bed, "", SIZE, "0").await, (204, None), "a marker has no bytes");
    assert_eq!(delete_if(&bed, &version, "if-match", OTHER).await, failed());
    assert_eq!(delete_if(&bed, &version, "if-match", ETAG).await, (204, None));
    assert_eq!(delete_if(&bed, &version, "if-match", ETAG).await, (404, Some("NoSuchKey".to_owned())));
    assert_eq!(delete_if(&bed, &version, SIZE, "5").await, (204, None), "what is gone is deleted");
}

#[tokio::test]
async fn deletes_of_many_hold_each_to_its_conditions() {
    let bed = Bed::with_bucket().await;
    for key in ["right", "wrong", "small"] {
        bed.put(&format!("/bucket/{key}"), "hello").await.is(200);
    }
    let object = |key: &str, inner: &str| format!("<Object><Key>{key}</Key>{inner}</Object>");
    let list = [
        object("right", &format!("<ETag>{ETAG}</ETag><Size>5</Size>")),
        object("wrong", &format!("<ETag>{OTHER}</ETag>")),
        object("small", "<Size>9999</Size>"),
        object("none", "<ETag>*</ETag>"),
        object("never", &format!("<Size>9999</Size><LastModifiedTime>{LONG_AGO}</LastModifiedTime>")),
    ];
    let answer = bed.post("/bucket?delete", format!("<Delete>{}</Delete>", list.concat())).await;
    assert_eq!(answer.is(200).elements("Code"), ["PreconditionFailed", "PreconditionFailed", "NoSuchKey"]);
    let mut keys = answer.elements("Key");
    keys.sort_unstable();
    assert_eq!(keys, ["never", "none", "right", "small", "wrong"]);
    bed.get("/bucket/right").await.is_error(404, "NoSuchKey");
    for kept in ["/bucket/wrong", "/bucket/small"] {
        bed.get(kept).await.is(200);
    }
}

#[tokio::test]
async fn only_who_may_read_an_object_may_name_its_tag() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "hello").await.is(200);
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::bucket/*"}}"#;
    bed.put("/bucket?policy", policy).await.is(204);
    let delete = |value: &str| Draft::new(Method::DELETE, "/bucket/key").header("if-match", value);
    for tag in [ETAG, OTHER] {
        bed.by_bob(delete(tag)).await.is_error(403, "AccessDenied");
    }
    bed.by_bob(delete("*")).await.is(204);
}
