//! Object lock as clients see it.

use crate::bed::{Answer, Bed};
use crate::sign::Draft;
use http::Method;

const UNTIL: &str = "2140-01-01T00:00:00Z";

async fn locked_bed() -> Bed {
    let bed = Bed::new().await;
    let create = Draft::new(Method::PUT, "/bucket").header("x-amz-bucket-object-lock-enabled", "true");
    bed.send(create).await.is(200);
    bed
}

/// Puts an object with the headers of a lock; gives its version.
async fn put_locked(bed: &Bed, mode: &str) -> String {
    let put = Draft::new(Method::PUT, "/bucket/k")
        .header("x-amz-object-lock-mode", mode)
        .header("x-amz-object-lock-retain-until-date", UNTIL)
        .header("content-md5", "kAFQmDzST7DWlj99KOF/cg==")
        .body("abc");
    bed.send(put).await.is(200).header("x-amz-version-id").unwrap().to_owned()
}

async fn delete(bed: &Bed, version: &str, bypass: &str) -> Answer {
    let draft = Draft::new(Method::DELETE, &format!("/bucket/k?versionId={version}"));
    bed.send(draft.header("x-amz-bypass-governance-retention", bypass)).await
}

#[tokio::test]
async fn the_lock_of_a_bucket_is_set_and_told() {
    let bed = locked_bed().await;
    assert_eq!(bed.get("/bucket?versioning").await.is(200).element("Status").as_deref(), Some("Enabled"));
    let told = bed.get("/bucket?object-lock").await;
    assert_eq!(told.is(200).element("ObjectLockEnabled").as_deref(), Some("Enabled"));
    let with = |rule: &str| {
        format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>{rule}</DefaultRetention></Rule></ObjectLockConfiguration>"
        )
    };
    bed.put("/bucket?object-lock", with("<Mode>GOVERNANCE</Mode><Days>3</Days>")).await.is(200);
    let told = bed.get("/bucket?object-lock").await;
    assert_eq!((told.element("Mode").as_deref(), told.element("Days").as_deref()), (Some("GOVERNANCE"), Some("3")));
    for (rule, code) in [
        ("<Mode>GOVERNANCE</Mode><Days>0</Days>", "InvalidRetentionPeriod"),
        ("<Mode>GOVERNANCE</Mode><Years>-1</Years>", "InvalidRetentionPeriod"),
        ("<Mode>governance</Mode><Days>1</Days>", "MalformedXML"),
        ("<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>", "MalformedXML"),
        ("<Mode>GOVERNANCE</Mode>", "MalformedXML"),
    ] {
        bed.put("/bucket?object-lock", with(rule)).await.is_error(400, code);
    }
    let suspend = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    bed.put("/bucket?versioning", suspend).await.is_error(409, "InvalidBucketState");
}

