//! The pool while shards fail.

use crate::samples::*;
use cofre_runtime::{Clock, ManualClock, Random};
use cofre_shards::{
    Backend, BlobRef, Body, Copy, CopyState, Fault, Faulty, Limit, MemoryBackend, ReadError, ShardMode, ShardState,
    Shards, ShardsOptions, StreamTrouble, Trouble, Troubles, WriteError,
};
use cofre_types::{Scheme, ShardId};
use std::sync::Arc;
use std::time::Duration;

const SIZE: usize = 2_000_000;

fn quick() -> ShardsOptions {
    let short = Duration::from_millis(40);
    ShardsOptions { hedge_after: short, stall_after: short, straggler_grace: short, bad_copies_max: 8 }
}

/// A pool of shards that can be told to fail, numbered from 1.
fn faulty_pool(count: usize) -> (Shards, Vec<Arc<Faulty>>) {
    let shards: Vec<_> = (0..count).map(|_| Arc::new(Faulty::new(Arc::new(MemoryBackend::new(64 * MIB))))).collect();
    (pool_of(shards.iter().map(|shard| shard.clone() as _).collect(), quick()), shards)
}

fn scheme(count: u8) -> Scheme {
    Scheme::replicas(count).unwrap()
}

async fn write(pool: &Shards, body: Body, copies: u8) -> Result<BlobRef, WriteError> {
    let written = pool.write(blob(1), header("a"), body, scheme(copies)).await?;
    assert_eq!(written.missing + written.copies.len(), copies as usize);
    Ok(BlobRef { id: blob(1), size: written.size, scheme: scheme(copies), copies: written.copies })
}

async fn read_all(pool: &Shards, blob: &BlobRef) -> Result<Vec<u8>, ReadError> {
    let stream = pool.read(blob, whole(blob.size as usize)).await?;
    collect(stream).await.map_err(|error| *error.0.downcast::<ReadError>().unwrap())
}

fn put_trouble(trouble: Trouble) -> Troubles {
    Troubles { put: Some(trouble), ..Troubles::default() }
}

#[tokio::test]
async fn a_read_goes_over_in_mid_stream_and_the_bytes_are_right() {
    let troubles = [StreamTrouble::Corrupt, StreamTrouble::Unreachable, StreamTrouble::Hang, StreamTrouble::EndsEarly];
    for trouble in troubles {
        for after in [0, 1, 131_072, 700_001, SIZE as u64 - 1] {
            let (pool, shards) = faulty_pool(2);
            let mut reports = pool.bad_copies().unwrap();
            let content = content(1, SIZE);
            let stored = write(&pool, Body::Whole(content.clone()), 2).await.unwrap();
            // The copy that is read first while both shards do equally well.
            let first = stored.copies[0].shard;
            shards[first.0 as usize - 1].set(Troubles { stream: Some((after, trouble)), ..Troubles::default() });
            assert!(read_all(&pool, &stored).await.unwrap() == content, "{trouble:?} after {after}");
            let report = tokio::time::timeout(Duration::from_millis(1), reports.next()).await.ok().flatten();
            let expected = matches!(trouble, StreamTrouble::Corrupt | StreamTrouble::EndsEarly);
            assert_eq!(report.is_some(), expected, "{trouble:?}");
            assert!(report.is_none_or(|bad| bad.shard == first && bad.fault == Fault::Corrupt));
        }
    }
}

#[tokio::test]
async fn a_read_that_no_copy_can_finish_ends_with_an_error_and_never_short() {
    let (pool, shards) = faulty_pool(2);
    let stored = write(&pool, Body::Whole(content(1, SIZE)), 2).await.unwrap();
    for shard in &shards {
        shard.set(Troubles { stream: Some((700_000, StreamTrouble::Corrupt)), ..Troubles::default() });
    }
    // The second copy goes on at 700,000 and would fail only at 1,400,000.
    assert!(matches!(read_all(&pool, &stored).await, Err(ReadError::Corrupt(_))));
    shards[0].set(Troubles { get: Some(Trouble::Unreachable), ..Troubles::default() });
    assert!(matches!(read_all(&pool, &stored).await, Err(ReadError::Unreachable(_))));
}

#[tokio::test]
async fn a_slow_copy_is_raced_and_a_hanging_one_does_not_hold_up_the_read() {
    for trouble in [Trouble::Hang, Trouble::Delay(Duration::from_secs(30))] {
        let (pool, shards) = faulty_pool(3);
        let content = content(1, SIZE);
        let stored = write(&pool, Body::Whole(content.clone()), 3).await.unwrap();
        for shard in &shards[..2] {
            shard.set(Troubles { get: Some(trouble), ..Troubles::default() });
        }
        let read = tokio::time::timeout(Duration::from_secs(10), read_all(&pool, &stored)).await.unwrap();
        assert!(read.unwrap() == content);
    }
}

