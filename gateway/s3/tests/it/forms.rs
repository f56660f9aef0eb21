//! Browsers' forms.

use crate::bed::Bed;
use crate::sign::{Draft, Key, amz_date};
use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::Method;

fn form(fields: &[(&str, &str)], file: &str) -> Draft {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n";
    body += &format!("Content-Type: text/plain\r\n\r\n{file}\r\n--frontier--\r\n");
    Draft::new(Method::POST, "/bucket").header("content-type", "multipart/form-data; boundary=frontier").body(body)
}

fn policy(key: &Key, acl: &str) -> (String, String) {
    let date = amz_date(3600);
    let expires =
        format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..8], &date[9..11], &date[11..13], &date[13..15]);
    let policy = format!(
        r#"{{"expiration":"{expires}","conditions":[{{"bucket":"bucket"}},["starts-with","$key",""],{{"acl":"{acl}"}},["eq","$success_action_status","201"],["content-length-range",0,1000]]}}"#
    );
    let policy = BASE64_STANDARD.encode(policy);
    let signing = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.secret.as_bytes());
    let signature = BASE64_STANDARD.encode(hmac::sign(&signing, policy.as_bytes()));
    (policy, signature)
}

#[tokio::test]
async fn a_signed_form_puts_an_object() {
    let bed = Bed::with_bucket().await;
    let (policy, signature) = policy(&bed.alice, "private");
    let key = [("AWSAccessKeyId", bed.alice.id.as_str()), ("policy", &policy), ("signature", &signature)];
    let send = |more: &[(&str, &str)], file: &str| {
        let fields: Vec<_> = [("key", "posted")].into_iter().chain(key).chain(more.iter().copied()).collect();
        bed.raw(form(&fields, file).anonymous())
    };
    let status = ("success_action_status", "201");
    send(&[status, ("acl", "private")], "hello").await.is(201);
    assert_eq!(bed.get("/bucket/posted").await.text(), "hello");
    send(&[status, ("acl", "private")], &"x".repeat(1001)).await.is_error(400, "EntityTooLarge");
    send(&[("success_action_status", "200"), ("acl", "private")], "x").await.is_error(400, "InvalidPolicyDocument");
    assert_eq!(bed.get("/bucket/posted").await.text(), "hello");
}

#[tokio::test]
async fn a_form_without_a_good_signature_puts_nothing() {
    let bed = Bed::with_bucket().await;
    bed.raw(form(&[("key", "posted")], "hello").anonymous()).await.is_error(403, "AccessDenied");
    let (policy, _) = policy(&bed.alice, "private");
    let fields = [("key", "posted"), ("AWSAccessKeyId", &bed.alice.id), ("policy", &policy), ("signature", "AAAA")];
    bed.raw(form(&fields, "hello").anonymous()).await.is_error(403, "SignatureDoesNotMatch");
    bed.get("/bucket/posted").await.is_error(404, "NoSuchKey");
}
