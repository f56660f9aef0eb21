//! What every [`Backend`] must do, as checks that any implementation runs in its tests.
//!
//! Each check takes an empty backend with at least 64 MiB of room, and panics with what was wrong.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "checks of a test suite: a panic is the finding")]

use crate::backend::{Backend, BackendError, BlobHeader, Listed, Locator, Stored};
use crate::body::{Body, BodyError, ByteStream};
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange};
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sizes around every bound that a backend may have.
const SIZES: [usize; 11] =
    [0, 1, 4096, 131_067, 131_068, 131_069, 131_072, 131_073, 1_048_544, 1_048_545, 3 * 1024 * 1024 + 7];
/// How long a backend may take to clean up behind a put that was dropped.
const CLEAN_UP_MAX: Duration = Duration::from_secs(10);

/// Runs every check, each on its own blobs of the same backend.
pub async fn run(backend: &dyn Backend) {
    blobs_come_back_as_they_were_put(backend).await;
    ranges_are_cut_to_the_byte(backend).await;
    headers_come_back(backend).await;
    two_copies_of_a_blob_are_apart(backend).await;
    another_blobs_locator_is_refused(backend).await;
    deleted_blobs_are_listed_no_more(backend).await;
    bodies_that_fail_leave_nothing(backend).await;
    dropped_puts_leave_nothing(backend).await;
    concurrent_puts_are_all_there(backend).await;
    locators_that_are_none_are_errors(backend).await;
    assert!(backend.probe().await.is_ok());
    let capacity = backend.capacity().await.unwrap();
    assert!(capacity.free_bytes > 0 && capacity.free_bytes <= capacity.total_bytes);
}

/// What is put comes back, whole or streamed, of known and unknown size, and is listed.
pub async fn blobs_come_back_as_they_were_put(backend: &dyn Backend) {
    let mut number = 0;
    for size in SIZES {
        let content = content(size);
        let bodies = [
            Body::Whole(content.clone()),
            Body::Stream { stream: pieces(&content, 10_007), size: Some(size as u64) },
            Body::Stream { stream: pieces(&content, 700_001), size: None },
        ];
        for body in bodies {
            number += 1;
            let blob = blob("whole", number);
            let stored = backend.put(blob, &header("whole"), body).await.unwrap();
            assert_eq!(stored.size, size as u64);
            assert_eq!(get(backend, blob, &stored, 0, size).await.unwrap(), content, "{size} bytes");
            let listed = list(backend).await;
            let found = &listed[&(blob, stored.locator.0.clone())];
            assert_eq!((found.size, found.written_nanos), (size as u64, header("whole").written_nanos));
        }
    }
}

/// A range is exactly the bytes that were asked for, around every bound.
pub async fn ranges_are_cut_to_the_byte(backend: &dyn Backend) {
    for (number, size) in SIZES.into_iter().filter(|size| *size > 0).enumerate() {
        let content = content(size);
        let blob = blob("ranges", number);
        let body = Body::Whole(content.clone());
        let stored = backend.put(blob, &header("ranges"), body).await.unwrap();
        let marks: Vec<usize> = SIZES.into_iter().chain([2, size / 2, size]).filter(|mark| *mark <= size).collect();
        for start in &marks {
            for end in marks.iter().filter(|end| start < *end) {
                let got = get(backend, blob, &stored, *start, *end).await.unwrap();
                assert!(got == content[*start..*end], "{start}..{end} of {size}");
            }
        }
    }
}

/// A blob knows what it is.
pub async fn headers_come_back(backend: &dyn Backend) {
    for (number, size) in [0, 10, 500_000].into_iter().enumerate() {
        let blob = blob("headers", number);
        let mut header = header("a/../\u{1F5DD}\n");
        header.part = Some((10_000, "upload".into()));
        header.key.extend(std::iter::repeat_n('k', 1000));
        let stored = backend.put(blob, &header, Body::Whole(content(size))).await.unwrap();
        assert_eq!(backend.header(blob, &stored.locator).await.unwrap(), header);
    }
}

