//! Who may use named keys, which encryption a bucket blocks, and keys that go under others.

use crate::bed::{ARN_NAME, Bed, bucket, get, key};
use crate::copies::copy;
use crate::encryption::{begin, customer, get_with, head, kms, put_as, put_part};
use crate::multipart::complete;
use cofre_iam::{Action, Caller};
use cofre_objects::{
    BucketConfig, BucketEncryption, ConfigKind, CopyObject, CopyPart, CreateBucket, DefaultEncryption, EncryptAs,
    EncryptionBlock, EncryptionError, EncryptionMethod, Error, LockMode, NewKey, ObjectInfo, PutObject, ReadConditions,
    Retention, WantedLock,
};
use cofre_types::{Timestamp, VersionId};
use serde_json::json;
use std::time::Duration;

/// Lets some accounts do some things with a key, and nobody else anything.
pub async fn only(bed: &Bed, name: &str, who: &[&Caller], actions: &[&str]) {
    let ids: Vec<_> = who.iter().map(|caller| caller.principal.account_id().unwrap().to_string()).collect();
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"CanonicalUser": ids}, "Action": actions,
        "Resource": "*"}});
    bed.objects.set_key_policy(&bed.operator(), name, policy.to_string()).await.unwrap();
}

fn denied<T>(outcome: Result<T, Error>) -> Option<Action> {
    match outcome {
        Err(Error::Encryption(EncryptionError::KeyAccess { action, .. })) => Some(action),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    }
}

async fn block(bed: &Bed, customer_keys: bool) {
    let wanted = BucketEncryption { default: None, block: Some(EncryptionBlock { customer_keys }) };
    bed.objects.put_bucket_encryption(&bed.alice, &bucket("b"), wanted).await.unwrap();
}

fn blocked<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Encryption(EncryptionError::Blocked)))
}

fn copy_part(at: &cofre_objects::UploadRef, source: &str) -> CopyPart {
    CopyPart {
        upload: at.clone(),
        number: 1,
        source_bucket: bucket("b"),
        source_key: key(source),
        source_version: None,
        range: None,
        source_conditions: ReadConditions::default(),
        source_customer_key: None,
        encryption: EncryptAs::AsBucket,
    }
}

#[tokio::test]
async fn a_key_is_used_by_whom_its_policy_lets() {
    let bed = Bed::with_bucket().await;
    bed.try_put(put_as("before", b"bytes", kms("one"))).await.unwrap();
    let at = begin(&bed, "parts", kms("one")).await;
    let part = put_part(&bed, &at, 1, b"part", EncryptAs::AsBucket).await.unwrap();
    bed.put("clear", b"bytes").await;
    only(&bed, "one", &[&bed.bob], &["kms:*"]).await;

    assert_eq!(denied(bed.try_put(put_as("k", b"bytes", kms("one"))).await), Some(Action::GenerateDataKey));
    assert_eq!(denied(bed.get_request(get("before")).await), Some(Action::Decrypt));
    assert_eq!(head(&bed, "before", None).await.size, 5, "a HEAD opens no key");
    let to = |encryption| CopyObject { encryption, ..copy("clear", "to") };
    let from = CopyObject { encryption: EncryptAs::S3, ..copy("before", "to") };
    assert_eq!(denied(bed.objects.copy_object(&bed.alice, to(kms("one"))).await), Some(Action::GenerateDataKey));
    assert_eq!(denied(bed.objects.copy_object(&bed.alice, from).await), Some(Action::Decrypt));
    // Nor where no byte moves.
    let same = CopyObject { encryption: kms("one"), ..copy("before", "to") };
    assert_eq!(denied(bed.objects.copy_object(&bed.alice, same).await), Some(Action::Decrypt));
    let create = cofre_objects::CreateUpload { encryption: kms("one"), ..crate::multipart::create("k") };
    assert_eq!(denied(bed.objects.create_upload(&bed.alice, create).await), Some(Action::GenerateDataKey));
    assert_eq!(denied(put_part(&bed, &at, 2, b"part", EncryptAs::AsBucket).await), Some(Action::Decrypt));
    assert_eq!(denied(bed.objects.copy_part(&bed.alice, copy_part(&at, "clear")).await), Some(Action::Decrypt));
    assert_eq!(denied(bed.objects.complete_upload(&bed.alice, complete(&at, &[part])).await), Some(Action::Decrypt));
    let plain = begin(&bed, "plain", EncryptAs::AsBucket).await;
    assert_eq!(denied(bed.objects.copy_part(&bed.alice, copy_part(&plain, "before")).await), Some(Action::Decrypt));
    let method = EncryptionMethod::Kms { key: "one".to_owned(), dual_layer: false };
    let default = Some(DefaultEncryption { method, bucket_key: false });
    let wanted = BucketEncryption { default, block: None };
    let set = bed.objects.put_bucket_encryption(&bed.alice, &bucket("b"), wanted.clone()).await;
    assert_eq!(denied(set), Some(Action::GenerateDataKey));

    // Other keys, SSE-S3 and clients' keys have no part in it.
    bed.try_put(put_as("two", b"bytes", kms("two"))).await.unwrap();
    bed.try_put(put_as("s3", b"bytes", EncryptAs::S3)).await.unwrap();
    bed.try_put(put_as("c", b"bytes", EncryptAs::Customer(customer(1)))).await.unwrap();

    only(&bed, "one", &[&bed.alice], &["kms:GenerateDataKey*"]).await;
    bed.objects.put_bucket_encryption(&bed.alice, &bucket("b"), wanted).await.unwrap();
    bed.put("by default", b"bytes").await;
    assert_eq!(denied(bed.get_request(get("by default")).await), Some(Action::Decrypt));
    only(&bed, "one", &[&bed.alice], &["kms:Decrypt"]).await;
    assert_eq!(bed.get("by default").await.unwrap(), b"bytes");
    assert_eq!(denied(bed.try_put(put_as("k", b"bytes", EncryptAs::AsBucket)).await), Some(Action::GenerateDataKey));

    bed.objects.delete_key_policy(&bed.operator(), "one").await.unwrap();
    bed.put("k", b"bytes").await;
    assert_eq!(bed.get("before").await.unwrap(), b"bytes");
}

