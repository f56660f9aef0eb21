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
