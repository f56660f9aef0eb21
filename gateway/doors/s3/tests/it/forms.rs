//! Browsers' forms.

use crate::bed::{Answer, Bed, base64};
use crate::sign::{Draft, Key, amz_date, sign_policy};
use aws_lc_rs::{digest, hmac};
use cofre_types::AccessKeyId;
use http::Method;
use serde_json::{Value, json};

/// A form for `/bucket` with a file of this name.
pub(crate) fn form(fields: &[(&str, &str)], filename: &str, file: &str) -> Draft {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += &format!("--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n");
    body += &format!("Content-Type: text/plain\r\n\r\n{file}\r\n--frontier\r\n");
    body += "Content-Disposition: form-data; name=\"submit\"\r\n\r\nUpload\r\n--frontier--\r\n";
    draft(body)
}

fn draft(body: String) -> Draft {
    Draft::new(Method::POST, "/bucket").header("content-type", "multipart/form-data; boundary=\"frontier\"").body(body)
}

fn expiry(offset_secs: i64) -> String {
    let date = amz_date(offset_secs);
    format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..8], &date[9..11], &date[11..13], &date[13..15])
}

/// A policy for objects of the bucket, with more conditions.
fn policy(conditions: &[Value]) -> String {
    let common = [json!({"bucket": "bucket"}), json!(["starts-with", "$key", "user/"])];
    let all: Vec<_> = common.iter().chain(conditions).collect();
    base64(json!({"expiration": expiry(3600), "conditions": all}).to_string().as_bytes())
}

