use crate::bed::{Bed, query};
use axum::http::Method;
use serde_json::{Value, json};

fn keys(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn buckets_are_made_and_listed() {
    let bed = Bed::new().await;
    let browser = bed.browser(&bed.alice).await;
    let made = browser.post("/buckets", json!({"name": "photos", "versioning": true, "version_days": 30})).await;
    assert_eq!(made.is(201).json()["versioning"], "on");
    browser.post("/buckets", json!({"name": "photos"})).await.is_problem(409, "BucketAlreadyOwnedByYou");
    let bob = bed.browser(&bed.bob).await;
    bob.post("/buckets", json!({"name": "photos"})).await.is_problem(409, "BucketAlreadyExists");
    for name in ["Photos", "a", "192.168.1.1", "a/b", ""] {
        browser.post("/buckets", json!({"name": name})).await.is_problem(400, "InvalidBucketName");
    }
    let odd = json!({"name": "other", "version_days": 30});
    assert_eq!(browser.post("/buckets", odd).await.is_problem(400, "InvalidArgument").json()["field"], "version_days");
    let listed = browser.get("/buckets").await.json();
    assert_eq!((&listed["items"][0]["name"], listed["items"].as_array().unwrap().len()), (&json!("photos"), 1));
    assert_eq!(bob.get("/buckets").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_folder_is_listed_in_pages_in_the_order_of_keys() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    for key in ["b", "a/1", "a/2", "a/c/3", "a.txt", "z"] {
        browser.put(key, b"12345").await.is(201);
    }
    let root = browser.get("/buckets/bucket/entries").await.json();
    assert_eq!(keys(&root), ["a.txt", "a/", "b", "z"]);
    assert_eq!(root["items"][1], json!({"key": "a/", "folder": true}));
    assert_eq!(root["items"][0]["bytes"], 5);
    let folder = browser.get("/buckets/bucket/entries?prefix=a%2F").await.json();
    assert_eq!(keys(&folder), ["a/1", "a/2", "a/c/"]);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = browser.get(&format!("/buckets/bucket/entries?limit=1{after}")).await.json();
        seen.extend(keys(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&{}", query(&[("after", next)]));
    }
    assert_eq!(seen, keys(&root));
    browser.get("/buckets/bucket/entries?limit=0").await.is_problem(400, "InvalidArgument");
    browser.get("/buckets/none/entries").await.is_problem(404, "NoSuchBucket");
}

#[tokio::test]
async fn folders_are_made_once() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.post("/buckets/bucket/folders", json!({"prefix": "new/"})).await.is(201);
    browser.post("/buckets/bucket/folders", json!({"prefix": "new/"})).await.is_problem(412, "PreconditionFailed");
    browser.post("/buckets/bucket/folders", json!({"prefix": "new"})).await.is_problem(400, "InvalidArgument");
    assert_eq!(keys(&browser.get("/buckets/bucket/entries").await.json()), ["new/"]);
}

#[tokio::test]
async fn content_is_never_shown_as_a_page() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    let page = b"<script>fetch('/console/v1/session',{method:'DELETE'})</script>";
    for key in ["page.html", "image.svg", "document.pdf", "feed.xml", "evil"] {
        browser.put(key, page).await.is(201);
        let answer = browser.get(&format!("/buckets/bucket/object?key={key}")).await;
        assert_eq!(answer.is(200).body.as_ref(), page);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert!(answer.header("content-disposition").starts_with("attachment; "));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn ranges_are_downloaded() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    let put = browser.put("a", b"0123456789").await.json();
    let tag = format!("\"{}\"", put["etag"].as_str().unwrap());
    let path = "/buckets/bucket/object?key=a";
    let part = browser.send(Method::GET, path, &[("range", "bytes=2-4"), ("if-range", &tag)], "").await;
    assert_eq!((part.is(206).text().as_str(), part.header("content-range")), ("234", "bytes 2-4/10"));
    assert_eq!((part.header("content-length"), part.header("etag")), ("3", tag.as_str()));
    let other = "\"00000000000000000000000000000000\"";
    let whole = browser.send(Method::GET, path, &[("range", "bytes=2-4"), ("if-range", other)], "").await;
    assert_eq!(whole.is(200).text(), "0123456789");
    browser.send(Method::GET, path, &[("range", "bytes=99-")], "").await.is_problem(416, "InvalidRange");
    let head = browser.send(Method::HEAD, path, &[], "").await;
    assert_eq!((head.is(200).header("content-length"), head.body.len()), ("10", 0));
}

#[tokio::test]
async fn a_put_replaces_only_if_it_may() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.put("a", b"one").await.is(201);
    let path = "/buckets/bucket/object?key=a";
    let kept = browser.send(Method::PUT, path, &[("if-none-match", "*")], "two").await;
    kept.is_problem(412, "PreconditionFailed");
    browser.send(Method::PUT, path, &[("if-none-match", "\"x\"")], "two").await.is_problem(400, "InvalidArgument");
    assert_eq!(browser.get(path).await.text(), "one");
    browser.send(Method::PUT, path, &[], "two").await.is(201);
    assert_eq!(browser.get(path).await.text(), "two");
    browser.send(Method::PUT, "/buckets/bucket/object?key=", &[], "x").await.is_problem(400, "InvalidKey");
    let long = format!("/buckets/bucket/object?key={}", "x".repeat(1_025));
    browser.send(Method::PUT, &long, &[], "x").await.is_problem(400, "InvalidKey");
    browser.send(Method::PUT, "/buckets/none/object?key=a", &[], "x").await.is_problem(404, "NoSuchBucket");
    browser.send(Method::PUT, "/buckets/bucket/object?other=a", &[], "x").await.is_problem(400, "InvalidArgument");
}

#[tokio::test]
async fn what_versions_keep_comes_back() {
    let bed = Bed::new().await;
    let browser = bed.browser(&bed.alice).await;
    browser.post("/buckets", json!({"name": "bucket", "versioning": true})).await.is(201);
    browser.put("a", b"one").await.is(201);
    browser.put("a", b"two").await.is(201);
    browser.put("ab", b"another").await.is(201);
    let path = "/buckets/bucket/object?key=a";
    let deleted = browser.delete(path).await.json();
    assert_eq!(deleted["delete_marker"], true);
    browser.get(path).await.is_problem(404, "NoSuchKey");
    // Undone: the marker goes.
    let marker = deleted["version"].as_str().unwrap();
    browser.delete(&format!("{path}&version={marker}")).await.is(200);
    assert_eq!(browser.get(path).await.text(), "two");

    let versions = browser.get("/buckets/bucket/versions?key=a").await.json();
    let versions = versions["items"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert_eq!((&versions[0]["current"], &versions[1]["current"]), (&json!(true), &json!(false)));
    let old = versions[1]["version"].as_str().unwrap();
    assert_eq!(browser.get(&format!("{path}&version={old}")).await.text(), "one");
    browser.post("/buckets/bucket/restore", json!({"key": "a", "version": old})).await.is(201);
    assert_eq!(browser.get(path).await.text(), "one");
    assert_eq!(browser.get("/buckets/bucket/versions?key=a").await.json()["items"].as_array().unwrap().len(), 3);
    assert_eq!(browser.get("/buckets/bucket/versions?key=none").await.json()["items"], json!([]));
    browser.get(&format!("{path}&version=x")).await.is_problem(400, "InvalidArgument");
}
