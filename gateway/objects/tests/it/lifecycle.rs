//! What lifecycle rules do, with a clock that a test moves.

use crate::bed::{Bed, bucket, get, key, put};
use crate::multipart::{begin, begin_with_part};
use cofre_catalog::keys::family;
use cofre_catalog::records::Versioning;
use cofre_objects::{
    CreateBucket, Criteria, Error, Expiration, Lifecycle, LifecycleCounts, ListUploads, ListVersions,
    NoncurrentExpiration, PutObject, Rule, Scope, When,
};
use cofre_types::{Tags, TagsLimit, VersionId};
use std::time::Duration;

pub const DAY: Duration = Duration::from_secs(86_400);

pub fn rule(id: &str, prefix: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        enabled: true,
        scope: Scope::Prefix(prefix.to_owned()),
        expiration: None,
        noncurrent_expiration: None,
        transitions: Vec::new(),
        noncurrent_transitions: Vec::new(),
        abort_upload_days: None,
    }
}

pub fn after(days: u32) -> Option<Expiration> {
    Some(Expiration { when: Some(When::Days(days)), lone_markers: None })
}

pub fn noncurrent(days: u32, keep: Option<u32>) -> Option<NoncurrentExpiration> {
    Some(NoncurrentExpiration { days, keep })
}

pub async fn set_rules(bed: &Bed, rules: Vec<Rule>) {
    bed.objects.put_lifecycle(&bed.alice, &bucket("b"), Lifecycle::of(rules)).await.unwrap();
}

pub async fn versioned() -> Bed {
    let bed = Bed::with_bucket().await;
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    bed
}

/// One pass over everything.
pub async fn pass(bed: &Bed) -> LifecycleCounts {
    let mut sum = LifecycleCounts::default();
    let mut cursor = Vec::new();
    loop {
        let step = bed.upkeep.apply_lifecycle(&cursor).await.unwrap();
        assert_eq!(step.problems, []);
        sum.expired += step.counts.expired;
        sum.noncurrent_expired += step.counts.noncurrent_expired;
        sum.markers_removed += step.counts.markers_removed;
        sum.uploads_aborted += step.counts.uploads_aborted;
        sum.transitioned += step.counts.transitioned;
        sum.transitioned_bytes += step.counts.transitioned_bytes;
        sum.locked += step.counts.locked;
        sum.changed += step.counts.changed;
        match step.next {
            Some(next) => cursor = next,
            None => return sum,
        }
    }
}

/// Keys with their versions, newest first: whether each is a delete marker.
pub async fn versions(bed: &Bed) -> Vec<(String, bool)> {
    let request = ListVersions {
        bucket: bucket("b"),
        prefix: String::new(),
        delimiter: String::new(),
        key_after: None,
        version_after: None,
        max: 1_000,
    };
    let page = bed.objects.list_versions(&bed.alice, request).await.unwrap();
    page.versions.into_iter().map(|version| (version.object.key, version.delete_marker)).collect()
}

fn tagged(name: &str, tag: &str) -> PutObject {
    let tags = Tags::new(vec![("t".to_owned(), tag.to_owned())], TagsLimit::Object).unwrap();
    PutObject { tags, ..put(name, b"bytes") }
}

#[tokio::test]
async fn objects_end_at_the_midnight_after_their_days() {
    let bed = Bed::with_bucket().await;
    set_rules(&bed, vec![Rule { expiration: after(2), ..rule("r", "logs/") }]).await;
    // The bed's clock stands at 22:13:20 of a day.
    let ending = bed.put("logs/a", b"a").await.ending.unwrap();
    assert_eq!((ending.at.secs(), ending.rule.as_str()), (1_700_179_200, "r"));
    assert_eq!(bed.put("kept", b"b").await.ending, None);
    let head = bed.objects.head_object(&bed.alice, get("logs/a")).await.unwrap();
    assert_eq!(head.info.ending, Some(ending));
    bed.clock.advance(2 * DAY);
    assert_eq!(pass(&bed).await, LifecycleCounts::default());
    bed.clock.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(pass(&bed).await, LifecycleCounts { expired: 1, ..LifecycleCounts::default() });
    assert_eq!(bed.list("", "").await.0, ["kept"]);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 1);
}

