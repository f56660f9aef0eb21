//! Verify and inspect: what is told of the catalog and of single objects.

use crate::bed::{Bed, bucket, get, key, put};
use crate::copies::copy;
use crate::lifecycle::versioned;
use crate::multipart::{begin_with_part, complete, named_parts};
use cofre_blobs::Wrong;
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{BlobRecord, Record};
use cofre_catalog::{Batch, ReadExt, Scan, Store};
use cofre_objects::{CopyState, CustomerKey, EncryptAs, Error, GetObject, Inspect, PutObject, VerifyStage};
use cofre_shards::Backend;
use cofre_types::ShardId;

/// Everything that is wrong, and the stages that were walked.
async fn verify(bed: &Bed, deep: bool) -> (Vec<Wrong>, Vec<VerifyStage>) {
    let mut verify = bed.upkeep.verify(deep);
    let (mut wrong, mut stages) = (Vec::new(), Vec::new());
    while let Some(step) = verify.step().await.unwrap() {
        wrong.extend(step.wrong);
        stages.push(step.stage);
    }
    stages.dedup();
    (wrong, stages)
}

/// A bucket with versions, a delete marker, copies, parts under way, a finished upload, and garbage.
async fn full() -> Bed {
    let bed = versioned().await;
    for i in 0..5 {
        bed.put("k", &[i; 50]).await;
    }
    bed.put("gone", b"gone").await;
    bed.delete("gone", None).await.unwrap();
    let version = bed.put("dropped", b"dropped").await.version;
    bed.delete("dropped", version).await.unwrap();
    bed.objects.copy_object(&bed.alice, copy("k", "shares")).await.unwrap();
    begin_with_part(&bed, "under-way", b"part").await;
    let at = begin_with_part(&bed, "parts", b"part").await;
    let parts = named_parts(&bed, &at).await;
    bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await.unwrap();
    bed.objects.copy_object(&bed.alice, copy("parts", "parts-copy")).await.unwrap();
    bed
}

async fn first_blob(bed: &Bed) -> (Vec<u8>, BlobRecord) {
    let page = bed.store.page(Scan::prefix(&[family::BLOB]), 1).await.unwrap();
    let (key, entry) = page.into_iter().next().unwrap();
    (key, BlobRecord::decode(&entry.value).unwrap())
}

#[tokio::test]
async fn a_sound_catalog_is_found_sound() {
    let bed = full().await;
    for deep in [false, true] {
        let (wrong, stages) = verify(&bed, deep).await;
        assert_eq!(wrong, []);
        use VerifyStage::{Copies, References, Shards, Usage};
        assert_eq!(stages, [Copies, Shards, References, Usage]);
    }
    bed.reclaim().await;
    assert_eq!(verify(&bed, true).await.0, []);
}

#[tokio::test]
async fn every_kind_of_wrong_is_found_and_named() {
    let bed = full().await;
    let bucket_id = bed.objects.head_bucket(&bed.alice, &bucket("b")).await.unwrap().id;
    let (at, mut record) = first_blob(&bed).await;
    record.references += 1;
    let mut batch = Batch::new();
    batch.put(at, record.encode());
    batch.add(keys::usage(bucket_id), vec![1]);
    batch.add(keys::shard_usage(ShardId(2)), vec![0, 7]);
    bed.store.commit(batch).await.unwrap();
    let (wrong, _) = verify(&bed, false).await;
    let subjects: Vec<_> = wrong.iter().map(|wrong| wrong.subject.split(' ').next().unwrap()).collect();
    assert_eq!(subjects, ["shard", "blob", "bucket"], "{wrong:?}");
    assert!(wrong[1].why.contains("references") && wrong[2].subject == "bucket bucket-b");
}

#[tokio::test]
async fn counters_of_what_waits_are_compared_with_it() {
    let bed = full().await;
    bed.reclaim().await;
    let mut batch = Batch::new();
    batch.add(keys::waiting(family::HEAL), vec![1]).add(keys::waiting(family::DOOMED), vec![0, 5]);
    bed.store.commit(batch).await.unwrap();
    let (wrong, _) = verify(&bed, false).await;
    let subjects: Vec<_> = wrong.iter().map(|wrong| wrong.subject.as_str()).collect();
    assert_eq!(subjects, ["the heal queue", "copies to be deleted"], "{wrong:?}");
}

#[tokio::test]
async fn a_version_whose_blob_has_no_record_is_named() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let (at, _) = first_blob(&bed).await;
    let mut batch = Batch::new();
    batch.delete(at);
    bed.store.commit(batch).await.unwrap();
    let (wrong, _) = verify(&bed, false).await;
    assert!(wrong.iter().any(|wrong| wrong.subject == "bucket-b/k" && wrong.why.contains("no record")), "{wrong:?}");
}

