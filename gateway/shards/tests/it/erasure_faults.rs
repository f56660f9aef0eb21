//! Pieces under an erasure code while shards fail.

use crate::erasure::{read_range, write};
use crate::samples::*;
use cofre_shards::{
    BlobRef, Body, CopyState, Fault, Faulty, MemoryBackend, ReadError, Redundancy, ShardState, Shards, ShardsOptions,
    StreamTrouble, Trouble, Troubles, WriteError,
};
use cofre_types::{Scheme, ShardId};
use std::sync::Arc;
use std::time::Duration;

const SIZE: usize = 3_000_001;
const WIDTH: usize = 6;

fn quick() -> ShardsOptions {
    let short = Duration::from_millis(40);
    ShardsOptions { hedge_after: short, stall_after: short, straggler_grace: short, bad_copies_max: 64 }
}

fn faulty_pool(count: usize) -> (Shards, Vec<Arc<Faulty>>) {
    let shards: Vec<_> = (0..count).map(|_| Arc::new(Faulty::new(Arc::new(MemoryBackend::new(64 * MIB))))).collect();
    (pool_of(shards.iter().map(|shard| shard.clone() as _).collect(), quick()), shards)
}

fn scheme() -> Scheme {
    Scheme::erasure(4, 2).unwrap()
}

fn with_spares(spares: u8) -> Redundancy {
    Redundancy { spares_min: Some(spares), ..scheme().into() }
}

async fn whole_blob(pool: &Shards, blob: &BlobRef) -> Result<Vec<u8>, ReadError> {
    tokio::time::timeout(Duration::from_secs(20), read_range(pool, blob, 0, SIZE as u64)).await.unwrap()
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..WIDTH).flat_map(|one| (one + 1..WIDTH).map(move |other| (one, other)))
}

async fn left_on(pool: &Shards) -> usize {
    let mut left = 0;
    for status in pool.status() {
        left += pool.list(status.id, None).await.unwrap().0.len();
    }
    left
}

#[tokio::test]
async fn any_two_of_six_shards_may_be_lost_while_reading() {
    let content = content(1, SIZE);
    let troubles = [
        Troubles { get: Some(Trouble::Unreachable), ..Troubles::default() },
        Troubles { get: Some(Trouble::Hang), ..Troubles::default() },
        Troubles { stream: Some((200_000, StreamTrouble::Corrupt)), ..Troubles::default() },
        Troubles { stream: Some((131_072, StreamTrouble::EndsEarly)), ..Troubles::default() },
        Troubles { stream: Some((1, StreamTrouble::Hang)), ..Troubles::default() },
    ];
    for (one, other) in pairs() {
        for trouble in troubles {
            let (pool, shards) = faulty_pool(WIDTH);
            let stored = write(&pool, streamed(&content, 65_536), scheme()).await.unwrap();
            shards[one].set(trouble);
            shards[other].set(trouble);
            assert!(whole_blob(&pool, &stored).await.unwrap() == content, "{one} and {other}: {trouble:?}");
        }
    }
}

#[tokio::test]
async fn three_lost_of_six_are_an_error_and_never_a_short_body() {
    let (pool, shards) = faulty_pool(WIDTH);
    let stored = write(&pool, Body::Whole(content(1, SIZE)), scheme()).await.unwrap();
    for shard in &shards[..3] {
        shard.set(Troubles { stream: Some((100_000, StreamTrouble::Corrupt)), ..Troubles::default() });
    }
    assert!(matches!(whole_blob(&pool, &stored).await, Err(ReadError::Corrupt(_))));
    shards[0].set(Troubles { get: Some(Trouble::Unreachable), ..Troubles::default() });
    assert!(matches!(whole_blob(&pool, &stored).await, Err(ReadError::Unreachable(_))));
}

#[tokio::test]
async fn a_piece_that_fails_in_mid_stream_is_rebuilt_and_reported() {
    for trouble in [StreamTrouble::Corrupt, StreamTrouble::EndsEarly, StreamTrouble::Unreachable] {
        let (pool, shards) = faulty_pool(WIDTH);
        let mut reports = pool.bad_copies().unwrap();
        let content = content(1, SIZE);
        let stored = write(&pool, Body::Whole(content.clone()), scheme()).await.unwrap();
        let bad = stored.copies.iter().find(|copy| copy.piece == 2).unwrap();
        shards[bad.shard.0 as usize - 1].set(Troubles { stream: Some((140_000, trouble)), ..Troubles::default() });
        assert!(whole_blob(&pool, &stored).await.unwrap() == content);
        let report = tokio::time::timeout(Duration::from_millis(1), reports.next()).await.ok().flatten();
        assert_eq!(report.is_some(), trouble != StreamTrouble::Unreachable, "{trouble:?}");
        assert!(report.is_none_or(|report| report.shard == bad.shard && report.fault == Fault::Corrupt));
    }
}

