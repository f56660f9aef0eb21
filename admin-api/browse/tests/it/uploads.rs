use crate::bed::Bed;
use axum::http::Method;
use serde_json::json;

const PART: usize = 5 * 1024 * 1024;

#[tokio::test]
async fn an_upload_goes_on_where_it_was_cut_off() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    let bytes = PART + 3;
    let begun =
        browser.post("/buckets/bucket/uploads", json!({"key": "a", "bytes": bytes, "media_type": "text/plain"})).await;
    let begun = begun.is(201).json();
    assert_eq!(begun["part_bytes"], 8 * 1024 * 1024);
    let id = begun["id"].as_str().unwrap();
    let path = |rest: &str| format!("/buckets/bucket/uploads/{id}{rest}?key=a");
    let first = browser.send(Method::PUT, &path("/parts/1"), &[], vec![b'x'; PART]).await.is(200).json();
    // Another page looks what is kept.
    let kept = browser.get(&path("")).await.is(200).json();
    assert_eq!((&kept["parts"], &kept["more"]), (&json!([first]), &json!(false)));
    assert_eq!(
        first["crc64nvme"].as_str().map(str::len),
        Some(12),
        "so a page tells whether a file is the same: {first}"
    );
    let unfinished = browser.get("/buckets/bucket/uploads").await.is(200).json();
    assert_eq!((&unfinished["items"][0]["id"], &unfinished["items"][0]["key"]), (&begun["id"], &json!("a")));
    let bob = bed.browser(&bed.bob).await;
    bob.get("/buckets/bucket/uploads").await.is_problem(403, "AccessDenied");
    let all = |parts: serde_json::Value| json!({"bytes": bytes, "parts": parts});
    browser.post(&path("/finish"), all(json!([first]))).await.is_problem(400, "ObjectSizeMismatch");
    let second = browser.send(Method::PUT, &path("/parts/2"), &[], "end").await.is(200).json();
    let done = browser.post(&path("/finish"), all(json!([first, second]))).await.is(201).json();
    assert_eq!(done["bytes"], bytes);
    assert_eq!(browser.post(&path("/finish"), all(json!([first, second]))).await.is(201).json(), done);
    let range = [("range", "bytes=5242878-")];
    assert_eq!(browser.send(Method::GET, "/buckets/bucket/object?key=a", &range, "").await.is(206).text(), "xxend");
}

#[tokio::test]
async fn an_upload_is_given_up_and_belongs_to_who_may_put() {
    let bed = Bed::new().await;
    let (browser, bob) = (bed.with_bucket().await, bed.browser(&bed.bob).await);
    let begun = browser.post("/buckets/bucket/uploads", json!({"key": "a", "bytes": 9})).await.json();
    let path = |rest: &str| format!("/buckets/bucket/uploads/{}{rest}?key=a", begun["id"].as_str().unwrap());
    bob.get(&path("")).await.is_problem(403, "AccessDenied");
    bob.send(Method::PUT, &path("/parts/1"), &[], "x").await.is_problem(403, "AccessDenied");
    bob.delete(&path("")).await.is_problem(403, "AccessDenied");
    browser.send(Method::PUT, &path("/parts/0"), &[], "x").await.is_problem(400, "InvalidArgument");
    browser.send(Method::PUT, &path("/parts/10001"), &[], "x").await.is_problem(400, "InvalidArgument");
    browser.delete(&path("")).await.is(204);
    browser.send(Method::PUT, &path("/parts/1"), &[], "x").await.is_problem(404, "NoSuchUpload");
    browser.get("/buckets/bucket/uploads/zz?key=a").await.is_problem(400, "InvalidArgument");
}

#[tokio::test]
async fn a_long_object_has_longer_parts() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    let bytes: u64 = 1 << 40;
    let begun = browser.post("/buckets/bucket/uploads", json!({"key": "a", "bytes": bytes})).await.json();
    assert!(begun["part_bytes"].as_u64().unwrap() * 10_000 >= bytes, "{begun}");
}

#[tokio::test]
async fn bytes_that_changed_on_their_way_are_refused() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    // The check value of CRC-64/NVME is that of these nine digits.
    let right = ("x-cofre-crc64nvme", "rosUhgp5mIg=");
    let path = "/buckets/bucket/object?key=a";
    browser.send(Method::PUT, path, &[right], "123456780").await.is_problem(400, "BadDigest");
    browser.send(Method::PUT, path, &[("x-cofre-crc64nvme", "x")], "1").await.is_problem(400, "InvalidArgument");
    browser.get(path).await.is_problem(404, "NoSuchKey");
    browser.send(Method::PUT, path, &[right], "123456789").await.is(201);
    let begun = browser.post("/buckets/bucket/uploads", json!({"key": "b", "bytes": 9})).await.json();
    let part = format!("/buckets/bucket/uploads/{}/parts/1?key=b", begun["id"].as_str().unwrap());
    browser.send(Method::PUT, &part, &[right], "123456780").await.is_problem(400, "BadDigest");
    assert_eq!(browser.send(Method::PUT, &part, &[right], "123456789").await.is(200).json()["crc64nvme"], right.1);
}

#[tokio::test]
async fn nobody_sees_what_another_began() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    for key in ["a", "b"] {
        browser.post("/buckets/bucket/uploads", json!({"key": key, "bytes": 9})).await.is(201);
    }
    let listed = browser.get("/buckets/bucket/uploads?prefix=b").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(listed["next"].is_null(), "{listed}");
    browser.get("/buckets/bucket/uploads?prefix=b&after=x").await.is(200);
}
