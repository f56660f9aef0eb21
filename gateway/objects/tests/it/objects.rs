use crate::bed::{Bed, bucket, get, key, put, upload};
use bytes::Bytes;
use cofre_catalog::keys::family;
use cofre_objects::{
    ChecksumError, DeclaredChecksum, DeleteConditions, DeleteObject, Error, GetObject, PutObject, ReadConditions,
    TagMatch, WriteConditions,
};
use cofre_shards::{Body, BodyError};
use cofre_types::{ByteRange, Checksum, ChecksumAlgorithm, ETag, Tags, TagsLimit};
use futures_util::stream;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn what_is_put_is_got() {
    let bed = Bed::with_bucket().await;
    for name in ["a", "a/b", "//", "../x", "\u{1}\u{0}b", "ключ/🔑", &"k".repeat(1024)] {
        let outcome = bed.put(name, name.as_bytes()).await;
        assert_eq!(outcome.size, name.len() as u64);
        assert_eq!(bed.get(name).await.unwrap(), name.as_bytes());
    }
    assert_eq!(bed.put("empty", b"").await.etag.to_string(), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(bed.get("empty").await.unwrap(), b"");
    assert!(matches!(bed.get("none").await, Err(Error::NoSuchKey { delete_marker: None })));
}

#[tokio::test]
async fn a_large_body_is_streamed_and_hashed() {
    let bed = Bed::with_bucket().await;
    let whole: Vec<u8> = (0..1_000_000_u32).map(|i| i as u8).collect();
    let pieces: Vec<_> = whole.chunks(64_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = Body::Stream { stream: Box::pin(stream::iter(pieces)), size: Some(1_000_000) };
    let request = PutObject { upload: cofre_objects::Upload { body, ..upload(b"") }, ..put("k", b"") };
    let outcome = bed.try_put(request).await.unwrap();
    assert_eq!(outcome.etag, bed.put("same", &whole).await.etag);
    assert_eq!(outcome.checksum, bed.put("same", &whole).await.checksum);
    assert_eq!(bed.get("k").await.unwrap(), whole);
}

#[tokio::test]
async fn a_body_that_is_not_what_was_declared_leaves_nothing() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"before").await;
    let wrong_md5 = cofre_objects::Upload { content_md5: Some([0; 16]), ..upload(b"after") };
    let wrong = Checksum::parse(ChecksumAlgorithm::Crc32, "AAAAAA==").unwrap();
    let wrong_crc = cofre_objects::Upload { checksum: DeclaredChecksum::Value(wrong), ..upload(b"after") };
    let no_trailer = DeclaredChecksum::Trailer(ChecksumAlgorithm::Sha256, Box::new(|| Err(ChecksumError::Missing)));
    let no_trailer = cofre_objects::Upload { checksum: no_trailer, ..upload(b"after") };
    let short = Body::Stream { stream: Box::pin(stream::iter([Ok(Bytes::from_static(b"after"))])), size: Some(9) };
    let short = cofre_objects::Upload { body: short, ..upload(b"") };
    let broken = Err(BodyError("the client went away".into()));
    let broken =
        Body::Stream { stream: Box::pin(stream::iter([Ok(Bytes::from(vec![0; 500_000])), broken])), size: None };
    let broken = cofre_objects::Upload { body: broken, ..upload(b"") };
    let put_with = |upload| bed.try_put(PutObject { upload, ..put("k", b"") });
    assert!(matches!(put_with(wrong_md5).await, Err(Error::BadDigest)));
    assert!(matches!(put_with(wrong_crc).await, Err(Error::ChecksumMismatch(ChecksumAlgorithm::Crc32))));
    assert!(matches!(put_with(no_trailer).await, Err(Error::Checksum(ChecksumError::Missing))));
    assert!(matches!(put_with(short).await, Err(Error::IncompleteBody { declared: 9, got: 5 })));
    assert!(matches!(put_with(broken).await, Err(Error::Body(error)) if error.to_string() == "the client went away"));
    assert_eq!(bed.get("k").await.unwrap(), b"before");
    assert_eq!(bed.stored().await, 1);
}

