use crate::bed::{Bed, bucket, get, key, upload};
use cofre_catalog::keys::family;
use cofre_objects::{
    ChecksumError, CompleteUpload, CompletedPart, CopyPart, CreateUpload, DeclaredChecksum, EncryptAs, Error,
    GetObject, ListUploads, PutObject, PutPart, ReadConditions, Upload, UploadRef, WriteConditions,
};
use cofre_types::{ByteRange, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, ResolvedRange};
use std::time::Duration;

const PART_BYTES: usize = 5 << 20;

pub fn create(name: &str) -> CreateUpload {
    CreateUpload {
        bucket: bucket("b"),
        key: key(name),
        headers: Default::default(),
        tags: Default::default(),
        storage_class: String::new(),
        lock: Default::default(),
        checksum: None,
        checksum_kind: None,
        acl: None,
        encryption: EncryptAs::AsBucket,
    }
}

pub async fn begin(bed: &Bed, name: &str, checksum: Option<ChecksumAlgorithm>) -> UploadRef {
    let request = CreateUpload { checksum, ..create(name) };
    let info = bed.objects.create_upload(&bed.alice, request).await.unwrap();
    UploadRef { bucket: bucket("b"), key: key(name), upload: info.id }
}

pub async fn begin_with_part(bed: &Bed, name: &str, body: &[u8]) -> UploadRef {
    let at = begin(bed, name, None).await;
    part(bed, &at, 1, body).await;
    at
}

async fn part(bed: &Bed, at: &UploadRef, number: u16, body: &[u8]) -> CompletedPart {
    let request = PutPart { upload: at.clone(), number, content: upload(body), encryption: EncryptAs::AsBucket };
    let outcome = bed.objects.put_part(&bed.alice, request).await.unwrap();
    CompletedPart { number, etag: Some(outcome.etag), checksum: outcome.checksum }
}

/// A part that comes with its checksum.
async fn summed_part(
    bed: &Bed,
    at: &UploadRef,
    number: u16,
    body: &[u8],
    algorithm: ChecksumAlgorithm,
) -> CompletedPart {
    let computed = Upload { checksum: DeclaredChecksum::Compute(algorithm), ..upload(body) };
    let whole = PutObject { upload: computed, ..crate::bed::put("whole", b"") };
    let sum = bed.try_put(whole).await.unwrap().checksum.unwrap();
    let content = Upload { checksum: DeclaredChecksum::Value(sum.clone()), ..upload(body) };
    let request = PutPart { upload: at.clone(), number, content, encryption: EncryptAs::AsBucket };
    let outcome = bed.objects.put_part(&bed.alice, request).await.unwrap();
    CompletedPart { number, etag: Some(outcome.etag), checksum: Some(sum) }
}

pub fn complete(at: &UploadRef, parts: &[CompletedPart]) -> CompleteUpload {
    CompleteUpload {
        upload: at.clone(),
        parts: parts.to_vec(),
        checksum: None,
        checksum_kind: None,
        size: None,
        conditions: WriteConditions::default(),
        encryption: EncryptAs::AsBucket,
    }
}

pub async fn named_parts(bed: &Bed, at: &UploadRef) -> Vec<CompletedPart> {
    let page = bed.objects.list_parts(&bed.alice, at.clone(), 0, 1000).await.unwrap();
    page.parts.iter().map(|part| CompletedPart { number: part.number, etag: Some(part.etag), checksum: None }).collect()
}

