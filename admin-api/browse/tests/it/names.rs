use crate::bed::{Bed, query};

/// Names that mean something to a path, a header, a page, a shell or the eye.
const HOSTILE: [&str; 20] = [
    "..",
    "../../../etc/passwd",
    "./a/./b",
    "/leading",
    "a//b",
    "trailing/",
    "<script>alert(1)</script>.html",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "a\r\nSet-Cookie: cofre=stolen",
    "a\u{0}b",
    "\u{202e}gpj.exe",
    "a\u{200b}b",
    "100%25 sure?#fragment&key=other",
    "a;b=c",
    "a\\b\\..\\c",
    "'; DROP TABLE objects; --",
    "CON.txt",
    "🗝️ São João \u{10ffff}",
    "{{constructor.constructor('alert(1)')()}}",
];

#[tokio::test]
async fn any_name_is_text_and_nothing_else() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    for key in HOSTILE {
        browser.put(key, b"content").await.is(201);
        let path = format!("/buckets/bucket/object?{}", query(&[("key", key)]));
        let answer = browser.get(&path).await;
        assert_eq!(answer.is(200).text(), "content", "{key:?}");
        assert!(answer.header("set-cookie").is_empty());
        let disposition = answer.header("content-disposition");
        let plain = disposition.split('"').nth(1).unwrap();
        assert!(disposition.starts_with("attachment; filename=\"") && disposition.matches('"').count() == 2);
        assert!(!plain.is_empty() && !plain.contains(['/', '\\', '<', '>', ':', '|', '%']), "{key:?}: {plain}");
        assert!(
            plain.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && !plain.starts_with('.'),
            "{key:?}: {plain}"
        );
        let versions = browser.get(&format!("/buckets/bucket/versions?{}", query(&[("key", key)]))).await;
        assert_eq!(versions.is(200).json()["items"].as_array().unwrap().len(), 1, "{key:?}");
    }
    // Each stands in the list of its folder, letter for letter.
    for key in HOSTILE {
        let folder = key.trim_end_matches('/').rfind('/').map_or("", |end| &key[..=end]);
        let listed = browser.get(&format!("/buckets/bucket/entries?{}", query(&[("prefix", folder)]))).await.json();
        let items = listed["items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["key"] == key), "{key:?} in {folder:?}: {items:?}");
        browser.delete(&format!("/buckets/bucket/object?{}", query(&[("key", key)]))).await.is(200);
    }
    assert_eq!(browser.get("/buckets/bucket/entries").await.json()["items"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn names_of_buckets_are_no_paths() {
    let bed = Bed::new().await;
    let browser = bed.browser(&bed.alice).await;
    for bucket in ["..%2Fv1", "%2e%2e", "a%00b", "A", "xn--a"] {
        let answer = browser.get(&format!("/buckets/{bucket}/entries")).await;
        answer.is_problem(400, "InvalidBucketName");
    }
}