#[tokio::test]
async fn a_copy_that_is_gone_is_found_and_queued_and_one_that_is_away_is_not() {
    let bed = Bed::new("replicas:2").await;
    bed.make_bucket("b").await;
    bed.put("k", b"v").await;
    let on = first_blob(&bed).await.1.copies[0].shard;
    let path = ["/one", "/two", "/three"][on.0 as usize - 1];
    bed.backends.set_away(path, true);
    let mut away = bed.upkeep.verify(false);
    let mut unreachable = 0;
    while let Some(step) = away.step().await.unwrap() {
        assert_eq!(step.wrong, []);
        unreachable = step.unreachable;
    }
    assert_eq!((unreachable, bed.count(family::HEAL).await), (1, 0));

    bed.backends.set_away(path, false);
    let lost = bed.backends.at(path).list(None).await.unwrap().0;
    bed.backends.at(path).delete(lost.into_iter().map(|copy| (copy.blob, copy.locator)).collect()).await.unwrap();
    let (wrong, _) = verify(&bed, true).await;
    assert!(wrong.len() == 1 && wrong[0].why.contains(&format!("shard {on}")), "{wrong:?}");
    assert!(wrong[0].subject.ends_with("(bucket-b/k)"), "the other copy tells the object: {wrong:?}");
    assert_eq!(bed.count(family::HEAL).await, 1);
}

#[tokio::test]
async fn an_object_is_inspected_to_its_copies() {
    let bed = full().await;
    let inspect = |name: &str, check| {
        let request = Inspect { bucket: bucket("b"), key: key(name), version: None, check };
        let operator = bed.operator();
        let objects = bed.objects.clone();
        async move { objects.inspect(&operator, request).await }
    };
    let versions = inspect("k", true).await.unwrap();
    assert_eq!(versions.len(), 5);
    assert!(versions[0].current && versions[1..].iter().all(|version| !version.current));
    assert!(versions.is_sorted_by(|newer, older| newer.modified >= older.modified));
    let blob = &versions[0].blobs[0];
    assert_eq!(blob.record.as_ref().unwrap().references, 2, "the copy shares it");
    assert_eq!((blob.copies.len(), blob.copies[0].checked.clone()), (1, Some(CopyState::Whole)));
    assert_eq!(blob.copies[0].record.as_ref().unwrap().id, blob.copies[0].shard);
    assert_eq!(inspect("parts", false).await.unwrap()[0].blobs[0].part, Some(1));
    let one = Inspect { version: Some(versions[3].version), bucket: bucket("b"), key: key("k"), check: false };
    assert_eq!(bed.objects.inspect(&bed.operator(), one.clone()).await.unwrap().len(), 1);
    assert!(matches!(inspect("nothing", false).await, Err(Error::NoSuchVersion)));
    assert!(matches!(bed.objects.inspect(&bed.alice, one).await, Err(Error::AccessDenied)));
}

async fn convert(bed: &Bed) -> (u64, Vec<(String, String)>) {
    let (mut versions, mut problems, mut cursor) = (0, Vec::new(), Vec::new());
    loop {
        let step = bed.upkeep.convert(&cursor).await.unwrap();
        assert_eq!(step.changed, 0);
        versions += step.versions;
        problems.extend(step.problems);
        let Some(next) = step.next else { return (versions, problems) };
        cursor = next;
    }
}

#[tokio::test]
async fn objects_are_converted_to_the_redundancy_that_they_should_have() {
    let bed = full().await;
    let customer = || CustomerKey::from_bytes(zeroize::Zeroizing::new([1; 32]));
    let theirs = PutObject { encryption: EncryptAs::Customer(customer()), ..put("theirs", b"bytes") };
    bed.try_put(theirs).await.unwrap();
    let goal = bed.upkeep.redundancy_goal().await.unwrap();
    assert_eq!(convert(&bed).await, (0, Vec::new()), "all stands as it should");
    let operator = bed.operator();
    let two = Some("replicas:2".parse().unwrap());
    assert!(matches!(bed.objects.set_bucket_redundancy(&bed.alice, &bucket("b"), two).await, Err(Error::AccessDenied)));
    bed.objects.set_bucket_redundancy(&operator, &bucket("b"), two).await.unwrap();
    assert_ne!(bed.upkeep.redundancy_goal().await.unwrap(), goal);
    let versions = 5 + 1 + 1 + 2 + 1;
    assert_eq!(convert(&bed).await, (versions, Vec::new()), "the old ones, the hidden one, the copy, of parts, theirs");
    assert_eq!(convert(&bed).await.0, 0);
    bed.reclaim().await;
    for name in ["k", "shares"] {
        assert_eq!(bed.get(name).await.unwrap(), [4; 50]);
    }
    assert_eq!(bed.get("parts-copy").await.unwrap(), b"part");
    let theirs = GetObject { customer_key: Some(customer()), ..get("theirs") };
    assert_eq!(bed.get_request(theirs).await.unwrap(), b"bytes");
    assert_eq!(verify(&bed, true).await.0, []);
    // Versions of a blob of two copies each, and the part under way as it was.
    assert_eq!(bed.stored().await, 10 * 2 + 1);
}

#[tokio::test]
async fn what_is_left_to_convert_is_what_the_rest_of_the_pass_looks_at() {
    let bed = full().await;
    bed.make_bucket("other").await;
    for number in 0..300 {
        bed.put(&format!("n{number:03}"), b"v").await;
    }
    let mut at = vec![(Vec::new(), 0)];
    let mut looked_at = 0;
    loop {
        let step = bed.upkeep.convert(&at.last().unwrap().0).await.unwrap();
        looked_at += step.looked_at;
        let Some(next) = step.next else { break };
        at.push((next, looked_at));
    }
    assert!(at.len() > 3 && looked_at > 300);
    for (cursor, before) in at {
        assert_eq!(bed.upkeep.left_to_convert(&cursor).await.unwrap(), Some(looked_at - before), "{cursor:?}");
    }
}
