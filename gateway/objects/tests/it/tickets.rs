//! Rights that are asked before a request is whole.

use crate::bed::{Bed, bucket, get, key, put, upload};
use crate::multipart::{begin_with_part, complete, named_parts};
use cofre_objects::{
    Completion, EncryptAs, Error, NewObject, ObjectRef, PutContent, ReadObject, UploadRef, WriteConditions,
};
use serde_json::json;

fn new(name: &str) -> NewObject {
    let (tags, lock) = Default::default();
    NewObject { bucket: bucket("b"), key: key(name), tags, lock, acl: None }
}

fn at(name: &str) -> ObjectRef {
    ObjectRef { bucket: bucket("b"), key: key(name), version: None }
}

fn content(bytes: &[u8]) -> PutContent {
    PutContent {
        upload: upload(bytes),
        headers: Default::default(),
        storage_class: String::new(),
        encryption: EncryptAs::AsBucket,
        conditions: WriteConditions::default(),
    }
}

#[tokio::test]
async fn a_ticket_is_given_to_who_may_alone() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"bytes").await;
    let up = begin_with_part(&bed, "up", b"part").await;
    let (objects, bob) = (&bed.objects, &bed.bob);
    let refused = [
        objects.begin_get(bob, at("k")).await.err(),
        objects.begin_attributes(bob, at("k")).await.err(),
        objects.begin_acl(bob, at("k")).await.err(),
        objects.begin_put(bob, new("k")).await.err(),
        objects.begin_upload(bob, new("k")).await.err(),
        objects.begin_part(bob, up.clone(), 2).await.err(),
        objects.begin_copy_part(bob, up.clone(), 2, at("k")).await.err(),
        objects.begin_completion(bob, up).await.err(),
        objects.restore_object(bob, at("k")).await.err(),
    ];
    for (index, error) in refused.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::AccessDenied)), "{index}: {error:?}");
    }
    assert!(matches!(objects.restore_object(&bed.alice, at("k")).await, Err(Error::NotArchived)));
}

#[tokio::test]
async fn a_ticket_reads_the_version_that_it_was_given_for() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"one").await;
    let ticket = bed.objects.begin_get(&bed.alice, at("k")).await.unwrap();
    bed.put("k", b"another").await;
    let outcome = ticket.get(ReadObject::default()).await.unwrap();
    assert_eq!(outcome.head.info.size, 3);
    assert_eq!(bed.get("k").await.unwrap(), b"another");
}

#[tokio::test]
async fn a_ticket_for_a_part_ends_with_its_upload() {
    let bed = Bed::with_bucket().await;
    let up = begin_with_part(&bed, "k", b"part").await;
    let ticket = bed.objects.begin_part(&bed.alice, up.clone(), 2).await.unwrap();
    bed.objects.abort_upload(&bed.alice, up.clone(), None).await.unwrap();
    let stored = ticket.store(upload(b"late"), EncryptAs::AsBucket).await;
    assert!(matches!(stored, Err(Error::NoSuchUpload)), "{stored:?}");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 0, "what it wrote is given up");
    assert!(matches!(bed.objects.begin_part(&bed.alice, up, 2).await.err(), Some(Error::NoSuchUpload)));
}

#[tokio::test]
async fn a_completion_is_of_the_upload_as_it_stands() {
    let bed = Bed::with_bucket().await;
    let up: UploadRef = begin_with_part(&bed, "k", b"part").await;
    let request = complete(&up, &named_parts(&bed, &up).await);
    let completion = || {
        let (parts, conditions) = (request.parts.clone(), WriteConditions::default());
        let encryption = EncryptAs::AsBucket;
        Completion { parts, checksum: None, checksum_kind: None, size: None, conditions, encryption }
    };
    let (first, second) = (
        bed.objects.begin_completion(&bed.alice, up.clone()).await.unwrap(),
        bed.objects.begin_completion(&bed.alice, up).await.unwrap(),
    );
    let made = first.complete(completion()).await.unwrap();
    assert_eq!(second.complete(completion()).await.unwrap().etag, made.etag, "done twice it answers alike");
}

#[tokio::test]
async fn room_is_kept_for_as_long_as_its_ticket() {
    let bed = Bed::with_bucket().await;
    bed.set(json!({"quotas": {"bucket_bytes_max": 1_000, "grace_multiple": 1}})).await;
    let begin = async |name: &str| bed.objects.begin_put(&bed.alice, new(name)).await.unwrap();
    let (mut first, mut second, mut third) = (begin("1").await, begin("2").await, begin("3").await);
    first.reserve(900).await.unwrap();
    second.reserve(900).await.unwrap();
    assert!(matches!(third.reserve(900).await, Err(Error::GraceExceeded(_))));
    drop(first);
    third.reserve(900).await.unwrap();
    drop(second);
    // A body of another length gets room of its own.
    third.store(content(&[0; 1_000])).await.unwrap();
    assert!(matches!(begin("4").await.reserve(1).await, Err(Error::QuotaExceeded(_))));
    assert_eq!(bed.objects.get_object(&bed.alice, get("3")).await.unwrap().head.info.size, 1_000);
    assert!(matches!(bed.try_put(put("4", b"x")).await, Err(Error::QuotaExceeded(_))));
}