#[tokio::test]
async fn a_slow_shard_is_hedged_once_and_asked_last_after_that() {
    let content = content(1, 20_000_000);
    let (pool, shards) = faulty_pool(WIDTH);
    let stored = write(&pool, Body::Whole(content.clone()), scheme()).await.unwrap();
    let slow = stored.copies.iter().find(|copy| copy.piece == 1).unwrap().shard;
    let late = Trouble::Delay(Duration::from_secs(60));
    shards[slow.0 as usize - 1].set(Troubles { get: Some(late), ..Troubles::default() });
    let read = read_range(&pool, &stored, 0, 20_000_000);
    assert!(tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap() == content);
    // The next reads do not ask it: what it would bring is corrupt, and nobody finds out.
    let mut reports = pool.bad_copies().unwrap();
    shards[slow.0 as usize - 1].set(Troubles { stream: Some((0, StreamTrouble::Corrupt)), ..Troubles::default() });
    for _ in 0..3 {
        assert!(read_range(&pool, &stored, 0, 2_000_000).await.unwrap() == content[..2_000_000]);
    }
    assert!(tokio::time::timeout(Duration::from_millis(1), reports.next()).await.is_err());
    let state = pool.status().into_iter().find(|status| status.id == slow).unwrap().state;
    assert_eq!(state, ShardState::Healthy, "writes still go there");
    // Too few others: the slow one is waited for.
    shards[slow.0 as usize - 1]
        .set(Troubles { get: Some(Trouble::Delay(Duration::from_millis(100))), ..Troubles::default() });
    let lost: Vec<_> = stored.copies.iter().filter(|copy| copy.shard != slow).take(2).cloned().collect();
    let left = BlobRef {
        copies: stored.copies.iter().filter(|copy| !lost.contains(copy)).cloned().collect(),
        ..stored.clone()
    };
    assert!(read_range(&pool, &left, 0, 2_000_000).await.unwrap() == content[..2_000_000]);
}

#[tokio::test]
async fn a_write_goes_on_while_its_quorum_holds_and_else_leaves_nothing() {
    let content = content(1, SIZE);
    let failures = [
        Troubles { put: Some(Trouble::Unreachable), ..Troubles::default() },
        Troubles { put_fails_after_bytes: Some(0), ..Troubles::default() },
        Troubles { put_fails_after_bytes: Some(300_000), ..Troubles::default() },
        Troubles { put: Some(Trouble::Full), ..Troubles::default() },
    ];
    for failure in failures {
        for (one, other) in pairs() {
            let (pool, shards) = faulty_pool(WIDTH);
            shards[one].set(failure);
            let stored = write(&pool, streamed(&content, 65_536), scheme()).await.unwrap();
            assert_eq!(stored.copies.len(), 5, "one piece beyond what reading takes");
            for copy in &stored.copies {
                pool.delete(copy.shard, vec![(blob(1), copy.locator.clone())]).await.unwrap();
            }
            shards[other].set(failure);
            let error = write(&pool, streamed(&content, 65_536), scheme()).await.unwrap_err();
            assert!(matches!(error, WriteError::TooFewShards { needed: 5, .. } | WriteError::NoRoom), "{error}");
            assert_eq!(left_on(&pool).await, 0, "{failure:?}");
        }
    }
}

