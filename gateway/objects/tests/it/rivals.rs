use crate::bed::{Bed, bucket, get, key, put, upload};
use crate::copies::copy;
use crate::multipart::{begin_with_part, complete, create, named_parts};
use bytes::Bytes;
use cofre_blobs::ShardChange;
use cofre_catalog::keys::family;
use cofre_catalog::records::Versioning;
use cofre_objects::{
    BucketConfig, CannedAcl, CompletedPart, ConfigKind, CopyObject, CopyPart, DeleteObject, EncryptAs, Error, GivenAcl,
    Ownership, PutObject, PutPart, UploadRef,
};
use cofre_shards::Body;
use cofre_types::{ShardId, VersionId};
use futures_util::stream;
use std::time::Duration;

const ORPHAN_GRACE: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn references_that_go_in_one_step_are_each_counted() {
    let bed = Bed::with_bucket().await;
    let at = begin_with_part(&bed, "k", b"part").await;
    let parts = named_parts(&bed, &at).await;
    bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await.unwrap();
    bed.objects.copy_object(&bed.alice, copy("k", "k2")).await.unwrap();
    bed.delete("k", None).await.unwrap();
    bed.delete("k2", None).await.unwrap();
    bed.reclaim().await;
    for left in [family::MANIFEST, family::PART, family::BLOB] {
        assert_eq!(bed.count(left).await, 0, "of family {}", char::from(left));
    }
    assert_eq!(bed.stored().await, 0);
}

#[tokio::test]
async fn a_copy_has_the_checksum_of_the_bytes_that_it_has() {
    let bed = Bed::with_bucket().await;
    bed.put("from", b"one").await;
    let (objects, alice) = (bed.objects.clone(), bed.alice.clone());
    bed.rival.before_next_commit(|| async move {
        objects.put_object(&alice, put("from", b"another")).await.unwrap();
    });
    bed.objects.copy_object(&bed.alice, copy("from", "to")).await.unwrap();
    let from = bed.objects.head_object(&bed.alice, get("from")).await.unwrap().info;
    let to = bed.objects.head_object(&bed.alice, get("to")).await.unwrap().info;
    assert_eq!(bed.get("to").await.unwrap(), b"another");
    assert_eq!((from.etag, from.checksum), (to.etag, to.checksum));
}

#[tokio::test]
async fn a_copy_that_a_drain_makes_is_no_orphan() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"bytes").await;
    bed.clock.advance(2 * ORPHAN_GRACE);
    let mut holder = None;
    for shard in (1..=3).map(ShardId) {
        if bed.topology.holdings(shard).await.unwrap().blobs > 0 {
            holder = Some(shard);
        }
    }
    let holder = holder.unwrap();
    let drain = ShardChange { draining: Some(true), ..ShardChange::default() };
    bed.topology.change(holder, &drain, None, "test").await.unwrap();
    let blobs = bed.blobs.clone();
    bed.rival.before_next_commit(|| async move {
        for shard in (1..=3).map(ShardId) {
            blobs.find_orphans(shard, None, ORPHAN_GRACE).await.unwrap();
            blobs.delete_doomed(shard, None).await.unwrap();
        }
    });
    bed.blobs.relocate(holder, None).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.get("k").await.unwrap(), b"bytes");
}

#[tokio::test]
async fn a_put_that_takes_days_is_refused_rather_than_lost() {
    let bed = Bed::with_bucket().await;
    let clock = bed.clock.clone();
    let pieces = (0..10).map(move |i| {
        if i == 9 {
            clock.advance(2 * ORPHAN_GRACE);
        }
        Ok(Bytes::from(vec![i; 100_000]))
    });
    let body = Body::Stream { stream: Box::pin(stream::iter(pieces)), size: Some(1_000_000) };
    let upload = cofre_objects::Upload { body, ..upload(b"") };
    let refused = bed.try_put(PutObject { upload, ..put("slow", b"") }).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_put_whose_bytes_were_given_up_is_refused() {
    let bed = Bed::with_bucket().await;
    let (blobs, clock) = (bed.blobs.clone(), bed.clock.clone());
    bed.rival.before_next_commit(|| async move {
        clock.advance(2 * ORPHAN_GRACE);
        for shard in (1..=3).map(ShardId) {
            blobs.find_orphans(shard, None, ORPHAN_GRACE).await.unwrap();
        }
    });
    assert!(matches!(bed.try_put(put("k", b"bytes")).await, Err(Error::Refused(_))));
    assert!(matches!(bed.get("k").await, Err(Error::NoSuchKey { .. })));
}

#[tokio::test]
async fn a_put_that_meets_a_suspension_becomes_the_null_version() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"null version").await;
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    bed.clock.advance(Duration::from_secs(1));
    let (objects, alice, clock) = (bed.objects.clone(), bed.alice.clone(), bed.clock.clone());
    bed.rival.before_next_commit(|| async move {
        clock.advance(Duration::from_secs(1));
        objects.put_bucket_versioning(&alice, &bucket("b"), Versioning::Suspended).await.unwrap();
    });
    assert_eq!(bed.put("k", b"new").await.version, Some(VersionId::Null));
    assert_eq!(bed.get_version("k", VersionId::Null).await.unwrap(), b"new");
}

