use crate::bed::{Bed, query};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn only_what_cannot_run_is_shown_and_by_its_bytes() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    let png: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";
    browser.put("a.html", png).await.is(201);
    let shown = browser.get("/buckets/bucket/preview?key=a.html").await;
    assert_eq!((shown.is(200).header("content-type"), shown.body.as_ref()), ("image/png", png));
    assert_eq!(shown.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
    assert_eq!(
        (shown.header("x-content-type-options"), shown.header("cross-origin-resource-policy")),
        ("nosniff", "same-origin")
    );
    let part = browser.send(Method::GET, "/buckets/bucket/preview?key=a.html", &[("range", "bytes=8-9")], "").await;
    assert_eq!((part.is(206).text().as_str(), part.header("content-range")), ("01", "bytes 8-9/18"));
    let hostile: [&[u8]; 9] = [
        b"<script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"%PDF-1.7\n1 0 obj << /OpenAction << /S /JavaScript >> >>",
        b"<?xml version='1.0'?><?xml-stylesheet href='x.xsl'?><a/>",
        b"GIF8",
        b"GIF87",
        b"\x00\x00\x00\x20ftypqt  ",
        b"MZ\x90\x00",
        b"",
    ];
    for bytes in hostile {
        let path = "/buckets/bucket/object?key=evil.png";
        browser.send(Method::PUT, path, &[("content-type", "image/png")], bytes).await.is(201);
        browser.get("/buckets/bucket/preview?key=evil.png").await.is_problem(415, "NoPreview");
    }
}

#[tokio::test]
async fn texts_are_shown_as_text() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    let page = "<script>alert('olá')</script>";
    browser.send(Method::PUT, "/buckets/bucket/object?key=page.html", &[], page).await.is(201);
    let text = browser.get("/buckets/bucket/text?key=page.html").await;
    assert_eq!(
        (text.is(200).header("content-type"), text.json()),
        ("application/json", json!({"text": page, "more": false}))
    );
    browser.send(Method::PUT, "/buckets/bucket/object?key=long", &[], "é".repeat(600_000)).await.is(201);
    let long = browser.get("/buckets/bucket/text?key=long").await.is(200).json();
    assert_eq!((&long["more"], long["text"].as_str().unwrap().len()), (&json!(true), 1 << 20));
    for bytes in [&b"a\0b"[..], b"\xff\xfe", b""] {
        browser.send(Method::PUT, "/buckets/bucket/object?key=odd", &[], bytes).await.is(201);
        browser.get("/buckets/bucket/text?key=odd").await.is_problem(415, "NoPreview");
    }
}

#[tokio::test]
async fn what_is_known_of_an_object_is_told_and_set() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.put("a", b"123456789").await.is(201);
    let about = browser.get("/buckets/bucket/about?key=a").await.is(200).json();
    assert_eq!((&about["bytes"], &about["media_type"], &about["tags"]), (&json!(9), &json!("text/html"), &json!({})));
    assert_eq!((&about["checksum"], &about["storage_class"]), (&json!("CRC64NVME rosUhgp5mIg="), &json!("STANDARD")));
    let set = |value: serde_json::Value| async { browser.put_json("/buckets/bucket/about", value).await };
    set(json!({"key": "a", "tags": {"place": "home"}})).await.is(204);
    set(json!({"key": "a", "tags": {"aws:x": "y"}})).await.is_problem(400, "InvalidArgument");
    set(json!({"key": "a", "legal_hold": true})).await.is_problem(400, "InvalidRequest");
    let odd = json!({"key": "a", "retention": {"mode": "governance", "until": "tomorrow"}});
    assert_eq!(set(odd).await.is_problem(400, "InvalidArgument").json()["field"], "retention.until");
    let metadata = |etag: &str, metadata: serde_json::Value| {
        let body = json!({"key": "a", "etag": etag, "media_type": "text/plain", "metadata": metadata});
        async { browser.put_json("/buckets/bucket/metadata", body).await }
    };
    let etag = about["etag"].as_str().unwrap();
    metadata("00000000000000000000000000000000", json!({})).await.is_problem(412, "PreconditionFailed");
    for odd in [
        json!({"A": "b"}),
        json!({"": "b"}),
        json!({"a": "b\r\nx: y"}),
        json!({"a": "é"}),
        json!({"a": "x".repeat(2048)}),
    ] {
        metadata(etag, odd).await.is_problem(400, "InvalidArgument");
    }
    metadata(etag, json!({"author": "alice"})).await.is(200);
    let about = browser.get("/buckets/bucket/about?key=a").await.json();
    assert_eq!(
        (&about["metadata"], &about["media_type"], &about["tags"]),
        (&json!({"author": "alice"}), &json!("text/plain"), &json!({"place": "home"}))
    );
    assert_eq!(browser.get("/buckets/bucket/object?key=a").await.text(), "123456789");
}