#[tokio::test]
async fn policies_of_keys_are_the_operators() {
    let bed = Bed::with_bucket().await;
    let (admin, objects) = (bed.operator(), &bed.objects);
    assert_eq!(objects.key_policies(&admin).await.unwrap(), []);
    only(&bed, "two", &[&bed.bob], &["kms:*"]).await;
    only(&bed, "a/key:of.no_service-yet", &[&bed.bob], &["kms:*"]).await;
    let names: Vec<_> = objects.key_policies(&admin).await.unwrap().into_iter().map(|policy| policy.key).collect();
    assert_eq!(names, ["a/key:of.no_service-yet", "two"]);
    assert_eq!(objects.key_policy(&admin, "two").await.unwrap().unwrap().key, "two");
    assert_eq!(objects.key_policy(&admin, "one").await.unwrap(), None);
    for name in ["", "a b", "ü"] {
        let set = objects.set_key_policy(&admin, name, "{}".to_owned()).await;
        assert!(matches!(set, Err(Error::Invalid(invalid)) if invalid.field == "key"), "{name}");
    }
    let set = objects.set_key_policy(&admin, "two", "{}".to_owned()).await;
    assert!(matches!(set, Err(Error::MalformedPolicy(_))));
    let refused = |error: Error| matches!(error, Error::AccessDenied);
    assert!(refused(objects.key_policies(&bed.alice).await.unwrap_err()));
    assert!(refused(objects.key_policy(&bed.alice, "two").await.unwrap_err()));
    assert!(refused(objects.set_key_policy(&bed.alice, "two", String::new()).await.unwrap_err()));
    assert!(refused(objects.delete_key_policy(&bed.alice, "two").await.unwrap_err()));
    // Another process takes what this one set.
    let alice = bed.alice.clone();
    assert_eq!(denied(bed.twin.put_object(&alice, put_as("k", b"x", kms("two"))).await), Some(Action::GenerateDataKey));
}

/// A key may have the whole of an ARN for its name, and is then not the one that the ARN ends in.
#[tokio::test]
async fn a_key_that_is_called_as_an_arn_is_itself() {
    let bed = Bed::with_bucket().await;
    for (given, name) in [("arn:aws:kms:::key/one", "one"), (ARN_NAME, ARN_NAME)] {
        let made = bed.try_put(put_as("k", b"bytes", kms(given))).await.unwrap();
        let method = EncryptionMethod::Kms { key: name.to_owned(), dual_layer: false };
        assert_eq!(made.encryption.unwrap().method, method, "{given}");
        assert_eq!(bed.get("k").await.unwrap(), b"bytes");
        let at = begin(&bed, "parts", kms(given)).await;
        put_part(&bed, &at, 1, b"part", kms(given)).await.unwrap();
        put_part(&bed, &at, 1, b"part", kms(name)).await.unwrap();
        bed.try_put(put_as("k", b"bytes", EncryptAs::S3)).await.unwrap();
        update(&bed, None, given).await.unwrap();
        assert_eq!(head(&bed, "k", None).await.encryption.unwrap().method, method, "{given}");
        only(&bed, given, &[&bed.bob], &["kms:*"]).await;
        assert_eq!(denied(bed.try_put(put_as("k", b"bytes", kms(given))).await), Some(Action::GenerateDataKey));
        for told in [given, name] {
            let policy = bed.objects.key_policy(&bed.operator(), told).await.unwrap().unwrap();
            assert_eq!(policy.key, name, "{told}");
        }
        bed.objects.delete_key_policy(&bed.operator(), given).await.unwrap();
        bed.try_put(put_as("k", b"bytes", kms(given))).await.unwrap();
    }
}