/// A second put of one id stands beside the first: deleting one leaves the other.
pub async fn two_copies_of_a_blob_are_apart(backend: &dyn Backend) {
    for (number, size) in [100, 400_000].into_iter().enumerate() {
        let blob = blob("twice", number);
        let body = || Body::Whole(content(size));
        let first = backend.put(blob, &header("twice"), body()).await.unwrap();
        let second = backend.put(blob, &header("twice"), body()).await.unwrap();
        assert_ne!(first.locator, second.locator);
        backend.delete(vec![(blob, first.locator.clone())]).await.unwrap();
        let listed = list(backend).await;
        assert!(!listed.contains_key(&(blob, first.locator.0)));
        assert!(listed.contains_key(&(blob, second.locator.0.clone())));
        assert_eq!(get(backend, blob, &second, 0, size).await.unwrap(), content(size));
    }
}

/// A locator gives only its own blob.
pub async fn another_blobs_locator_is_refused(backend: &dyn Backend) {
    for (number, size) in [100, 400_000].into_iter().enumerate() {
        let owner = blob("owner", number);
        let stored = backend.put(owner, &header("owner"), Body::Whole(content(size))).await.unwrap();
        let error = get(backend, blob("thief", number), &stored, 0, size).await.unwrap_err();
        assert!(matches!(error, BackendError::Missing | BackendError::Corrupt(_)), "{error}");
        backend.delete(vec![(blob("thief", number), stored.locator.clone())]).await.unwrap();
        assert!(list(backend).await.contains_key(&(owner, stored.locator.0)));
    }
}

/// A deletion takes what it names and nothing else, and may be repeated.
pub async fn deleted_blobs_are_listed_no_more(backend: &dyn Backend) {
    let mut stored = Vec::new();
    for number in 0..40 {
        let blob = blob("deleted", number);
        let size = if number % 2 == 0 { 50 } else { 300_000 };
        let put = backend.put(blob, &header("deleted"), Body::Whole(content(size))).await.unwrap();
        stored.push((blob, put, size));
    }
    let (doomed, kept) = stored.split_at(30);
    let doomed: Vec<_> = doomed.iter().map(|(blob, put, _)| (*blob, put.locator.clone())).collect();
    backend.delete(doomed.clone()).await.unwrap();
    backend.delete(doomed.clone()).await.unwrap();
    let listed = list(backend).await;
    for (blob, locator) in doomed {
        assert!(!listed.contains_key(&(blob, locator.0)));
    }
    for (blob, put, size) in kept {
        assert!(listed.contains_key(&(*blob, put.locator.0.clone())));
        assert_eq!(get(backend, *blob, put, 0, *size).await.unwrap(), content(*size));
    }
}

/// A body that ends with an error, or with another size than declared, is no blob, and its error comes back.
pub async fn bodies_that_fail_leave_nothing(backend: &dyn Backend) {
    #[derive(Debug, thiserror::Error)]
    #[error("bad digest")]
    struct BadDigest;
    let before = list(backend).await;
    for size in [10, 200_000, 5_000_000] {
        let content = content(size);
        let bad = stream::iter([Err(BodyError(Box::new(BadDigest)))]);
        let body = Body::Stream { stream: Box::pin(pieces(&content, 9_999).chain(bad)), size: None };
        match backend.put(blob("bad", size), &header("bad"), body).await {
            Err(BackendError::Body(BodyError(source))) => assert!(source.is::<BadDigest>()),
            other => panic!("a body that fails gave {other:?}"),
        }
        for declared in [size as u64 - 1, size as u64 + 1] {
            let body = Body::Stream { stream: pieces(&content, 9_999), size: Some(declared) };
            let outcome = backend.put(blob("bad", size), &header("bad"), body).await;
            assert!(matches!(outcome, Err(BackendError::Body(_))), "{outcome:?}");
        }
    }
    settles_to(backend, &before).await;
}

/// A put that is dropped at any await leaves nothing once the backend has cleaned up.
pub async fn dropped_puts_leave_nothing(backend: &dyn Backend) {
    let before = list(backend).await;
    for size in [10, 3_000_000] {
        for polls in 1..12 {
            let content = content(size);
            let header = header("dropped");
            let body = Body::Stream { stream: pieces(&content, 500_000), size: None };
            let mut put = backend.put(blob("dropped", polls), &header, body);
            let mut left = polls;
            // Poll so many times and no more: between polls the work that was handed to threads goes on.
            let dropped = std::future::poll_fn(|cx| {
                if left == 0 {
                    return std::task::Poll::Ready(None);
                }
                left -= 1;
                put.as_mut().poll(cx).map(Some)
            })
            .await;
            drop(put);
            if let Some(done) = dropped {
                backend.delete(vec![(blob("dropped", polls), done.unwrap().locator)]).await.unwrap();
            }
        }
    }
    settles_to(backend, &before).await;
}