#[tokio::test]
async fn any_two_of_six_shards_may_be_lost_while_writing_if_the_settings_ask_for_no_spare() {
    let content = content(1, SIZE);
    for (one, other) in pairs() {
        let (pool, shards) = faulty_pool(WIDTH);
        let failure = Troubles { put_fails_after_bytes: Some(200_000), ..Troubles::default() };
        shards[one].set(failure);
        shards[other].set(failure);
        let stored = write(&pool, streamed(&content, 65_536), with_spares(0)).await.unwrap();
        assert_eq!(stored.copies.len(), 4);
        assert!(whole_blob(&pool, &stored).await.unwrap() == content);
        let error = write(&pool, streamed(&content, 65_536), with_spares(9)).await.unwrap_err();
        assert!(matches!(error, WriteError::TooFewShards { needed: 6, .. }), "{error}");
        // The shards come back: exactly the pieces that are missing are made.
        shards[one].set(Troubles::default());
        shards[other].set(Troubles::default());
        let added = pool.add_copies(&stored, &stored.copies, scheme(), &[]).await.unwrap();
        assert_eq!(added.len(), 2);
        for copy in &added {
            assert_eq!(pool.verify(&stored, copy).await, CopyState::Whole);
        }
        let mut pieces: Vec<_> = stored.copies.iter().chain(&added).map(|copy| (copy.piece, copy.shard)).collect();
        pieces.sort();
        let shards: std::collections::HashSet<ShardId> = pieces.iter().map(|(_, shard)| *shard).collect();
        assert_eq!((pieces.iter().map(|(piece, _)| *piece).collect::<Vec<_>>(), shards.len()), ((0..6).collect(), 6));
    }
}

#[tokio::test]
async fn a_whole_body_has_its_pieces_put_on_other_shards_where_some_fail() {
    let content = content(1, SIZE);
    let failures = [
        Troubles { put: Some(Trouble::Unreachable), ..Troubles::default() },
        Troubles { put_fails_after_bytes: Some(300_000), ..Troubles::default() },
        Troubles { put: Some(Trouble::Full), ..Troubles::default() },
    ];
    for failure in failures {
        for (count, pieces) in [(9, 6), (8, 6), (7, 5)] {
            let (pool, shards) = faulty_pool(count);
            shards[..2].iter().for_each(|shard| shard.set(failure));
            let stored = write(&pool, Body::Whole(content.clone()), scheme()).await.unwrap();
            let on: std::collections::HashSet<_> = stored.copies.iter().map(|copy| copy.shard).collect();
            let which: std::collections::HashSet<_> = stored.copies.iter().map(|copy| copy.piece).collect();
            assert_eq!((on.len(), which.len(), stored.copies.len()), (pieces, pieces, pieces), "{failure:?}");
            assert!(on.iter().all(|shard| shard.0 > 2));
            for copy in &stored.copies {
                assert_eq!(pool.verify(&stored, copy).await, CopyState::Whole);
            }
            assert_eq!(left_on(&pool).await, pieces);
        }
    }
}

#[tokio::test]
async fn a_straggler_is_let_go_after_its_grace() {
    let content = content(1, SIZE);
    for body in [Body::Whole(content.clone()), streamed(&content, 65_536)] {
        let (pool, shards) = faulty_pool(WIDTH);
        shards[2].set(Troubles { put: Some(Trouble::Hang), ..Troubles::default() });
        let written = tokio::time::timeout(Duration::from_secs(10), write(&pool, body, scheme())).await.unwrap();
        let stored = written.unwrap();
        assert_eq!(stored.copies.len(), 5);
        assert!(whole_blob(&pool, &stored).await.unwrap() == content);
    }
}

#[tokio::test]
async fn a_pool_with_fewer_shards_than_the_width_writes_the_pieces_that_it_can() {
    let (pool, _) = faulty_pool(5);
    let stored = write(&pool, Body::Whole(content(1, SIZE)), scheme()).await.unwrap();
    assert_eq!(stored.copies.iter().filter(|copy| copy.piece < 4).count(), 4, "data pieces come first");
    let (pool, _) = faulty_pool(4);
    let error = write(&pool, Body::Whole(content(1, SIZE)), scheme()).await.unwrap_err();
    assert!(matches!(error, WriteError::TooFewShards { needed: 5, reached: 4 }), "{error}");
}

#[tokio::test]
async fn a_corrupt_source_of_a_repair_is_left_for_others() {
    let (pool, shards) = faulty_pool(7);
    let stored = write(&pool, Body::Whole(content(1, SIZE)), scheme()).await.unwrap();
    let missing = stored.copies.iter().find(|copy| copy.piece == 0).unwrap();
    let good: Vec<_> = stored.copies.iter().filter(|copy| copy.piece != 0).cloned().collect();
    let worse = good[2].shard;
    shards[worse.0 as usize - 1]
        .set(Troubles { stream: Some((150_000, StreamTrouble::Corrupt)), ..Troubles::default() });
    let added = pool.add_copies(&stored, &good, scheme(), &[missing.shard]).await.unwrap();
    assert_eq!(added.len(), 1);
    assert_eq!((added[0].piece, pool.verify(&stored, &added[0]).await), (0, CopyState::Whole));
}
