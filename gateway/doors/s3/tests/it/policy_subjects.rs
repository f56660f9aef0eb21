//! Conditions of policies on what a request asks for that is not of its own headers: tags of copies, locks.

use crate::bed::Bed;
use crate::policies::set;
use crate::sign::Draft;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_copy_is_held_to_the_tags_that_it_gets() {
    let bed = Bed::with_bucket().await;
    let tagged =
        |key: &str, tags: &str| Draft::new(Method::PUT, &format!("/bucket/{key}")).header("x-amz-tagging", tags);
    bed.send(tagged("secret", "class=secret").body("x")).await.is(200);
    bed.send(tagged("open", "class=open").body("x")).await.is(200);
    let everything = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]});
    let secret = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/*",
        "Condition": {"StringEquals": {"s3:RequestObjectTag/class": "secret"}}});
    set(&bed, json!([everything, secret])).await;
    let copy =
        |from: &str| Draft::new(Method::PUT, "/bucket/copy").header("x-amz-copy-source", &format!("/bucket/{from}"));
    for (draft, status) in [
        // As they stand, and as the request says.
        (copy("open"), 200),
        (copy("secret"), 403),
        (copy("secret").header("x-amz-tagging-directive", "REPLACE").header("x-amz-tagging", "class=open"), 200),
        (copy("open").header("x-amz-tagging-directive", "REPLACE").header("x-amz-tagging", "class=secret"), 403),
        (tagged("new", "class=secret").body("x"), 403),
    ] {
        bed.by_bob(draft).await.is(status);
    }
}

#[tokio::test]
async fn the_right_to_bypass_governance_sees_what_is_asked_for() {
    let bed = Bed::new().await;
    bed.send(Draft::new(Method::PUT, "/bucket").header("x-amz-bucket-object-lock-enabled", "true")).await.is(200);
    let days = |days: i64| {
        let at = time::OffsetDateTime::from_unix_timestamp(crate::sign::now_secs() + days * 86_400 + 3_600).unwrap();
        format!("{:04}-{:02}-{:02}T{:02}:00:00Z", at.year(), u8::from(at.month()), at.day(), at.hour())
    };
    let put = Draft::new(Method::PUT, "/bucket/k")
        .header("x-amz-object-lock-mode", "GOVERNANCE")
        .header("x-amz-object-lock-retain-until-date", &days(30))
        .header("content-md5", "kAFQmDzST7DWlj99KOF/cg==")
        .body("abc");
    bed.send(put).await.is(200);
    let retain = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:PutObjectRetention",
        "Resource": "arn:aws:s3:::bucket/*"});
    let bypass = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:BypassGovernanceRetention",
        "Resource": "arn:aws:s3:::bucket/*",
        "Condition": {"NumericGreaterThanEquals": {"s3:object-lock-remaining-retention-days": "5"}}});
    set(&bed, json!([retain, bypass])).await;
    let shorten = |to: i64| {
        let body =
            format!("<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{}</RetainUntilDate></Retention>", days(to));
        Draft::new(Method::PUT, "/bucket/k?retention").header("x-amz-bypass-governance-retention", "true").body(body)
    };
    bed.by_bob(shorten(2)).await.is_error(403, "AccessDenied");
    bed.by_bob(shorten(10)).await.is(200);
    bed.by_bob(shorten(4)).await.is_error(403, "AccessDenied");
}
