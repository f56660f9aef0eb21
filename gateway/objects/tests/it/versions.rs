use crate::bed::{Bed, bucket, key, put};
use cofre_catalog::keys::family;
use cofre_catalog::records::{Usage, Versioning};
use cofre_objects::{Error, ListVersions};
use cofre_types::{Tags, TagsLimit, VersionId};

async fn set(bed: &Bed, versioning: Versioning) {
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), versioning).await.unwrap();
}

async fn versions(bed: &Bed, max: usize) -> Vec<(String, VersionId, bool, bool)> {
    let mut all = Vec::new();
    let mut after: Option<(String, Option<VersionId>)> = None;
    loop {
        let (key_after, version_after) = after.map_or((None, None), |(key, version)| (Some(key), version));
        let request = ListVersions {
            bucket: bucket("b"),
            prefix: String::new(),
            delimiter: String::new(),
            key_after,
            version_after,
            max,
        };
        let page = bed.objects.list_versions(&bed.alice, request).await.unwrap();
        assert!(page.versions.len() <= max);
        all.extend(page.versions.into_iter().map(|v| (v.object.key, v.version, v.latest, v.delete_marker)));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn usage(bed: &Bed) -> Usage {
    bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap()
}

#[tokio::test]
async fn an_unversioned_bucket_keeps_one_null_version() {
    let bed = Bed::with_bucket().await;
    assert_eq!(bed.put("k", b"one").await.version, None);
    bed.put("k", b"two").await;
    assert_eq!(versions(&bed, 10).await, [("k".to_owned(), VersionId::Null, true, false)]);
    assert_eq!(bed.delete("k", None).await.unwrap().version, None);
    assert_eq!(versions(&bed, 10).await, []);
}

#[tokio::test]
async fn what_is_said_of_an_older_version_leaves_the_current_one() {
    let bed = Bed::with_bucket().await;
    set(&bed, Versioning::Enabled).await;
    let one = bed.put("k", b"one").await.version.unwrap();
    let two = bed.put("k", b"two").await.version.unwrap();
    let tags = Tags::new(vec![("a".to_owned(), "b".to_owned())], TagsLimit::Object).unwrap();
    bed.objects.put_object_tags(&bed.alice, &bucket("b"), &key("k"), Some(one), tags.clone()).await.unwrap();
    assert_eq!(bed.objects.object_tags(&bed.alice, &bucket("b"), &key("k"), Some(one)).await.unwrap().0, tags);
    assert_eq!(bed.objects.object_tags(&bed.alice, &bucket("b"), &key("k"), None).await.unwrap().0, Tags::default());
    assert_eq!(bed.get("k").await.unwrap(), b"two");
    let listed = versions(&bed, 10).await;
    assert_eq!(listed, [("k".to_owned(), two, true, false), ("k".to_owned(), one, false, false)]);
}

#[tokio::test]
async fn an_enabled_bucket_keeps_every_version() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"null").await;
    set(&bed, Versioning::Enabled).await;
    let one = bed.put("k", b"one").await.version.unwrap();
    let two = bed.put("k", b"two").await.version.unwrap();
    let marker = bed.delete("k", None).await.unwrap();
    assert!(marker.delete_marker);
    let marker = marker.version.unwrap();
    assert!(matches!(bed.get("k").await, Err(Error::NoSuchKey { delete_marker: Some(id) }) if id == marker));
    assert!(matches!(bed.get_version("k", marker).await, Err(Error::IsDeleteMarker { .. })));
    assert_eq!(bed.get_version("k", one).await.unwrap(), b"one");
    assert_eq!(bed.get_version("k", VersionId::Null).await.unwrap(), b"null");
    for max in [1, 2, 3, 10] {
        let listed: Vec<_> = versions(&bed, max).await.into_iter().map(|(_, id, latest, _)| (id, latest)).collect();
        assert_eq!(listed, [(marker, true), (two, false), (one, false), (VersionId::Null, false)], "by {max}");
    }
    let held = usage(&bed).await;
    assert_eq!((held.objects, held.noncurrent_versions, held.delete_markers), (0, 3, 1));
    assert_eq!((held.noncurrent_bytes, held.total_objects, held.total_bytes), (10, 3, 10));
    // Without its marker the object is back; without that, the one before.
    bed.delete("k", Some(marker)).await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"two");
    bed.delete("k", Some(two)).await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"one");
    bed.delete("k", Some(one)).await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"null");
    assert_eq!(versions(&bed, 10).await, [("k".to_owned(), VersionId::Null, true, false)]);
    bed.delete("k", Some(VersionId::Null)).await.unwrap();
    assert_eq!(usage(&bed).await, Usage { grace_bytes: 10, ..Usage::default() });
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 0);
}

