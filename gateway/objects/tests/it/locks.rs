//! Object lock, with a clock that a test moves.

use crate::bed::{Bed, bucket, get, key, put};
use crate::copies::copy;
use crate::multipart::{complete, named_parts};
use cofre_catalog::records::Versioning;
use cofre_objects::{
    BucketConfig, ConfigKind, CopyObject, CreateBucket, CreateUpload, DeleteConditions, DeleteObject, Error,
    LockConfig, LockDefault, LockMode, LockPeriod, PutObject, PutPart, Retention, UploadRef, WantedLock,
};
use cofre_types::{Timestamp, VersionId};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A bed with the bucket `b`, whose lock is enabled.
async fn locked_bed() -> Bed {
    let bed = Bed::new("replicas:1").await;
    let request =
        CreateBucket { name: bucket("b"), region: String::new(), object_lock: true, acl: None, ownership: None };
    bed.objects.create_bucket(&bed.alice, request).await.unwrap();
    bed
}

fn now(bed: &Bed) -> Timestamp {
    Timestamp(bed.clock.clock().now_nanos())
}

fn keep(bed: &Bed, mode: LockMode, days: u32) -> Retention {
    Retention { mode, until: now(bed).after(days * DAY) }
}

fn lock(retention: Retention) -> WantedLock {
    WantedLock { retention: Some(retention), legal_hold: None }
}

async fn retain(bed: &Bed, version: VersionId, retention: Option<Retention>, bypass: bool) -> Result<(), Error> {
    bed.objects.put_object_retention(&bed.alice, &bucket("b"), &key("k"), Some(version), retention, bypass).await
}

async fn hold(bed: &Bed, version: VersionId, on: bool) -> Result<(), Error> {
    bed.objects.put_object_legal_hold(&bed.alice, &bucket("b"), &key("k"), Some(version), on).await
}

async fn bypass_delete(bed: &Bed, version: VersionId) -> Result<(), Error> {
    let request = DeleteObject {
        key: key("k"),
        version: Some(version),
        conditions: DeleteConditions::default(),
        bypass_governance: true,
    };
    bed.objects.delete_object(&bed.alice, &bucket("b"), request).await.map(drop)
}

async fn default_of(bed: &Bed, mode: LockMode, period: LockPeriod) -> Result<(), Error> {
    let lock = LockConfig { default: Some(LockDefault { mode, period }) };
    bed.objects.put_object_lock(&bed.alice, &bucket("b"), lock).await
}

#[tokio::test]
async fn compliance_keeps_a_version_until_its_time_whoever_asks() {
    let bed = locked_bed().await;
    let kept = keep(&bed, LockMode::Compliance, 10);
    let version = bed.try_put(PutObject { lock: lock(kept), ..put("k", b"v") }).await.unwrap().version.unwrap();
    assert!(matches!(bypass_delete(&bed, version).await, Err(Error::Locked)));
    for weaker in [None, Some(keep(&bed, LockMode::Compliance, 9)), Some(keep(&bed, LockMode::Governance, 20))] {
        assert!(matches!(retain(&bed, version, weaker, true).await, Err(Error::Locked)));
    }
    retain(&bed, version, Some(keep(&bed, LockMode::Compliance, 11)), false).await.unwrap();
    // A marker hides it and removes nothing.
    assert!(bed.delete("k", None).await.unwrap().delete_marker);
    assert_eq!(bed.get_version("k", version).await.unwrap(), b"v");
    bed.clock.advance(10 * DAY);
    assert!(matches!(bed.delete("k", Some(version)).await, Err(Error::Locked)));
    bed.clock.advance(DAY);
    bed.delete("k", Some(version)).await.unwrap();
    assert!(matches!(bed.get_version("k", version).await, Err(Error::NoSuchVersion)));
}

#[tokio::test]
async fn governance_is_bypassed_and_a_legal_hold_is_not() {
    let bed = locked_bed().await;
    let kept = keep(&bed, LockMode::Governance, 10);
    let version = bed.try_put(PutObject { lock: lock(kept), ..put("k", b"v") }).await.unwrap().version.unwrap();
    assert!(matches!(bed.delete("k", Some(version)).await, Err(Error::Locked)));
    hold(&bed, version, true).await.unwrap();
    assert!(matches!(bypass_delete(&bed, version).await, Err(Error::Locked)));
    bed.clock.advance(20 * DAY);
    assert!(matches!(bed.delete("k", Some(version)).await, Err(Error::Locked)), "a hold has no end");
    hold(&bed, version, false).await.unwrap();
    retain(&bed, version, Some(keep(&bed, LockMode::Governance, 1)), false).await.unwrap();
    bypass_delete(&bed, version).await.unwrap();
}