/// Puts that run side by side do not mix.
pub async fn concurrent_puts_are_all_there(backend: &dyn Backend) {
    let header = header("concurrent");
    let puts = (0..300).map(|number| {
        let header = &header;
        async move {
            let size = if number % 50 == 0 { 600_000 + number } else { 100 + number };
            let blob = blob("concurrent", number);
            let body = Body::Stream { stream: pieces(&content(size), 65_536), size: Some(size as u64) };
            (blob, backend.put(blob, header, body).await.unwrap(), size)
        }
    });
    let stored: Vec<_> = stream::iter(puts).buffer_unordered(32).collect().await;
    for (blob, put, size) in stored {
        assert_eq!(get(backend, blob, &put, 0, size).await.unwrap(), content(size));
    }
}

/// Bytes that are no locator, from a damaged record say, are an error and no panic.
pub async fn locators_that_are_none_are_errors(backend: &dyn Backend) {
    for bytes in [vec![], vec![0], vec![1, 1], vec![255; 18], vec![1; 18], vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] {
        let locator = Locator(bytes);
        let range = ResolvedRange { start: 0, end: 1 };
        let got = backend.get(blob("none", 0), &locator, range).await.err();
        assert!(matches!(got, Some(BackendError::Missing | BackendError::Corrupt(_))), "{got:?}");
        assert!(backend.header(blob("none", 0), &locator).await.is_err());
    }
}

type Listing = BTreeMap<(BlobId, Vec<u8>), Listed>;

/// Every page of a listing; each copy must be listed once, since nothing moves meanwhile.
async fn list(backend: &dyn Backend) -> Listing {
    let (mut all, mut cursor) = (BTreeMap::new(), None);
    loop {
        let (page, next) = backend.list(cursor).await.unwrap();
        for listed in page {
            let twice = all.insert((listed.blob, listed.locator.0.clone()), listed);
            assert!(twice.is_none(), "listed twice: {twice:?}");
        }
        match next {
            None => return all,
            next => cursor = next,
        }
    }
}

async fn settles_to(backend: &dyn Backend, before: &Listing) {
    let settled = tokio::time::timeout(CLEAN_UP_MAX, async {
        while list(backend).await != *before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(settled.await.is_ok(), "something was left behind");
}

fn blob(check: &str, number: usize) -> BlobId {
    let mut bytes = [0; 16];
    for (i, byte) in check.bytes().take(8).enumerate() {
        bytes[i] = byte;
    }
    bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
    bytes.rotate_left(number % 16);
    BlobId::from_bytes(bytes)
}

fn header(key: &str) -> BlobHeader {
    BlobHeader {
        bucket: "bucket".into(),
        key: key.into(),
        version: "null".into(),
        part: None,
        written_nanos: 1_700_000_000_000_000_000,
        scheme: None,
        piece: 0,
    }
}

/// Bytes without a period that a block or a buffer could share.
fn content(size: usize) -> Bytes {
    (0..size).map(|i| (i % 251) as u8 ^ (i / 65_521) as u8 ^ (size % 13) as u8).collect()
}

fn pieces(content: &Bytes, len: usize) -> ByteStream {
    let content = content.clone();
    Box::pin(
        stream::iter((0..content.len()).step_by(len)).map(move |at| Ok(content.slice(at..content.len().min(at + len)))),
    )
}

async fn get(
    backend: &dyn Backend,
    blob: BlobId,
    stored: &Stored,
    start: usize,
    end: usize,
) -> Result<Bytes, BackendError> {
    if start == end {
        return Ok(Bytes::new());
    }
    let range = ResolvedRange { start: start as u64, end: end as u64 };
    let mut stream = backend.get(blob, &stored.locator, range).await?;
    let mut all = Vec::with_capacity(end - start);
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece.map_err(BackendError::of_stream)?);
    }
    Ok(all.into())
}
