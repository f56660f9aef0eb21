//! Encryption at rest through the public seam: what stands on the shards, and who reads it.

use crate::bed::{Bed, bucket, get, key, put, upload};
use crate::copies::copy;
use crate::multipart::complete;
use cofre_objects::{
    Body, BucketEncryption, CompleteUpload, CompletedPart, CopyObject, CopyPart, CreateUpload, CustomerKey,
    DEFAULT_KEY, DefaultEncryption, EncryptAs, Encrypted, EncryptionMethod, Error, GetObject, ObjectInfo, ObjectRef,
    PutObject, PutPart, ReadConditions, ReadObject, Upload, UploadRef,
};
use cofre_types::{ByteRange, ChecksumAlgorithm, ETag};
use futures_util::stream;
use zeroize::Zeroizing;

const MIB: usize = 1 << 20;

pub fn customer(byte: u8) -> CustomerKey {
    CustomerKey::from_bytes(Zeroizing::new([byte; 32]))
}

pub fn kms(name: &str) -> EncryptAs {
    EncryptAs::Kms { key: Some(name.to_owned()), dual_layer: false, context: None, bucket_key: None }
}

/// Every way that an object can be encrypted, and the key that reading it takes.
fn ways() -> Vec<(EncryptAs, Option<CustomerKey>)> {
    vec![
        (EncryptAs::AsBucket, None),
        (EncryptAs::S3, None),
        (kms("one"), None),
        (EncryptAs::Customer(customer(1)), Some(customer(1))),
    ]
}

fn text(size: usize) -> Vec<u8> {
    b"a line that nobody else should read\n".iter().copied().cycle().take(size).collect()
}

pub fn put_as(name: &str, body: &[u8], encryption: EncryptAs) -> PutObject {
    PutObject { encryption, ..put(name, body) }
}

pub fn get_with(name: &str, customer_key: Option<CustomerKey>) -> GetObject {
    GetObject { customer_key, ..get(name) }
}

pub async fn head(bed: &Bed, name: &str, customer_key: Option<CustomerKey>) -> ObjectInfo {
    bed.objects.head_object(&bed.alice, get_with(name, customer_key)).await.unwrap().info
}