#[tokio::test]
async fn the_default_is_the_one_at_the_commit() {
    let bed = locked_bed().await;
    let plain = bed.put("k", b"before").await.version.unwrap();
    bed.delete("k", Some(plain)).await.unwrap();
    let (objects, alice) = (bed.objects.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        let default = LockDefault { mode: LockMode::Compliance, period: LockPeriod::Days(1) };
        objects.put_object_lock(&alice, &bucket("b"), LockConfig { default: Some(default) }).await.unwrap();
    });
    let version = bed.put("k", b"v").await.version.unwrap();
    assert!(matches!(bed.delete("k", Some(version)).await, Err(Error::Locked)));
    let info = bed.objects.head_object(&bed.alice, get("k")).await.unwrap().info;
    assert_eq!(info.retention, Some(keep(&bed, LockMode::Compliance, 1)));
    // What a writer asks for counts more than the default.
    let kept = keep(&bed, LockMode::Governance, 3);
    bed.try_put(PutObject { lock: lock(kept), ..put("k", b"v") }).await.unwrap();
    let found = bed.objects.object_retention(&bed.alice, &bucket("b"), &key("k"), None).await.unwrap();
    assert_eq!(found, kept);
    default_of(&bed, LockMode::Governance, LockPeriod::Years(1)).await.unwrap();
    bed.objects.copy_object(&bed.alice, copy("k", "copy")).await.unwrap();
    let copied = bed.objects.object_retention(&bed.alice, &bucket("b"), &key("copy"), None).await.unwrap();
    assert_eq!(copied, keep(&bed, LockMode::Governance, 365), "the source's is not copied");
    let held = WantedLock { retention: Some(kept), legal_hold: Some(true) };
    bed.objects.copy_object(&bed.alice, CopyObject { lock: held, ..copy("k", "held") }).await.unwrap();
    assert!(bed.objects.object_legal_hold(&bed.alice, &bucket("b"), &key("held"), None).await.unwrap());
}

#[tokio::test]
async fn a_completed_upload_has_the_lock_that_it_was_begun_with() {
    let bed = locked_bed().await;
    let request = CreateUpload {
        bucket: bucket("b"),
        key: key("k"),
        headers: Default::default(),
        tags: Default::default(),
        storage_class: String::new(),
        lock: WantedLock { retention: Some(keep(&bed, LockMode::Compliance, 2)), legal_hold: Some(true) },
        checksum: None,
        checksum_kind: None,
        acl: None,
        encryption: Default::default(),
    };
    let upload = bed.objects.create_upload(&bed.alice, request).await.unwrap().id;
    let at = UploadRef { bucket: bucket("b"), key: key("k"), upload };
    let part =
        PutPart { upload: at.clone(), number: 1, content: crate::bed::upload(b"part"), encryption: Default::default() };
    bed.objects.put_part(&bed.alice, part).await.unwrap();
    let parts = named_parts(&bed, &at).await;
    let made = bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await.unwrap();
    let version = made.version.unwrap();
    assert!(matches!(bypass_delete(&bed, version).await, Err(Error::Locked)));
    hold(&bed, version, false).await.unwrap();
    assert!(matches!(bypass_delete(&bed, version).await, Err(Error::Locked)));
}

#[tokio::test]
async fn a_lock_that_another_process_sets_meanwhile_stops_the_deletion() {
    let bed = locked_bed().await;
    let twin = bed.twin.clone();
    for older in [false, true] {
        let version = bed.put("k", b"v").await.version.unwrap();
        if older {
            bed.put("k", b"newer").await;
        }
        let kept = keep(&bed, LockMode::Compliance, 10);
        let (twin, alice) = (twin.clone(), bed.alice.clone());
        bed.rival.before_next_commit(move || async move {
            let (bucket, key) = (bucket("b"), key("k"));
            twin.put_object_retention(&alice, &bucket, &key, Some(version), Some(kept), false).await.unwrap();
        });
        assert!(matches!(bed.delete("k", Some(version)).await, Err(Error::Locked)), "older: {older}");
        assert_eq!(bed.get_version("k", version).await.unwrap(), b"v");
    }
}

#[tokio::test]
async fn a_deletion_that_comes_before_a_lock_leaves_nothing_to_lock() {
    let bed = locked_bed().await;
    let twin = bed.twin.clone();
    let version = bed.put("k", b"v").await.version.unwrap();
    let alice = bed.alice.clone();
    bed.rival.before_next_commit(move || async move {
        let request = DeleteObject {
            key: key("k"),
            version: Some(version),
            conditions: DeleteConditions::default(),
            bypass_governance: false,
        };
        twin.delete_object(&alice, &bucket("b"), request).await.unwrap();
    });
    let kept = Some(keep(&bed, LockMode::Compliance, 10));
    assert!(matches!(retain(&bed, version, kept, false).await, Err(Error::NoSuchVersion)));
}