#[tokio::test]
async fn every_algorithm_is_computed_as_its_standard_says() {
    let bed = Bed::with_bucket().await;
    // The check values of the CRC catalogue for "123456789"; the hashes as coreutils print them.
    let known = [
        (ChecksumAlgorithm::Crc32, "y/Q5Jg=="),
        (ChecksumAlgorithm::Crc32c, "4waSgw=="),
        (ChecksumAlgorithm::Crc64Nvme, "rosUhgp5mIg="),
        (ChecksumAlgorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
        (ChecksumAlgorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        (ChecksumAlgorithm::Md5, "JfnnlDI7RTiF9RgfG2JNCw=="),
        (
            ChecksumAlgorithm::Sha512,
            "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
        ),
    ];
    // AWS's own answers for "abcdefg".
    let answered = [
        (ChecksumAlgorithm::XxHash64, "GGCUDikCgi0="),
        (ChecksumAlgorithm::XxHash3, "WkDcP9RMBS8="),
        (ChecksumAlgorithm::XxHash128, "Kq/YOGmlnDE/55jA7aptxg=="),
    ];
    let known = known.map(|(algorithm, value)| (algorithm, value, &b"123456789"[..]));
    let answered = answered.map(|(algorithm, value)| (algorithm, value, &b"abcdefg"[..]));
    assert_eq!(known.len() + answered.len(), ChecksumAlgorithm::ALL.len());
    for (algorithm, value, body) in known.into_iter().chain(answered) {
        let upload = cofre_objects::Upload { checksum: DeclaredChecksum::Compute(algorithm), ..upload(body) };
        let outcome = bed.try_put(PutObject { upload, ..put("k", b"") }).await.unwrap();
        let checksum = outcome.checksum.unwrap();
        assert_eq!(checksum.base64(), value, "{}", algorithm.name());
        assert_eq!(checksum.algorithm(), algorithm);
    }
}

#[tokio::test]
async fn ranges_are_read_as_asked() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"0123456789").await;
    let range = |range| GetObject { range: Some(range), ..get("k") };
    let from = |first, last| range(ByteRange::From { first, last });
    assert_eq!(bed.get_request(from(2, Some(4))).await.unwrap(), b"234");
    assert_eq!(bed.get_request(from(8, Some(99))).await.unwrap(), b"89");
    assert_eq!(bed.get_request(from(9, None)).await.unwrap(), b"9");
    assert_eq!(bed.get_request(range(ByteRange::Suffix { length: 3 })).await.unwrap(), b"789");
    assert_eq!(bed.get_request(range(ByteRange::Suffix { length: 99 })).await.unwrap(), b"0123456789");
    assert!(matches!(bed.get_request(from(10, None)).await, Err(Error::InvalidRange { size: 10 })));
    let suffix = bed.get_request(range(ByteRange::Suffix { length: 0 })).await;
    assert!(matches!(suffix, Err(Error::InvalidRange { .. })));
}

#[tokio::test]
async fn conditions_of_reads_hold_as_rfc_9110_says() {
    let bed = Bed::with_bucket().await;
    let etag = bed.put("k", b"v").await.etag;
    let other = ETag::of_md5([9; 16]);
    let now = cofre_types::Timestamp(bed.clock.clock().now_nanos());
    let later = now.after(Duration::from_secs(5));
    let tags = |tags: &[ETag]| Some(TagMatch::OneOf(tags.to_vec()));
    let base = ReadConditions::default;
    let ok = [
        ReadConditions { if_match: tags(&[other, etag]), ..base() },
        ReadConditions { if_match: Some(TagMatch::Any), ..base() },
        ReadConditions { if_none_match: tags(&[other]), ..base() },
        ReadConditions { if_unmodified_since: Some(now), ..base() },
        // If-Match that holds outweighs If-Unmodified-Since, and so does If-None-Match.
        ReadConditions { if_match: tags(&[etag]), if_unmodified_since: Some(Default::default()), ..base() },
        ReadConditions { if_none_match: tags(&[other]), if_modified_since: Some(later), ..base() },
    ];
    for conditions in ok {
        bed.get_request(GetObject { conditions: conditions.clone(), ..get("k") }).await.expect("it holds");
    }
    let failed = [
        ReadConditions { if_match: tags(&[other]), ..base() },
        ReadConditions { if_unmodified_since: Some(Default::default()), ..base() },
    ];
    for conditions in failed {
        let got = bed.get_request(GetObject { conditions, ..get("k") }).await;
        assert!(matches!(got, Err(Error::PreconditionFailed { .. })));
    }
    let unmodified = [
        ReadConditions { if_none_match: tags(&[etag]), ..base() },
        ReadConditions { if_none_match: Some(TagMatch::Any), ..base() },
        ReadConditions { if_modified_since: Some(now), ..base() },
    ];
    for conditions in unmodified {
        let got = bed.get_request(GetObject { conditions, ..get("k") }).await;
        assert!(matches!(got, Err(Error::NotModified { .. })));
    }
}