#[tokio::test]
async fn a_bucket_that_blocks_clients_keys_takes_no_new_object_under_them() {
    let bed = Bed::with_bucket().await;
    let way = || EncryptAs::Customer(customer(1));
    bed.try_put(put_as("before", b"bytes", way())).await.unwrap();
    let at = begin(&bed, "parts", way()).await;
    let parts = [put_part(&bed, &at, 1, b"part", way()).await.unwrap()];
    block(&bed, true).await;

    assert!(blocked(bed.try_put(put_as("k", b"bytes", way())).await));
    let create = cofre_objects::CreateUpload { encryption: way(), ..crate::multipart::create("k") };
    assert!(blocked(bed.objects.create_upload(&bed.alice, create).await));
    assert!(blocked(put_part(&bed, &at, 2, b"part", way()).await));
    let request = CopyPart { encryption: way(), ..copy_part(&at, "before") };
    assert!(blocked(bed.objects.copy_part(&bed.alice, request).await));
    assert!(blocked(bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await));
    for source in ["before", "clear"] {
        bed.put("clear", b"bytes").await;
        let source_customer_key = (source == "before").then(|| customer(1));
        let request = CopyObject { encryption: way(), source_customer_key, ..copy(source, "to") };
        assert!(blocked(bed.objects.copy_object(&bed.alice, request).await), "{source}");
    }
    // What is there is read, and copied out of it.
    assert_eq!(bed.get_request(get_with("before", Some(customer(1)))).await.unwrap(), b"bytes");
    let out = CopyObject { source_customer_key: Some(customer(1)), encryption: EncryptAs::S3, ..copy("before", "out") };
    bed.objects.copy_object(&bed.alice, out).await.unwrap();

    // A default says nothing of what is blocked, nor does its end.
    let default = Some(DefaultEncryption { method: EncryptionMethod::S3, bucket_key: false });
    let wanted = BucketEncryption { default: default.clone(), block: None };
    bed.objects.put_bucket_encryption(&bed.alice, &bucket("b"), wanted).await.unwrap();
    let told = bed.objects.bucket_encryption(&bed.alice, &bucket("b")).await.unwrap();
    let kept = Some(EncryptionBlock { customer_keys: true });
    assert_eq!(told, BucketEncryption { default: default.clone(), block: kept });
    block(&bed, true).await;
    let told = bed.objects.bucket_encryption(&bed.alice, &bucket("b")).await.unwrap();
    assert_eq!(told, BucketEncryption { default, block: kept }, "a block says nothing of the default");
    bed.objects.delete_bucket_encryption(&bed.alice, &bucket("b")).await.unwrap();
    let told = bed.objects.bucket_encryption(&bed.alice, &bucket("b")).await.unwrap();
    assert_eq!(told, BucketEncryption { default: None, block: kept });
    assert!(blocked(bed.try_put(put_as("k", b"bytes", way())).await));

    block(&bed, false).await;
    bed.try_put(put_as("k", b"bytes", way())).await.unwrap();
    bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await.unwrap();
}

/// Set between the decision of a write and its commit.
#[tokio::test]
async fn a_block_holds_for_what_commits_after_it() {
    let bed = Bed::with_bucket().await;
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(move || async move {
        let wanted = BucketEncryption { default: None, block: Some(EncryptionBlock { customer_keys: true }) };
        twin.put_bucket_encryption(&alice, &bucket("b"), wanted).await.unwrap();
    });
    assert!(blocked(bed.try_put(put_as("k", b"bytes", EncryptAs::Customer(customer(1)))).await));
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 0, "what was written for it is gone");
}

