//! Storage classes: where objects are put, copied and moved, and under which redundancy.

use crate::bed::{Bed, bucket, get, put};
use crate::copies::copy;
use crate::lifecycle::{DAY, pass, rule, set_rules, versioned};
use crate::multipart::{begin_with_part, complete, named_parts};
use cofre_objects::{
    CopyObject, CustomerKey, EncryptAs, Error, GetObject, Lifecycle, LifecycleCounts, NoncurrentTransition, PutObject,
    Rule, RulesError, Transition, When,
};
use cofre_types::ByteRange;

#[tokio::test]
async fn a_transition_writes_the_bytes_under_the_redundancy_of_its_class() {
    let bed = versioned().await;
    bed.set(serde_json::json!({"storage_classes": {"COLD": "replicas:3", "ICE": "replicas:2"}})).await;
    let first = bed.put("k", b"first").await.version.unwrap();
    let second = bed.put("k", b"second").await;
    let at = begin_with_part(&bed, "parts", b"part").await;
    let parts = named_parts(&bed, &at).await;
    let made = bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await.unwrap();
    bed.objects.copy_object(&bed.alice, copy("k", "shares")).await.unwrap();
    assert_eq!(bed.stored().await, 3);
    let to = |days, class: &str| Transition { when: When::Days(days), storage_class: class.to_owned() };
    let older = NoncurrentTransition { days: 1, keep: None, storage_class: "ICE".to_owned() };
    let moves = Rule { transitions: vec![to(1, "COLD"), to(9, "ICE")], ..rule("r", "") };
    set_rules(&bed, vec![Rule { noncurrent_transitions: vec![older], ..moves }]).await;
    bed.clock.advance(3 * DAY);
    let bytes = (b"first".len() + 2 * b"second".len() + b"part".len()) as u64;
    let moved = LifecycleCounts { transitioned: 4, transitioned_bytes: bytes, ..LifecycleCounts::default() };
    assert_eq!(pass(&bed).await, moved);
    assert_eq!(pass(&bed).await, LifecycleCounts::default());
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 3 + 3 + 3 + 2, "three current objects of three copies, an older one of two");
    let class = |info: &cofre_objects::ObjectInfo| info.storage_class.clone();
    let info = bed.objects.head_object(&bed.alice, get("k")).await.unwrap().info;
    assert_eq!((class(&info).as_str(), info.etag, info.version), ("COLD", second.etag, second.version));
    let info = bed.objects.head_object(&bed.alice, get("parts")).await.unwrap().info;
    assert_eq!((class(&info).as_str(), info.etag, info.parts), ("COLD", made.etag, Some(1)));
    assert_eq!(bed.get_version("k", first).await.unwrap(), b"first");
    for (name, bytes) in [("k", "second"), ("shares", "second"), ("parts", "part")] {
        assert_eq!(bed.get(name).await.unwrap(), bytes.as_bytes());
    }
    bed.clock.advance(9 * DAY);
    assert_eq!(pass(&bed).await.transitioned, 3);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 4 * 2);
    assert_eq!(bed.get("parts").await.unwrap(), b"part");
}

#[tokio::test]
async fn a_transition_that_meets_a_new_object_leaves_it() {
    let bed = Bed::with_bucket().await;
    bed.set(serde_json::json!({"storage_classes": {"COLD": "replicas:2"}})).await;
    bed.put("k", b"old").await;
    let to = Transition { when: When::Days(1), storage_class: "COLD".to_owned() };
    set_rules(&bed, vec![Rule { transitions: vec![to], ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        twin.put_object(&alice, put("k", b"new")).await.unwrap();
    });
    assert_eq!(pass(&bed).await, LifecycleCounts { changed: 1, ..LifecycleCounts::default() });
    assert_eq!(bed.get("k").await.unwrap(), b"new");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 1);
}

#[tokio::test]
async fn objects_are_put_and_copied_under_the_redundancy_of_their_class() {
    let bed = Bed::with_bucket().await;
    bed.set(serde_json::json!({"storage_classes": {"SAFE": "replicas:3"}})).await;
    let safe = || "SAFE".to_owned();
    bed.try_put(PutObject { storage_class: safe(), ..put("k", b"bytes") }).await.unwrap();
    assert_eq!(bed.stored().await, 3);
    bed.objects.copy_object(&bed.alice, CopyObject { storage_class: safe(), ..copy("k", "same") }).await.unwrap();
    assert_eq!(bed.stored().await, 3, "a copy of the same class shares");
    bed.objects.copy_object(&bed.alice, copy("k", "plain")).await.unwrap();
    assert_eq!(bed.stored().await, 4, "a copy of another class has its own");
    assert_eq!(bed.get("plain").await.unwrap(), b"bytes");
    let unknown = bed.try_put(PutObject { storage_class: "NONE".to_owned(), ..put("k", b"bytes") }).await;
    assert!(matches!(unknown, Err(Error::InvalidStorageClass)));
    let to = Transition { when: When::Days(1), storage_class: "NONE".to_owned() };
    let rules = Lifecycle::of(vec![Rule { transitions: vec![to], ..rule("r", "") }]);
    let refused = bed.objects.put_lifecycle(&bed.alice, &bucket("b"), rules).await;
    assert!(matches!(refused, Err(Error::Rules(RulesError::Malformed(_)))));
}

#[tokio::test]
async fn what_is_encrypted_is_moved_without_its_key() {
    let bed = Bed::with_bucket().await;
    bed.set(serde_json::json!({"storage_classes": {"COLD": "replicas:2"}})).await;
    let body: Vec<u8> = (0..200_001_u32).map(|i| i as u8).collect();
    bed.try_put(PutObject { encryption: EncryptAs::S3, ..put("sealed", &body) }).await.unwrap();
    let customer = || CustomerKey::from_bytes(zeroize::Zeroizing::new([1; 32]));
    let theirs = PutObject { encryption: EncryptAs::Customer(customer()), ..put("theirs", &body) };
    bed.try_put(theirs).await.unwrap();
    let to = Transition { when: When::Days(1), storage_class: "COLD".to_owned() };
    set_rules(&bed, vec![Rule { transitions: vec![to], ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    let step = bed.upkeep.apply_lifecycle(&[]).await.unwrap();
    assert_eq!((step.counts.transitioned, step.problems.len()), (2, 0), "{:?}", step.problems);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 2 + 2);
    // Moved once more, from where they were not sealed for.
    bed.set(serde_json::json!({"storage_classes": {"COLD": "replicas:1"}})).await;
    let mut cursor = Vec::new();
    while let Some(next) = {
        let step = bed.upkeep.convert(&cursor).await.unwrap();
        assert!(step.problems.is_empty(), "{:?}", step.problems);
        step.next
    } {
        cursor = next;
    }
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 2);
    let theirs = || GetObject { customer_key: Some(customer()), ..get("theirs") };
    for read in [get("sealed"), theirs()] {
        let info = bed.objects.head_object(&bed.alice, read.clone()).await.unwrap().info;
        assert_eq!(info.storage_class, "COLD");
        assert!(bed.get_request(read).await.unwrap() == body);
    }
    let range = GetObject { range: Some(ByteRange::From { first: 70_000, last: Some(140_000) }), ..theirs() };
    assert!(bed.get_request(range).await.unwrap() == body[70_000..=140_000]);
}