#[tokio::test]
async fn filters_choose() {
    let bed = Bed::with_bucket().await;
    let tag = |value: &str| vec![("t".to_owned(), value.to_owned())];
    let by = |criteria| Rule { scope: Scope::Filter(criteria), expiration: after(1), ..rule("", "") };
    let both = Criteria { prefix: Some("p/".to_owned()), tags: tag("both"), ..Criteria::default() };
    set_rules(
        &bed,
        vec![
            by(Criteria { tags: tag("end"), ..Criteria::default() }),
            by(Criteria { larger_than: Some(100), ..Criteria::default() }),
            by(Criteria { smaller_than: Some(2), ..Criteria::default() }),
            Rule { scope: Scope::And(both), expiration: after(1), ..rule("and", "") },
            Rule { enabled: false, expiration: after(1), ..rule("off", "") },
        ],
    )
    .await;
    let ids: Vec<_> = bed.objects.lifecycle(&bed.alice, &bucket("b")).await.unwrap().rules;
    assert!(ids.iter().all(|rule| !rule.id.is_empty()), "rules without an id get one");
    for (name, tag) in [("a", "end"), ("b", "other"), ("p/c", "both"), ("d", "both"), ("p/e", "other")] {
        bed.try_put(tagged(name, tag)).await.unwrap();
    }
    bed.put("large", &[1; 101]).await;
    bed.put("edge", &[1; 100]).await;
    bed.put("small", &[1; 1]).await;
    bed.clock.advance(3 * DAY);
    assert_eq!(pass(&bed).await.expired, 4);
    assert_eq!(bed.list("", "").await.0, ["b", "d", "edge", "p/e"]);
}

#[tokio::test]
async fn versions_end_by_days_and_count_and_their_marker_follows() {
    let bed = versioned().await;
    for i in 0..6 {
        bed.put("k", &[i; 10]).await;
        bed.clock.advance(Duration::from_secs(1));
    }
    set_rules(&bed, vec![Rule { noncurrent_expiration: noncurrent(3, Some(2)), ..rule("r", "") }]).await;
    bed.clock.advance(DAY);
    assert_eq!(pass(&bed).await, LifecycleCounts::default());
    bed.clock.advance(3 * DAY);
    assert_eq!(pass(&bed).await.noncurrent_expired, 3);
    assert_eq!(versions(&bed).await.len(), 3);
    // The current one ends behind a marker, and is not current from then on.
    let both = Rule { expiration: after(1), noncurrent_expiration: noncurrent(2, None), ..rule("r", "") };
    set_rules(&bed, vec![both]).await;
    assert_eq!(pass(&bed).await, LifecycleCounts { expired: 1, noncurrent_expired: 2, ..Default::default() });
    assert_eq!(versions(&bed).await, [("k".to_owned(), true), ("k".to_owned(), false)]);
    bed.clock.advance(2 * DAY);
    assert_eq!(pass(&bed).await, LifecycleCounts::default(), "the marker is not alone, the version not old");
    bed.clock.advance(DAY);
    assert_eq!(pass(&bed).await.noncurrent_expired, 1);
    assert_eq!(pass(&bed).await.markers_removed, 1);
    assert_eq!(versions(&bed).await, []);
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.count(family::VERSION).await), (0, 0));
}

#[tokio::test]
async fn only_a_marker_that_hides_nothing_goes() {
    let bed = versioned().await;
    let lone = bed.put("lone", b"v").await.version;
    bed.put("hidden", b"v").await;
    bed.delete("lone", None).await.unwrap();
    bed.delete("hidden", None).await.unwrap();
    bed.delete("lone", lone).await.unwrap();
    let markers = Some(Expiration { when: None, lone_markers: Some(true) });
    set_rules(&bed, vec![Rule { expiration: markers, ..rule("r", "") }]).await;
    assert_eq!(pass(&bed).await, LifecycleCounts { markers_removed: 1, ..LifecycleCounts::default() });
    assert_eq!(versions(&bed).await, [("hidden".to_owned(), true), ("hidden".to_owned(), false)]);
}