#[tokio::test]
async fn a_change_ends_though_its_client_goes_away() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"one").await;
    let (reached, at_commit) = tokio::sync::oneshot::channel();
    let (go_on, told) = tokio::sync::oneshot::channel::<()>();
    bed.rival.before_next_commit(|| async move {
        reached.send(()).unwrap();
        told.await.unwrap();
    });
    let (objects, alice) = (bed.objects.clone(), bed.alice.clone());
    let client = cofre_runtime::spawn(async move { objects.put_object(&alice, put("k", b"two")).await });
    at_commit.await.unwrap();
    client.abort();
    // A second writer of the key waits for the first, whose client is gone.
    let second = bed.objects.put_object(&bed.alice, put("k", b"three"));
    let (_, second) = tokio::join!(async { go_on.send(()).unwrap() }, second);
    second.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"three");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 1);
}

/// A bucket whose policy lets bob do everything, with the object `k`, and an upload of `up` with a part.
async fn open_to_bob() -> (Bed, UploadRef, Vec<CompletedPart>) {
    let bed = Bed::with_bucket().await;
    let open = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket-b", "arn:aws:s3:::bucket-b/*"]}}"#;
    let policy = BucketConfig::Policy(open.to_owned());
    bed.objects.put_bucket_config(&bed.alice, &bucket("b"), policy).await.unwrap();
    bed.put("k", b"bytes").await;
    let at = begin_with_part(&bed, "up", b"part").await;
    let parts = named_parts(&bed, &at).await;
    (bed, at, parts)
}

/// What bob may do no more when it comes to the commit.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Put,
    Copy,
    CopyAnew,
    Begin,
    Part,
    CopyPart,
    Complete,
    Abort,
    Delete,
}

async fn by_bob(bed: &Bed, deed: Deed, at: &UploadRef, parts: &[CompletedPart]) -> Result<(), Error> {
    let (objects, bob) = (&bed.objects, &bed.bob);
    match deed {
        Deed::Put => objects.put_object(bob, put("new", b"new")).await.map(drop),
        Deed::Copy => objects.copy_object(bob, copy("k", "new")).await.map(drop),
        Deed::CopyAnew => {
            objects.copy_object(bob, CopyObject { encryption: EncryptAs::S3, ..copy("k", "new") }).await.map(drop)
        }
        Deed::Begin => objects.create_upload(bob, create("new")).await.map(drop),
        Deed::Part => {
            let request =
                PutPart { upload: at.clone(), number: 2, content: upload(b"two"), encryption: EncryptAs::AsBucket };
            objects.put_part(bob, request).await.map(drop)
        }
        Deed::CopyPart => {
            let request = CopyPart {
                upload: at.clone(),
                number: 2,
                source_bucket: bucket("b"),
                source_key: key("k"),
                source_version: None,
                range: None,
                source_conditions: Default::default(),
                source_customer_key: None,
                encryption: EncryptAs::AsBucket,
            };
            objects.copy_part(bob, request).await.map(drop)
        }
        Deed::Complete => objects.complete_upload(bob, complete(at, parts)).await.map(drop),
        Deed::Abort => objects.abort_upload(bob, at.clone(), None).await,
        Deed::Delete => {
            let request =
                DeleteObject { key: key("k"), version: None, conditions: Default::default(), bypass_governance: false };
            objects.delete_object(bob, &bucket("b"), request).await.map(drop)
        }
    }
}

#[tokio::test]
async fn what_is_tried_anew_is_authorised_anew() {
    use Deed::*;
    for deed in [Put, Copy, CopyAnew, Begin, Part, CopyPart, Complete, Abort, Delete] {
        let (bed, at, parts) = open_to_bob().await;
        let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
        bed.rival.before_next_commit(|| async move {
            twin.delete_bucket_config(&alice, &bucket("b"), ConfigKind::Policy).await.unwrap();
        });
        let refused = by_bob(&bed, deed, &at, &parts).await;
        assert!(matches!(refused, Err(Error::AccessDenied)), "{deed:?}: {refused:?}");
        assert!(matches!(bed.get("new").await, Err(Error::NoSuchKey { .. })), "{deed:?}");
        assert_eq!(bed.get("k").await.unwrap(), b"bytes", "{deed:?}");
        assert_eq!(named_parts(&bed, &at).await, parts, "{deed:?}");
        // What it wrote is given up.
        bed.reclaim().await;
        assert_eq!(bed.stored().await, 2, "{deed:?}");

        let (bed, at, parts) = open_to_bob().await;
        by_bob(&bed, deed, &at, &parts).await.unwrap();
    }
}

#[tokio::test]
async fn a_put_that_is_tried_anew_is_owned_as_its_bucket_says_now() {
    for to_copy in [None, Some(EncryptAs::AsBucket), Some(EncryptAs::S3)] {
        let (bed, _, _) = open_to_bob().await;
        let (twin, alice) = (bed.twin.clone(), bed.alice.clone());
        bed.rival.before_next_commit(|| async move {
            let enforced = BucketConfig::Ownership(Ownership::BucketOwnerEnforced);
            twin.put_bucket_config(&alice, &bucket("b"), enforced).await.unwrap();
            let writer = BucketConfig::Ownership(Ownership::BucketOwnerPreferred);
            twin.put_bucket_config(&alice, &bucket("b"), writer).await.unwrap();
        });
        let full = Some(GivenAcl::Canned(CannedAcl::BucketOwnerFullControl));
        match to_copy {
            None => {
                drop(bed.objects.put_object(&bed.bob, PutObject { acl: full, ..put("new", b"new") }).await.unwrap())
            }
            Some(encryption) => {
                let request = CopyObject { acl: full, encryption, ..copy("k", "new") };
                drop(bed.objects.copy_object(&bed.bob, request).await.unwrap());
            }
        }
        let owner = bed.objects.head_object(&bed.alice, get("new")).await.unwrap().info.owner;
        assert_eq!(Some(owner), bed.alice.principal.account_id(), "it was bob's when he began");
    }
}
