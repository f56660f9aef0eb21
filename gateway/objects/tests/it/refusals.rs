//! A catalog that takes no commits: what is asked of it is refused early, and leaves nothing on the shards.

use crate::bed::{Bed, put, upload};
use crate::multipart::begin_with_part;
use cofre_objects::{Body, CommitState, EncryptAs, Error, PutObject, PutPart, StoreState, Upload};
use futures_util::stream;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A body that nobody may read.
fn untouched() -> Upload {
    let stream = Box::pin(stream::poll_fn(|_| panic!("the body is read")));
    Upload { body: Body::Stream { stream, size: Some(1_000_000) }, ..upload(b"") }
}

#[tokio::test]
async fn puts_and_parts_are_refused_before_their_bodies_while_no_commit_is_taken() {
    let bed = Bed::with_bucket().await;
    let at = begin_with_part(&bed, "parts", b"part").await;
    let states = [
        CommitState::Full,
        CommitState::Slow(Duration::from_secs(7)),
        CommitState::Refused("an earlier write failed".to_owned()),
    ];
    for commits in states {
        *bed.rival.state.lock().unwrap() = StoreState { commits: commits.clone(), damage: None };
        let object = bed.try_put(PutObject { upload: untouched(), ..put("k", b"") }).await;
        let part = PutPart { upload: at.clone(), number: 1, content: untouched(), encryption: EncryptAs::AsBucket };
        let part = bed.objects.put_part(&bed.alice, part).await;
        for error in [object.unwrap_err(), part.unwrap_err()] {
            assert!(matches!(error, Error::NoRoom | Error::Refused(_)), "{commits:?}: {error:?}");
            assert!(error.is_definite());
        }
    }
    // What is damaged elsewhere keeps nobody from writing here.
    let damage = Some("a table".to_owned());
    *bed.rival.state.lock().unwrap() = StoreState { commits: CommitState::Taken, damage };
    bed.try_put(put("k", b"bytes")).await.unwrap();
}

#[tokio::test]
async fn what_was_written_for_a_commit_that_was_refused_goes_at_once() {
    let bed = Bed::with_bucket().await;
    bed.rival.full.store(true, Ordering::SeqCst);
    let refused = bed.try_put(put("k", &[7; 100_000])).await;
    assert!(matches!(refused, Err(Error::NoRoom)), "{refused:?}");
    assert_eq!(bed.stored().await, 0);
    let wrong = Upload { content_md5: Some([0; 16]), ..upload(&[7; 100_000]) };
    let refused = bed.try_put(PutObject { upload: wrong, ..put("k", b"") }).await;
    assert!(matches!(refused, Err(Error::BadDigest)), "{refused:?}");
    assert_eq!(bed.stored().await, 0);
}