#[tokio::test]
async fn links_are_for_what_may_be_read_and_for_a_time() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.put("São João.html", b"x").await.is(201);
    let link = |key: &str, seconds: u32| {
        let body = json!({"key": key, "seconds": seconds});
        async { browser.post("/buckets/bucket/links", body).await }
    };
    let made = link("São João.html", 3_600).await.is(200).json();
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("http://cofre.example:9000/bucket/S%C3%A3o%20Jo%C3%A3o.html?X-Amz-Algorithm="), "{url}");
    assert!(url.contains("X-Amz-Expires=3600") && url.contains("response-content-disposition=attachment%3B"), "{url}");
    assert!(!url.contains(bed.alice.key.secret.expose()));
    link("São João.html", 59).await.is_problem(400, "InvalidArgument");
    link("São João.html", 604_801).await.is_problem(400, "InvalidArgument");
    link("none", 60).await.is_problem(404, "NoSuchKey");
    browser.put("a/../b", b"x").await.is(201);
    link("a/../b", 60).await.is_problem(409, "NoAddress");
}

/// Numbers at a place of an archive.
fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// Names and contents of an archive, by its directory.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let end = bytes.windows(4).rposition(|four| four == b"PK\x05\x06").unwrap();
    let mut at = number(bytes, end + 16, 4);
    let mut files = Vec::new();
    for _ in 0..number(bytes, end + 10, 2) {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (crc, size) = (number(bytes, at + 16, 4), number(bytes, at + 24, 4));
        let (name, extra, header) = (number(bytes, at + 28, 2), number(bytes, at + 30, 2), number(bytes, at + 42, 4));
        let path = String::from_utf8(bytes[at + 46..at + 46 + name].to_vec()).unwrap();
        assert_eq!(&bytes[header..header + 4], b"PK\x03\x04");
        let from = header + 30 + number(bytes, header + 26, 2) + number(bytes, header + 28, 2);
        let content = bytes[from..from + size].to_vec();
        assert_eq!(
            (&bytes[from + size..from + size + 4], number(bytes, from + size + 4, 4)),
            (&b"PK\x07\x08"[..], crc)
        );
        files.push((path, content));
        at += 46 + name + extra;
    }
    assert_eq!(at, end);
    files
}

#[tokio::test]
async fn a_folder_comes_as_an_archive() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    for (key, content) in
        [("a/f/", &b""[..]), ("a/f/1.txt", b"one"), ("a/f/../../2.txt", b"two"), ("a/f/é/3", b"three"), ("a/g", b"no")]
    {
        browser.put(key, content).await.is(201);
    }
    let answer = browser.get("/buckets/bucket/zip?prefix=a%2Ff%2F").await;
    assert_eq!(answer.is(200).header("content-type"), "application/zip");
    assert!(answer.header("content-disposition").starts_with("attachment; filename=\"f.zip\""));
    let mut files = unzip(&answer.body);
    files.sort();
    let expected = [("f/", ""), ("f/1.txt", "one"), ("f/object/object/2.txt", "two"), ("f/é/3", "three")];
    assert_eq!(files, expected.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec())));

    let some = query(&[("prefix", "a/"), ("items", r#"["a/g","a/f/é/"]"#)]);
    let names: Vec<_> =
        unzip(&browser.get(&format!("/buckets/bucket/zip?{some}")).await.body).into_iter().map(|file| file.0).collect();
    assert_eq!(names, ["a/g", "a/f/é/3"]);
    for odd in [("prefix", "a"), ("items", "[]"), ("items", "x")] {
        browser.get(&format!("/buckets/bucket/zip?{}", query(&[odd]))).await.is_problem(400, "InvalidArgument");
    }
    let outside = query(&[("prefix", "a/f/"), ("items", r#"["a/g"]"#)]);
    browser.get(&format!("/buckets/bucket/zip?{outside}")).await.is_problem(400, "InvalidArgument");
}

#[tokio::test]
async fn an_archive_says_what_is_not_in_it() {
    let bed = Bed::new().await;
    let browser = bed.with_bucket().await;
    browser.put("a", b"one").await.is(201);
    let some = query(&[("items", r#"["a","gone"]"#)]);
    let files = unzip(&browser.get(&format!("/buckets/bucket/zip?{some}")).await.is(200).body);
    assert_eq!(files[0], ("bucket/a".to_owned(), b"one".to_vec()));
    assert_eq!(files[1].0, "_not in this archive.txt");
    assert!(String::from_utf8_lossy(&files[1].1).starts_with("\"gone\": "), "{files:?}");
}