fn body(seed: u8) -> Vec<u8> {
    (0..PART_BYTES).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

#[tokio::test]
async fn parts_out_of_order_and_put_again_become_one_object() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", None).await;
    let three = part(&bed, &at, 3, b"the end").await;
    part(&bed, &at, 1, b"not this").await;
    let two = part(&bed, &at, 2, &body(2)).await;
    let one = part(&bed, &at, 1, &body(1)).await;
    part(&bed, &at, 9, b"left out").await;
    let done = bed.objects.complete_upload(&bed.alice, complete(&at, &[one, two, three])).await.unwrap();
    assert_eq!(done.etag.parts(), Some(3));
    let whole = [body(1), body(2), b"the end".to_vec()].concat();
    assert_eq!(bed.get("k").await.unwrap(), whole);
    // A range over a boundary, and a part by number.
    let range = ByteRange::From { first: PART_BYTES as u64 - 2, last: Some(PART_BYTES as u64 + 1) };
    let across = bed.get_request(GetObject { range: Some(range), ..get("k") }).await.unwrap();
    assert_eq!(across, whole[PART_BYTES - 2..PART_BYTES + 2]);
    let third = bed.get_request(GetObject { part: Some(3), ..get("k") }).await.unwrap();
    assert_eq!(third, b"the end");
    let head = bed.objects.head_object(&bed.alice, GetObject { part: Some(2), ..get("k") }).await.unwrap();
    let size = PART_BYTES as u64;
    assert_eq!((head.range, head.info.parts), (Some(ResolvedRange { start: size, end: 2 * size }), Some(3)));
    let none = bed.objects.head_object(&bed.alice, GetObject { part: Some(4), ..get("k") }).await;
    assert!(matches!(none, Err(Error::InvalidPartNumber)));
    // The checksum of the whole is that of its bytes: the parts' CRCs were joined.
    assert_eq!(done.checksum, bed.put("same", &whole).await.checksum);
    let usage = bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap();
    assert_eq!((usage.uploads, usage.upload_parts, usage.upload_bytes), (0, 0, 0));
    assert_eq!(usage.total_bytes, 2 * whole.len() as i64);
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 4, "three parts and the object beside them");
    assert_eq!(bed.get("k").await.unwrap(), whole);
    bed.delete("k", None).await.unwrap();
    bed.delete("same", None).await.unwrap();
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.count(family::PART).await, bed.count(family::MANIFEST).await), (0, 0, 0));
}

#[tokio::test]
async fn completing_twice_answers_alike_and_aborting_then_destroys_nothing() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", None).await;
    let one = part(&bed, &at, 1, b"all").await;
    let first = bed.objects.complete_upload(&bed.alice, complete(&at, std::slice::from_ref(&one))).await.unwrap();
    let second = bed.objects.complete_upload(&bed.alice, complete(&at, &[one])).await.unwrap();
    assert_eq!(first, second);
    assert!(matches!(bed.objects.abort_upload(&bed.alice, at, None).await, Err(Error::NoSuchUpload)));
    bed.reclaim().await;
    assert_eq!(bed.get("k").await.unwrap(), b"all");
}

#[tokio::test]
async fn what_completing_names_must_be_there() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", None).await;
    let small = part(&bed, &at, 1, b"small").await;
    let last = part(&bed, &at, 2, b"last").await;
    let try_with = |parts: &[CompletedPart]| {
        let request = complete(&at, parts);
        async { bed.objects.complete_upload(&bed.alice, request).await }
    };
    let missing = CompletedPart { number: 7, ..last.clone() };
    let other = CompletedPart { etag: Some(ETag::of_md5([0; 16])), ..small.clone() };
    assert!(matches!(try_with(&[missing]).await, Err(Error::InvalidPart { number: 7 })));
    assert!(matches!(try_with(&[other]).await, Err(Error::InvalidPart { number: 1 })));
    assert!(matches!(try_with(&[last.clone(), small.clone()]).await, Err(Error::InvalidPartOrder)));
    assert!(matches!(try_with(&[small, last.clone()]).await, Err(Error::EntityTooSmall { number: 1, .. })));
    assert!(matches!(try_with(&[]).await, Err(Error::InvalidRequest(_))));
    let wrong_size = CompleteUpload { size: Some(1), ..complete(&at, std::slice::from_ref(&last)) };
    assert!(bed.objects.complete_upload(&bed.alice, wrong_size).await.is_err());
    try_with(&[last]).await.unwrap();
    assert_eq!(bed.get("k").await.unwrap(), b"last");
}

