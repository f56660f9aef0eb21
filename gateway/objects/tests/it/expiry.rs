//! Many versions that rules end together, and what comes between.

use crate::bed::{Bed, bucket, get, key, put};
use crate::lifecycle::{DAY, after, noncurrent, pass, rule, set_rules, versioned, versions};
use cofre_catalog::keys::family;
use cofre_catalog::records::{Record, VersionKind, VersionRecord};
use cofre_catalog::{ReadExt, Scan};
use cofre_objects::{CreateBucket, DeleteObject, Error, LifecycleCounts, Rule, Usage, Versioning};
use cofre_types::VersionId;

/// Most versions that one commit may end.
const ENDS_PER_COMMIT_MAX: usize = 256;

/// What the only bucket holds, counted record by record.
async fn counted(bed: &Bed) -> Usage {
    let mut usage = Usage::default();
    for of in [family::CURRENT, family::VERSION] {
        for (_, entry) in bed.store.page(Scan::prefix(&[of]), 100_000).await.unwrap() {
            let record = VersionRecord::decode(&entry.value).unwrap();
            let size = record.size as i64;
            match (of, record.kind) {
                (family::CURRENT, _) => (usage.objects, usage.bytes) = (usage.objects + 1, usage.bytes + size),
                (_, VersionKind::DeleteMarker) => usage.delete_markers += 1,
                (_, VersionKind::Object) => {
                    usage.noncurrent_versions += 1;
                    usage.noncurrent_bytes += size;
                }
            }
        }
    }
    usage.total_objects = usage.objects + usage.noncurrent_versions;
    usage.total_bytes = usage.bytes + usage.noncurrent_bytes;
    usage
}

/// Holds the counters against what stands.
async fn assert_counters(bed: &Bed) -> Usage {
    let usage = bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap();
    // What is in grace stands in no record of a version.
    let usage = Usage { grace_bytes: 0, ..usage };
    assert_eq!(usage, counted(bed).await);
    let owned = bed.upkeep.account_usage(&[bed.alice.principal.account_id().unwrap()]).await.unwrap().remove(0);
    assert_eq!((owned.objects, owned.bytes), (usage.total_objects, usage.total_bytes));
    usage
}

async fn fill(bed: &Bed, count: usize) {
    for i in 0..count {
        bed.put(&format!("k{i:04}"), &[7; 10][..i % 11]).await;
    }
}

async fn set_versioning(bed: &Bed, versioning: Versioning) {
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), versioning).await.unwrap();
}

