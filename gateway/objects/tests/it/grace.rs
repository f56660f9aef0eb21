//! What waits for the end of its grace, and what is on its way, under quotas.

use crate::bed::{Bed, bucket, get, key, put, upload};
use crate::copies::copy;
use crate::multipart::create;
use bytes::Bytes;
use cofre_catalog::keys;
use cofre_objects::{
    Amounts, Bounded, BucketConfig, CopyObject, DeclaredChecksum, EncryptAs, Error, Excess, PutObject, PutPart,
    QuotaOf, TagMatch, Upload, UploadRef, Versioning, WriteConditions,
};
use cofre_shards::{Body, BodyError};
use futures_util::{FutureExt, stream};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

impl Bed {
    async fn in_grace(&self) -> (i64, i64) {
        let usage = self.objects.bucket_usage(&self.alice, &bucket("b")).await.unwrap();
        let alice = self.alice.principal.account_id().unwrap();
        let owned = self.upkeep.account_usage(&[alice]).await.unwrap().remove(0);
        (usage.grace_bytes, owned.grace_bytes)
    }

    async fn verified(&self) {
        let mut verify = self.upkeep.verify(false);
        while let Some(step) = verify.step().await.unwrap() {
            assert_eq!(step.wrong, []);
        }
    }

    async fn begin(&self, name: &str) -> Result<UploadRef, Error> {
        let id = self.objects.create_upload(&self.alice, create(name)).await?.id;
        Ok(UploadRef { bucket: bucket("b"), key: key(name), upload: id })
    }

    async fn part(&self, at: &UploadRef, number: u16, content: Upload) -> Result<(), Error> {
        let request = PutPart { upload: at.clone(), number, content, encryption: EncryptAs::AsBucket };
        self.objects.put_part(&self.alice, request).await.map(drop)
    }
}

/// The excess of a refusal.
fn excess<T>(outcome: Result<T, Error>) -> (Bounded, QuotaOf, Option<Amounts>) {
    match outcome.map(drop) {
        Err(Error::QuotaExceeded(excess) | Error::GraceExceeded(excess)) => {
            let Excess { of, bounded, amounts, .. } = *excess;
            (bounded, of, amounts)
        }
        other => panic!("{other:?}"),
    }
}

/// A body of a declared length that nobody may read.
fn untouchable(size: u64) -> Upload {
    let stream = Box::pin(stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, BodyError>>> {
        panic!("the body is read")
    }));
    Upload { body: Body::Stream { stream, size: Some(size) }, content_md5: None, checksum: DeclaredChecksum::None }
}

#[tokio::test]
async fn overwriting_is_held_to_a_multiple_of_the_quota_until_space_is_reclaimed() {
    for quota in ["bucket_bytes_max", "account_bytes_max"] {
        let bed = Bed::with_bucket().await;
        bed.set(json!({"quotas": {quota: 1000, "grace_multiple": 2}})).await;
        for _ in 0..5 {
            bed.put("k", &[0; 500]).await;
        }
        assert_eq!(bed.in_grace().await, (2000, 2000));
        let of = if quota == "bucket_bytes_max" { QuotaOf::Bucket } else { QuotaOf::Account };
        let refused = excess(bed.try_put(put("k", &[0; 500])).await);
        assert_eq!(refused, (Bounded::GraceBytes, of, Some(Amounts { limit: 2000, used: 2000, proposed: 500 })));
        // What brings nothing that was not there goes on, and removals always do.
        bed.put("k", b"").await;
        bed.delete("k", None).await.unwrap();
        assert_eq!(bed.in_grace().await, (2500, 2500));
        assert_eq!(excess(bed.try_put(put("new", b"x")).await).0, Bounded::GraceBytes, "nor by way of a deletion");
        assert_eq!(bed.stored().await, 5, "nothing of what was refused stands");
        bed.verified().await;
        bed.reclaim().await;
        assert_eq!(bed.in_grace().await, (0, 0));
        assert_eq!(bed.stored().await, 0);
        bed.put("k", &[0; 500]).await;
        bed.verified().await;
    }
}

