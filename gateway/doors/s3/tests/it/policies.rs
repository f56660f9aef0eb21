//! Bucket policies over the door: their documents, and what conditions see of a request.

use crate::bed::{Answer, Bed};
use crate::sign::Draft;
use http::Method;
use serde_json::{Value, json};

pub(crate) async fn set(bed: &Bed, statements: Value) {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    bed.put("/bucket?policy", document.to_string()).await.is(204);
}

fn open(action: &str, resource: &str, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": action,
           "Resource": format!("arn:aws:s3:::{resource}"), "Condition": condition})
}

#[tokio::test]
async fn a_policy_is_told_as_it_was_put() {
    let bed = Bed::with_bucket().await;
    bed.get("/bucket?policy").await.is_error(404, "NoSuchBucketPolicy");
    let document = "{ \"Statement\":\n [ {\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::bucket/*\"} ] }";
    bed.put("/bucket?policy", document).await.is(204);
    assert_eq!(bed.get("/bucket?policy").await.is(200).text(), document);
    bed.delete("/bucket?policy").await.is(204);
    bed.get("/bucket?policy").await.is_error(404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn what_is_no_policy_is_refused_by_the_element() {
    let bed = Bed::with_bucket().await;
    let refused = |document: Value| {
        let bed = &bed;
        async move {
            let answer = bed.put("/bucket?policy", document.to_string()).await;
            answer.is_error(400, "MalformedPolicy");
            answer
        }
    };
    let message = |answer: &Answer| answer.element("Message").unwrap();
    assert!(message(&refused(json!([])).await).starts_with("Policy"));
    assert!(message(&refused(json!({"Statement": {"Effect": "Perhaps"}})).await).starts_with("Statement[0].Effect"));
    let large = open("s3:GetObject", &format!("bucket/{}", "k".repeat(20 * 1024)), json!({}));
    assert!(message(&refused(json!({"Statement": large})).await).contains("20 KB"));
    // In AWS's words.
    for (statement, element, words) in [
        (open("s3:GetObject", "other/*", json!({})), "Resource", "Policy has invalid resource"),
        (open("s3:GetObjects", "bucket/*", json!({})), "Action", "Policy has invalid action"),
        (
            open("s3:ListBucket", "bucket/*", json!({})),
            "Action",
            "Action does not apply to any resource(s) in statement",
        ),
    ] {
        let answer = refused(json!({"Statement": statement})).await;
        assert_eq!(
            (message(&answer).as_str(), answer.element("Detail")),
            (words, Some(format!("Statement[0].{element}")))
        );
    }
    bed.get("/bucket?policy").await.is_error(404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn policy_status_tells_whether_the_public_gets_in() {
    let bed = Bed::with_bucket().await;
    let status = || async { bed.get("/bucket?policyStatus").await.is(200).element("IsPublic").unwrap() };
    assert_eq!(status().await, "false");
    set(&bed, open("s3:GetObject", "bucket/*", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))).await;
    assert_eq!(status().await, "false");
    set(&bed, open("s3:GetObject", "bucket/*", json!({}))).await;
    assert_eq!(status().await, "true");
    bed.delete("/bucket?policy").await.is(204);
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read")).await.is(200);
    assert_eq!(status().await, "true");
}

#[tokio::test]
async fn conditions_see_the_request() {
    let get = || Draft::new(Method::GET, "/bucket/key");
    for (condition, draft, allowed) in [
        (json!({"StringEquals": {"aws:Referer": "http://a/"}}), get().header("referer", "http://a/"), true),
        (json!({"StringEquals": {"aws:Referer": "http://a/"}}), get().header("referer", "http://b/"), false),
        (json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), get(), true),
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), get().header("x-forwarded-for", "10.0.0.1"), false),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), get().header("x-forwarded-proto", "https"), false),
        (json!({"StringEquals": {"s3:authType": "REST-HEADER"}}), get(), true),
        (json!({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}), get(), false),
        (json!({"NumericLessThan": {"s3:signatureAge": "60000"}}), get(), true),
        (json!({"StringEquals": {"s3:ExistingObjectTag/team": "red"}}), get(), true),
        (json!({"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}), get(), false),
        (json!({"StringEquals": {"s3:prefix": "key"}}), Draft::new(Method::GET, "/bucket/key?prefix=key"), false),
    ] {
        let bed = Bed::with_bucket().await;
        bed.send(Draft::new(Method::PUT, "/bucket/key").header("x-amz-tagging", "team=red").body("x")).await.is(200);
        set(&bed, open("s3:GetObject", "bucket/*", condition.clone())).await;
        let answer = bed.by_bob(draft).await;
        assert_eq!(answer.status == 200, allowed, "{condition}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_address_that_was_signed_has_its_age() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let condition =
        json!({"NumericLessThan": {"s3:signatureAge": "60000"}, "StringEquals": {"s3:authType": "REST-QUERY-STRING"}});
    set(&bed, open("s3:GetObject", "bucket/*", condition)).await;
    let presigned = |secs| {
        let mut draft = Draft::new(Method::GET, "/bucket/key");
        draft.date = crate::sign::amz_date(secs);
        draft.presigned(&bed.bob, 3600, &[])
    };
    bed.raw(presigned(-5)).await.is(200);
    bed.raw(presigned(-120)).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn listings_are_held_to_their_prefix() {
    let bed = Bed::with_bucket().await;
    set(&bed, open("s3:ListBucket", "bucket", json!({"StringLike": {"s3:prefix": "home/ann/*"}}))).await;
    let list = |query: &str| bed.by_bob(Draft::new(Method::GET, &format!("/bucket?{query}")));
    list("prefix=home%2Fann%2F").await.is(200);
    list("list-type=2&prefix=home/ann/x").await.is(200);
    list("prefix=home%2F").await.is_error(403, "AccessDenied");
    list("list-type=2").await.is_error(403, "AccessDenied");
    // What is not there is told to who may list it.
    bed.by_bob(Draft::new(Method::GET, "/bucket/home/ann/a")).await.is_error(404, "NoSuchKey");
    bed.by_bob(Draft::new(Method::GET, "/bucket/home/bob/a")).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn writes_are_held_to_their_headers() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/from/a", "x").await.is(200);
    set(
        &bed,
        json!([
            open("s3:GetObject", "bucket/from/*", json!({})),
            open("s3:PutObject", "bucket/copies/*", json!({"StringLike": {"s3:x-amz-copy-source": "bucket/from/*"}})),
            open(
                "s3:PutObject",
                "bucket/granted/*",
                json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}})
            ),
            open("s3:PutObject", "bucket/once/*", json!({"StringEquals": {"s3:if-none-match": "*"}})),
            open("s3:PutObject", "bucket/tagged/*", json!({"StringEquals": {"s3:RequestObjectTag/a": "1"}})),
            open(
                "s3:PutObjectTagging",
                "bucket/tagged/*",
                json!({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}})
            ),
        ]),
    )
    .await;
    let put = |key: &str, headers: &[(&str, &str)]| {
        let mut draft = Draft::new(Method::PUT, &format!("/bucket/{key}"));
        for (name, value) in headers {
            draft = draft.header(name, value);
        }
        bed.by_bob(draft)
    };
    put("copies/a", &[("x-amz-copy-source", "/bucket/from%2Fa")]).await.is(200);
    put("copies/a", &[("x-amz-copy-source", "bucket/from/a")]).await.is(200);
    put("copies/a", &[]).await.is_error(403, "AccessDenied");
    put("copies/a", &[("x-amz-copy-source", "bucket/copies/a")]).await.is_error(403, "AccessDenied");
    put("granted/a", &[("x-amz-acl", "bucket-owner-full-control")]).await.is(200);
    put("granted/a", &[("x-amz-acl", "private")]).await.is_error(403, "AccessDenied");
    put("once/a", &[("if-none-match", "*")]).await.is(200);
    put("once/b", &[]).await.is_error(403, "AccessDenied");
    put("tagged/a", &[("x-amz-tagging", "a=1")]).await.is(200);
    put("tagged/a", &[("x-amz-tagging", "a=2")]).await.is_error(403, "AccessDenied");
    put("tagged/a", &[("x-amz-tagging", "a=1&b=2")]).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn an_expected_owner_is_looked_at_before_rights() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    set(&bed, open("s3:GetObject", "bucket/*", json!({}))).await;
    let get = |owner: &str| Draft::new(Method::GET, "/bucket/key").header("x-amz-expected-bucket-owner", owner);
    bed.by_anyone(get(&bed.alice_id)).await.is(200);
    bed.by_anyone(get(&bed.bob_id)).await.is_error(403, "AccessDenied");
}