/// The fields that sign a policy in version 2.
fn signed_v2(key: &Key, policy: &str) -> Vec<(String, String)> {
    let signing = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.secret.as_bytes());
    let signature = base64(hmac::sign(&signing, policy.as_bytes()).as_ref());
    [("AWSAccessKeyId", key.id.as_str()), ("policy", policy), ("signature", &signature)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// Sends a form that alice signs in version 2.
async fn send(bed: &Bed, conditions: &[Value], fields: &[(&str, &str)], file: &str) -> Answer {
    let signed = signed_v2(&bed.alice, &policy(conditions));
    let signed = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = [("key", "user/${filename}")].into_iter().chain(signed).chain(fields.iter().copied()).collect();
    bed.raw(form(&all, "C:\\dir\\f.txt", file).anonymous()).await
}

#[tokio::test]
async fn a_signed_form_puts_an_object_as_its_policy_says() {
    let bed = Bed::with_bucket().await;
    let conditions = [json!({"success_action_status": "201"}), json!(["content-length-range", 2, 1000])];
    let status = [("success_action_status", "201")];
    let made = send(&bed, &conditions, &status, "hello").await;
    assert_eq!(made.is(201).element("Key").as_deref(), Some("user/f.txt"));
    assert_eq!(made.element("Bucket").as_deref(), Some("bucket"));
    assert_eq!(made.element("Location").as_deref(), Some("http://localhost:9000/bucket/user/f.txt"));
    assert_eq!(made.header("location"), Some("http://localhost:9000/bucket/user/f.txt"));
    assert_eq!(made.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let put = bed.get("/bucket/user/f.txt").await;
    assert_eq!((put.text().as_str(), put.header("content-type")), ("hello", Some("binary/octet-stream")));

    let large = send(&bed, &conditions, &status, &"x".repeat(1001)).await;
    assert_eq!(large.is_error(400, "EntityTooLarge").element("MaxSizeAllowed").as_deref(), Some("1000"));
    let small = send(&bed, &conditions, &status, "x").await;
    assert_eq!(small.is_error(400, "EntityTooSmall").element("MinSizeAllowed").as_deref(), Some("2"));
    assert_eq!(small.element("ProposedSize").as_deref(), Some("1"));
    let message = |answer: &Answer| answer.element("Message").unwrap();
    let other = send(&bed, &conditions, &[("success_action_status", "200")], "hello").await;
    let told = "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$success_action_status\", \"201\"]";
    assert_eq!(message(other.is_error(403, "AccessDenied")).replace("&quot;", "\""), told);
    let extra = send(&bed, &conditions, &[status[0], ("acl", "private")], "hello").await;
    assert_eq!(message(extra.is_error(403, "AccessDenied")), "Invalid according to Policy: Extra input fields: acl");
    send(&bed, &[json!({})], &[], "hello").await.is_error(400, "InvalidPolicyDocument");
    assert_eq!(bed.get("/bucket/user/f.txt").await.text(), "hello");
}

#[tokio::test]
async fn a_form_is_signed_in_version_4_too() {
    let bed = Bed::with_bucket().await;
    let send = |offset_secs: i64, region: &'static str, secret: &'static str| {
        let date = amz_date(offset_secs);
        let credential = format!("{}/{}/{region}/s3/aws4_request", bed.alice.id, &date[..8]);
        let policy = policy(&[
            json!({"x-amz-algorithm": "AWS4-HMAC-SHA256"}),
            json!({"x-amz-credential": credential}),
            json!({"x-amz-date": date}),
        ]);
        let key = Key { id: bed.alice.id.clone(), secret: secret.to_owned() };
        let signature = sign_policy(&key, &date, &policy);
        let fields = [
            ("key", "user/k"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &date),
            ("Policy", &policy),
            ("X-Amz-Signature", &signature),
        ];
        let request = form(&fields, "f", "hello").anonymous();
        let bed = &bed;
        async move { bed.raw(request).await }
    };
    // A form may be handed out long before it is sent.
    assert_eq!(send(-86_400, "us-east-1", "secret-of-alice").await.is(204).text(), "");
    assert_eq!(bed.get("/bucket/user/k").await.text(), "hello");
    send(0, "us-east-1", "secret-of-bob").await.is_error(403, "SignatureDoesNotMatch");
    send(-8 * 86_400, "us-east-1", "secret-of-alice").await.is_error(403, "AccessDenied");
    let wrong = send(0, "eu-west-1", "secret-of-alice").await;
    assert_eq!(
        wrong.is_error(400, "AuthorizationQueryParametersError").element("Region").as_deref(),
        Some("us-east-1")
    );
}

#[tokio::test]
async fn a_form_without_a_good_signature_puts_nothing() {
    let bed = Bed::with_bucket().await;
    let policy = policy(&[]);
    let try_with = |fields: Vec<(String, String)>, more: &[(&str, &str)]| {
        let signed = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = [("key", "user/k")].into_iter().chain(signed).chain(more.iter().copied()).collect();
        let request = form(&all, "f", "hello").anonymous();
        let bed = &bed;
        async move { bed.raw(request).await }
    };
    try_with(vec![], &[]).await.is_error(403, "AccessDenied");
    try_with(vec![], &[("policy", &policy)]).await.is_error(400, "InvalidArgument");
    let good = signed_v2(&bed.alice, &policy);
    let mut bad = good.clone();
    bad[2].1 = base64(&[0; 20]);
    try_with(bad, &[]).await.is_error(403, "SignatureDoesNotMatch");
    let mut unknown = good.clone();
    unknown[0].1 = "NOBODYSKEY".to_owned();
    try_with(unknown, &[]).await.is_error(403, "InvalidAccessKeyId");
    try_with(good.clone(), &[("x-amz-security-token", "t")]).await.is_error(400, "InvalidToken");
    // Another's key signs well, but may not.
    try_with(signed_v2(&bed.bob, &policy), &[]).await.is_error(403, "AccessDenied");
    let gone = base64(json!({"expiration": expiry(-1), "conditions": []}).to_string().as_bytes());
    let expired = try_with(signed_v2(&bed.alice, &gone), &[]).await;
    assert_eq!(
        expired.is_error(403, "AccessDenied").element("Message").as_deref(),
        Some("Invalid according to Policy: Policy expired.")
    );
    bed.get("/bucket/user/k").await.is_error(404, "NoSuchKey");
    try_with(good.clone(), &[]).await.is(204);
    bed.iam.set_key_disabled(&AccessKeyId::parse(&bed.alice.id).unwrap(), true, "test").await.unwrap();
    try_with(good, &[]).await.is_error(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn an_anonymous_form_needs_a_bucket_that_lets_anyone_write() {
    let bed = Bed::with_bucket().await;
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read-write")).await.is(200);
    let tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let fields = [
        ("key", "k"),
        ("acl", "public-read"),
        ("tagging", tagging),
        ("Content-Type", "text/html"),
        ("Cache-Control", "no-cache"),
        ("x-amz-meta-Colour", "blue"),
        ("x-amz-website-redirect-location", "/elsewhere"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("success_action_status", "200"),
    ];
    bed.raw(form(&fields, "f", "hello").anonymous()).await.is(200);
    let put = bed.by_anyone(Draft::new(Method::GET, "/bucket/k")).await;
    assert_eq!(put.is(200).text(), "hello");
    for (name, value) in [
        ("content-type", "text/html"),
        ("cache-control", "no-cache"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-website-redirect-location", "/elsewhere"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging-count", "1"),
    ] {
        assert_eq!(put.header(name), Some(value), "{name}");
    }
    for (name, value, code) in [
        ("tagging", "<Tagging>", "MalformedXML"),
        ("acl", "anyone", "InvalidArgument"),
        ("x-amz-storage-class", "ATTIC", "InvalidStorageClass"),
        ("x-amz-copy-source", "/bucket/k", "InvalidArgument"),
        ("x-amz-object-lock-retain-until-date", "soon", "InvalidArgument"),
        ("key", "again", "InvalidArgument"),
        ("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==", "BadDigest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
    ] {
        let answer = bed.raw(form(&[("key", "other"), (name, value)], "f", "hello").anonymous()).await;
        answer.is_error(400, code);
    }
    bed.get("/bucket/other").await.is_error(404, "NoSuchKey");
    bed.raw(form(&[("key", "big")], "f", &"0123456789".repeat(100_000)).anonymous()).await.is(204);
    assert_eq!(bed.get("/bucket/big").await.is(200).body.len(), 1_000_000);
}

#[tokio::test]
async fn a_browser_is_sent_on_and_told_what_was_made() {
    let bed = Bed::with_bucket().await;
    let any = |name: &str| [json!(["starts-with", format!("${name}"), ""])];
    let etag = "%225d41402abc4b2a76b9719d911017c592%22";
    let made = format!("bucket=bucket&key=user%2Ff.txt&etag={etag}");
    for (field, address, location) in [
        ("success_action_redirect", "https://app.example/done", format!("https://app.example/done?{made}")),
        ("redirect", "http://app.example/done?a=1#there", format!("http://app.example/done?a=1&{made}#there")),
    ] {
        let answer = send(&bed, &any(field), &[(field, address)], "hello").await;
        assert_eq!(answer.is(303).header("location"), Some(location.as_str()));
    }
    // What is no address of the web is as if it were not there.
    for address in ["done", "javascript:alert(1)", "https://"] {
        send(&bed, &any("redirect"), &[("redirect", address)], "hello").await.is(204);
    }
    send(&bed, &any("success_action_status"), &[("success_action_status", "404")], "hello").await.is(204);
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let bed = Bed::with_bucket().await;
    let field = |name: &str| format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nvalue\r\n");
    for (body, code) in [
        ("no form".to_owned(), "MalformedPOSTRequest"),
        (field("key") + "--frontier--", "InvalidArgument"),
        (field("file") + "--frontier--", "InvalidArgument"),
        ("--frontier\r\n\r\nvalue\r\n--frontier--".to_owned(), "MalformedPOSTRequest"),
        (field(&"n".repeat(30_000)), "MaxPostPreDataLengthExceededError"),
        (field("x-ignore-1").repeat(102), "MaxPostPreDataLengthExceededError"),
    ] {
        bed.raw(draft(body).anonymous()).await.is_error(400, code);
    }
    let no_boundary = Draft::new(Method::POST, "/bucket").header("content-type", "multipart/form-data").body("x");
    bed.raw(no_boundary.anonymous()).await.is_error(400, "MalformedPOSTRequest");
    let mut to_key = form(&[("key", "k")], "f", "x");
    to_key.address = "/bucket/k".to_owned();
    bed.raw(to_key.anonymous()).await.is_error(405, "MethodNotAllowed");
    // A file that does not end.
    bed.send(Draft::new(Method::PUT, "/bucket?acl").header("x-amz-acl", "public-read-write")).await.is(200);
    bed.raw(draft(field("key") + &field("file")).anonymous()).await.is_error(400, "MalformedPOSTRequest");
    bed.get("/bucket/value").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn policies_of_buckets_see_the_fields_of_a_form() {
    let bed = Bed::with_bucket().await;
    let allow = |condition: Value| {
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::bucket/*", "Condition": condition}})
    };
    let put = |fields: &'static [(&str, &str)]| {
        let all: Vec<_> = [("key", "k")].into_iter().chain(fields.iter().copied()).collect();
        let request = form(&all, "f", "hello").header("referer", "https://app.example/").anonymous();
        let bed = &bed;
        async move { bed.raw(request).await }
    };
    let encrypted = json!({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"},
        "StringLike": {"aws:Referer": "https://app.example/*"}});
    bed.put("/bucket?policy", allow(encrypted).to_string()).await.is(204);
    put(&[]).await.is_error(403, "AccessDenied");
    put(&[("x-amz-server-side-encryption", "AES128")]).await.is_error(403, "AccessDenied");
    let made = put(&[("x-amz-server-side-encryption", "AES256")]).await;
    assert_eq!(made.is(204).header("x-amz-server-side-encryption"), Some("AES256"));
    let v2 = json!({"StringEquals": {"s3:signatureversion": "AWS", "s3:authType": "POST"}});
    bed.put("/bucket?policy", allow(v2).to_string()).await.is(204);
    put(&[("x-amz-server-side-encryption", "AES256")]).await.is_error(403, "AccessDenied");
    let signed = signed_v2(&bed.bob, &policy(&[]));
    let signed = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = [("key", "user/k")].into_iter().chain(signed).collect();
    bed.raw(form(&all, "f", "hello").anonymous()).await.is(204);
}

#[tokio::test]
async fn a_locked_bucket_takes_the_lock_from_the_form() {
    let bed = Bed::new().await;
    let create = Draft::new(Method::PUT, "/bucket").header("x-amz-bucket-object-lock-enabled", "true");
    bed.send(create).await.is(200);
    let sha256 = base64(digest::digest(&digest::SHA256, b"hello").as_ref());
    let lock = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2140-01-01T00:00:00Z"),
        ("x-amz-object-lock-legal-hold", "ON"),
    ];
    let conditions = lock.map(|(name, value)| json!({name: value}));
    send(&bed, &conditions, &lock, "hello").await.is_error(400, "InvalidRequest");
    let checked: Vec<_> = lock.into_iter().chain([("x-amz-checksum-sha256", sha256.as_str())]).collect();
    let made = send(&bed, &conditions, &checked, "hello").await;
    assert_eq!(made.is(204).header("x-amz-checksum-sha256"), Some(sha256.as_str()));
    assert!(made.header("x-amz-version-id").is_some());
    let head = bed.send(Draft::new(Method::HEAD, "/bucket/user/f.txt")).await;
    assert_eq!(head.is(200).header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(head.header("x-amz-object-lock-legal-hold"), Some("ON"));
}

#[tokio::test]
async fn who_pays_for_a_form_is_told_so() {
    let bed = Bed::with_bucket().await;
    let open = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}});
    bed.put("/bucket?policy", open.to_string()).await.is(204);
    let document = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    bed.put("/bucket?requestPayment", document).await.is(200);
    let pays = [("x-amz-request-payer", "requester")];
    let post = |key: &Key, more: &[(&str, &str)]| {
        let signed = signed_v2(key, &policy(&[json!(["starts-with", "$x-amz-request-payer", ""])]));
        let signed = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = [("key", "user/k")].into_iter().chain(signed).chain(more.iter().copied()).collect();
        let request = form(&all, "f", "hello").anonymous();
        let bed = &bed;
        async move { bed.raw(request).await }
    };
    let refused = post(&bed.bob, &[("x-amz-request-payer", "nobody")]).await;
    assert_eq!(refused.is_error(403, "AccessDenied").header("x-amz-request-charged"), None);
    assert_eq!(post(&bed.bob, &pays).await.is(204).header("x-amz-request-charged"), Some("requester"));
    let owner = post(&bed.alice, &pays).await;
    assert_eq!(owner.is(204).header("x-amz-request-charged"), None, "the owner pays anyway");
}

#[tokio::test]
async fn the_name_of_the_file_stands_where_any_field_asks_for_it() {
    let bed = Bed::with_bucket().await;
    let conditions =
        [json!(["starts-with", "$x-amz-meta-name", ""]), json!(["starts-with", "$Content-Disposition", ""])];
    let fields = [("x-amz-meta-name", "<${filename}>"), ("Content-Disposition", "inline; filename=${filename}")];
    send(&bed, &conditions, &fields, "hello").await.is(204);
    let put = bed.get("/bucket/user/f.txt").await;
    assert_eq!(put.header("x-amz-meta-name"), Some("<f.txt>"));
    assert_eq!(put.header("content-disposition"), Some("inline; filename=f.txt"));
    // What it makes of the fields is bounded as they are.
    let many = "${filename}".repeat(1_500);
    let long = "n".repeat(1_000);
    let signed = signed_v2(&bed.alice, &policy(&conditions));
    let signed = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<_> = [("key", "user/k"), ("x-amz-meta-name", many.as_str())].into_iter().chain(signed).collect();
    let refused = bed.raw(form(&fields, &long, "hello").anonymous()).await;
    refused.is_error(400, "MaxPostPreDataLengthExceededError");
}

#[tokio::test]
async fn a_form_has_one_checksum_that_is_one() {
    let bed = Bed::with_bucket().await;
    for fields in [
        &[("x-amz-checksum-md4", "AAAAAA==")][..],
        &[("x-amz-checksum-crc32", "invalid")],
        &[("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-crc32c", "mnG7TA==")],
    ] {
        send(&bed, &[], fields, "hello").await.is_error(400, "InvalidRequest");
    }
    send(&bed, &[], &[("x-amz-checksum-crc32", "AAAAAA==")], "hello").await.is_error(400, "BadDigest");
    let made = send(&bed, &[], &[("x-amz-checksum-crc32", "NhCmhg==")], "hello").await;
    assert_eq!(made.is(204).header("x-amz-checksum-crc32"), Some("NhCmhg=="));
}