#[tokio::test]
async fn grace_is_counted_exactly_for_parts_manifests_versions_and_buckets() {
    let bed = Bed::with_bucket().await;
    let at = bed.begin("up").await.unwrap();
    bed.part(&at, 1, upload(&[1; 100])).await.unwrap();
    bed.part(&at, 1, upload(&[1; 30])).await.unwrap();
    assert_eq!(bed.in_grace().await, (100, 100));
    bed.objects.abort_upload(&bed.alice, at, None).await.unwrap();
    assert_eq!(bed.in_grace().await, (130, 130));
    bed.verified().await;
    let at = bed.begin("up").await.unwrap();
    bed.part(&at, 1, upload(&[1; 7])).await.unwrap();
    bed.put("k", &[0; 10]).await;
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    bed.put("k", &[0; 20]).await;
    assert_eq!(bed.in_grace().await, (130, 130), "an older version stands");
    let version = bed.put("k", &[0; 40]).await.version;
    bed.delete("k", version).await.unwrap();
    assert_eq!(bed.in_grace().await, (170, 170));
    bed.verified().await;
    // A bucket that goes leaves what is in grace to its owner until it is reclaimed.
    for version in bed.versions("k").await {
        bed.delete("k", Some(version)).await.unwrap();
    }
    bed.objects.delete_bucket(&bed.alice, &bucket("b")).await.unwrap();
    let alice = bed.alice.principal.account_id().unwrap();
    assert_eq!(bed.upkeep.account_usage(&[alice]).await.unwrap()[0].grace_bytes, 170 + 30 + 7);
    bed.reclaim().await;
    assert_eq!(bed.upkeep.account_usage(&[alice]).await.unwrap()[0].grace_bytes, 0);
    assert_eq!(
        (bed.stored().await, bed.count(keys::family::USAGE).await),
        (0, 0),
        "and no counters of a bucket that is gone"
    );
}

#[tokio::test]
async fn what_is_declared_is_refused_before_it_is_read() {
    let bed = Bed::with_bucket().await;
    bed.put("source", &[0; 600]).await;
    let at = bed.begin("up").await.unwrap();
    bed.set(json!({"quotas": {"bucket_bytes_max": 1000}})).await;
    let told = Some(Amounts { limit: 1000, used: 600, proposed: 401 });
    let request = PutObject { upload: untouchable(401), ..put("k", b"") };
    assert_eq!(excess(bed.try_put(request).await), (Bounded::Bytes, QuotaOf::Bucket, told));
    assert_eq!(excess(bed.part(&at, 1, untouchable(401)).await), (Bounded::Bytes, QuotaOf::Bucket, told));
    // A copy that is encrypted moves bytes.
    let copy = CopyObject { encryption: EncryptAs::S3, ..copy("source", "copy") };
    assert_eq!(excess(bed.objects.copy_object(&bed.alice, copy).await).0, Bounded::Bytes);
    // What it replaces counts for it.
    bed.put("source", &[1; 1000]).await;
    assert_eq!(bed.get("source").await.unwrap(), [1; 1000]);
    bed.set(json!({"quotas": {"bucket_bytes_max": null, "bucket_objects_max": 1}})).await;
    let request = PutObject { upload: untouchable(1), ..put("k", b"") };
    assert_eq!(excess(bed.try_put(request).await).0, Bounded::Objects);
    assert_eq!(bed.stored().await, 2, "the object and what it replaced");
}

#[tokio::test]
async fn a_body_of_no_declared_length_ends_where_the_quota_does() {
    let bed = Bed::with_bucket().await;
    bed.put("k", &[0; 600]).await;
    bed.set(json!({"quotas": {"bucket_bytes_max": 1_000_000, "grace_multiple": 1}})).await;
    let given = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&given);
    let endless = stream::repeat_with(move || {
        count.fetch_add(100_000, Ordering::Relaxed);
        Ok::<_, BodyError>(Bytes::from(vec![0; 100_000]))
    });
    let body = Body::Stream { stream: Box::pin(endless), size: None };
    let upload = Upload { body, content_md5: None, checksum: DeclaredChecksum::None };
    let refused = bed.try_put(PutObject { upload, ..put("k", b"") }).await;
    assert_eq!(excess(refused).0, Bounded::Bytes);
    assert_eq!(given.load(Ordering::Relaxed), 1_100_000, "it has the room of what it replaces, and no more");
    assert_eq!(bed.get("k").await.unwrap(), [0; 600]);
    assert_eq!(bed.stored().await, 1);
}