#[tokio::test]
async fn composite_checksums_are_of_the_parts_checksums() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", Some(ChecksumAlgorithm::Sha256)).await;
    let one = summed_part(&bed, &at, 1, &body(1), ChecksumAlgorithm::Sha256).await;
    let two = summed_part(&bed, &at, 2, b"two", ChecksumAlgorithm::Sha256).await;
    let sums = [one.checksum.clone().unwrap(), two.checksum.clone().unwrap()];
    let done = bed.objects.complete_upload(&bed.alice, complete(&at, &[one, two])).await.unwrap();
    let checksum = done.checksum.unwrap();
    assert_eq!((checksum.algorithm(), checksum.kind()), (ChecksumAlgorithm::Sha256, ChecksumKind::Composite));
    let digests: Vec<u8> = sums.iter().flat_map(|sum| sum.value().to_vec()).collect();
    bed.put("digests", &digests).await;
    let of_digests = Upload { checksum: DeclaredChecksum::Compute(ChecksumAlgorithm::Sha256), ..upload(&digests) };
    let put = PutObject { upload: of_digests, ..crate::bed::put("digests", b"") };
    assert_eq!(bed.try_put(put).await.unwrap().checksum.unwrap().value(), checksum.value());
}

#[tokio::test]
async fn parts_of_a_composite_checksum_bring_theirs() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", Some(ChecksumAlgorithm::XxHash3)).await;
    let put = |checksum| {
        let content = Upload { checksum, ..upload(b"x") };
        let request = PutPart { upload: at.clone(), number: 1, content, encryption: EncryptAs::AsBucket };
        let bed = &bed;
        async move { bed.objects.put_part(&bed.alice, request).await.unwrap_err().to_string() }
    };
    let words = |actual| {
        format!("Checksum Type mismatch occurred, expected checksum Type: xxhash3, actual checksum Type: {actual}")
    };
    assert_eq!(put(DeclaredChecksum::None).await, words("null"));
    assert_eq!(put(DeclaredChecksum::Compute(ChecksumAlgorithm::XxHash3)).await, words("null"));
    assert_eq!(put(DeclaredChecksum::Compute(ChecksumAlgorithm::Md5)).await, words("md5"));

    let one = summed_part(&bed, &at, 1, b"x", ChecksumAlgorithm::XxHash3).await;
    let other = summed_part(&bed, &at, 2, b"y", ChecksumAlgorithm::XxHash3).await;
    let try_with = |checksum| {
        let named = complete(&at, &[CompletedPart { checksum, ..one.clone() }]);
        let bed = &bed;
        async move { bed.objects.complete_upload(&bed.alice, named).await }
    };
    let missing = ChecksumError::PartMissing { number: 1, algorithm: ChecksumAlgorithm::XxHash3 };
    let half = complete(&at, &[CompletedPart { checksum: None, ..one.clone() }, other.clone()]);
    let refused = bed.objects.complete_upload(&bed.alice, half).await;
    assert!(matches!(refused, Err(Error::Checksum(error)) if error == missing));
    let of_another = Checksum::parse(ChecksumAlgorithm::Crc32, "AAAAAA==").unwrap();
    let mismatch = ChecksumError::PartMismatch { number: 1, algorithm: ChecksumAlgorithm::Crc32 };
    assert!(matches!(try_with(Some(of_another)).await, Err(Error::Checksum(error)) if error == mismatch));
    assert!(matches!(try_with(other.checksum).await, Err(Error::InvalidPart { number: 1 })));
    let kind =
        CompleteUpload { checksum_kind: Some(ChecksumKind::FullObject), ..complete(&at, std::slice::from_ref(&one)) };
    let refused = bed.objects.complete_upload(&bed.alice, kind).await;
    assert!(matches!(refused, Err(Error::Checksum(ChecksumError::OtherKind(ChecksumKind::Composite)))));
    let done = try_with(one.checksum.clone()).await.unwrap().checksum.unwrap();
    assert_eq!((done.algorithm(), done.kind()), (ChecksumAlgorithm::XxHash3, ChecksumKind::Composite));
}