#[tokio::test]
async fn conditions_of_writes_hold_at_the_commit() {
    let bed = Arc::new(Bed::with_bucket().await);
    let create = || WriteConditions { if_none_match: Some(TagMatch::Any), ..Default::default() };
    // Of many who create one key at once, one does.
    let tries = (0..16).map(|i| {
        let bed = Arc::clone(&bed);
        async move { bed.try_put(PutObject { conditions: create(), ..put("k", &[i]) }).await.is_ok() }
    });
    let created = futures_util::future::join_all(tries).await.into_iter().filter(|ok| *ok).count();
    assert_eq!(created, 1);
    let etag = bed.objects.head_object(&bed.alice, get("k")).await.unwrap().info.etag;
    let replace = |etag| WriteConditions { if_match: Some(TagMatch::OneOf(vec![etag])), ..Default::default() };
    bed.try_put(PutObject { conditions: replace(etag), ..put("k", b"new") }).await.unwrap();
    let stale = bed.try_put(PutObject { conditions: replace(etag), ..put("k", b"newer") }).await;
    assert!(matches!(stale, Err(Error::PreconditionFailed { .. })));
    let absent = bed.try_put(PutObject { conditions: replace(etag), ..put("none", b"") }).await;
    assert!(matches!(absent, Err(Error::NoSuchKey { .. })));
    assert_eq!(bed.get("k").await.unwrap(), b"new");
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 1, "what the losers wrote is reclaimed");
}

#[tokio::test]
async fn deleting_twice_is_fine_and_conditions_are_held() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let wrong = DeleteConditions { if_size: Some(9), ..Default::default() };
    let request = DeleteObject { key: key("k"), version: None, conditions: wrong, bypass_governance: false };
    let refused = bed.objects.delete_object(&bed.alice, &bucket("b"), request).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed { .. })));
    bed.delete("k", None).await.unwrap();
    bed.delete("k", None).await.unwrap();
    assert!(matches!(bed.get("k").await, Err(Error::NoSuchKey { .. })));
}

#[tokio::test]
async fn concurrent_overwrites_leave_one_object_and_no_garbage() {
    let bed = Arc::new(Bed::with_bucket().await);
    let writers = (0..64_u8).map(|i| {
        let bed = Arc::clone(&bed);
        cofre_runtime::spawn(async move { bed.put("k", &vec![i; 1000]).await })
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let body = bed.get("k").await.unwrap();
    assert!(body.len() == 1000 && body.iter().all(|b| *b == body[0]));
    let usage = bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap();
    assert_eq!((usage.objects, usage.bytes, usage.total_bytes), (1, 1000, 1000));
    bed.reclaim().await;
    assert_eq!(bed.count(family::BLOB).await, 1);
    assert_eq!(bed.stored().await, 1);
    assert_eq!(bed.get("k").await.unwrap(), body);
}

#[tokio::test]
async fn tags_are_put_got_and_deleted() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let name = bucket("b");
    let tags = Tags::new(vec![("a".into(), "1".into())], TagsLimit::Object).unwrap();
    bed.objects.put_object_tags(&bed.alice, &name, &key("k"), None, tags.clone()).await.unwrap();
    assert_eq!(bed.objects.object_tags(&bed.alice, &name, &key("k"), None).await.unwrap().0, tags);
    assert_eq!(bed.objects.head_object(&bed.alice, get("k")).await.unwrap().info.tag_count, 1);
    bed.objects.put_object_tags(&bed.alice, &name, &key("k"), None, Tags::default()).await.unwrap();
    assert!(bed.objects.object_tags(&bed.alice, &name, &key("k"), None).await.unwrap().0.is_empty());
    assert_eq!(bed.get("k").await.unwrap(), b"v");
}
