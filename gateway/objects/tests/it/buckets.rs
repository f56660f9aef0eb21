use crate::bed::{Bed, bucket, put};
use cofre_catalog::keys::family;
use cofre_objects::{
    BucketConfig, CannedAcl, ConfigKind, CreateBucket, Error, GivenAcl, ListBuckets, Ownership, PublicAccessBlock,
    Unset,
};
use cofre_types::{Tags, TagsLimit};
use serde_json::json;

fn new(name: &str) -> CreateBucket {
    CreateBucket { name: bucket(name), region: String::new(), object_lock: false, acl: None, ownership: None }
}

#[tokio::test]
async fn a_name_belongs_to_one_account() {
    let bed = Bed::with_bucket().await;
    let again = bed.objects.create_bucket(&bed.alice, new("b")).await;
    assert!(matches!(again, Err(Error::BucketAlreadyOwnedByYou)));
    let theirs = bed.objects.create_bucket(&bed.bob, new("b")).await;
    assert!(matches!(theirs, Err(Error::BucketAlreadyExists)));
}

#[tokio::test]
async fn of_two_who_make_a_bucket_at_once_one_does() {
    let bed = Bed::new("replicas:1").await;
    let (one, two) =
        tokio::join!(bed.objects.create_bucket(&bed.alice, new("b")), bed.objects.create_bucket(&bed.bob, new("b")));
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test]
async fn others_may_not() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let name = bucket("b");
    let objects = &bed.objects;
    assert!(matches!(objects.head_bucket(&bed.bob, &name).await, Err(Error::AccessDenied)));
    assert!(matches!(objects.put_object(&bed.bob, put("k", b"w")).await, Err(Error::AccessDenied)));
    assert!(matches!(objects.get_object(&bed.bob, crate::bed::get("k")).await, Err(Error::AccessDenied)));
    assert!(matches!(objects.delete_bucket(&bed.bob, &name).await, Err(Error::AccessDenied)));
    assert_eq!(bed.get("k").await.unwrap(), b"v");
}

#[tokio::test]
async fn a_bucket_is_deleted_only_when_empty_and_takes_its_uploads_along() {
    let bed = Bed::with_bucket().await;
    let name = bucket("b");
    bed.put("k", b"v").await;
    assert!(matches!(bed.objects.delete_bucket(&bed.alice, &name).await, Err(Error::BucketNotEmpty)));
    bed.delete("k", None).await.unwrap();
    crate::multipart::begin_with_part(&bed, "upload", b"part").await;
    bed.objects.delete_bucket(&bed.alice, &name).await.unwrap();
    assert!(matches!(bed.objects.head_bucket(&bed.alice, &name).await, Err(Error::NoSuchBucket)));
    bed.reclaim().await;
    for left in [family::UPLOAD, family::PART, family::BLOB, family::USAGE, family::DOOMED, family::GARBAGE] {
        assert_eq!(bed.count(left).await, 0, "of family {}", char::from(left));
    }
    assert_eq!(bed.stored().await, 0);
}

#[tokio::test]
async fn a_bucket_made_again_has_nothing_of_the_first() {
    let bed = Bed::with_bucket().await;
    let tags = Tags::new(vec![("a".into(), "b".into())], TagsLimit::Bucket).unwrap();
    bed.objects.put_bucket_tags(&bed.alice, &bucket("b"), tags).await.unwrap();
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.make_bucket("b").await;
    let tags = bed.objects.bucket_tags(&bed.alice, &bucket("b")).await;
    assert!(matches!(tags, Err(Error::NoSuchConfiguration(Unset::Tagging))));
}

#[tokio::test]
async fn buckets_are_listed_by_name_page_by_page_to_their_owner() {
    let bed = Bed::new("replicas:1").await;
    for name in ["c", "a", "b"] {
        bed.make_bucket(name).await;
    }
    bed.objects.create_bucket(&bed.bob, new("bobs")).await.unwrap();
    let first = ListBuckets { max: 2, ..ListBuckets::default() };
    let page = bed.objects.list_buckets(&bed.alice, first).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("bucket-b"));
    let rest = ListBuckets { max: 2, after: page.next, ..ListBuckets::default() };
    let rest = bed.objects.list_buckets(&bed.alice, rest).await.unwrap();
    let names: Vec<_> = page.buckets.iter().chain(&rest.buckets).map(|bucket| bucket.name.to_string()).collect();
    assert_eq!(names, ["bucket-a", "bucket-b", "bucket-c"]);
    assert_eq!(rest.next, None);
}

#[tokio::test]
async fn an_account_owns_no_more_buckets_than_it_may() {
    let bed = Bed::new("replicas:1").await;
    bed.set(json!({"quotas": {"buckets_per_account_max": 1}})).await;
    bed.make_bucket("a").await;
    let more = bed.objects.create_bucket(&bed.alice, new("b")).await;
    assert!(matches!(more, Err(Error::TooManyBuckets)));
}

#[tokio::test]
async fn acceleration_is_not_for_names_with_dots() {
    let bed = Bed::new("replicas:1").await;
    for (name, fits) in [("plain", true), ("with.dot", false)] {
        bed.make_bucket(name).await;
        for on in [true, false] {
            let put = bed.objects.put_bucket_config(&bed.alice, &bucket(name), BucketConfig::Accelerate(on)).await;
            assert_eq!(put.is_ok(), fits, "{name}: {put:?}");
            assert!(fits || matches!(put, Err(Error::InvalidRequest(_))));
        }
    }
}

#[tokio::test]
async fn new_buckets_have_what_the_settings_say() {
    let bed = Bed::new("replicas:1").await;
    let config = |name: &'static str, kind| {
        let bed = &bed;
        async move { bed.objects.bucket_config(&bed.alice, &bucket(name), kind).await.ok() }
    };
    let ownership = |ownership| Some(BucketConfig::Ownership(ownership));
    bed.make_bucket("open").await;
    assert_eq!(config("open", ConfigKind::Ownership).await, None);
    assert_eq!(config("open", ConfigKind::PublicAccess).await, None);

    // As AWS has it.
    bed.set(json!({"new_buckets": {"ownership": "bucket_owner_enforced", "public_access_block": true}})).await;
    bed.make_bucket("closed").await;
    assert_eq!(config("closed", ConfigKind::Ownership).await, ownership(Ownership::BucketOwnerEnforced));
    let all = PublicAccessBlock { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true };
    assert_eq!(config("closed", ConfigKind::PublicAccess).await, Some(BucketConfig::PublicAccess(all)));
    assert_eq!(config("open", ConfigKind::Ownership).await, None, "only new ones");
    let public = CreateBucket { acl: Some(GivenAcl::Canned(CannedAcl::PublicRead)), ..new("public") };
    let refused = bed.objects.create_bucket(&bed.alice, public.clone()).await;
    assert!(matches!(refused, Err(Error::AclWithOwnership)), "{refused:?}");
    let by_writer = CreateBucket { ownership: Some(Ownership::ObjectWriter), ..public };
    let refused = bed.objects.create_bucket(&bed.alice, by_writer.clone()).await;
    assert!(matches!(refused, Err(Error::AclWithPublicAccessBlock)), "{refused:?}");
    bed.objects.create_bucket(&bed.alice, CreateBucket { acl: None, ..by_writer }).await.unwrap();
    assert_eq!(config("public", ConfigKind::Ownership).await, ownership(Ownership::ObjectWriter));
}