async fn put_by_bob(bed: &Bed, key: &str, headers: &[(&str, &str)]) -> Answer {
    let mut draft = Draft::new(Method::PUT, &format!("/bucket/{key}")).body("x");
    for (name, value) in headers {
        draft = draft.header(name, value);
    }
    bed.by_bob(draft).await
}

/// What asks for nothing satisfies nothing that asks for it.
#[tokio::test]
async fn a_header_that_means_nothing_satisfies_no_condition() {
    for (key, header, empty, good) in [
        ("s3:if-none-match", "if-none-match", &["", "foo", "\"foo\"", "\"5d41402abc4b2a76b9719d911017c592\""][..], "*"),
        ("s3:if-match", "if-match", &["", "\"\""], "*"),
        ("s3:x-amz-acl", "x-amz-acl", &["", " "], "bucket-owner-full-control"),
        ("s3:x-amz-grant-read", "x-amz-grant-read", &["", ","], ""),
        ("s3:x-amz-storage-class", "x-amz-storage-class", &[""], "STANDARD"),
        ("s3:x-amz-website-redirect-location", "x-amz-website-redirect-location", &[""], "/there"),
        ("s3:x-amz-server-side-encryption", "x-amz-server-side-encryption", &[""], "AES256"),
        ("s3:x-amz-metadata-directive", "x-amz-metadata-directive", &["", "COPY"], ""),
        ("s3:object-lock-mode", "x-amz-object-lock-mode", &["", " "], ""),
        ("s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold", &[""], ""),
        ("s3:RequestObjectTag/a", "x-amz-tagging", &["", "&"], ""),
    ] {
        let bed = Bed::with_bucket().await;
        bed.put("/bucket/key", "kept").await.is(200);
        set(
            &bed,
            json!([
                open("s3:PutObject", "bucket/*", json!({"Null": {key: "false"}})),
                open("s3:PutObject*", "bucket/other", json!({"Null": {key: "false"}})),
            ]),
        )
        .await;
        for value in empty {
            let answer = put_by_bob(&bed, "key", &[(header, value)]).await;
            assert!(matches!(answer.status.as_u16(), 400 | 403 | 501), "{header}: {value:?}: {}", answer.status);
            assert_eq!(bed.get("/bucket/key").await.is(200).text(), "kept", "{header}: {value:?}");
        }
        if !good.is_empty() && header != "if-match" {
            let answer = put_by_bob(&bed, "other", &[(header, good)]).await;
            assert_eq!(answer.status, 200, "{header}: {good}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn what_would_replace_what_it_is_sent_to_keep_is_refused() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "kept").await.is(200);
    for value in ["", "foo", "\"5d41402abc4b2a76b9719d911017c592\""] {
        let put = Draft::new(Method::PUT, "/bucket/key").header("if-none-match", value).body("x");
        let answer = bed.send(put).await;
        assert_eq!(answer.is_error(501, "NotImplemented").element("Header").as_deref(), Some("If-None-Match"));
    }
    assert_eq!(bed.get("/bucket/key").await.is(200).text(), "kept");
    for header in ["x-amz-object-lock-mode", "x-amz-object-lock-legal-hold", "x-amz-object-lock-retain-until-date"] {
        let put = Draft::new(Method::PUT, "/bucket/new").header(header, "").body("x");
        bed.send(put).await.is_error(400, "InvalidArgument");
    }
    bed.get("/bucket/new").await.is_error(404, "NoSuchKey");
}

/// Lists that come in several lines are seen whole, by the condition as by the operation.
#[tokio::test]
async fn a_condition_sees_every_grant() {
    let bed = Bed::with_bucket().await;
    let own = format!("id={}", bed.alice_id);
    set(&bed, open("s3:PutObject*", "bucket/*", json!({"StringEquals": {"s3:x-amz-grant-read": own}}))).await;
    put_by_bob(&bed, "key", &[("x-amz-grant-read", &own)]).await.is(200);
    let all = "uri=http://acs.amazonaws.com/groups/global/AllUsers";
    let both = put_by_bob(&bed, "both", &[("x-amz-grant-read", &format!("{own},{all}"))]).await;
    both.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn the_policy_is_for_the_account_of_the_owner() {
    let bed = Bed::with_bucket().await;
    let all = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]});
    set(&bed, all.clone()).await;
    let document = json!({"Statement": all}).to_string();
    let drafts = || {
        let of = |method| Draft::new(method, "/bucket?policy");
        [of(Method::GET), of(Method::PUT).body(document.clone()), of(Method::DELETE)]
    };
    for draft in drafts() {
        bed.by_bob(draft).await.is_error(405, "MethodNotAllowed");
    }
    for draft in drafts() {
        bed.by_anyone(draft).await.is_error(405, "MethodNotAllowed");
    }
    bed.get("/bucket?policy").await.is(200);
    // Who may nothing learns nothing.
    bed.delete("/bucket?policy").await.is(204);
    for draft in drafts() {
        bed.by_bob(draft).await.is_error(403, "AccessDenied");
    }
}

/// Whether an account is there is told only to who may name it.
#[tokio::test]
async fn accounts_cannot_be_found_out_by_granting_to_them() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    set(&bed, open("s3:PutObject", "bucket/drop/*", json!({}))).await;
    let unknown = "f".repeat(64);
    let body = |id: &str| {
        format!(
            "<AccessControlPolicy><Owner><ID>{id}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>{id}</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
        )
    };
    for id in [bed.alice_id.as_str(), &unknown] {
        let grant = format!("id={id}");
        let with = |method, address: &str| Draft::new(method, address).header("x-amz-grant-read", &grant);
        for draft in [
            with(Method::PUT, "/bucket?acl"),
            with(Method::PUT, "/bucket/key?acl"),
            with(Method::PUT, "/bucket/new"),
            with(Method::PUT, "/bucket/copy").header("x-amz-copy-source", "/bucket/key"),
            with(Method::POST, "/bucket/new?uploads"),
            Draft::new(Method::PUT, "/bucket?acl").body(body(id)),
            Draft::new(Method::PUT, "/bucket/key?acl").body(body(id)),
        ] {
            bed.by_bob(draft).await.is_error(403, "AccessDenied");
        }
        bed.by_anyone(with(Method::PUT, "/bucket/drop/a")).await.is_error(403, "AccessDenied");
        bed.by_anyone(with(Method::PUT, "/another")).await.is_error(403, "AccessDenied");
        let address = format!("emailAddress={id}@example.com");
        let put = Draft::new(Method::PUT, "/bucket?acl").header("x-amz-grant-read", &address);
        bed.by_bob(put).await.is_error(403, "AccessDenied");
    }
    let own = Draft::new(Method::PUT, "/bucket?acl").header("x-amz-grant-read", &format!("id={unknown}"));
    bed.send(own).await.is_error(400, "InvalidArgument");
}

