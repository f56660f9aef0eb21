//! Buckets.

use crate::bed::Bed;
use crate::sign::Draft;
use cofre_s3::S3Options;
use http::Method;

#[tokio::test]
async fn a_bucket_lives_and_dies() {
    let bed = Bed::new().await;
    let made = bed.put("/photos", "").await;
    assert_eq!(made.is(200).header("location"), Some("/photos"));
    bed.put("/photos", "").await.is(200);
    bed.raw(Draft::new(Method::PUT, "/photos").signed(&bed.bob)).await.is_error(409, "BucketAlreadyExists");
    let head = bed.send(Draft::new(Method::HEAD, "/photos")).await;
    assert_eq!(head.is(200).header("x-amz-bucket-region"), Some("us-east-1"));
    bed.send(Draft::new(Method::HEAD, "/nothing")).await.is(404);
    bed.put("/photos/a", "x").await.is(200);
    bed.delete("/photos").await.is_error(409, "BucketNotEmpty");
    bed.delete("/photos/a").await.is(204);
    bed.delete("/photos").await.is(204);
    let gone = bed.get("/photos").await;
    gone.is_error(404, "NoSuchBucket");
    assert_eq!(gone.element("BucketName").as_deref(), Some("photos"));
}

#[tokio::test]
async fn a_namespace_is_taken_and_every_name_is_in_one() {
    let bed = Bed::new().await;
    for (name, namespace) in [("one-111122223333-us-east-1-an", "account-regional"), ("two", "global")] {
        let create =
            |key| Draft::new(Method::PUT, &format!("/{name}")).header("x-amz-bucket-namespace", namespace).signed(key);
        bed.raw(create(&bed.alice)).await.is(200);
        bed.raw(create(&bed.bob)).await.is_error(409, "BucketAlreadyExists");
    }
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let bed = Bed::new().await;
    for name in ["ab", "Photos", "a_b", "a..b", "192.168.1.1", "-ab", &"a".repeat(64)] {
        bed.put(&format!("/{name}"), "").await.is_error(400, "InvalidBucketName");
    }
}

#[tokio::test]
async fn a_region_is_kept_and_told() {
    let options = S3Options { other_regions: vec!["eu-west-1".to_owned()], ..S3Options::default() };
    let bed = Bed::with(options).await;
    let configuration =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    bed.put("/europe", configuration).await.is(200);
    let told = bed.get("/europe?location").await;
    assert!(told.is(200).text().ends_with(">eu-west-1</LocationConstraint>"), "{}", told.text());
    bed.put("/europe", configuration).await.is_error(409, "BucketAlreadyOwnedByYou");
    bed.put("/home", "").await.is(200);
    assert!(!bed.get("/home?location").await.is(200).text().contains("us-east-1"));
    let bad =
        "<CreateBucketConfiguration><LocationConstraint>no where</LocationConstraint></CreateBucketConfiguration>";
    bed.put("/nowhere", bad).await.is_error(400, "InvalidLocationConstraint");
}

#[tokio::test]
async fn buckets_are_listed_by_pages() {
    let bed = Bed::new().await;
    for name in ["aaa", "bbb", "ccc"] {
        bed.put(&format!("/{name}"), "").await.is(200);
    }
    bed.raw(Draft::new(Method::PUT, "/bobs").signed(&bed.bob)).await.is(200);
    let all = bed.get("/").await;
    assert_eq!(all.is(200).elements("Name"), ["aaa", "bbb", "ccc"]);
    assert_eq!((all.element("ID"), all.element("DisplayName")), (Some(bed.alice_id.clone()), Some("alice".to_owned())));
    let first = bed.get("/?max-buckets=2").await;
    assert_eq!(first.elements("Name"), ["aaa", "bbb"]);
    let token = first.element("ContinuationToken").unwrap();
    let second = bed.get(&format!("/?max-buckets=2&continuation-token={token}")).await;
    assert_eq!((second.elements("Name"), second.element("ContinuationToken")), (vec!["ccc".to_owned()], None));
    bed.get("/?continuation-token=forged").await.is_error(400, "InvalidArgument");
    assert_eq!(bed.get("/?prefix=b").await.elements("Name"), ["bbb"]);
}

#[tokio::test]
async fn versioning_is_enabled_and_suspended() {
    let bed = Bed::with_bucket().await;
    assert_eq!(bed.get("/bucket?versioning").await.is(200).element("Status"), None);
    let set = |status: &str| format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    bed.put("/bucket?versioning", set("Enabled")).await.is(200);
    assert_eq!(bed.get("/bucket?versioning").await.element("Status").as_deref(), Some("Enabled"));
    let first = bed.put("/bucket/key", "one").await;
    let first = first.header("x-amz-version-id").unwrap();
    bed.put("/bucket/key", "two").await.is(200);
    let deleted = bed.delete("/bucket/key").await;
    assert_eq!(deleted.is(204).header("x-amz-delete-marker"), Some("true"));
    let gone = bed.get("/bucket/key").await;
    gone.is_error(404, "NoSuchKey");
    assert_eq!(gone.header("x-amz-delete-marker"), Some("true"));
    assert_eq!(bed.get(&format!("/bucket/key?versionId={first}")).await.is(200).text(), "one");
    let marker = deleted.header("x-amz-version-id").unwrap();
    let on_marker = bed.get(&format!("/bucket/key?versionId={marker}")).await;
    on_marker.is_error(405, "MethodNotAllowed");
    assert_eq!(on_marker.header("allow"), Some("DELETE"));
    bed.get("/bucket/key?versionId=00000000000000000000000000000000").await.is_error(404, "NoSuchVersion");
    bed.get("/bucket/key?versionId=xyz").await.is_error(400, "InvalidArgument");
    let listed = bed.get("/bucket?versions").await;
    assert_eq!(listed.elements("VersionId").len(), 3);
    assert_eq!((listed.elements("Version").len(), listed.elements("DeleteMarker").len()), (2, 1));
    bed.put("/bucket?versioning", set("Suspended")).await.is(200);
    bed.put("/bucket?versioning", set("Off")).await.is_error(400, "MalformedXML");
}