/// Lets a rule that ends objects after a day come to its time.
async fn end_after_a_day(bed: &Bed) {
    set_rules(bed, vec![Rule { expiration: after(1), ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    bed.rival.take_removals();
}

fn delete(name: &str, version: Option<VersionId>) -> DeleteObject {
    DeleteObject { key: key(name), version, conditions: Default::default(), bypass_governance: false }
}

#[tokio::test]
async fn many_objects_end_in_few_commits_and_their_space_comes_back_in_few() {
    let bed = Bed::with_bucket().await;
    fill(&bed, 1_000).await;
    end_after_a_day(&bed).await;
    assert_eq!(pass(&bed).await, LifecycleCounts { expired: 1_000, ..LifecycleCounts::default() });
    let removals = bed.rival.take_removals();
    assert_eq!((removals.len(), removals.iter().sum::<usize>()), (4, 1_000), "{removals:?}");
    assert!(removals.iter().all(|removed| *removed <= ENDS_PER_COMMIT_MAX), "{removals:?}");
    assert_eq!(assert_counters(&bed).await, Usage::default());
    assert_eq!(bed.count(family::GARBAGE).await, 4);
    bed.reclaim().await;
    let commits = bed.rival.take_removals().len();
    assert!(commits <= 8, "{commits} commits for 1,000 blobs");
    assert_eq!((bed.stored().await, bed.count(family::BLOB).await, bed.count(family::GARBAGE).await), (0, 0, 0));
    for shard in bed.topology.list().await.unwrap() {
        assert_eq!(bed.topology.holdings(shard.record.id).await.unwrap(), Default::default());
    }
}

#[tokio::test]
async fn large_records_share_a_commit_with_fewer() {
    let bed = Bed::with_bucket().await;
    let name = |i: usize| format!("{i:03}{}", "n".repeat(1_000));
    for i in 0..300 {
        let headers = cofre_objects::Headers { user: vec![("m".to_owned(), "x".repeat(1_800))], ..Default::default() };
        bed.try_put(cofre_objects::PutObject { headers, ..put(&name(i), b"") }).await.unwrap();
    }
    end_after_a_day(&bed).await;
    assert_eq!(pass(&bed).await.expired, 300);
    let removals = bed.rival.take_removals();
    assert!(removals.iter().all(|removed| *removed < 100), "{removals:?}");
    assert_counters(&bed).await;
}

#[tokio::test]
async fn what_is_put_meanwhile_stays_and_its_neighbours_end() {
    let bed = Bed::with_bucket().await;
    fill(&bed, 300).await;
    end_after_a_day(&bed).await;
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        twin.put_object(&alice, put("k0007", b"new")).await.unwrap();
    });
    assert_eq!(pass(&bed).await, LifecycleCounts { expired: 299, changed: 1, ..LifecycleCounts::default() });
    assert_eq!(bed.list("", "").await.0, ["k0007"]);
    assert_eq!(bed.get("k0007").await.unwrap(), b"new");
    let usage = assert_counters(&bed).await;
    assert_eq!((usage.objects, usage.bytes), (1, 3));
    assert_eq!(pass(&bed).await, LifecycleCounts::default());
    bed.reclaim().await;
    assert_eq!(bed.get("k0007").await.unwrap(), b"new");
    assert_eq!(bed.stored().await, 1);
}

#[tokio::test]
async fn versioning_that_is_enabled_meanwhile_keeps_all_objects_as_they_are() {
    let bed = Bed::with_bucket().await;
    fill(&bed, 20).await;
    end_after_a_day(&bed).await;
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        twin.put_bucket_versioning(&alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    });
    assert_eq!(pass(&bed).await, LifecycleCounts { changed: 20, ..LifecycleCounts::default() });
    assert_eq!(bed.list("", "").await.0.len(), 20);
    assert_eq!(pass(&bed).await.expired, 20);
    let usage = assert_counters(&bed).await;
    assert_eq!((usage.delete_markers, usage.noncurrent_versions), (20, 20));
}

#[tokio::test]
async fn versions_and_null_versions_stay_behind_their_markers() {
    let bed = Bed::with_bucket().await;
    fill(&bed, 300).await;
    set_versioning(&bed, Versioning::Enabled).await;
    for i in 0..100 {
        bed.put(&format!("k{i:04}"), b"second").await;
    }
    end_after_a_day(&bed).await;
    assert_eq!(pass(&bed).await, LifecycleCounts { expired: 300, ..LifecycleCounts::default() });
    assert_eq!(bed.rival.take_removals(), [256, 44]);
    let usage = assert_counters(&bed).await;
    assert_eq!((usage.objects, usage.noncurrent_versions, usage.delete_markers), (0, 400, 300));
    for name in ["k0010", "k0210"] {
        assert!(matches!(bed.get(name).await, Err(Error::NoSuchKey { delete_marker: Some(VersionId::Id(_)) })));
        assert_eq!(
            bed.get_version(name, VersionId::Null).await.unwrap().len(),
            name[1..].parse::<usize>().unwrap() % 11
        );
    }
    // A null version that is put over a null version that stands behind a marker takes its place.
    set_versioning(&bed, Versioning::Suspended).await;
    fill(&bed, 300).await;
    assert_counters(&bed).await;
    end_after_a_day(&bed).await;
    assert_eq!(pass(&bed).await, LifecycleCounts { expired: 300, ..LifecycleCounts::default() });
    assert_eq!(bed.rival.take_removals().len(), 2);
    let usage = assert_counters(&bed).await;
    assert_eq!((usage.objects, usage.noncurrent_versions, usage.delete_markers), (0, 100, 600));
    assert!(matches!(bed.get("k0010").await, Err(Error::NoSuchKey { delete_marker: Some(VersionId::Null) })));
    // Behind the new objects stand null markers now, one a key.
    assert_eq!(bed.count(family::NULL_VERSION).await, 300);
}

#[tokio::test]
async fn in_a_suspended_bucket_a_version_with_an_id_stays_and_the_null_one_behind_it_goes() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"null").await;
    set_versioning(&bed, Versioning::Enabled).await;
    let kept = bed.put("k", b"kept").await.version.unwrap();
    set_versioning(&bed, Versioning::Suspended).await;
    end_after_a_day(&bed).await;
    assert_eq!(pass(&bed).await.expired, 1);
    assert_eq!(versions(&bed).await, [("k".to_owned(), true), ("k".to_owned(), false)]);
    assert_eq!(bed.get_version("k", kept).await.unwrap(), b"kept");
    assert_counters(&bed).await;
}