/// An upload that was begun before the bucket refused public lists makes no public object after.
#[tokio::test]
async fn a_public_list_is_refused_when_it_would_take_effect() {
    let bed = Bed::with_bucket().await;
    let begin = Draft::new(Method::POST, "/bucket/key?uploads").header("x-amz-acl", "public-read");
    let upload = bed.send(begin).await.is(200).element("UploadId").unwrap();
    let part = bed.put(&format!("/bucket/key?partNumber=1&uploadId={upload}"), "x").await;
    let etag = part.is(200).header("etag").unwrap().to_owned();
    let block =
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    bed.put("/bucket?publicAccessBlock", block).await.is(200);
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let target = format!("/bucket/key?uploadId={upload}");
    let complete = || bed.post(&target, parts.clone());
    complete().await.is_error(403, "AccessDenied");
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    bed.delete("/bucket?publicAccessBlock").await.is(204);
    complete().await.is(200);
}

/// What a policy asks of an object holds for an upload when it begins; parts and completion are of that upload.
#[tokio::test]
async fn parts_are_seen_as_what_their_upload_is_to_be() {
    let bed = Bed::with_bucket().await;
    let asks = json!({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}});
    set(&bed, open("s3:PutObject", "bucket/*", asks)).await;
    bed.by_bob(Draft::new(Method::POST, "/bucket/key?uploads")).await.is_error(403, "AccessDenied");
    let begin = Draft::new(Method::POST, "/bucket/key?uploads").header("x-amz-server-side-encryption", "AES256");
    let upload = bed.by_bob(begin).await.is(200).element("UploadId").unwrap();
    let part = Draft::new(Method::PUT, &format!("/bucket/key?partNumber=1&uploadId={upload}")).body("x");
    let part = bed.by_bob(part).await;
    let etag = part.is(200).header("etag").unwrap().to_owned();
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    bed.by_bob(Draft::new(Method::POST, &format!("/bucket/key?uploadId={upload}")).body(parts)).await.is(200);
    // An upload of another kind gets no part by a header that does nothing to it.
    let plain = bed.post("/bucket/plain?uploads", "").await.is(200).element("UploadId").unwrap();
    let part = Draft::new(Method::PUT, &format!("/bucket/plain?partNumber=1&uploadId={plain}")).body("x");
    bed.by_bob(part).await.is_error(403, "AccessDenied");
}

