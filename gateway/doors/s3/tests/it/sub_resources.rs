//! What belongs to an operation, as a table: a request that has more is refused, and does nothing.

use crate::bed::Bed;
use crate::sign::Draft;
use http::Method;

/// Method, address, whether it has a copy source, status and code.
type Row = (&'static str, &'static str, bool, u16, &'static str);

const TABLE: &[Row] = &[
    // A part is of an upload, and an upload's part has a number.
    ("PUT", "/bucket/key?partNumber=1", false, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?partNumber=1", true, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?partNumber=", false, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?part%4Eumber=1", false, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?uploadId=x", false, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?uploadId=x", true, 400, "InvalidArgument"),
    ("DELETE", "/bucket/key?partNumber=1", false, 400, "InvalidArgument"),
    ("POST", "/bucket/key?partNumber=1&uploads", false, 400, "InvalidArgument"),
    ("GET", "/bucket/key?partNumber=1&tagging", false, 400, "InvalidArgument"),
    ("DELETE", "/bucket?partNumber=1", false, 400, "InvalidArgument"),
    // A sub-resource of the other kind.
    ("GET", "/bucket/key?uploads", false, 400, "InvalidRequest"),
    ("GET", "/bucket/key?versions", false, 400, "InvalidRequest"),
    ("GET", "/bucket/key?policy", false, 400, "InvalidRequest"),
    ("PUT", "/bucket/key?policy", false, 400, "InvalidRequest"),
    ("PUT", "/bucket/key?versioning", false, 400, "InvalidRequest"),
    ("DELETE", "/bucket/key?lifecycle", false, 400, "InvalidRequest"),
    ("DELETE", "/bucket/key?cors", false, 400, "InvalidRequest"),
    ("POST", "/bucket/key?delete", false, 400, "InvalidRequest"),
    ("PUT", "/bucket?retention", false, 400, "InvalidRequest"),
    ("DELETE", "/bucket?uploadId=x", false, 400, "InvalidRequest"),
    ("DELETE", "/bucket/?uploadId=x", false, 400, "InvalidRequest"),
    ("GET", "/bucket?attributes", false, 400, "InvalidRequest"),
    // A method that a sub-resource has not.
    ("PUT", "/bucket/key?uploads", false, 405, "MethodNotAllowed"),
    ("PUT", "/bucket/key?attributes", false, 405, "MethodNotAllowed"),
    ("PUT", "/bucket/key?torrent", false, 405, "MethodNotAllowed"),
    ("PUT", "/bucket/key?restore", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket/key?acl", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket/key?retention", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket/key?legal-hold", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket?acl", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket?versioning", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket?location", false, 405, "MethodNotAllowed"),
    ("DELETE", "/bucket?object-lock", false, 405, "MethodNotAllowed"),
    ("PUT", "/another?location", false, 405, "MethodNotAllowed"),
    ("PUT", "/another?uploads", false, 405, "MethodNotAllowed"),
    ("PUT", "/another?delete", false, 405, "MethodNotAllowed"),
    ("GET", "/bucket?delete", false, 405, "MethodNotAllowed"),
    ("POST", "/bucket?policy", false, 405, "MethodNotAllowed"),
    ("POST", "/bucket/key?tagging", false, 405, "MethodNotAllowed"),
    // Methods that a resource has not.
    ("POST", "/", false, 405, "MethodNotAllowed"),
    ("PUT", "/", false, 405, "MethodNotAllowed"),
    ("DELETE", "/", false, 405, "MethodNotAllowed"),
    ("POST", "/bucket/key", false, 405, "MethodNotAllowed"),
    ("PATCH", "/bucket/key", false, 405, "MethodNotAllowed"),
    ("POST", "/bucket", false, 412, "PreconditionFailed"),
    // Two sub-resources.
    ("GET", "/bucket/key?acl&tagging", false, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?uploadId=x&partNumber=1&acl", false, 400, "InvalidArgument"),
    ("DELETE", "/bucket/key?uploadId=x&tagging", false, 400, "InvalidArgument"),
    ("DELETE", "/bucket?policy&cors", false, 400, "InvalidArgument"),
    // A version of what has none.
    ("PUT", "/bucket/key?versionId=null", false, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?versionId=null", true, 400, "InvalidArgument"),
    ("POST", "/bucket/key?uploads&versionId=null", false, 400, "InvalidArgument"),
    ("DELETE", "/bucket?versionId=null", false, 400, "InvalidArgument"),
    // A source of what does not copy.
    ("GET", "/", true, 400, "InvalidArgument"),
    ("GET", "/bucket", true, 400, "InvalidArgument"),
    ("PUT", "/another", true, 400, "InvalidArgument"),
    ("DELETE", "/bucket", true, 400, "InvalidArgument"),
    ("GET", "/bucket/key", true, 400, "InvalidArgument"),
    ("DELETE", "/bucket/key", true, 400, "InvalidArgument"),
    ("PUT", "/bucket/key?tagging", true, 400, "InvalidArgument"),
    ("POST", "/bucket/key?uploads", true, 400, "InvalidArgument"),
    ("POST", "/bucket/key?uploadId=x", true, 400, "InvalidArgument"),
];

#[tokio::test]
async fn what_does_not_belong_to_an_operation_is_refused() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "precious").await.is(200);
    bed.put("/bucket/source", "source").await.is(200);
    let listing = |answer: crate::bed::Answer| answer.elements("ETag");
    let before = listing(bed.get("/bucket?versions").await);
    for (method, address, copies, status, code) in TABLE {
        let mut draft = Draft::new(method.parse().unwrap(), address);
        if *copies {
            draft = draft.header("x-amz-copy-source", "/bucket/source");
        }
        if *method != "GET" {
            draft = draft.body("other");
        }
        let answer = bed.send(draft).await;
        let got = (answer.status.as_u16(), answer.element("Code"));
        assert_eq!(got, (*status, Some((*code).to_owned())), "{method} {address} {copies}: {}", answer.text());
        match *code {
            "MethodNotAllowed" => {
                assert_eq!(answer.element("Method").as_deref(), Some(*method));
                assert!(answer.element("ResourceType").is_some() && answer.header("allow").is_some());
            }
            "InvalidArgument" => assert!(answer.element("ArgumentName").is_some(), "{method} {address}"),
            _ => {}
        }
        assert_eq!(bed.get("/bucket/key").await.text(), "precious", "{method} {address}");
    }
    for address in ["/bucket?location", "/bucket/key?tagging", "/bucket/key?uploadId=x", "/"] {
        assert_eq!(bed.send(Draft::new(Method::HEAD, address)).await.status.as_u16(), 405, "{address}");
    }
    assert_eq!(listing(bed.get("/bucket?versions").await), before, "and nothing is done");
    bed.get("/another").await.is_error(404, "NoSuchBucket");
}

#[tokio::test]
async fn what_clients_send_beside_is_taken() {
    let bed = Bed::with_bucket().await;
    for query in ["x-id=PutObject", "a&b&c", "partnumber=1", "list-type=2", "x-id=PutObject&", "=&="] {
        bed.put(&format!("/bucket/key?{query}"), "x").await.is(200);
    }
    // More than an XML body may have: it is content.
    bed.put("/bucket/key?unknown=1", vec![7; 9 << 20]).await.is(200);
    for address in [
        "/bucket/key?x-id=GetObject",
        "/bucket/key?versionId=null&x-id=GetObject",
        "/bucket/key?tagging&versionId=null",
        "/bucket/key?acl=",
        "/bucket/key?acl&acl",
        "/bucket?list-type=2&prefix=&delimiter=%2F&x-id=ListObjectsV2",
        "/bucket?versions&prefix=a&key-marker=",
        "/bucket?versions&metadata=true",
        "/bucket?uploads=",
        "/bucket?location&x=y",
        "/?x-id=ListBuckets",
    ] {
        bed.get(address).await.is(200);
    }
    bed.get("/bucket/key?partNumber=1&x-id=GetObject").await.is(206);
    let copy = Draft::new(Method::PUT, "/bucket/copy?x-id=CopyObject").header("x-amz-copy-source", "/bucket/key");
    bed.send(copy).await.is(200);
    let begun = bed.post("/bucket/parts?uploads=&x-id=CreateMultipartUpload", "").await;
    let upload = begun.is(200).element("UploadId").unwrap();
    let part = Draft::new(Method::PUT, &format!("/bucket/parts?partNumber=1&uploadId={upload}&x-id=UploadPartCopy"));
    bed.send(part.header("x-amz-copy-source", "/bucket/key").header("x-amz-copy-source-range", "bytes=0-9"))
        .await
        .is(200);
    bed.put(&format!("/bucket/parts?partNumber=2&uploadId={upload}&x-id=UploadPart"), "x").await.is(200);
    bed.get(&format!("/bucket/parts?uploadId={upload}&x-id=ListParts")).await.is(200);
    bed.delete(&format!("/bucket/parts?uploadId={upload}&x-id=AbortMultipartUpload")).await.is(204);
    bed.delete("/bucket/copy?versionId=null").await.is(204);
}

#[tokio::test]
async fn what_is_said_of_a_source_needs_one() {
    let bed = Bed::with_bucket().await;
    for name in ["x-amz-copy-source-range", "x-amz-copy-source-if-match"] {
        let put = Draft::new(Method::PUT, "/bucket/key").header(name, "x").body("x");
        let refused = bed.send(put).await;
        assert_eq!(refused.is_error(400, "InvalidArgument").element("ArgumentName").as_deref(), Some(name));
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    // A range is of a part, and not empty: else the whole would be copied.
    bed.put("/bucket/source", "x").await.is(200);
    let begun = bed.post("/bucket/key?uploads", "").await;
    let part = format!("/bucket/key?partNumber=1&uploadId={}", begun.is(200).element("UploadId").unwrap());
    for (address, range) in [("/bucket/key", "bytes=0-0"), (&part, ""), (&part, " ")] {
        let copy = Draft::new(Method::PUT, address).header("x-amz-copy-source", "/bucket/source");
        let refused = bed.send(copy.header("x-amz-copy-source-range", range)).await;
        assert!(refused.is_error(400, "InvalidArgument").element("ArgumentName").unwrap().ends_with("range"));
    }
}

#[tokio::test]
async fn a_bucket_comes_before_bodies_and_numbers_before_uploads() {
    let bed = Bed::with_bucket().await;
    for (method, address, body, status, code) in [
        (Method::PUT, "/none/key?partNumber=0&uploadId=x", "x", 404, "NoSuchBucket"),
        (Method::PUT, "/none/key?partNumber=1&uploadId=x", "x", 404, "NoSuchBucket"),
        (Method::POST, "/none/key?uploadId=x", "no xml", 404, "NoSuchBucket"),
        (Method::GET, "/none/key?uploadId=x", "", 404, "NoSuchBucket"),
        (Method::DELETE, "/none/key?uploadId=x", "", 404, "NoSuchBucket"),
        (Method::PUT, "/none?tagging", "no xml", 404, "NoSuchBucket"),
        (Method::PUT, "/none/key?tagging", "", 404, "NoSuchBucket"),
        (Method::POST, "/none?delete", "no xml", 404, "NoSuchBucket"),
        (Method::PUT, "/bucket/key?partNumber=0&uploadId=x", "x", 400, "InvalidArgument"),
        (Method::PUT, "/bucket/key?partNumber=10001&uploadId=x", "x", 400, "InvalidArgument"),
        (Method::PUT, "/bucket/key?partNumber=abc&uploadId=x", "x", 400, "InvalidArgument"),
        (Method::GET, "/bucket/key?partNumber=abc", "", 400, "InvalidArgument"),
        (Method::PUT, "/bucket/key?partNumber=1&uploadId=x", "x", 404, "NoSuchUpload"),
        (Method::PUT, "/bucket?tagging", "", 400, "MissingRequestBodyError"),
        (Method::PUT, "/bucket?versioning", "", 400, "MissingRequestBodyError"),
        (Method::PUT, "/bucket?cors", "", 400, "MissingRequestBodyError"),
        (Method::POST, "/bucket?delete", "", 400, "MissingRequestBodyError"),
    ] {
        let answer = bed.send(Draft::new(method.clone(), address).body(body)).await;
        let got = (answer.status.as_u16(), answer.element("Code"));
        assert_eq!(got, (status, Some(code.to_owned())), "{method} {address}: {}", answer.text());
    }
    bed.put("/bucket/key", "x").await.is(200);
    let attributes = Draft::new(Method::GET, "/bucket/key?attributes").header("x-amz-object-attributes", "ETag");
    bed.send(attributes.header("x-amz-max-parts", "abc")).await.is(200);
}

#[tokio::test]
async fn virtual_host_style_without_a_domain_is_told_of() {
    let bed = Bed::with_bucket().await;
    let at = |method: Method, path: &str| Draft::new(method, path).header("host", "bucket.example.com:9000");
    let told = |answer: crate::bed::Answer| {
        let message = answer.element("Message").unwrap();
        assert!(message.contains("--domain example.com") && message.contains("addressing_style"), "{message}");
    };
    for (method, path) in [
        (Method::PUT, "/"),
        (Method::DELETE, "/"),
        (Method::POST, "/?delete"),
        (Method::GET, "/?list-type=2"),
        (Method::GET, "/?location"),
        (Method::PUT, "/report"),
    ] {
        let answer = bed.send(at(method.clone(), path)).await;
        answer.is_error(400, "InvalidRequest");
        told(answer);
    }
    for (method, path) in [(Method::PUT, "/dir/key"), (Method::GET, "/dir/key"), (Method::GET, "/report")] {
        let answer = bed.send(at(method, path)).await;
        answer.is_error(404, "NoSuchBucket");
        told(answer);
    }
    bed.get("/report").await.is_error(404, "NoSuchBucket");
    // A host that is no bucket's, and path style at one that is.
    let plain = |path: &str| Draft::new(Method::GET, path).header("host", "gateway.example.com");
    let answer = bed.send(plain("/report")).await;
    assert!(!answer.is_error(404, "NoSuchBucket").text().contains("--domain"));
    bed.send(plain("/")).await.is(200);
    bed.send(at(Method::GET, "/bucket")).await.is(200);
    bed.send(at(Method::GET, "/")).await.is(200);
}