#[tokio::test]
async fn what_is_encrypted_reads_as_it_was_put_and_ranges_do() {
    let bed = Bed::with_bucket().await;
    for (way, reading) in ways() {
        for size in [0, 1, 1000, 65_536, 200_001, MIB] {
            let body = text(size);
            bed.try_put(put_as("k", &body, way.clone())).await.unwrap();
            assert!(bed.get_request(get_with("k", reading.clone())).await.unwrap() == body, "{way:?} {size}");
            assert_eq!(head(&bed, "k", reading.clone()).await.size, size as u64);
            for (first, last) in [(0, 0), (65_535, 65_536), (70_000, 199_999), (size / 2, size)] {
                if first < size {
                    let range = Some(ByteRange::From { first: first as u64, last: Some(last as u64) });
                    let request = GetObject { range, ..get_with("k", reading.clone()) };
                    let expected = &body[first..(last + 1).min(size)];
                    assert!(bed.get_request(request).await.unwrap() == expected, "{way:?} {size} {first}-{last}");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_plaintext_stands_on_a_shard() {
    let bed = Bed::with_bucket().await;
    let body = text(3 * MIB);
    bed.try_put(put_as("clear", &body, EncryptAs::AsBucket)).await.unwrap();
    assert!(bed.shards_hold(&body[..36]).await, "the search finds what is in the clear");
    bed.delete("clear", None).await.unwrap();
    bed.reclaim().await;
    for (number, (way, _)) in ways().into_iter().skip(1).enumerate() {
        bed.try_put(put_as(&format!("whole-{number}"), &body[..1000], way.clone())).await.unwrap();
        let pieces: Vec<_> = body.chunks(100_000).map(|piece| Ok(piece.to_vec().into())).collect();
        let streamed = Body::Stream { stream: Box::pin(stream::iter(pieces)), size: Some(body.len() as u64) };
        let request = put_as(&format!("streamed-{number}"), b"", way);
        bed.try_put(PutObject { upload: Upload { body: streamed, ..upload(b"") }, ..request }).await.unwrap();
    }
    assert_eq!(bed.stored().await, 6);
    assert!(!bed.shards_hold(&body[..16]).await);
}

#[tokio::test]
async fn a_customers_key_must_be_the_right_one() {
    let bed = Bed::with_bucket().await;
    bed.try_put(put_as("k", b"bytes", EncryptAs::Customer(customer(1)))).await.unwrap();
    bed.put("clear", b"bytes").await;
    bed.try_put(put_as("empty", b"", EncryptAs::Customer(customer(1)))).await.unwrap();
    let refused = |name: &'static str, key| {
        let bed = &bed;
        async move {
            let head = bed.objects.head_object(&bed.alice, get_with(name, key)).await;
            matches!(head, Err(Error::InvalidRequest(_)))
        }
    };
    assert!(refused("k", None).await);
    assert!(refused("k", Some(customer(2))).await);
    assert!(refused("clear", Some(customer(1))).await);
    assert!(refused("empty", Some(customer(2))).await);
    let info = head(&bed, "k", Some(customer(1))).await;
    assert_eq!(info.encryption.unwrap().key_md5, Some(customer(1).md5()));
    let at = ObjectRef { bucket: bucket("b"), key: key("k"), version: None };
    let ticket = bed.objects.begin_attributes(&bed.alice, at).await.unwrap();
    let attributes = ticket.tell(ReadObject::default(), 0, 10).await;
    assert!(matches!(attributes, Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn an_entity_tag_is_the_md5_only_where_aws_says_so() {
    let bed = Bed::with_bucket().await;
    // md5sum of "bytes".
    let md5 = ETag::parse("4b3a6218bb3e3a7303e8a171a60fcf92").unwrap();
    for (way, told) in ways().into_iter().map(|(way, _)| way).zip([true, true, false, false]) {
        let outcome = bed.try_put(put_as("k", b"bytes", way.clone())).await.unwrap();
        assert_eq!(outcome.etag == md5, told, "{way:?}");
        assert_eq!(outcome.checksum.unwrap().algorithm(), ChecksumAlgorithm::Crc64Nvme);
    }
}

#[tokio::test]
async fn a_key_that_is_not_there_refuses_the_write() {
    let bed = Bed::with_bucket().await;
    let refused = bed.try_put(put_as("k", b"bytes", kms("none"))).await;
    assert!(matches!(refused, Err(Error::NoSuchEncryptionKey(name)) if name == "none"));
    assert_eq!(bed.stored().await, 0);
    let named_none = EncryptAs::Kms { key: None, dual_layer: true, context: Some("e30=".to_owned()), bucket_key: None };
    let outcome = bed.try_put(put_as("k", b"bytes", named_none)).await.unwrap();
    let expected = Encrypted {
        method: EncryptionMethod::Kms { key: DEFAULT_KEY.to_owned(), dual_layer: true },
        key_md5: None,
        context: Some("e30=".to_owned()),
        bucket_key: false,
    };
    assert_eq!(outcome.encryption, Some(expected));
    assert_eq!(bed.get("k").await.unwrap(), b"bytes");
}

#[tokio::test]
async fn a_bucket_encrypts_what_asks_for_nothing() {
    let bed = Bed::with_bucket().await;
    let method = EncryptionMethod::Kms { key: "two".to_owned(), dual_layer: false };
    let default = Some(DefaultEncryption { method: method.clone(), bucket_key: true });
    bed.put("before", b"bytes").await;
    let wanted = BucketEncryption { default, block: None };
    bed.objects.put_bucket_encryption(&bed.alice, &bucket("b"), wanted).await.unwrap();
    let told = |outcome: Option<Encrypted>| outcome.map(|told| (told.method, told.bucket_key));
    assert_eq!(told(bed.put("k", b"bytes").await.encryption), Some((method.clone(), true)));
    let asked = bed.try_put(put_as("k", b"bytes", EncryptAs::S3)).await.unwrap();
    assert_eq!(told(asked.encryption), Some((EncryptionMethod::S3, false)));
    assert_eq!(told(head(&bed, "before", None).await.encryption), None);
    let copied = bed.objects.copy_object(&bed.alice, copy("before", "copy")).await.unwrap();
    assert_eq!(told(copied.encryption), Some((method, true)));
    assert_eq!(bed.get("copy").await.unwrap(), b"bytes");
}

#[tokio::test]
async fn a_copy_is_encrypted_as_asked_and_moves_bytes_only_for_that() {
    for (from, source_customer_key) in ways() {
        for (to, reading) in [ways(), vec![(EncryptAs::Customer(customer(2)), Some(customer(2)))]].concat() {
            let bed = Bed::with_bucket().await;
            let body = text(200_000);
            let source = bed.try_put(put_as("from", &body, from.clone())).await.unwrap();
            let shares = format!("{from:?}") == format!("{to:?}")
                && reading.as_ref().map(CustomerKey::md5) == source_customer_key.as_ref().map(CustomerKey::md5);
            let request = CopyObject {
                encryption: to.clone(),
                source_customer_key: source_customer_key.clone(),
                ..copy("from", "to")
            };
            let made = bed.objects.copy_object(&bed.alice, request).await.unwrap();
            assert_eq!(bed.stored().await, if shares { 1 } else { 2 }, "{from:?} to {to:?}");
            assert_eq!(made.checksum, source.checksum, "{from:?} to {to:?}");
            bed.delete("from", None).await.unwrap();
            bed.reclaim().await;
            let info = head(&bed, "to", reading.clone()).await;
            assert_eq!((info.encryption, info.etag), (made.encryption, made.etag));
            assert!(bed.get_request(get_with("to", reading)).await.unwrap() == body, "{from:?} to {to:?}");
        }
    }
}

#[tokio::test]
async fn a_copy_needs_the_key_of_its_source() {
    let bed = Bed::with_bucket().await;
    bed.try_put(put_as("k", b"bytes", EncryptAs::Customer(customer(1)))).await.unwrap();
    for wrong in [None, Some(customer(2))] {
        let request = CopyObject { source_customer_key: wrong, ..copy("k", "to") };
        assert!(matches!(bed.objects.copy_object(&bed.alice, request).await, Err(Error::InvalidRequest(_))));
    }
    // Onto itself with another encryption is a change.
    let request = CopyObject { source_customer_key: Some(customer(1)), encryption: EncryptAs::S3, ..copy("k", "k") };
    bed.objects.copy_object(&bed.alice, request).await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"bytes");
}

pub async fn begin(bed: &Bed, name: &str, encryption: EncryptAs) -> UploadRef {
    let request = CreateUpload {
        bucket: bucket("b"),
        key: key(name),
        headers: Default::default(),
        tags: Default::default(),
        storage_class: String::new(),
        lock: Default::default(),
        checksum: None,
        checksum_kind: None,
        acl: None,
        encryption,
    };
    let info = bed.objects.create_upload(&bed.alice, request).await.unwrap();
    UploadRef { bucket: bucket("b"), key: key(name), upload: info.id }
}

pub async fn put_part(
    bed: &Bed,
    at: &UploadRef,
    number: u16,
    body: &[u8],
    encryption: EncryptAs,
) -> Result<CompletedPart, Error> {
    let request = PutPart { upload: at.clone(), number, content: upload(body), encryption };
    let outcome = bed.objects.put_part(&bed.alice, request).await?;
    Ok(CompletedPart { number, etag: Some(outcome.etag), checksum: None })
}

/// What a request about a part of such an upload says.
fn of_part(way: &EncryptAs) -> EncryptAs {
    match way {
        EncryptAs::Customer(key) => EncryptAs::Customer(key.clone()),
        _ => EncryptAs::AsBucket,
    }
}

#[tokio::test]
async fn an_upload_has_one_key_for_all_its_parts() {
    for (way, reading) in ways() {
        let bed = Bed::with_bucket().await;
        bed.put("source", &text(6 * MIB)).await;
        let at = begin(&bed, "k", way.clone()).await;
        let first = text(5 * MIB + 1);
        let mut parts = vec![put_part(&bed, &at, 1, &first, of_part(&way)).await.unwrap()];
        // A part that is sent again has the tag that it had.
        let again = put_part(&bed, &at, 1, &first, of_part(&way)).await.unwrap();
        assert_eq!(parts[0].etag, again.etag, "{way:?}");
        let request = CopyPart {
            upload: at.clone(),
            number: 2,
            source_bucket: bucket("b"),
            source_key: key("source"),
            source_version: None,
            range: Some(ByteRange::From { first: 7, last: Some(5 * MIB as u64 + 10) }),
            source_conditions: ReadConditions::default(),
            source_customer_key: None,
            encryption: of_part(&way),
        };
        let copied = bed.objects.copy_part(&bed.alice, request).await.unwrap();
        parts.push(CompletedPart { number: 2, etag: Some(copied.etag), checksum: None });
        parts.push(put_part(&bed, &at, 3, b"the end", of_part(&way)).await.unwrap());
        if reading.is_some() {
            let silent = bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await;
            assert!(silent.is_ok(), "no checksum was asked for: no key is needed");
        }
        let request = CompleteUpload { encryption: of_part(&way), ..complete(&at, &parts) };
        let outcome = bed.objects.complete_upload(&bed.alice, request).await.unwrap();
        assert_eq!(outcome.encryption.is_some(), !matches!(way, EncryptAs::AsBucket));

        let whole = [&first, &text(6 * MIB)[7..=5 * MIB + 10], b"the end"].concat();
        assert!(bed.get_request(get_with("k", reading.clone())).await.unwrap() == whole, "{way:?}");
        for start in [0, 5 * MIB, 5 * MIB + 1, 10 * MIB] {
            let range = Some(ByteRange::From { first: start as u64, last: Some((start + 70_000) as u64) });
            let request = GetObject { range, ..get_with("k", reading.clone()) };
            assert!(bed.get_request(request).await.unwrap() == whole[start..=(start + 70_000).min(whole.len() - 1)]);
        }
        // A copy of it shares its manifest, or has no parts any more.
        let request = CopyObject { encryption: way.clone(), source_customer_key: reading.clone(), ..copy("k", "same") };
        let same = bed.objects.copy_object(&bed.alice, request).await.unwrap();
        assert_eq!((same.etag, same.etag.parts()), (outcome.etag, Some(3)));
        let other = CopyObject { encryption: kms("two"), source_customer_key: reading, ..copy("k", "other") };
        assert_eq!(bed.objects.copy_object(&bed.alice, other).await.unwrap().etag.parts(), None);
        assert!(bed.get("other").await.unwrap() == whole);
    }
}

#[tokio::test]
async fn a_part_says_what_its_upload_says_or_nothing() {
    let bed = Bed::with_bucket().await;
    let sealed = begin(&bed, "sealed", EncryptAs::Customer(customer(1))).await;
    let named = begin(&bed, "named", kms("one")).await;
    let clear = begin(&bed, "clear", EncryptAs::AsBucket).await;
    for (at, said, good) in [
        (&sealed, EncryptAs::AsBucket, false),
        (&sealed, EncryptAs::Customer(customer(2)), false),
        (&sealed, EncryptAs::S3, false),
        (&sealed, EncryptAs::Customer(customer(1)), true),
        (&named, kms("one"), true),
        (&named, kms("two"), false),
        (&named, EncryptAs::Customer(customer(1)), false),
        (&clear, EncryptAs::S3, false),
        (&clear, EncryptAs::AsBucket, true),
    ] {
        let outcome = put_part(&bed, at, 1, b"bytes", said.clone()).await;
        match outcome {
            Ok(_) => assert!(good, "{said:?} to {}", at.key),
            Err(error) => {
                assert!(!good && matches!(error, Error::InvalidRequest(_)), "{said:?} to {}: {error}", at.key)
            }
        }
    }
}
