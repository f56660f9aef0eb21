use crate::bed::{Bed, bucket, get, key, put};
use crate::copies::copy;
use cofre_iam::{Caller, Principal};
use cofre_objects::{BucketConfig, CopyObject, DeleteConditions, DeleteObject, Error, ListObjects, Payer, PutObject};

/// A bed whose bucket is open to everyone, at their own cost.
async fn requester_pays() -> Bed {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"bytes").await;
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket-b", "arn:aws:s3:::bucket-b/*"]}}"#;
    for config in [BucketConfig::Policy(policy.to_owned()), BucketConfig::RequestPayment(Payer::Requester)] {
        bed.objects.put_bucket_config(&bed.alice, &bucket("b"), config).await.unwrap();
    }
    bed
}

fn list() -> ListObjects {
    ListObjects { bucket: bucket("b"), prefix: String::new(), delimiter: String::new(), after: None, max: 10 }
}

fn delete(name: &str) -> DeleteObject {
    DeleteObject { key: key(name), version: None, conditions: DeleteConditions::default(), bypass_governance: false }
}

/// What came of each kind of request.
async fn tried(bed: &Bed, caller: &Caller) -> Vec<(&'static str, Result<(), Error>)> {
    let objects = &bed.objects;
    let (name, own) = (bucket("b"), bucket("own"));
    let there = CopyObject { source_bucket: own.clone(), ..copy("k", "there") };
    let back = CopyObject { bucket: own, ..copy("k", "back") };
    vec![
        ("get", objects.get_object(caller, get("k")).await.map(drop)),
        ("head", objects.head_object(caller, get("k")).await.map(drop)),
        (
            "missing",
            match objects.head_object(caller, get("none")).await {
                Err(Error::NoSuchKey { .. }) => Ok(()),
                other => other.map(drop),
            },
        ),
        ("put", objects.put_object(caller, put("new", b"x")).await.map(drop)),
        ("copy to", objects.copy_object(caller, there).await.map(drop)),
        ("copy from", objects.copy_object(caller, back).await.map(drop)),
        ("tags", objects.object_tags(caller, &name, &key("k"), None).await.map(drop)),
        ("list", objects.list_objects(caller, list()).await.map(drop)),
        ("delete many", objects.delete_objects(caller, &name, vec![delete("new")]).await.map(drop)),
        ("delete", objects.delete_object(caller, &name, delete("there")).await.map(drop)),
    ]
}

#[tokio::test]
async fn others_say_that_they_pay_or_are_refused() {
    let bed = requester_pays().await;
    own_bucket(&bed).await;
    for (what, outcome) in tried(&bed, &bed.bob).await {
        assert!(matches!(outcome, Err(Error::AccessDenied)), "{what}: {outcome:?}");
    }
    let paying = Caller { pays: true, ..bed.bob.clone() };
    for (what, outcome) in tried(&bed, &paying).await {
        assert!(outcome.is_ok(), "{what}: {outcome:?}");
    }
    assert!(bed.objects.is_charged(&paying, &bucket("b")).await.unwrap());
    assert!(!bed.objects.is_charged(&bed.bob, &bucket("b")).await.unwrap());
    assert!(!bed.objects.is_charged(&paying, &bucket("own")).await.unwrap());
}

#[tokio::test]
async fn the_owner_pays_for_nothing_and_nobody_pays_for_no_one() {
    let bed = requester_pays().await;
    own_bucket(&bed).await;
    bed.get("k").await.unwrap();
    let alice = Caller { pays: true, ..bed.alice.clone() };
    assert!(!bed.objects.is_charged(&alice, &bucket("b")).await.unwrap());
    let anyone = Caller { principal: Principal::Anonymous, pays: true, ..bed.bob.clone() };
    for (what, outcome) in tried(&bed, &anyone).await {
        assert!(matches!(outcome, Err(Error::AccessDenied)), "{what}: {outcome:?}");
    }
    let job = bed.operator();
    bed.objects.head_object(&job, get("k")).await.unwrap();
}

#[tokio::test]
async fn what_the_owner_pays_again_is_free() {
    let bed = requester_pays().await;
    bed.objects.get_object(&bed.bob, get("k")).await.map(drop).unwrap_err();
    let owner = BucketConfig::RequestPayment(Payer::BucketOwner);
    bed.objects.put_bucket_config(&bed.alice, &bucket("b"), owner).await.unwrap();
    bed.objects.get_object(&bed.bob, get("k")).await.map(drop).unwrap();
}

/// The bucket `own`, which bob owns, with an object to copy.
async fn own_bucket(bed: &Bed) {
    let request = cofre_objects::CreateBucket {
        name: bucket("own"),
        region: String::new(),
        object_lock: false,
        acl: None,
        ownership: None,
    };
    bed.objects.create_bucket(&bed.bob, request).await.unwrap();
    bed.objects.put_object(&bed.bob, PutObject { bucket: bucket("own"), ..put("k", b"bytes") }).await.unwrap();
}