#[tokio::test]
async fn a_whole_body_goes_to_another_shard_when_one_fails() {
    for trouble in [Trouble::Full, Trouble::Unreachable] {
        for copies in [1, 2, 3] {
            let (pool, shards) = faulty_pool(5);
            shards[0].set(put_trouble(trouble));
            shards[1].set(put_trouble(trouble));
            for _ in 0..10 {
                let stored = write(&pool, Body::Whole(content(1, 1000)), copies).await.unwrap();
                assert_eq!(stored.copies.len(), copies as usize);
                assert!(stored.copies.iter().all(|copy| copy.shard.0 > 2));
            }
        }
    }
}

#[tokio::test]
async fn a_stream_goes_on_with_the_rest_while_the_quorum_holds() {
    for fails_after in [0, 1_000_000] {
        let (pool, shards) = faulty_pool(3);
        let content = content(1, SIZE);
        shards[1].set(Troubles { put_fails_after_bytes: Some(fails_after), ..Troubles::default() });
        let stored = write(&pool, streamed(&content, 50_000), 3).await.unwrap();
        assert_eq!(stored.copies.len(), 2);
        assert!(read_all(&pool, &stored).await.unwrap() == content);
        shards[2].set(Troubles { put_fails_after_bytes: Some(fails_after), ..Troubles::default() });
        let error = write(&pool, streamed(&content, 50_000), 3).await.unwrap_err();
        assert!(matches!(error, WriteError::TooFewShards { needed: 2, .. }), "{error}");
        let left = pool.list(ShardId(1), None).await.unwrap().0;
        assert_eq!(left.len(), 1, "the copy of the failed write is undone");
    }
}

#[tokio::test]
async fn a_straggler_is_let_go_after_its_grace() {
    for body in [Body::Whole(content(1, SIZE)), streamed(&content(1, SIZE), 50_000)] {
        let (pool, shards) = faulty_pool(3);
        shards[2].set(put_trouble(Trouble::Hang));
        let stored = tokio::time::timeout(Duration::from_secs(10), write(&pool, body, 3)).await.unwrap().unwrap();
        assert_eq!(stored.copies.len(), 2);
        assert!(read_all(&pool, &stored).await.unwrap() == content(1, SIZE));
    }
}

#[tokio::test]
async fn the_quorum_is_never_let_go() {
    let (pool, shards) = faulty_pool(3);
    shards[1].set(put_trouble(Trouble::Delay(Duration::from_millis(200))));
    shards[2].set(put_trouble(Trouble::Delay(Duration::from_millis(200))));
    let stored = write(&pool, streamed(&content(1, SIZE), 50_000), 3).await.unwrap();
    assert!(stored.copies.len() >= 2);
}

#[tokio::test]
async fn shards_that_are_not_active_take_nothing_and_are_still_read() {
    for mode in [ShardMode::ReadOnly, ShardMode::Draining] {
        let (pool, _) = faulty_pool(2);
        let stored = write(&pool, Body::Whole(content(1, 1000)), 2).await.unwrap();
        pool.update(cofre_shards::ShardInfo { mode, ..info(1) });
        for _ in 0..20 {
            let stored = write(&pool, Body::Whole(content(1, 1000)), 1).await.unwrap();
            assert_eq!(stored.copies[0].shard, ShardId(2));
        }
        let alone = BlobRef { copies: stored.copies.into_iter().filter(|c| c.shard.0 == 1).collect(), ..stored };
        assert_eq!(read_all(&pool, &alone).await.unwrap(), content(1, 1000));
        let error = write(&pool, Body::Whole(content(1, 1000)), 2).await.unwrap_err();
        assert!(matches!(error, WriteError::TooFewShards { needed: 2, reached: 1 }));
    }
}

#[tokio::test]
async fn copies_never_share_a_failure_domain() {
    let (pool, _) = faulty_pool(4);
    for (id, domain) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        pool.update(cofre_shards::ShardInfo { failure_domain: Some(domain.into()), ..info(id) });
    }
    for _ in 0..50 {
        let stored = write(&pool, Body::Whole(content(1, 100)), 3).await.unwrap();
        let racks: Vec<_> = stored.copies.iter().map(|copy| copy.shard.0 <= 2).collect();
        assert!(racks == [true, false] || racks == [false, true], "{stored:?}");
    }
}

#[tokio::test]
async fn a_drain_copies_away_from_a_shard_and_a_repair_replaces_bad_copies() {
    let (pool, _) = faulty_pool(3);
    let content = content(1, SIZE);
    let stored = write(&pool, Body::Whole(content.clone()), 2).await.unwrap();
    let leaving = stored.copies[0].shard;
    let added = pool.add_copies(&stored, &stored.copies, scheme(2), &[leaving]).await.unwrap();
    let other: Vec<_> = (1..=3).filter(|id| stored.copies.iter().all(|copy| copy.shard.0 != *id)).collect();
    assert_eq!(added.iter().map(|copy| copy.shard.0).collect::<Vec<_>>(), other);
    assert_eq!(pool.verify(&stored, &added[0]).await, CopyState::Whole);
    assert!(pool.add_copies(&stored, &stored.copies, scheme(2), &[]).await.unwrap().is_empty());
    let lost =
        BlobRef { copies: vec![Copy { locator: cofre_shards::Locator(vec![0; 8]), ..added[0].clone() }], ..stored };
    assert!(pool.add_copies(&lost, &lost.copies, scheme(2), &[]).await.is_err());
}

