use crate::bed::{Bed, bucket, get, key, put};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{MEMORY_STALENESS_MAX, ReadExt, Scan};
use cofre_iam::{Caller, LOG_DELIVERY, Principal};
use cofre_objects::{
    BucketConfig, CannedAcl, ConfigKind, CreateBucket, Error, GivenAcl, Inspect, ListBuckets, Ownership,
    PublicAccessBlock, Unset, Versioning,
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
    assert!(matches!(objects.get_object(&bed.bob, get("k")).await, Err(Error::AccessDenied)));
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

#[tokio::test]
async fn the_event_of_a_configuration_says_which_and_what_became_of_it() {
    let bed = Bed::with_bucket().await;
    let (alice, name) = (&bed.alice, &bucket("b"));
    let last = async || {
        let events = bed.store.page(Scan::prefix(&keys::events()), 100).await.unwrap();
        let event = EventRecord::decode(&events.last().unwrap().1.value).unwrap();
        assert_eq!(event.actor, "account:alice");
        let details: Vec<_> = event.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (event.kind, details.join(" "))
    };
    let configured = |details: &str| ("bucket.configured".to_owned(), details.to_owned());
    let ownership = BucketConfig::Ownership(Ownership::BucketOwnerEnforced);
    bed.objects.put_bucket_config(alice, name, ownership).await.unwrap();
    assert_eq!(last().await, configured("configuration=ownership controls change=set value=BucketOwnerEnforced"));
    let ownership = BucketConfig::Ownership(Ownership::ObjectWriter);
    bed.objects.put_bucket_config(alice, name, ownership).await.unwrap();
    assert_eq!(last().await, configured("configuration=ownership controls change=replaced value=ObjectWriter"));
    bed.objects.delete_bucket_config(alice, name, ConfigKind::Ownership).await.unwrap();
    assert_eq!(last().await, configured("configuration=ownership controls change=deleted"));
    bed.objects.put_bucket_config(alice, name, BucketConfig::Website("{}".to_owned())).await.unwrap();
    assert_eq!(last().await, configured("configuration=website change=set value=2 bytes"));
    bed.objects.put_bucket_versioning(alice, name, Versioning::Enabled).await.unwrap();
    let versioning = ("bucket.versioning_changed".to_owned(), "versioning=unversioned -> enabled".to_owned());
    assert_eq!(last().await, versioning);
}

#[tokio::test]
async fn a_configuration_has_at_most_128_kibibytes() {
    let bed = Bed::with_bucket().await;
    let of = |bytes: usize| BucketConfig::Website(format!("\"{}\"", "x".repeat(bytes - 2)));
    bed.objects.put_bucket_config(&bed.alice, &bucket("b"), of(128 << 10)).await.unwrap();
    let refused = bed.objects.put_bucket_config(&bed.alice, &bucket("b"), of((128 << 10) + 1)).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))), "{refused:?}");
}

#[tokio::test]
async fn a_bucket_that_is_handed_over_belongs_to_the_other_with_all_that_is_in_it() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"12345").await;
    bed.put("k", b"123").await;
    let operator = bed.operator();
    let [alice, bob] = [&bed.alice, &bed.bob].map(|caller| caller.principal.account_id().unwrap());
    assert!(matches!(bed.objects.hand_bucket_over(&bed.alice, &bucket("b"), bob).await, Err(Error::AccessDenied)));
    let info = bed.objects.hand_bucket_over(&operator, &bucket("b"), bob).await.unwrap();
    assert_eq!(info.owner, bob);
    let owned = bed.upkeep.account_usage(&[alice, bob]).await.unwrap();
    assert_eq!((owned[0].buckets, owned[0].objects, owned[0].bytes, owned[0].grace_bytes), (0, 0, 0, 5));
    assert_eq!((owned[1].buckets, owned[1].objects, owned[1].bytes, owned[1].grace_bytes), (1, 1, 3, 0));
    assert!(matches!(bed.get("k").await, Err(Error::AccessDenied)));
    let got = bed.objects.get_object(&bed.bob, get("k")).await.unwrap();
    assert_eq!(got.head.info.owner, bob);
    let listed = bed.objects.list_buckets(&bed.bob, ListBuckets { max: 10, ..ListBuckets::default() }).await.unwrap();
    assert_eq!(listed.buckets.len(), 1);
    // A write that began before is decided anew on the bucket as it is.
    let (twin, admin) = (bed.twin.clone(), operator.clone());
    bed.rival.before_next_commit(move || async move {
        twin.hand_bucket_over(&admin, &bucket("b"), alice).await.unwrap();
    });
    let request = bed.objects.put_object(&bed.bob, put("late", b"1"));
    assert!(matches!(request.await, Err(Error::AccessDenied)));
    bed.reclaim().await;
    let owned = bed.upkeep.account_usage(&[alice, bob]).await.unwrap();
    assert_eq!((owned[0].buckets, owned[0].bytes, owned[0].grace_bytes), (1, 3, 0));
    assert_eq!((owned[1].buckets, owned[1].bytes, owned[1].grace_bytes), (0, 0, 0));
}