#[tokio::test]
async fn new_buckets_block_clients_keys_by_a_setting() {
    let bed = Bed::new("replicas:1").await;
    bed.make_bucket("open").await;
    bed.set(json!({"new_buckets": {"sse_c_block": true}})).await;
    bed.make_bucket("closed").await;
    let of = async |name: &str| bed.objects.bucket_encryption(&bed.alice, &bucket(name)).await;
    assert!(matches!(of("open").await, Err(Error::NoSuchConfiguration(_))));
    assert_eq!(of("closed").await.unwrap().block, Some(EncryptionBlock { customer_keys: true }));
}

#[tokio::test]
async fn encryption_is_set_by_its_own_verb() {
    let bed = Bed::with_bucket().await;
    let block = BucketConfig::EncryptionBlock(EncryptionBlock { customer_keys: false });
    let default = BucketConfig::Encryption(DefaultEncryption { method: EncryptionMethod::S3, bucket_key: false });
    for config in [block, default] {
        let put = bed.objects.put_bucket_config(&bed.alice, &bucket("b"), config).await;
        assert!(matches!(put, Err(Error::InvalidRequest(_))));
    }
    for kind in [ConfigKind::Encryption, ConfigKind::EncryptionBlock] {
        let deleted = bed.objects.delete_bucket_config(&bed.alice, &bucket("b"), kind).await;
        assert!(matches!(deleted, Err(Error::InvalidRequest(_))));
    }
}

fn to(name: &str) -> NewKey {
    NewKey { key: name.to_owned(), bucket_key: true }
}

async fn update(bed: &Bed, version: Option<VersionId>, name: &str) -> Result<(), Error> {
    bed.objects.update_object_encryption(&bed.alice, &bucket("b"), &key("k"), version, to(name)).await
}

/// All of it but its encryption.
fn rest(info: ObjectInfo) -> ObjectInfo {
    ObjectInfo { encryption: None, ..info }
}

#[tokio::test]
async fn an_objects_key_goes_under_another_and_nothing_else_changes() {
    let bed = Bed::with_bucket().await;
    let context = Some("e30=".to_owned());
    let in_context = EncryptAs::Kms { key: Some("one".to_owned()), dual_layer: false, context, bucket_key: None };
    for way in [EncryptAs::S3, kms("one"), in_context] {
        bed.try_put(put_as("k", b"bytes", way.clone())).await.unwrap();
        let same = CopyObject { encryption: way.clone(), ..copy("k", "copy") };
        bed.objects.copy_object(&bed.alice, same).await.unwrap();
        bed.clock.advance(Duration::from_secs(60));
        let (before, stored) = (head(&bed, "k", None).await, bed.stored().await);
        for name in ["two", "one", "one"] {
            update(&bed, None, name).await.unwrap();
            let after = head(&bed, "k", None).await;
            let told = after.encryption.clone().unwrap();
            assert_eq!(told.method, EncryptionMethod::Kms { key: name.to_owned(), dual_layer: false }, "{way:?}");
            assert_eq!((told.bucket_key, &told.context), (true, &before.encryption.clone().unwrap().context));
            assert_eq!(rest(after), rest(before.clone()), "{way:?}");
            assert_eq!((bed.get("k").await.unwrap(), bed.stored().await), (b"bytes".to_vec(), stored), "{way:?}");
        }
        // The copy that shared its bytes keeps its own key, and reads on.
        assert_eq!(head(&bed, "copy", None).await.encryption, before.encryption);
        assert_eq!(bed.get("copy").await.unwrap(), b"bytes");
    }
}

#[tokio::test]
async fn parts_and_versions_go_under_another_key_too() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", EncryptAs::S3).await;
    let part = put_part(&bed, &at, 1, b"part", EncryptAs::AsBucket).await.unwrap();
    let etag = bed.objects.complete_upload(&bed.alice, complete(&at, &[part])).await.unwrap().etag;
    update(&bed, None, "two").await.unwrap();
    assert_eq!((head(&bed, "k", None).await.etag, bed.get("k").await.unwrap()), (etag, b"part".to_vec()));

    let versioning = cofre_objects::Versioning::Enabled;
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), versioning).await.unwrap();
    let old = bed.try_put(put_as("k", b"old", EncryptAs::S3)).await.unwrap().version.unwrap();
    bed.try_put(put_as("k", b"new", EncryptAs::S3)).await.unwrap();
    update(&bed, Some(old), "one").await.unwrap();
    let info = |version| {
        let request = cofre_objects::GetObject { version, ..get("k") };
        bed.objects.head_object(&bed.alice, request)
    };
    let method = info(Some(old)).await.unwrap().info.encryption.unwrap().method;
    assert_eq!(method, EncryptionMethod::Kms { key: "one".to_owned(), dual_layer: false });
    assert_eq!(info(None).await.unwrap().info.encryption.unwrap().method, EncryptionMethod::S3);
    assert_eq!(bed.get_version("k", old).await.unwrap(), b"old");
    bed.delete("k", None).await.unwrap();
    assert!(matches!(update(&bed, None, "one").await, Err(Error::NoSuchKey { .. })));
}