/// The wildcard and the header that stopped the service: a thousand keys are refused, each for itself.
#[tokio::test]
async fn a_policy_that_costs_too_much_denies_and_nothing_else() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "x").await.is(200);
    let long = json!({"StringLike": {"aws:UserAgent": format!("{}b", "*a".repeat(1000))}});
    set(
        &bed,
        json!([
            open("s3:DeleteObject", "bucket/*", long),
            open("s3:GetObject", &format!("bucket/{}", "${aws:UserAgent}".repeat(120)), json!({})),
        ]),
    )
    .await;
    let keys: String = (0..1000).map(|i| format!("<Object><Key>{i}</Key></Object>")).collect();
    let list = format!("<Delete>{keys}</Delete>");
    let digest = {
        use s3s::crypto::Checksum;
        crate::bed::base64(s3s::crypto::Md5::checksum(list.as_bytes()).as_ref())
    };
    let agent = "a".repeat(7000);
    let delete = Draft::new(Method::POST, "/bucket?delete").header("content-md5", &digest).header("user-agent", &agent);
    let answer = bed.by_anyone(delete.body(list)).await;
    let codes = answer.is(200).elements("Code");
    assert_eq!(codes.len(), 1000);
    assert!(codes.iter().all(|code| code == "AccessDenied"));
    let get = Draft::new(Method::GET, "/bucket/key").header("user-agent", &agent);
    bed.by_anyone(get).await.is_error(403, "AccessDenied");
    bed.get("/bucket/key").await.is(200);
}