#[tokio::test]
async fn completing_may_leave_checksums_out_where_the_algorithm_has_one_kind() {
    let bed = Bed::with_bucket().await;
    for algorithm in ChecksumAlgorithm::ALL {
        if !algorithm.allows_multipart(ChecksumKind::Composite) {
            continue;
        }
        let name = algorithm.name();
        let request =
            CreateUpload { checksum: Some(algorithm), checksum_kind: Some(ChecksumKind::Composite), ..create(name) };
        let upload = bed.objects.create_upload(&bed.alice, request).await.unwrap().id;
        let at = UploadRef { bucket: bucket("b"), key: key(name), upload };
        let one = summed_part(&bed, &at, 1, b"x", algorithm).await;
        let bare = complete(&at, &[CompletedPart { checksum: None, ..one.clone() }]);
        let outcome = bed.objects.complete_upload(&bed.alice, bare).await;
        if algorithm.allows_multipart(ChecksumKind::FullObject) {
            let missing = ChecksumError::PartMissing { number: 1, algorithm };
            assert!(matches!(outcome, Err(Error::Checksum(error)) if error == missing), "{name}");
            continue;
        }
        let made = outcome.unwrap().checksum.unwrap();
        assert_eq!((made.algorithm(), made.kind()), (algorithm, ChecksumKind::Composite));
        // The checksum is that of a completion which names them.
        let again = UploadRef { upload: begin(&bed, name, Some(algorithm)).await.upload, ..at };
        let one = summed_part(&bed, &again, 1, b"x", algorithm).await;
        let named = bed.objects.complete_upload(&bed.alice, complete(&again, &[one])).await.unwrap();
        assert_eq!(named.checksum.unwrap().value(), made.value(), "{name}");
    }
}

#[tokio::test]
async fn an_upload_without_an_algorithm_gets_crc64nvme_of_the_whole() {
    let bed = Bed::with_bucket().await;
    let at = begin(&bed, "k", None).await;
    let small = part(&bed, &at, 1, b"x").await;
    let composite = CompleteUpload { checksum_kind: Some(ChecksumKind::Composite), ..complete(&at, &[small]) };
    let refused = bed.objects.complete_upload(&bed.alice, composite).await;
    assert!(matches!(refused, Err(Error::Checksum(ChecksumError::OtherKind(ChecksumKind::FullObject)))));
    let one = summed_part(&bed, &at, 1, &body(1), ChecksumAlgorithm::Sha1).await;
    let two = part(&bed, &at, 2, b"two").await;
    assert_eq!(two.checksum, None, "nobody asked for it");
    let wrong = Checksum::parse(ChecksumAlgorithm::Crc64Nvme, "AAAAAAAAAAA=").unwrap();
    let given = CompleteUpload { checksum: Some(wrong), ..complete(&at, &[one.clone(), two.clone()]) };
    let refused = bed.objects.complete_upload(&bed.alice, given).await;
    assert!(matches!(refused, Err(Error::ChecksumMismatch(ChecksumAlgorithm::Crc64Nvme))));
    let done = bed.objects.complete_upload(&bed.alice, complete(&at, &[one, two])).await.unwrap();
    let whole = bed.try_put(crate::bed::put("whole", &[body(1), b"two".to_vec()].concat())).await.unwrap();
    assert_eq!(done.checksum.as_ref().unwrap().kind(), ChecksumKind::FullObject);
    assert_eq!(done.checksum, whole.checksum);
}

#[tokio::test]
async fn a_part_that_arrives_with_the_completion_is_in_it_or_gone() {
    for round in 0..20 {
        let bed = Bed::with_bucket().await;
        let at = begin(&bed, "k", None).await;
        let one = part(&bed, &at, 1, b"first").await;
        let late = PutPart { upload: at.clone(), number: 2, content: upload(b"late"), encryption: EncryptAs::AsBucket };
        let (done, _) = tokio::join!(
            bed.objects.complete_upload(&bed.alice, complete(&at, &[one])),
            bed.objects.put_part(&bed.alice, late)
        );
        done.unwrap();
        bed.reclaim().await;
        assert_eq!((bed.stored().await, bed.count(family::PART).await), (1, 1), "in round {round}");
        let usage = bed.objects.bucket_usage(&bed.alice, &bucket("b")).await.unwrap();
        assert_eq!((usage.upload_parts, usage.total_bytes), (0, 5));
    }
}