#[tokio::test]
async fn what_is_for_operators_is_refused_whatever_a_policy_allows_and_its_event_names_who_did_it() {
    let bed = Bed::with_bucket().await;
    let name = bucket("b");
    let all = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket-b","arn:aws:s3:::bucket-b/*"]}}"#;
    bed.objects.put_bucket_config(&bed.alice, &name, BucketConfig::Policy(all.to_owned())).await.unwrap();
    bed.put("k", b"v").await;
    let bob = bed.bob.principal.account_id().unwrap();
    let two = Some("replicas:2".parse().unwrap());
    let look = || Inspect { bucket: name.clone(), key: key("k"), version: None, check: false };
    let anyone = Caller { principal: Principal::Anonymous, ..bed.alice.clone() };
    let service = Caller { principal: LOG_DELIVERY, ..bed.alice.clone() };
    for caller in [&bed.alice, &bed.bob, &anyone, &service] {
        let refused = |outcome: Result<(), Error>| {
            assert!(matches!(outcome, Err(Error::AccessDenied)), "{}: {outcome:?}", caller.principal);
        };
        refused(bed.objects.set_bucket_quota(caller, &name, Some(1), None).await);
        refused(bed.objects.set_bucket_redundancy(caller, &name, two).await);
        refused(bed.objects.create_bucket_for(caller, bob, new("c")).await.map(drop));
        refused(bed.objects.hand_bucket_over(caller, &name, bob).await.map(drop));
        refused(bed.objects.inspect(caller, look()).await.map(drop));
    }
    let ops = bed.operator().on_behalf_of("token:ops");
    let did = async |kind: &str| assert_eq!(bed.last_event().await, (kind.to_owned(), "token:ops".to_owned()));
    bed.objects.set_bucket_redundancy(&ops, &name, two).await.unwrap();
    did("bucket.redundancy_changed").await;
    bed.objects.create_bucket_for(&ops, bob, new("c")).await.unwrap();
    did("bucket.created").await;
    bed.objects.hand_bucket_over(&ops, &name, bob).await.unwrap();
    did("bucket.owner_changed").await;
    bed.objects.delete_bucket(&ops, &bucket("c")).await.unwrap();
    did("bucket.deleted").await;
    assert_eq!(bed.objects.inspect(&ops, look()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_another_process_does_to_a_bucket_is_seen_also_while_nothing_is_heard_of_it() {
    let bed = Bed::with_bucket().await;
    bed.twin.head_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.twin_stream.cut();
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.clock.advance(MEMORY_STALENESS_MAX);
    assert!(matches!(bed.twin.head_bucket(&bed.alice, &bucket("b")).await, Err(Error::NoSuchBucket)));
    // What is read meanwhile is not kept either.
    bed.make_bucket("b").await;
    bed.twin.head_bucket(&bed.alice, &bucket("b")).await.unwrap();
    bed.twin_stream.mend();
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    assert!(matches!(bed.twin.head_bucket(&bed.alice, &bucket("b")).await, Err(Error::NoSuchBucket)));
}