#[tokio::test]
async fn a_locked_bucket_stays_versioned_and_locked() {
    let bed = locked_bed().await;
    let version = bed.put("k", b"v").await.version.unwrap();
    hold(&bed, version, true).await.unwrap();
    let suspended = bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Suspended).await;
    assert!(matches!(suspended, Err(Error::InvalidBucketState(_))));
    let unlocked = bed.objects.delete_bucket_config(&bed.alice, &bucket("b"), ConfigKind::ObjectLock).await;
    assert!(matches!(unlocked, Err(Error::InvalidRequest(_))));
    let replaced = BucketConfig::ObjectLock(LockConfig::default());
    assert!(bed.objects.put_bucket_config(&bed.alice, &bucket("b"), replaced).await.is_err());
    assert!(matches!(bed.objects.delete_bucket(&bed.alice, &bucket("b")).await, Err(Error::BucketNotEmpty)));
    for (period, fine) in [
        (LockPeriod::Days(0), false),
        (LockPeriod::Days(36_500), true),
        (LockPeriod::Days(36_501), false),
        (LockPeriod::Years(100), true),
        (LockPeriod::Years(101), false),
    ] {
        let set = default_of(&bed, LockMode::Governance, period).await;
        assert!(if fine { set.is_ok() } else { matches!(set, Err(Error::InvalidRetentionPeriod(_))) }, "{period:?}");
    }
}

#[tokio::test]
async fn a_bucket_without_a_lock_takes_none() {
    let bed = Bed::with_bucket().await;
    let version = bed.put("k", b"v").await.version.unwrap_or(VersionId::Null);
    let kept = keep(&bed, LockMode::Governance, 1);
    let refused = bed.try_put(PutObject { lock: lock(kept), ..put("k", b"v") }).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
    assert!(matches!(retain(&bed, version, Some(kept), false).await, Err(Error::InvalidRequest(_))));
    assert!(matches!(hold(&bed, version, true).await, Err(Error::InvalidRequest(_))));
    let early = bed.objects.put_object_lock(&bed.alice, &bucket("b"), LockConfig::default()).await;
    assert!(matches!(early, Err(Error::InvalidBucketState(_))), "it is not versioned");
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    bed.objects.put_object_lock(&bed.alice, &bucket("b"), LockConfig::default()).await.unwrap();
    hold(&bed, VersionId::Null, true).await.unwrap();
    bed.put("k", b"newer").await;
    assert!(matches!(bed.delete("k", Some(VersionId::Null)).await, Err(Error::Locked)));
}

#[tokio::test]
async fn what_is_deleted_together_is_each_held_for_itself() {
    let bed = locked_bed().await;
    let locked = bed.put("k", b"v").await.version.unwrap();
    hold(&bed, locked, true).await.unwrap();
    let free = bed.put("k", b"w").await.version.unwrap();
    let request = |version| DeleteObject {
        key: key("k"),
        version: Some(version),
        conditions: DeleteConditions::default(),
        bypass_governance: true,
    };
    let both = vec![request(locked), request(free)];
    let outcomes = bed.objects.delete_objects(&bed.alice, &bucket("b"), both).await.unwrap();
    assert!(matches!(outcomes.as_slice(), [Err(Error::Locked), Ok(_)]));
}

#[tokio::test]
async fn conditions_of_a_policy_look_at_the_lock_that_a_body_asks_for() {
    let bed = locked_bed().await;
    let version = bed.put("k", b"v").await.version.unwrap();
    let deny = |action: &str, condition: &str| {
        let resource = format!("arn:aws:s3:::{}/*", bucket("b"));
        BucketConfig::Policy(format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Deny", "Principal": "*", "Action": "s3:{action}",
                "Resource": "{resource}", "Condition": {condition}}}}}"#
        ))
    };
    let days = r#"{"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "10"}}"#;
    let mode = r#"{"StringEquals": {"s3:object-lock-mode": "COMPLIANCE"}}"#;
    let date = r#"{"DateGreaterThan": {"s3:object-lock-retain-until-date": "2023-11-25T00:00:00Z"}}"#;
    for (condition, refused, allowed) in [
        (days, keep(&bed, LockMode::Governance, 20), keep(&bed, LockMode::Governance, 5)),
        (mode, keep(&bed, LockMode::Compliance, 5), keep(&bed, LockMode::Governance, 5)),
        (date, keep(&bed, LockMode::Governance, 20), keep(&bed, LockMode::Governance, 5)),
    ] {
        bed.objects.put_bucket_config(&bed.alice, &bucket("b"), deny("PutObjectRetention", condition)).await.unwrap();
        let denied = retain(&bed, version, Some(refused), true).await;
        assert!(matches!(denied, Err(Error::AccessDenied)), "{condition}: {denied:?}");
        retain(&bed, version, Some(allowed), true).await.unwrap();
    }
    let off = r#"{"StringEquals": {"s3:object-lock-legal-hold": "OFF"}}"#;
    bed.objects.put_bucket_config(&bed.alice, &bucket("b"), deny("PutObjectLegalHold", off)).await.unwrap();
    hold(&bed, version, true).await.unwrap();
    assert!(matches!(hold(&bed, version, false).await, Err(Error::AccessDenied)));
}