#[tokio::test]
async fn a_failing_shard_is_given_up_and_comes_back_with_a_probe() {
    let (pool, shards) = faulty_pool(1);
    shards[0].set(put_trouble(Trouble::Unreachable));
    for _ in 0..3 {
        write(&pool, Body::Whole(content(1, 10)), 1).await.unwrap_err();
    }
    let status = &pool.status()[0];
    assert_eq!((status.state, status.figures.errors), (ShardState::Unreachable, 3));
    assert!(status.last_error.as_ref().is_some_and(|error| error.contains("told to fail")));
    shards[0].set(Troubles::default());
    write(&pool, Body::Whole(content(1, 10)), 1).await.unwrap_err();
    pool.probe(ShardId(1)).await.unwrap();
    write(&pool, Body::Whole(content(1, 10)), 1).await.unwrap();
    let status = &pool.status()[0];
    assert_eq!((status.state, status.figures.writes, status.figures.written_bytes), (ShardState::Healthy, 1, 10));
    assert_eq!(status.figures.write_latency.buckets.iter().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_shard_that_hangs_is_given_up_and_comes_back_by_itself() {
    let clock = ManualClock::at(0);
    let pool = Shards::new(clock.clock(), Random::seeded(1), quick());
    let hanging = Arc::new(Faulty::new(Arc::new(MemoryBackend::new(64 * MIB))));
    pool.attach(info(1), hanging.clone());
    pool.attach(info(2), Arc::new(MemoryBackend::new(64 * MIB)));
    pool.attach(info(3), Arc::new(MemoryBackend::new(64 * MIB)));
    let put = || write(&pool, Body::Whole(content(1, 10)), 3);
    assert_eq!(put().await.unwrap().copies.len(), 3);
    hanging.set(Troubles { put: Some(Trouble::Hang), other: Some(Trouble::Hang), ..Troubles::default() });
    for _ in 0..3 {
        assert_eq!(put().await.unwrap().copies.len(), 2);
    }
    assert_eq!(pool.status()[0].state, ShardState::Unreachable);
    hanging.set(Troubles::default());
    assert_eq!(put().await.unwrap().copies.len(), 2, "it is left alone for a while");
    clock.advance(Duration::from_secs(5));
    assert_eq!(put().await.unwrap().copies.len(), 3);
    assert_eq!(pool.status()[0].state, ShardState::Healthy);
}

#[tokio::test]
async fn a_shard_that_is_far_away_comes_back_behind_the_write_that_tried_it() {
    let clock = ManualClock::at(0);
    let pool = Shards::new(clock.clock(), Random::seeded(1), quick());
    let far = Arc::new(Faulty::new(Arc::new(MemoryBackend::new(64 * MIB))));
    pool.attach(info(1), far.clone());
    pool.attach(info(2), Arc::new(MemoryBackend::new(64 * MIB)));
    let put = || write(&pool, Body::Whole(content(1, 10)), 2);
    far.set(Troubles { put: Some(Trouble::Unreachable), ..Troubles::default() });
    for _ in 0..3 {
        put().await.ok();
    }
    assert_eq!(pool.status()[0].state, ShardState::Unreachable);
    let slow = Some(Trouble::Delay(Duration::from_millis(700)));
    far.set(Troubles { other: slow, ..Troubles::default() });
    clock.advance(Duration::from_secs(5));
    let waited = Clock::system();
    put().await.ok();
    assert!(waited.elapsed() < Duration::from_secs(5), "a write waits no longer than it must");
    for _ in 0..1000 {
        if pool.status()[0].state == ShardState::Healthy {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it stays {:?}", pool.status()[0].state);
}

#[tokio::test]
async fn reports_that_nobody_takes_are_counted_and_block_nothing() {
    let (pool, _) = faulty_pool(1);
    let stored = write(&pool, Body::Whole(content(1, 10)), 1).await.unwrap();
    pool.delete(ShardId(1), vec![(blob(1), stored.copies[0].locator.clone())]).await.unwrap();
    for _ in 0..20 {
        assert_eq!(read_all(&pool, &stored).await, Err(ReadError::AllMissing));
    }
    assert_eq!(pool.bad_copies_dropped(), 12);
}

#[tokio::test]
async fn a_limit_holds_calls_back_and_slow_bodies_do_not_count() {
    let slow = Faulty::new(Arc::new(MemoryBackend::new(MIB)));
    slow.set(put_trouble(Trouble::Delay(Duration::from_millis(50))));
    let limited = Limit::new(Arc::new(slow), 1);
    let header = header("a");
    let put = |number| limited.put(blob(number), &header, Body::Whole(content(1, 10)));
    let began = Clock::system();
    let (one, two, three) = tokio::join!(put(1), put(2), put(3));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(began.elapsed() >= Duration::from_millis(150));
    let never = Body::Stream { stream: Box::pin(futures_util::stream::pending()), size: None };
    let stuck = limited.put(blob(4), &header, never);
    tokio::select! {
        _ = stuck => panic!("a body that never ends ended"),
        put = put(5) => assert!(put.is_ok()),
    }
}