#[tokio::test]
async fn older_versions_of_many_keys_end_together_and_what_is_locked_stays() {
    let bed = Bed::new("replicas:1").await;
    let request =
        CreateBucket { name: bucket("b"), region: String::new(), object_lock: true, acl: None, ownership: None };
    bed.objects.create_bucket(&bed.alice, request).await.unwrap();
    let mut first = Vec::new();
    for i in 0..300 {
        let name = format!("k{i:03}");
        first.push(bed.put(&name, b"old").await.version.unwrap());
        bed.put(&name, b"current").await;
    }
    bed.objects.put_object_legal_hold(&bed.alice, &bucket("b"), &key("k005"), Some(first[5]), true).await.unwrap();
    set_rules(&bed, vec![Rule { noncurrent_expiration: noncurrent(1, None), ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    bed.rival.take_removals();
    // One is deleted by its owner meanwhile.
    let (twin, alice, gone) = (bed.twin.clone(), bed.alice.clone(), first[9]);
    bed.rival.before_next_commit(move || async move {
        twin.delete_object(&alice, &bucket("b"), delete("k009", Some(gone))).await.unwrap();
    });
    let counts = pass(&bed).await;
    let expected = LifecycleCounts { noncurrent_expired: 298, locked: 1, changed: 1, ..LifecycleCounts::default() };
    assert_eq!(counts, expected);
    assert_eq!(bed.get_version("k005", first[5]).await.unwrap(), b"old");
    let usage = assert_counters(&bed).await;
    assert_eq!((usage.objects, usage.noncurrent_versions, usage.delete_markers), (300, 1, 0));
    bed.objects.put_object_legal_hold(&bed.alice, &bucket("b"), &key("k005"), Some(first[5]), false).await.unwrap();
    bed.rival.take_removals();
    assert_eq!(pass(&bed).await, LifecycleCounts { noncurrent_expired: 1, ..LifecycleCounts::default() });
    assert_eq!(bed.rival.take_removals(), [1]);
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.count(family::VERSION).await), (300, 0));
}

#[tokio::test]
async fn lone_markers_of_many_keys_go_together_and_one_that_hides_something_again_stays() {
    let bed = versioned().await;
    for i in 0..50 {
        bed.delete(&format!("k{i:02}"), None).await.unwrap();
    }
    end_after_a_day(&bed).await;
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(move || async move {
        twin.put_object(&alice, put("k03", b"new")).await.unwrap();
        twin.delete_object(&alice, &bucket("b"), delete("k04", None)).await.unwrap();
    });
    let counts = pass(&bed).await;
    // The marker of k04 hides nothing, nor does the one before it.
    assert_eq!((counts.markers_removed, counts.changed), (48, 2));
    assert_eq!(bed.get("k03").await.unwrap(), b"new");
    let usage = assert_counters(&bed).await;
    assert_eq!((usage.objects, usage.delete_markers), (1, 3));
}

#[tokio::test]
async fn a_marker_that_hides_its_key_by_now_stays() {
    let bed = Bed::new("replicas:1").await;
    let request =
        CreateBucket { name: bucket("b"), region: String::new(), object_lock: true, acl: None, ownership: None };
    bed.objects.create_bucket(&bed.alice, request).await.unwrap();
    let held = bed.put("k", b"held").await.version;
    bed.objects.put_object_legal_hold(&bed.alice, &bucket("b"), &key("k"), held, true).await.unwrap();
    bed.delete("k", None).await.unwrap();
    let newest = bed.delete("k", None).await.unwrap().version;
    set_rules(&bed, vec![Rule { noncurrent_expiration: noncurrent(1, None), ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(move || async move {
        twin.delete_object(&alice, &bucket("b"), delete("k", newest)).await.unwrap();
    });
    let counts = pass(&bed).await;
    assert_eq!((counts.noncurrent_expired, counts.locked, counts.changed), (0, 1, 1));
    assert!(matches!(bed.get("k").await, Err(Error::NoSuchKey { delete_marker: Some(_) })));
    assert!(bed.objects.head_object(&bed.alice, get("k")).await.is_err());
    assert_counters(&bed).await;
}
