use crate::bed::{Bed, bucket, get, key, put};
use cofre_catalog::records::{Header, Headers};
use cofre_objects::{CopyObject, EncryptAs, Error, PutObject, ReadConditions, TagMatch, WriteConditions};
use cofre_types::{ChecksumAlgorithm, ETag};

pub fn copy(from: &str, to: &str) -> CopyObject {
    CopyObject {
        source_bucket: bucket("b"),
        source_key: key(from),
        source_version: None,
        source_conditions: ReadConditions::default(),
        source_customer_key: None,
        bucket: bucket("b"),
        key: key(to),
        headers: None,
        website_redirect: None,
        tags: None,
        storage_class: String::new(),
        lock: Default::default(),
        checksum: None,
        acl: None,
        encryption: EncryptAs::AsBucket,
        conditions: WriteConditions::default(),
    }
}

fn headers(value: &str) -> Headers {
    Headers { system: Vec::new(), user: vec![("color".to_owned(), value.to_owned())] }
}

#[tokio::test]
async fn a_copy_shares_its_bytes_and_outlives_its_source() {
    let bed = Bed::with_bucket().await;
    bed.try_put(PutObject { headers: headers("red"), ..put("from", b"bytes") }).await.unwrap();
    let made = bed.objects.copy_object(&bed.alice, copy("from", "to")).await.unwrap();
    let head = bed.objects.head_object(&bed.alice, get("to")).await.unwrap().info;
    assert_eq!((head.etag, head.headers), (made.etag, headers("red")));
    assert_eq!(bed.stored().await, 1);
    bed.delete("from", None).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.get("to").await.unwrap(), b"bytes");
    bed.delete("to", None).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 0);
}

#[tokio::test]
async fn a_copy_onto_itself_must_change_something() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"bytes").await;
    assert!(matches!(bed.objects.copy_object(&bed.alice, copy("k", "k")).await, Err(Error::InvalidRequest(_))));
    let replace = CopyObject { headers: Some(headers("blue")), ..copy("k", "k") };
    bed.objects.copy_object(&bed.alice, replace).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.get("k").await.unwrap(), b"bytes");
    assert_eq!(bed.objects.head_object(&bed.alice, get("k")).await.unwrap().info.headers, headers("blue"));
}

#[tokio::test]
async fn the_source_must_be_the_callers_to_read() {
    let bed = Bed::with_bucket().await;
    bed.put("secret", b"bytes").await;
    let name = cofre_types::BucketName::parse("bobs-bucket").unwrap();
    let theirs = cofre_objects::CreateBucket {
        name: name.clone(),
        region: String::new(),
        object_lock: false,
        acl: None,
        ownership: None,
    };
    bed.objects.create_bucket(&bed.bob, theirs).await.unwrap();
    let stolen = CopyObject { bucket: name, ..copy("secret", "loot") };
    assert!(matches!(bed.objects.copy_object(&bed.bob, stolen).await, Err(Error::AccessDenied)));
}

#[tokio::test]
async fn conditions_are_held_against_source_and_destination() {
    let bed = Bed::with_bucket().await;
    let etag = bed.put("from", b"bytes").await.etag;
    bed.put("to", b"other").await;
    let tags = |etag| Some(TagMatch::OneOf(vec![etag]));
    let unequal = ReadConditions { if_none_match: tags(etag), ..Default::default() };
    let refused = bed.objects.copy_object(&bed.alice, CopyObject { source_conditions: unequal, ..copy("from", "to") });
    assert!(matches!(refused.await, Err(Error::PreconditionFailed { .. })));
    let create = WriteConditions { if_none_match: Some(TagMatch::Any), ..Default::default() };
    let refused = bed.objects.copy_object(&bed.alice, CopyObject { conditions: create, ..copy("from", "to") }).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed { .. })));
    let stale = ReadConditions { if_match: tags(ETag::of_md5([0; 16])), ..Default::default() };
    let refused = bed.objects.copy_object(&bed.alice, CopyObject { source_conditions: stale, ..copy("from", "to") });
    assert!(matches!(refused.await, Err(Error::PreconditionFailed { .. })));
    assert_eq!(bed.get("to").await.unwrap(), b"other");
}

#[tokio::test]
async fn a_copy_gets_the_checksum_that_it_asks_for() {
    let bed = Bed::with_bucket().await;
    bed.put("from", b"123456789").await;
    let request = CopyObject { checksum: Some(ChecksumAlgorithm::Crc32), ..copy("from", "to") };
    let made = bed.objects.copy_object(&bed.alice, request).await.unwrap();
    assert_eq!(made.checksum.unwrap().base64(), "y/Q5Jg==");
}

#[tokio::test]
async fn copies_race_with_deletes_of_their_source_and_lose_nothing() {
    for _ in 0..50 {
        let bed = Bed::with_bucket().await;
        bed.put("from", b"bytes").await;
        let (copied, deleted) =
            tokio::join!(bed.objects.copy_object(&bed.alice, copy("from", "to")), bed.delete("from", None));
        deleted.unwrap();
        bed.reclaim().await;
        match copied {
            Ok(_) => assert_eq!(bed.get("to").await.unwrap(), b"bytes"),
            Err(error) => {
                assert!(matches!(error, Error::NoSuchKey { .. }), "{error}");
                assert_eq!(bed.stored().await, 0);
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_is_the_copys_own() {
    let bed = Bed::with_bucket().await;
    let redirect = |to: &str| (Header::WebsiteRedirectLocation, to.to_owned());
    let plain = (Header::ContentType, "text/html".to_owned());
    let given = Headers { system: vec![plain.clone(), redirect("/there")], user: Vec::new() };
    bed.try_put(PutObject { headers: given, ..put("from", b"bytes") }).await.unwrap();
    let system = async |name: &str| bed.objects.head_object(&bed.alice, get(name)).await.unwrap().info.headers.system;
    bed.objects.copy_object(&bed.alice, copy("from", "to")).await.unwrap();
    assert_eq!(system("to").await, std::slice::from_ref(&plain));
    // It alone is change enough for a copy onto itself.
    let anew = CopyObject { website_redirect: Some("/elsewhere".to_owned()), ..copy("from", "from") };
    bed.objects.copy_object(&bed.alice, anew).await.unwrap();
    assert_eq!(system("from").await, [plain, redirect("/elsewhere")]);
}