#[tokio::test]
async fn bodies_under_way_count_like_what_stands() {
    let bed = Arc::new(Bed::with_bucket().await);
    bed.set(json!({"quotas": {"account_bytes_max": 1_000_000, "grace_multiple": 1}})).await;
    let mut writers = Vec::new();
    for name in ["one", "two"] {
        let ((go, gate), (begun, is_read)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
        let slow = stream::once(async move {
            begun.send(()).unwrap();
            gate.await.unwrap();
            Ok::<_, BodyError>(Bytes::from(vec![0; 900_000]))
        });
        let body = Body::Stream { stream: cofre_shards::exclusive(slow), size: Some(900_000) };
        let upload = Upload { body, content_md5: None, checksum: DeclaredChecksum::None };
        let (bed, request) = (Arc::clone(&bed), PutObject { upload, ..put(name, b"") });
        let writer = cofre_runtime::spawn(async move { bed.try_put(request).await.map(drop) });
        is_read.await.unwrap();
        writers.push((go, writer));
    }
    let refused = bed.try_put(PutObject { upload: untouchable(900_000), ..put("three", b"") }).await;
    let told = Amounts { limit: 2_000_000, used: 1_800_000, proposed: 900_000 };
    assert_eq!(excess(refused), (Bounded::GraceBytes, QuotaOf::Account, Some(told)));
    let mut outcomes = Vec::new();
    for (go, writer) in writers {
        go.send(()).unwrap();
        outcomes.push(writer.await.unwrap());
    }
    assert!(outcomes.remove(0).is_ok());
    assert_eq!(excess(outcomes.remove(0)).0, Bounded::Bytes);
    assert_eq!(bed.stored().await, 1);
    bed.put("four", &[1; 100_000]).await;
}

#[tokio::test]
async fn what_a_commit_refuses_is_removed_at_once() {
    let bed = Bed::with_bucket().await;
    let twin = bed.twin.clone();
    let alice = bed.alice.clone();
    bed.rival.before_next_commit(move || async move {
        twin.put_object(&alice, put("k", b"first")).await.unwrap();
    });
    let conditions = WriteConditions { if_none_match: Some(TagMatch::Any), ..WriteConditions::default() };
    let refused = bed.try_put(PutObject { conditions, ..put("k", b"second") }).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed { .. })));
    assert_eq!((bed.stored().await, bed.count(keys::family::GARBAGE).await), (1, 0));
    assert_eq!(bed.get_request(get("k")).await.unwrap(), b"first");
}

#[tokio::test]
async fn how_much_is_used_is_for_the_owner_alone() {
    let bed = Bed::with_bucket().await;
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket-b/*"}});
    let policy = BucketConfig::Policy(policy.to_string());
    bed.objects.put_bucket_config(&bed.alice, &bucket("b"), policy).await.unwrap();
    bed.set(json!({"quotas": {"bucket_bytes_max": 3}})).await;
    let told = |outcome| excess::<()>(outcome).2;
    let by = |caller| bed.objects.put_object(caller, put("k", b"four")).map(|outcome| outcome.map(drop));
    assert_eq!(told(by(&bed.alice).await), Some(Amounts { limit: 3, used: 0, proposed: 4 }));
    assert_eq!(told(by(&bed.bob).await), None);
}

#[tokio::test]
async fn markers_uploads_and_parts_are_bounded() {
    let bed = Bed::with_bucket().await;
    let max = json!({"bucket_delete_markers_max": 2, "bucket_uploads_max": 2, "bucket_upload_parts_max": 3});
    bed.set(json!({"quotas": max})).await;
    bed.objects.put_bucket_versioning(&bed.alice, &bucket("b"), Versioning::Enabled).await.unwrap();
    for _ in 0..2 {
        bed.delete("nothing", None).await.unwrap();
    }
    let full = |bounded, limit| (bounded, QuotaOf::Bucket, Some(Amounts { limit, used: limit, proposed: 1 }));
    assert_eq!(excess(bed.delete("nothing", None).await), full(Bounded::DeleteMarkers, 2));
    let marker = bed.versions("nothing").await[0];
    bed.delete("nothing", Some(marker)).await.unwrap();
    bed.delete("nothing", None).await.unwrap();

    let (one, two) = (bed.begin("one").await.unwrap(), bed.begin("two").await.unwrap());
    assert_eq!(excess(bed.begin("three").await), full(Bounded::Uploads, 2));
    for (at, number) in [(&one, 1), (&one, 2), (&two, 1)] {
        bed.part(at, number, upload(b"x")).await.unwrap();
    }
    assert_eq!(excess(bed.part(&two, 2, upload(b"x")).await), full(Bounded::UploadParts, 3));
    bed.part(&two, 1, upload(b"y")).await.unwrap();
    bed.objects.abort_upload(&bed.alice, one, None).await.unwrap();
    bed.part(&two, 2, upload(b"x")).await.unwrap();
    bed.begin("three").await.unwrap();
}
