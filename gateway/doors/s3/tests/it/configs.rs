//! Small sub-resources, and those that no bucket has: S3's answers for a bucket that never set them.

use crate::bed::Bed;
use crate::sign::Draft;
use http::Method;

#[tokio::test]
async fn unset_sub_resources_answer_as_on_s3() {
    let bed = Bed::with_bucket().await;
    for (name, code) in [
        ("policy", "NoSuchBucketPolicy"),
        ("cors", "NoSuchCORSConfiguration"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("ownershipControls", "OwnershipControlsNotFoundError"),
        ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("tagging", "NoSuchTagSet"),
        ("analytics&id=1", "NoSuchConfiguration"),
        ("inventory&id=1", "NoSuchConfiguration"),
        ("metrics&id=1", "NoSuchConfiguration"),
        ("intelligent-tiering&id=1", "NoSuchConfiguration"),
    ] {
        bed.get(&format!("/bucket?{name}")).await.is_error(404, code);
        bed.get(&format!("/none?{name}")).await.is_error(404, "NoSuchBucket");
        let bobs = Draft::new(Method::GET, &format!("/bucket?{name}")).signed(&bed.bob);
        bed.raw(bobs).await.is_error(403, "AccessDenied");
    }
    for (name, root) in [
        ("accelerate", "AccelerateConfiguration"),
        ("logging", "BucketLoggingStatus"),
        ("notification", "NotificationConfiguration"),
        ("versioning", "VersioningConfiguration"),
        ("analytics", "ListBucketAnalyticsConfigurationResult"),
        ("inventory", "ListInventoryConfigurationsResult"),
        ("metrics", "ListMetricsConfigurationsResult"),
        ("intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput"),
    ] {
        let answer = bed.get(&format!("/bucket?{name}")).await;
        assert!(answer.is(200).text().contains(&format!("<{root}")), "{name}: {}", answer.text());
        bed.get(&format!("/none?{name}")).await.is_error(404, "NoSuchBucket");
    }
    assert_eq!(bed.get("/bucket?requestPayment").await.is(200).element("Payer").as_deref(), Some("BucketOwner"));
}

#[tokio::test]
async fn what_is_not_there_is_deleted_and_cannot_be_set() {
    let bed = Bed::with_bucket().await;
    for name in [
        "policy",
        "cors",
        "lifecycle",
        "website",
        "encryption",
        "replication",
        "ownershipControls",
        "publicAccessBlock",
    ] {
        bed.delete(&format!("/bucket?{name}")).await.is(204);
        bed.delete(&format!("/none?{name}")).await.is_error(404, "NoSuchBucket");
    }
    bed.put("/bucket?notification", "<NotificationConfiguration/>").await.is(200);
    bed.put("/none?notification", "<NotificationConfiguration/>").await.is_error(404, "NoSuchBucket");
    let queue = "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue>\
                 <Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>";
    bed.put("/bucket?notification", queue).await.is_error(501, "NotImplemented");
    let metrics = "<MetricsConfiguration><Id>1</Id></MetricsConfiguration>";
    let refused = bed.put("/bucket?metrics&id=1", metrics).await;
    refused.is_error(501, "NotImplemented");
    assert!(refused.element("Message").unwrap().contains("metrics"));
}

#[tokio::test]
async fn acceleration_is_kept_and_told() {
    let bed = Bed::with_bucket().await;
    let document =
        |status: &str| format!("<AccelerateConfiguration><Status>{status}</Status></AccelerateConfiguration>");
    assert_eq!(bed.get("/bucket?accelerate").await.is(200).element("Status"), None);
    for status in ["Enabled", "Suspended"] {
        bed.put("/bucket?accelerate", document(status)).await.is(200);
        assert_eq!(bed.get("/bucket?accelerate").await.is(200).element("Status").as_deref(), Some(status));
    }
    bed.put("/bucket?accelerate", document("Fast")).await.is_error(400, "MalformedXML");
    bed.put("/bucket?accelerate", "<AccelerateConfiguration/>").await.is_error(400, "MalformedXML");
    let bobs = Draft::new(Method::PUT, "/bucket?accelerate").body(document("Enabled"));
    bed.by_bob(bobs).await.is_error(403, "AccessDenied");
    bed.put("/with.dot", "").await.is(200);
    bed.put("/with.dot?accelerate", document("Enabled")).await.is_error(400, "InvalidRequest");
}