#[tokio::test]
async fn a_locked_version_is_kept_and_says_so() {
    let bed = locked_bed().await;
    let version = put_locked(&bed, "GOVERNANCE").await;
    let head = bed.send(Draft::new(Method::HEAD, "/bucket/k")).await;
    assert_eq!(head.is(200).header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert!(head.header("x-amz-object-lock-retain-until-date").unwrap().starts_with("2140-01-01T00:00:00"));
    assert_eq!(head.header("x-amz-object-lock-legal-hold"), None);
    delete(&bed, &version, "false").await.is_error(403, "AccessDenied");
    // Nobody said yet whether there is a hold.
    bed.get("/bucket/k?legal-hold").await.is_error(404, "NoSuchObjectLockConfiguration");
    let hold = |status: &str| format!("<LegalHold><Status>{status}</Status></LegalHold>");
    bed.put("/bucket/k?legal-hold", hold("ON")).await.is(200);
    assert_eq!(bed.get("/bucket/k?legal-hold").await.is(200).element("Status").as_deref(), Some("ON"));
    assert_eq!(bed.get("/bucket/k").await.is(200).header("x-amz-object-lock-legal-hold"), Some("ON"));
    delete(&bed, &version, "true").await.is_error(403, "AccessDenied");
    bed.put("/bucket/k?legal-hold", hold("maybe")).await.is_error(400, "MalformedXML");
    bed.put("/bucket/k?legal-hold", hold("OFF")).await.is(200);
    assert_eq!(bed.get("/bucket/k?legal-hold").await.is(200).element("Status").as_deref(), Some("OFF"));
    assert_eq!(bed.get("/bucket/k").await.is(200).header("x-amz-object-lock-legal-hold"), Some("OFF"));
    let retention = |mode: &str| {
        format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>2141-01-01T00:00:00Z</RetainUntilDate></Retention>")
    };
    bed.put("/bucket/k?retention", retention("COMPLIANCE")).await.is_error(403, "AccessDenied");
    bed.put("/bucket/k?retention", retention("GOVERNANCE")).await.is(200);
    let told = bed.get("/bucket/k?retention").await;
    assert!(told.is(200).element("RetainUntilDate").unwrap().starts_with("2141-01-01T00:00:00"), "{}", told.text());
    bed.put("/bucket/k?retention", retention("governance")).await.is_error(400, "MalformedXML");
    delete(&bed, &version, "true").await.is(204);
}

#[tokio::test]
async fn a_retention_is_kept_as_it_was_asked_for_or_refused() {
    let bed = locked_bed().await;
    let put = |until: &str| {
        Draft::new(Method::PUT, "/bucket/k")
            .header("x-amz-object-lock-mode", "COMPLIANCE")
            .header("x-amz-object-lock-retain-until-date", until)
            .header("content-md5", "kAFQmDzST7DWlj99KOF/cg==")
            .body("abc")
    };
    let retention = |until: &str| {
        format!("<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
    };
    bed.put("/bucket/plain", "abc").await.is(200);
    for late in ["2554-07-22T00:00:00Z", "9999-12-31T23:59:59Z"] {
        for refused in [bed.send(put(late)).await, bed.put("/bucket/plain?retention", retention(late)).await] {
            let message = refused.is_error(400, "InvalidArgument").element("Message").unwrap();
            assert!(message.contains("must not be after 2554-07-21T23:34:33Z"), "{message}");
        }
    }
    bed.get("/bucket/k").await.is_error(404, "NoSuchKey");
    bed.get("/bucket/plain?retention").await.is_error(404, "NoSuchObjectLockConfiguration");
    let last = "2554-07-21T23:34:33Z";
    bed.send(put(last)).await.is(200);
    let told = bed.get("/bucket/k?retention").await;
    assert!(told.is(200).element("RetainUntilDate").unwrap().starts_with("2554-07-21T23:34:33"), "{}", told.text());
}

#[tokio::test]
async fn what_cannot_be_locked_is_refused() {
    let bed = Bed::with_bucket().await;
    let put = |name: &str, value: &str| Draft::new(Method::PUT, "/bucket/k").header(name, value).body("abc");
    bed.send(put("x-amz-object-lock-legal-hold", "ON").header("content-md5", "kAFQmDzST7DWlj99KOF/cg=="))
        .await
        .is_error(400, "InvalidRequest");
    bed.send(put("x-amz-object-lock-mode", "COMPLIANCE")).await.is_error(400, "InvalidArgument");
    bed.put("/bucket/k", "abc").await.is(200);
    bed.get("/bucket/k?retention").await.is_error(400, "InvalidRequest");
    bed.get("/bucket/k?legal-hold").await.is_error(400, "InvalidRequest");
    bed.get("/bucket?object-lock").await.is_error(404, "ObjectLockConfigurationNotFoundError");
    let bed = locked_bed().await;
    bed.send(put("x-amz-object-lock-legal-hold", "ON")).await.is_error(400, "InvalidRequest");
    bed.put("/bucket/k", "abc").await.is(200);
    bed.get("/bucket/k?retention").await.is_error(404, "NoSuchObjectLockConfiguration");
    // Making the bucket again is fine only if it has the lock that is asked for.
    let again = Draft::new(Method::PUT, "/bucket").header("x-amz-bucket-object-lock-enabled", "true");
    bed.send(again).await.is(200);
}
