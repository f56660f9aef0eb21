//! Lifecycle rules as clients set and see them.

use crate::bed::Bed;
use crate::sign::Draft;
use http::Method;

fn document(rule: &str) -> String {
    format!("<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>")
}

#[tokio::test]
async fn rules_are_told_as_they_were_set() {
    let bed = Bed::with_bucket().await;
    for rule in [
        "<Expiration><Days>1</Days></Expiration><ID>a</ID><Prefix>logs/</Prefix><Status>Enabled</Status>",
        "<Expiration><Days>1</Days></Expiration><Filter></Filter><ID>a</ID><Status>Disabled</Status>",
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload>\
         <Filter><Prefix>p</Prefix></Filter><ID>a</ID><Status>Enabled</Status>",
        "<Expiration><Days>9</Days></Expiration><Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><Prefix>p\
         </Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><ID>a</ID><NoncurrentVersionExpiration>\
         <NewerNoncurrentVersions>2</NewerNoncurrentVersions><NoncurrentDays>3</NoncurrentDays>\
         </NoncurrentVersionExpiration><Status>Enabled</Status><Transition><Days>1</Days>\
         <StorageClass>STANDARD_IA</StorageClass></Transition>",
    ] {
        bed.put("/bucket?lifecycle", document(rule)).await.is(200);
        let told = bed.get("/bucket?lifecycle").await;
        assert!(told.is(200).text().contains(rule), "{}", told.text());
    }
    bed.delete("/bucket?lifecycle").await.is(204);
    bed.get("/bucket?lifecycle").await.is_error(404, "NoSuchLifecycleConfiguration");
}

#[tokio::test]
async fn what_moves_by_size_is_told_as_it_was_set() {
    const HEADER: &str = "x-amz-transition-default-minimum-object-size";
    let bed = Bed::with_bucket().await;
    let rule = document("<Expiration><Days>1</Days></Expiration><Prefix></Prefix><Status>Enabled</Status>");
    let put = |minimum: Option<&str>| {
        let draft = Draft::new(Method::PUT, "/bucket?lifecycle").body(rule.clone());
        minimum.into_iter().fold(draft, |draft, minimum| draft.header(HEADER, minimum))
    };
    for (given, told) in [
        (Some("all_storage_classes_128K"), "all_storage_classes_128K"),
        (Some("varies_by_storage_class"), "varies_by_storage_class"),
        (None, "varies_by_storage_class"),
    ] {
        assert_eq!(bed.send(put(given)).await.is(200).header(HEADER), Some(told));
        assert_eq!(bed.get("/bucket?lifecycle").await.is(200).header(HEADER), Some(told));
    }
    bed.send(put(Some("none"))).await.is_error(400, "InvalidArgument");
}

#[tokio::test]
async fn broken_rules_are_refused_by_the_field() {
    let bed = Bed::with_bucket().await;
    let enabled = "<Prefix></Prefix><Status>Enabled</Status>";
    for (rule, code, field) in [
        (format!("<Expiration><Days>0</Days></Expiration>{enabled}"), "InvalidArgument", "Days"),
        (format!("<Expiration><Days>-1</Days></Expiration>{enabled}"), "InvalidArgument", "Days"),
        (format!("<Expiration><Date>2030-01-01T01:00:00Z</Date></Expiration>{enabled}"), "InvalidArgument", "Date"),
        (enabled.to_owned(), "InvalidRequest", "action"),
        (
            format!("<ID>{}</ID><Expiration><Days>1</Days></Expiration>{enabled}", "a".repeat(256)),
            "InvalidArgument",
            "ID",
        ),
        ("<Expiration><Days>1</Days></Expiration><Status>Enabled</Status>".to_owned(), "MalformedXML", "Filter"),
        ("<Expiration><Days>1</Days></Expiration><Prefix/><Status>on</Status>".to_owned(), "MalformedXML", "Status"),
        (
            "<Expiration><Days>1</Days></Expiration><Filter><Prefix>p</Prefix><And><Prefix>q</Prefix><Tag><Key>k</Key>\
             <Value>v</Value></Tag></And></Filter><Status>Enabled</Status>"
                .to_owned(),
            "MalformedXML",
            "Filter",
        ),
        (
            format!("<Transition><Days>1</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>{enabled}"),
            "MalformedXML",
            "StorageClass",
        ),
    ] {
        let refused = bed.put("/bucket?lifecycle", document(&rule)).await;
        refused.is_error(400, code);
        assert!(refused.element("Message").unwrap().contains(field), "{}", refused.text());
    }
    bed.put("/bucket?lifecycle", "<LifecycleConfiguration></LifecycleConfiguration>").await.is(400);
}

#[tokio::test]
async fn answers_tell_when_an_object_ends() {
    let bed = Bed::with_bucket().await;
    let rules = "<Expiration><Days>1</Days></Expiration><ID>my rule</ID><Prefix>days/</Prefix><Status>Enabled</Status>\
                 <AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    bed.put("/bucket?lifecycle", document(rules)).await.is(200);
    let put = bed.put("/bucket/days/a", "x").await;
    let told = put.is(200).header("x-amz-expiration").unwrap().to_owned();
    assert!(told.starts_with("expiry-date=\"") && told.ends_with(" 00:00:00 GMT\", rule-id=\"my%20rule\""), "{told}");
    for method in [Method::GET, Method::HEAD] {
        let answer = bed.send(Draft::new(method, "/bucket/days/a")).await;
        assert_eq!(answer.is(200).header("x-amz-expiration"), Some(told.as_str()));
    }
    let copy = Draft::new(Method::PUT, "/bucket/days/b").header("x-amz-copy-source", "/bucket/days/a");
    assert!(bed.send(copy).await.is(200).header("x-amz-expiration").is_some());
    assert_eq!(bed.put("/bucket/other", "x").await.is(200).header("x-amz-expiration"), None);
    let begun = bed.post("/bucket/days/c?uploads", "").await;
    assert_eq!(begun.is(200).header("x-amz-abort-rule-id"), Some("my%20rule"));
    assert!(begun.header("x-amz-abort-date").unwrap().ends_with(" 00:00:00 GMT"));
}

#[tokio::test]
async fn a_suspended_bucket_tells_no_version_of_what_it_makes() {
    let bed = Bed::with_bucket().await;
    let state = |state: &str| format!("<VersioningConfiguration><Status>{state}</Status></VersioningConfiguration>");
    bed.put("/bucket?versioning", state("Suspended")).await.is(200);
    assert_eq!(bed.put("/bucket/k", "x").await.is(200).header("x-amz-version-id"), None);
    assert_eq!(bed.get("/bucket/k").await.is(200).header("x-amz-version-id"), Some("null"));
    bed.put("/bucket?versioning", state("Enabled")).await.is(200);
    assert!(bed.put("/bucket/k", "x").await.is(200).header("x-amz-version-id").is_some());
}