#[tokio::test]
async fn what_cannot_go_under_another_key_is_refused() {
    let bed = Bed::with_bucket().await;
    assert!(matches!(update(&bed, None, "two").await, Err(Error::NoSuchKey { .. })));
    let dual = EncryptAs::Kms { key: None, dual_layer: true, context: None, bucket_key: None };
    for way in [EncryptAs::AsBucket, dual, EncryptAs::Customer(customer(1))] {
        bed.try_put(put_as("k", b"bytes", way.clone())).await.unwrap();
        assert!(matches!(update(&bed, None, "two").await, Err(Error::InvalidRequest(_))), "{way:?}");
    }
    bed.try_put(put_as("k", b"bytes", kms("one"))).await.unwrap();
    assert!(matches!(update(&bed, None, "none").await, Err(Error::NoSuchEncryptionKey(_))));
    let by_bob = bed.objects.update_object_encryption(&bed.bob, &bucket("b"), &key("k"), None, to("two")).await;
    assert!(matches!(by_bob, Err(Error::AccessDenied)));
    for (name, actions, missing) in [
        ("one", vec!["kms:ReEncryptFrom"], Some(Action::Decrypt)),
        ("one", vec!["kms:Decrypt"], Some(Action::ReEncryptFrom)),
        ("one", vec!["kms:Decrypt", "kms:ReEncrypt*"], None),
        ("two", vec!["kms:Encrypt", "kms:ReEncryptTo"], Some(Action::GenerateDataKey)),
        ("two", vec!["kms:GenerateDataKey", "kms:ReEncryptTo"], Some(Action::Encrypt)),
        ("two", vec!["kms:GenerateDataKey", "kms:Encrypt"], Some(Action::ReEncryptTo)),
    ] {
        only(&bed, name, &[&bed.alice], &actions).await;
        assert_eq!(denied(update(&bed, None, "two").await), missing, "{name} {actions:?}");
        bed.objects.delete_key_policy(&bed.operator(), name).await.unwrap();
        bed.try_put(put_as("k", b"bytes", kms("one"))).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_locked_keeps_its_encryption() {
    let bed = Bed::new("replicas:1").await;
    let request =
        CreateBucket { name: bucket("b"), region: String::new(), object_lock: true, acl: None, ownership: None };
    bed.objects.create_bucket(&bed.alice, request).await.unwrap();
    let until = Timestamp(bed.clock.clock().now_nanos()).after(Duration::from_secs(3_600));
    let kept = |mode| WantedLock { retention: Some(Retention { mode, until }), legal_hold: None };
    let held = WantedLock { retention: None, legal_hold: Some(true) };
    for lock in [kept(LockMode::Governance), kept(LockMode::Compliance), held] {
        bed.try_put(PutObject { lock, ..put_as("k", b"bytes", EncryptAs::S3) }).await.unwrap();
        let updated = update(&bed, None, "two").await;
        assert!(matches!(updated, Err(Error::Encryption(EncryptionError::Locked))), "{lock:?}");
    }
    bed.objects.put_object_legal_hold(&bed.alice, &bucket("b"), &key("k"), None, false).await.unwrap();
    update(&bed, None, "two").await.unwrap();
    bed.try_put(PutObject { lock: kept(LockMode::Compliance), ..put_as("k", b"bytes", EncryptAs::S3) }).await.unwrap();
    bed.clock.advance(Duration::from_secs(3_601));
    update(&bed, None, "two").await.unwrap();
}

/// Another writer comes between.
#[tokio::test]
async fn a_new_key_is_for_the_object_that_it_was_sealed_for() {
    let bed = Bed::with_bucket().await;
    bed.try_put(put_as("k", b"first", EncryptAs::S3)).await.unwrap();
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(move || async move {
        twin.put_object(&alice, put_as("k", b"second", EncryptAs::S3)).await.unwrap();
    });
    update(&bed, None, "two").await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"second");
    let told = head(&bed, "k", None).await.encryption.unwrap();
    assert_eq!(told.method, EncryptionMethod::Kms { key: "two".to_owned(), dual_layer: false });
}