#[tokio::test]
async fn a_suspended_bucket_replaces_only_the_null_version() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"null").await;
    set(&bed, Versioning::Enabled).await;
    let one = bed.put("k", b"one").await.version.unwrap();
    set(&bed, Versioning::Suspended).await;
    assert_eq!(bed.put("k", b"null again").await.version, Some(VersionId::Null));
    let listed: Vec<_> = versions(&bed, 10).await.into_iter().map(|(_, id, latest, _)| (id, latest)).collect();
    assert_eq!(listed, [(VersionId::Null, true), (one, false)]);
    // Deleting puts a null delete marker in the place of the null version.
    let deleted = bed.delete("k", None).await.unwrap();
    assert_eq!((deleted.version, deleted.delete_marker), (Some(VersionId::Null), true));
    assert!(matches!(bed.get("k").await, Err(Error::NoSuchKey { delete_marker: Some(VersionId::Null) })));
    bed.put("k", b"null once more").await;
    assert_eq!(bed.get("k").await.unwrap(), b"null once more");
    assert_eq!(versions(&bed, 10).await.len(), 2);
    bed.delete("k", Some(one)).await.unwrap();
    bed.delete("k", Some(VersionId::Null)).await.unwrap();
    assert_eq!(usage(&bed).await, Usage { grace_bytes: 31, ..Usage::default() });
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.count(family::NULL_VERSION).await), (0, 0));
}

#[tokio::test]
async fn deleting_a_version_that_is_not_there_is_fine() {
    let bed = Bed::with_bucket().await;
    set(&bed, Versioning::Enabled).await;
    let version = bed.put("k", b"v").await.version.unwrap();
    bed.delete("k", Some(VersionId::Id([7; 16]))).await.unwrap();
    assert_eq!(bed.get_version("k", version).await.unwrap(), b"v");
}

#[tokio::test]
async fn versions_of_many_keys_are_listed_with_roll_up() {
    let bed = Bed::with_bucket().await;
    set(&bed, Versioning::Enabled).await;
    for name in ["a", "d/1", "d/2", "z"] {
        bed.put(name, b"one").await;
        bed.put(name, b"two").await;
    }
    bed.delete("d/1", None).await.unwrap();
    let request = |key_after: Option<&str>, max| ListVersions {
        bucket: bucket("b"),
        prefix: String::new(),
        delimiter: "/".to_owned(),
        key_after: key_after.map(str::to_owned),
        version_after: None,
        max,
    };
    let page = bed.objects.list_versions(&bed.alice, request(None, 3)).await.unwrap();
    assert_eq!((page.versions.len(), page.common_prefixes.as_slice()), (2, ["d/".to_owned()].as_slice()));
    assert_eq!(page.next, Some(("d/".to_owned(), None)));
    let rest = bed.objects.list_versions(&bed.alice, request(Some("d/"), 10)).await.unwrap();
    assert_eq!((rest.versions.len(), rest.common_prefixes.len(), rest.next), (2, 0, None));
}

#[tokio::test]
async fn concurrent_writers_of_a_versioned_key_each_leave_a_version() {
    let bed = std::sync::Arc::new(Bed::with_bucket().await);
    set(&bed, Versioning::Enabled).await;
    let writers: Vec<_> = (0..32_u8)
        .map(|i| {
            let bed = std::sync::Arc::clone(&bed);
            cofre_runtime::spawn(async move { bed.try_put(put("k", &[i])).await.unwrap().version.unwrap() })
        })
        .collect();
    let mut made = std::collections::HashSet::new();
    for writer in writers {
        made.insert(writer.await.unwrap());
    }
    let listed = versions(&bed, 7).await;
    assert_eq!((made.len(), listed.len()), (32, 32));
    assert_eq!(listed.iter().filter(|(_, _, latest, _)| *latest).count(), 1);
    for (_, id, _, _) in listed {
        assert!(made.contains(&id));
        assert_eq!(bed.get_version("k", id).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_marker_that_goes_meanwhile_hides_nothing() {
    let bed = Bed::with_bucket().await;
    set(&bed, Versioning::Enabled).await;
    for newest_is_a_marker in [false, true] {
        let name = if newest_is_a_marker { "marker" } else { "object" };
        bed.put(name, b"behind").await;
        let marker = bed.delete(name, None).await.unwrap().version.unwrap();
        let newest = match newest_is_a_marker {
            true => bed.delete(name, None).await.unwrap().version,
            false => bed.put(name, b"newest").await.version,
        };
        let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
        bed.rival.before_next_commit(move || async move {
            let request = cofre_objects::DeleteObject {
                key: key(name),
                version: Some(marker),
                conditions: Default::default(),
                bypass_governance: false,
            };
            twin.delete_object(&alice, &bucket("b"), request).await.unwrap();
        });
        bed.delete(name, newest).await.unwrap();
        assert_eq!(bed.get(name).await.unwrap(), b"behind", "{name}");
    }
    let usage = usage(&bed).await;
    assert_eq!((usage.objects, usage.noncurrent_versions, usage.delete_markers), (2, 0, 0));
}
