//! What goes wrong: full shards, stalled bodies, short bodies.

use crate::bed::{Bed, SHARD_BYTES};
use crate::sign::{Draft, sha256};
use bytes::Bytes;
use cofre_iam::Origin;
use futures_util::stream;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::io;

async fn put_pieces(bed: &Bed, declared: usize, pieces: Vec<Result<Bytes, io::Error>>) -> (u16, String) {
    let draft = Draft::new(Method::PUT, "/bucket/key").payload("UNSIGNED-PAYLOAD").body(vec![0; declared]);
    let (parts, _) = draft.signed(&bed.alice).into_parts();
    let body = StreamBody::new(stream::iter(pieces.into_iter().map(|piece| piece.map(Frame::data))));
    let answer = bed.door.call(Origin::default(), Request::from_parts(parts, body)).await;
    let status = answer.status().as_u16();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(text.to_vec()).unwrap())
}

#[tokio::test]
async fn a_full_shard_is_told_as_507_and_loses_nothing() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/kept", "kept").await.is(200);
    let size = usize::try_from(SHARD_BYTES).unwrap() / 3;
    let mut last = None;
    for i in 0..4 {
        last = Some(bed.put(&format!("/bucket/{i}"), vec![0; size]).await);
    }
    last.unwrap().is_error(507, "InsufficientStorage");
    assert_eq!(bed.get("/bucket/kept").await.text(), "kept");
    bed.get("/bucket/3").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn a_body_that_ends_early_is_incomplete() {
    let bed = Bed::with_bucket().await;
    for declared in [10, 300_000] {
        let (status, text) = put_pieces(&bed, declared, vec![Ok(Bytes::from_static(b"12345"))]).await;
        assert!(status == 400 && text.contains("<Code>IncompleteBody</Code>"), "{status} {text}");
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn a_body_that_stalls_is_a_request_timeout() {
    let bed = Bed::with_bucket().await;
    for declared in [10, 300_000] {
        let stalled = Err(io::Error::from(io::ErrorKind::TimedOut));
        let (status, text) = put_pieces(&bed, declared, vec![Ok(Bytes::from_static(b"12345")), stalled]).await;
        assert!(status == 400 && text.contains("<Code>RequestTimeout</Code>"), "{status} {text}");
    }
    bed.get("/bucket/key").await.is_error(404, "NoSuchKey");
}

#[tokio::test]
async fn a_body_without_a_length_is_taken_if_it_is_small() {
    let bed = Bed::with_bucket().await;
    let put = async |size: usize| {
        let draft = Draft::new(Method::PUT, "/bucket/key").payload("UNSIGNED-PAYLOAD");
        let (mut parts, _) = draft.signed(&bed.alice).into_parts();
        parts.headers.remove("content-length");
        let pieces = vec![Ok::<_, io::Error>(Frame::data(Bytes::from(vec![7; size])))];
        let answer =
            bed.door.call(Origin::default(), Request::from_parts(parts, StreamBody::new(stream::iter(pieces)))).await;
        answer.status().as_u16()
    };
    assert_eq!(put(300_000).await, 200);
    assert_eq!(bed.get("/bucket/key").await.body.len(), 300_000);
    assert_eq!(put(2_000_000).await, 411);
    assert_eq!(bed.get("/bucket/key").await.body.len(), 300_000);
}

#[tokio::test]
async fn who_may_not_put_is_told_before_the_body_is_read() {
    let bed = Bed::with_bucket().await;
    for (address, key) in [("/bucket/key", &bed.bob), ("/none/key", &bed.alice)] {
        let draft = Draft::new(Method::PUT, address).payload("UNSIGNED-PAYLOAD").body(vec![0; 10]);
        let (parts, _) = draft.signed(key).into_parts();
        // A body that never comes: reading it would never end.
        let body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, io::Error>>());
        let answer = bed.door.call(Origin::default(), Request::from_parts(parts, body)).await;
        assert!(matches!(answer.status().as_u16(), 403 | 404), "{address}");
    }
}

#[tokio::test]
async fn an_upload_of_more_than_5_gib_is_refused_by_its_length() {
    let bed = Bed::with_bucket().await;
    let draft = Draft::new(Method::PUT, "/bucket/key").payload("UNSIGNED-PAYLOAD");
    let (mut parts, body) = draft.signed(&bed.alice).into_parts();
    parts.headers.insert("content-length", ((5_u64 << 30) + 1).into());
    bed.raw(Request::from_parts(parts, body)).await.is_error(400, "EntityTooLarge");
}

#[tokio::test]
async fn bad_addresses_are_refused() {
    let bed = Bed::with_bucket().await;
    for address in ["/bucket/%ff", "/bucket?list-type=2&max-keys=x", "/bucket?uploads&max-uploads=-1"] {
        let answer =
            bed.raw(Draft::new(Method::GET, address).header("x-amz-content-sha256", &sha256(b"")).anonymous()).await;
        assert!(answer.status.is_client_error(), "{address}: {}", answer.text());
        assert!(answer.header("x-amz-request-id").is_some());
    }
    bed.get("/bucket?list-type=2&max-keys=x").await.is_error(400, "InvalidArgument");
    bed.get("/bucket?list-type=2&max-keys=-1").await.is_error(400, "InvalidArgument");
    bed.get("/bucket?list-type=2&encoding-type=xml").await.is_error(400, "InvalidArgument");
}
