//! Signed chunked uploads.

use crate::bed::Bed;
use crate::sign::{Draft, signed_chunks};
use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;

fn chunked(bed: &Bed, decoded: usize, chunks: &[&[u8]]) -> Request<Full<Bytes>> {
    let draft = Draft::new(Method::PUT, "/bucket/key")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", &decoded.to_string())
        .payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let date = draft.date.clone();
    let (request, seed) = draft.signed_seed(&bed.alice);
    let body = signed_chunks(&bed.alice, &date, &seed, chunks);
    let (mut parts, _) = request.into_parts();
    parts.headers.insert("content-length", HeaderValue::from(body.len()));
    Request::from_parts(parts, Full::new(body))
}

#[tokio::test]
async fn signed_chunks_are_checked_and_put_together() {
    let bed = Bed::with_bucket().await;
    let big = vec![7; 200_000];
    for chunks in [&[&b"hello "[..], b"world"][..], &[&big[..], b"end"]] {
        let whole = chunks.concat();
        bed.raw(chunked(&bed, whole.len(), chunks)).await.is(200);
        let got = bed.get("/bucket/key").await;
        assert!(got.body == whole);
        assert_eq!(got.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn a_changed_chunk_breaks_the_upload() {
    let bed = Bed::with_bucket().await;
    let big = vec![7; 200_000];
    for chunks in [&[&b"hello "[..], b"world"][..], &[&big[..], b"world"]] {
        let whole = chunks.concat();
        let (parts, body) = chunked(&bed, whole.len(), chunks).into_parts();
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        let mut changed = body.to_vec();
        let at = changed.windows(5).rposition(|window| window == b"world").unwrap();
        changed[at] = b'W';
        let answer = bed.raw(Request::from_parts(parts, Full::new(changed.into()))).await;
        answer.is_error(403, "SignatureDoesNotMatch");
        bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
    }
}

#[tokio::test]
async fn a_chunked_upload_that_is_not_what_it_declares_is_incomplete() {
    let bed = Bed::with_bucket().await;
    for declared in [4, 50, 200_000] {
        bed.raw(chunked(&bed, declared, &[b"hello"])).await.is_error(400, "IncompleteBody");
    }
    let chunk = vec![0; 9 << 20];
    bed.raw(chunked(&bed, chunk.len(), &[&chunk])).await.is_error(400, "EntityTooLarge");
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
}