#[tokio::test]
async fn locked_versions_are_left() {
    let bed = Bed::new("replicas:1").await;
    let request =
        CreateBucket { name: bucket("b"), region: String::new(), object_lock: true, acl: None, ownership: None };
    bed.objects.create_bucket(&bed.alice, request).await.unwrap();
    let held = bed.put("k", b"held").await.version;
    bed.objects.put_object_legal_hold(&bed.alice, &bucket("b"), &key("k"), held, true).await.unwrap();
    bed.put("k", b"free").await;
    bed.put("k", b"current").await;
    set_rules(&bed, vec![Rule { noncurrent_expiration: noncurrent(1, None), ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    let counts = pass(&bed).await;
    assert_eq!((counts.noncurrent_expired, counts.locked), (1, 1));
    assert_eq!(bed.get_version("k", held.unwrap()).await.unwrap(), b"held");
}

#[tokio::test]
async fn uploads_end_and_their_space_comes_back() {
    let bed = Bed::with_bucket().await;
    begin_with_part(&bed, "tmp/old", b"part").await;
    begin(&bed, "other", None).await;
    bed.clock.advance(2 * DAY);
    begin(&bed, "tmp/new", None).await;
    set_rules(&bed, vec![Rule { abort_upload_days: Some(1), ..rule("r", "tmp/") }]).await;
    assert_eq!(pass(&bed).await, LifecycleCounts { uploads_aborted: 1, ..LifecycleCounts::default() });
    let request = ListUploads {
        bucket: bucket("b"),
        prefix: String::new(),
        delimiter: String::new(),
        key_after: None,
        upload_after: None,
        max: 10,
    };
    let left = bed.objects.list_uploads(&bed.alice, request).await.unwrap().uploads;
    assert_eq!(left.iter().map(|upload| upload.key.as_str()).collect::<Vec<_>>(), ["other", "tmp/new"]);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 0);
}

#[tokio::test]
async fn what_changes_between_reading_and_commit_is_decided_anew() {
    let bed = versioned().await;
    let tag = Criteria { tags: vec![("t".to_owned(), "end".to_owned())], ..Criteria::default() };
    set_rules(&bed, vec![Rule { scope: Scope::Filter(tag), expiration: after(1), ..rule("r", "") }]).await;
    bed.try_put(tagged("k", "end")).await.unwrap();
    bed.clock.advance(3 * DAY);
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        twin.put_object_tags(&alice, &bucket("b"), &key("k"), None, Tags::default()).await.unwrap();
    });
    assert_eq!(pass(&bed).await, LifecycleCounts { changed: 1, ..LifecycleCounts::default() });
    assert_eq!(bed.get("k").await.unwrap(), b"bytes");
    // Rules that are taken back meanwhile end nothing either.
    bed.try_put(tagged("k", "end")).await.unwrap();
    bed.clock.advance(3 * DAY);
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        twin.delete_bucket_config(&alice, &bucket("b"), cofre_objects::ConfigKind::Lifecycle).await.unwrap();
    });
    assert_eq!(pass(&bed).await.expired, 0);
    assert_eq!(bed.get("k").await.unwrap(), b"bytes");
}

#[tokio::test]
async fn a_version_that_must_stay_once_a_newer_one_went_stays() {
    let bed = versioned().await;
    bed.put("k", b"oldest").await;
    let newer = bed.put("k", b"newer").await.version;
    bed.put("k", b"current").await;
    set_rules(&bed, vec![Rule { noncurrent_expiration: noncurrent(1, Some(1)), ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
    bed.rival.before_next_commit(move || async move {
        let request = cofre_objects::DeleteObject {
            key: key("k"),
            version: newer,
            conditions: Default::default(),
            bypass_governance: false,
        };
        twin.delete_object(&alice, &bucket("b"), request).await.unwrap();
    });
    assert_eq!(pass(&bed).await, LifecycleCounts { changed: 1, ..LifecycleCounts::default() });
    assert_eq!(versions(&bed).await.len(), 2);
    assert_eq!(pass(&bed).await, LifecycleCounts::default());
}

#[tokio::test]
async fn a_pass_goes_on_page_by_page_and_within_a_key() {
    let bed = versioned().await;
    for i in 0..2_300 {
        bed.put(&format!("many/{i:04}"), b"").await;
    }
    for _ in 0..1_100 {
        bed.put("one", b"").await;
    }
    let current = Rule { expiration: after(1), ..rule("current", "many/") };
    let older = Rule { noncurrent_expiration: noncurrent(1, Some(5)), ..rule("older", "one") };
    set_rules(&bed, vec![current, older]).await;
    bed.clock.advance(3 * DAY);
    let mut cursor = Vec::new();
    let (mut steps, mut expired, mut ended) = (0, 0, 0);
    loop {
        // Each step could be another process': nothing but the cursor goes on.
        let step = bed.twin_upkeep.apply_lifecycle(&cursor).await.unwrap();
        assert!(step.counts.expired <= 2_048 && step.looked_at <= 10_000, "a step is bounded");
        (steps, expired, ended) = (steps + 1, expired + step.counts.expired, ended + step.counts.noncurrent_expired);
        match step.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    assert_eq!((expired, ended), (2_300, 1_094));
    assert!(steps > 4, "{steps} steps");
    assert_eq!(bed.list("", "").await.0, ["one"]);
    assert_eq!(bed.count(family::VERSION).await, 4_600 + 5);
}

#[tokio::test]
async fn a_suspended_bucket_ends_its_null_version_behind_a_marker() {
    let bed = versioned().await;
    let kept = bed.put("k", b"kept").await.version.unwrap();
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Suspended).await.unwrap();
    bed.put("k", b"null").await;
    set_rules(&bed, vec![Rule { expiration: after(1), ..rule("r", "") }]).await;
    bed.clock.advance(3 * DAY);
    assert_eq!(pass(&bed).await.expired, 1);
    assert_eq!(versions(&bed).await, [("k".to_owned(), true), ("k".to_owned(), false)]);
    assert!(matches!(bed.get("k").await, Err(Error::NoSuchKey { delete_marker: Some(VersionId::Null) })));
    assert_eq!(bed.get_version("k", kept).await.unwrap(), b"kept");
}
