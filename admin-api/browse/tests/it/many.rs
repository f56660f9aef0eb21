use crate::bed::{Bed, Browser, query};
use axum::http::Method;
use serde_json::{Value, json};

async fn versioned(bed: &Bed) -> Browser<'_> {
    let browser = bed.browser(&bed.alice).await;
    browser.post("/buckets", json!({"name": "bucket", "versioning": true})).await.is(201);
    browser
}

async fn names(browser: &Browser<'_>) -> Vec<String> {
    let page = browser.get("/buckets/bucket/search?q=").await;
    page.is_problem(400, "InvalidArgument");
    let page = browser.get("/buckets/bucket/deleted").await.is(200).json();
    page["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

/// The lines of a search.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_folder_is_deleted_seen_and_brought_back() {
    let bed = Bed::new().await;
    let browser = versioned(&bed).await;
    for key in ["a/1", "a/b/2", "a2", "z"] {
        browser.put(key, b"content").await.is(201);
    }
    browser.post("/buckets/bucket/delete", json!({"prefix": "a"})).await.is_problem(400, "InvalidArgument");
    browser.post("/buckets/bucket/delete", json!({})).await.is_problem(400, "InvalidArgument");
    let both = json!({"prefix": "a/", "items": [{"key": "z"}]});
    browser.post("/buckets/bucket/delete", both).await.is_problem(400, "InvalidArgument");
    let many: Vec<_> = (0..1_001).map(|number| json!({"key": number.to_string()})).collect();
    browser.post("/buckets/bucket/delete", json!({"items": many})).await.is_problem(400, "InvalidArgument");

    let done = browser.post("/buckets/bucket/delete", json!({"prefix": "a/"})).await.is(200).json();
    assert!(done["next"].is_null());
    let items = done["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["key"].as_str().unwrap()).collect::<Vec<_>>(), ["a/1", "a/b/2"]);
    assert!(items.iter().all(|item| item["deleted"]["delete_marker"] == true));
    assert_eq!(names(&browser).await, ["a/1", "a/b/2"]);
    let hidden = browser.get("/buckets/bucket/deleted?prefix=a%2Fb").await.json();
    assert_eq!(
        (&hidden["items"][0]["bytes"], &hidden["items"][0]["marker"]),
        (&json!(7), &items[1]["deleted"]["version"])
    );

    let back: Vec<_> =
        items.iter().map(|item| json!({"key": item["key"], "version": item["deleted"]["version"]})).collect();
    browser.post("/buckets/bucket/delete", json!({"items": back})).await.is(200);
    assert!(names(&browser).await.is_empty());
    assert_eq!(browser.get("/buckets/bucket/object?key=a%2Fb%2F2").await.text(), "content");
}

#[tokio::test]
async fn each_deletion_stands_or_falls_for_itself() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.put("a", b"x").await.is(201);
    let bob = bed.browser(&bed.bob).await;
    let refused = bob.post("/buckets/bucket/delete", json!({"items": [{"key": "a"}]})).await.is(200).json();
    assert_eq!(refused["items"], json!([{"key": "a", "code": "AccessDenied"}]));
    bob.post("/buckets/bucket/delete", json!({"prefix": "a/"})).await.is_problem(403, "AccessDenied");
    browser.delete("/buckets/bucket").await.is_problem(409, "BucketNotEmpty");
    let done = browser.post("/buckets/bucket/delete", json!({"items": [{"key": "a"}, {"key": "none"}]})).await.json();
    assert_eq!(done["items"].as_array().unwrap().len(), 2);
    browser.delete("/buckets/bucket").await.is(204);
    browser.get("/buckets/bucket").await.is_problem(404, "NoSuchBucket");
}

#[tokio::test]
async fn objects_are_copied_moved_and_never_lost() {
    let bed = Bed::new().await;
    let browser = versioned(&bed).await;
    browser.post("/buckets", json!({"name": "other"})).await.is(201);
    browser.put("a", b"one").await.is(201);
    browser.put_json("/buckets/bucket/about", json!({"key": "a", "tags": {"kind": "test"}})).await.is(204);
    let to = |to: &str| json!({"key": "a", "to_key": to});
    browser.post("/buckets/bucket/copy", to("b")).await.is(201);
    browser.post("/buckets/bucket/copy", to("b")).await.is_problem(412, "PreconditionFailed");
    browser.post("/buckets/bucket/copy", to("a")).await.is_problem(400, "InvalidArgument");
    let elsewhere = json!({"key": "a", "to_bucket": "other", "to_key": "c", "replace": true});
    browser.post("/buckets/bucket/copy", elsewhere.clone()).await.is(201);
    browser.post("/buckets/bucket/copy", elsewhere).await.is(201);
    let copy = browser.get("/buckets/other/about?key=c").await.is(200).json();
    assert_eq!(
        (&copy["tags"], &copy["media_type"], &copy["bytes"]),
        (&json!({"kind": "test"}), &json!("text/html"), &json!(3))
    );

    browser.post("/buckets/bucket/move", to("b")).await.is_problem(412, "PreconditionFailed");
    let moved = browser.post("/buckets/bucket/move", to("d/e")).await.is(201).json();
    assert_eq!(moved["source"]["delete_marker"], true);
    browser.get("/buckets/bucket/object?key=a").await.is_problem(404, "NoSuchKey");
    assert_eq!(browser.get("/buckets/bucket/object?key=d%2Fe").await.text(), "one");
    browser.post("/buckets/bucket/move", to("f")).await.is_problem(404, "NoSuchKey");
    browser.post("/buckets/none/move", to("f")).await.is_problem(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_search_finds_streams_and_goes_on() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    for key in ["Praia/Verão.jpg", "praia/outro.jpg", "z/PRAIA.txt"] {
        browser.put(key, b"x").await.is(201);
    }
    let answer = browser.get(&format!("/buckets/bucket/search?{}", query(&[("q", "VERÃO")]))).await;
    assert_eq!(answer.is(200).header("content-type"), "application/x-ndjson");
    let found = lines(&answer.text());
    assert_eq!(
        (&found[0]["hit"]["key"], found.last().unwrap()),
        (&json!("Praia/Verão.jpg"), &json!({"read": 3, "end": true}))
    );
    // What the folder is called does not count.
    let inside =
        browser.get(&format!("/buckets/bucket/search?{}", query(&[("q", "praia"), ("prefix", "praia/")]))).await;
    assert!(lines(&inside.text()).iter().all(|line| line["hit"].is_null()));
    let rest = browser.get("/buckets/bucket/search?q=jpg&after=Praia%2FVer%C3%A3o.jpg").await.text();
    assert_eq!(lines(&rest)[0]["hit"]["key"], "praia/outro.jpg");
    browser.get("/buckets/none/search?q=a").await.is_problem(404, "NoSuchBucket");
    let bucket = browser.get("/buckets/bucket").await.is(200).json();
    assert_eq!((&bucket["objects"], &bucket["bytes"], &bucket["versioning"]), (&json!(3), &json!(3), &json!("off")));
    let measured = browser.get("/buckets/bucket/measure?prefix=praia%2F").await.is(200).json();
    assert_eq!(measured, json!({"objects": 1, "bytes": 1, "whole": true}));
}

#[tokio::test]
async fn a_search_is_bounded_in_what_it_finds() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    for number in 0..1_002 {
        let path = format!("/buckets/bucket/object?key={number:05}");
        browser.send(Method::PUT, &path, &[], "").await.is(201);
    }
    let found = lines(&browser.get("/buckets/bucket/search?q=0").await.text());
    assert_eq!(found.iter().filter(|line| line["hit"].is_object()).count(), 1_000);
    let next = found.last().unwrap()["next"].as_str().unwrap();
    assert_eq!(next, "00999");
    let rest = lines(&browser.get(&format!("/buckets/bucket/search?q=0&after={next}")).await.text());
    assert_eq!(rest.iter().filter(|line| line["hit"].is_object()).count(), 2);
    assert_eq!(rest.last().unwrap()["end"], true);
}