#[tokio::test]
async fn parts_are_copied_by_range_without_moving_bytes() {
    let bed = Bed::with_bucket().await;
    let source = [body(1), body(2), b"tail".to_vec()].concat();
    let at = begin(&bed, "source", None).await;
    let parts =
        [part(&bed, &at, 1, &body(1)).await, part(&bed, &at, 2, &body(2)).await, part(&bed, &at, 3, b"tail").await];
    bed.objects.complete_upload(&bed.alice, complete(&at, &parts)).await.unwrap();
    let stored = bed.stored().await;
    let to = begin(&bed, "copy", None).await;
    let copy = |number, first: usize, last: usize| CopyPart {
        upload: to.clone(),
        number,
        source_bucket: bucket("b"),
        source_key: key("source"),
        source_version: None,
        range: Some(ByteRange::From { first: first as u64, last: Some(last as u64) }),
        source_conditions: ReadConditions::default(),
        source_customer_key: None,
        encryption: EncryptAs::AsBucket,
    };
    let from = 1000;
    let middle = from + PART_BYTES + 500;
    let first = bed.objects.copy_part(&bed.alice, copy(1, from, middle)).await.unwrap();
    let second = bed.objects.copy_part(&bed.alice, copy(2, middle + 1, source.len() - 1)).await.unwrap();
    let beyond = bed.objects.copy_part(&bed.alice, copy(3, 0, source.len())).await;
    assert!(matches!(beyond, Err(Error::InvalidRange { .. })));
    let named = |number, etag| CompletedPart { number, etag: Some(etag), checksum: None };
    let parts = [named(1, first.etag), named(2, second.etag)];
    bed.objects.complete_upload(&bed.alice, complete(&to, &parts)).await.unwrap();
    assert_eq!(bed.stored().await, stored);
    // The copy outlives its source.
    bed.delete("source", None).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.get("copy").await.unwrap(), source[from..]);
    bed.delete("copy", None).await.unwrap();
    bed.reclaim().await;
    assert_eq!(bed.stored().await, 0);
}

#[tokio::test]
async fn uploads_are_listed_and_aborted() {
    let bed = Bed::with_bucket().await;
    let mut made = Vec::new();
    for name in ["a", "b", "b", "d/x", "d/y"] {
        made.push(begin_with_part(&bed, name, b"part").await);
    }
    let mut listed = Vec::new();
    let (mut key_after, mut upload_after) = (None, None);
    loop {
        let request = ListUploads {
            bucket: bucket("b"),
            prefix: String::new(),
            delimiter: "/".to_owned(),
            key_after,
            upload_after,
            max: 1,
        };
        let page = bed.objects.list_uploads(&bed.alice, request).await.unwrap();
        listed.extend(page.uploads.into_iter().map(|upload| upload.key.to_string()));
        listed.extend(page.common_prefixes);
        let Some((key, upload)) = page.next else { break };
        (key_after, upload_after) = (Some(key), upload);
    }
    assert_eq!(listed, ["a", "b", "b", "d/"]);
    for at in made {
        bed.objects.abort_upload(&bed.alice, at.clone(), None).await.unwrap();
        assert!(matches!(bed.objects.abort_upload(&bed.alice, at, None).await, Err(Error::NoSuchUpload)));
    }
    bed.reclaim().await;
    assert_eq!((bed.stored().await, bed.count(family::PART).await), (0, 0));
}

#[tokio::test]
async fn uploads_past_their_time_are_counted_until_they_are_aborted() {
    let bed = Bed::with_bucket().await;
    let age = Duration::from_secs(3_600);
    begin_with_part(&bed, "old", b"part").await;
    begin(&bed, "also", None).await;
    bed.clock.advance(age + Duration::from_secs(1));
    begin(&bed, "young", None).await;
    assert_eq!(bed.upkeep.stale_uploads_left(age).await.unwrap(), Some(2));
    let ended = bed.upkeep.abort_stale_uploads(None, age).await.unwrap();
    assert_eq!((ended.looked_at, ended.aborted), (3, 2));
    assert_eq!(bed.upkeep.stale_uploads_left(age).await.unwrap(), Some(0));
}
