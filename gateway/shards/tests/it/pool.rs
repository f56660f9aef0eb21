use crate::samples::*;
use cofre_runtime::{ManualClock, Random};
use cofre_shards::{
    AddError, BlobHeader, BlobRef, Body, BodyError, CopyState, MemoryBackend, ReadError, ShardInfo, Shards,
    ShardsOptions, WriteError,
};
use cofre_types::{Scheme, ShardId};
use futures_util::{StreamExt, stream};
use std::collections::HashSet;
use std::sync::Arc;

fn scheme(count: u8) -> Scheme {
    Scheme::replicas(count).unwrap()
}

#[tokio::test]
async fn a_blob_is_read_as_it_was_written() {
    for (copies, size) in [(1, 0), (1, 5), (3, 5), (1, 3_000_000), (3, 3_000_000)] {
        let pool = memory_pool(4);
        let content = content(size as u64, size);
        for body in [Body::Whole(content.clone()), streamed(&content, 70_000)] {
            let id = blob(size as u32);
            let written = pool.write(id, header("a"), body, scheme(copies)).await.unwrap();
            assert_eq!((written.size, written.missing), (size as u64, 0));
            let shards: HashSet<_> = written.copies.iter().map(|copy| copy.shard).collect();
            assert_eq!(shards.len(), copies as usize);
            let stored = BlobRef { id, size: size as u64, scheme: scheme(copies), copies: written.copies };
            let read = collect(pool.read(&stored, whole(size)).await.unwrap()).await.unwrap();
            assert_eq!(read, content);
            for copy in &stored.copies {
                assert_eq!(pool.verify(&stored, copy).await, CopyState::Whole);
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_ends_early_hands_its_own_error_through_and_leaves_nothing() {
    #[derive(Debug, thiserror::Error)]
    #[error("bad digest")]
    struct BadDigest;
    for copies in [1, 2] {
        let pool = memory_pool(2);
        let pieces = vec![Ok(content(1, 500_000)), Err(BodyError(Box::new(BadDigest)))];
        let body = Body::Stream { stream: Box::pin(stream::iter(pieces)), size: None };
        let error = pool.write(blob(1), header("a"), body, scheme(copies)).await.unwrap_err();
        let WriteError::Body(BodyError(source)) = error else { panic!("{error}") };
        assert!(source.is::<BadDigest>());
        for shard in [1, 2] {
            assert_eq!(pool.list(ShardId(shard), None).await.unwrap(), (vec![], None));
        }
    }
}

#[tokio::test]
async fn a_body_of_another_size_than_declared_is_the_bodys_error() {
    for copies in [1, 2] {
        let pool = memory_pool(2);
        let body = Body::Stream { stream: stream_of(&content(1, 1000), 100), size: Some(1001) };
        let error = pool.write(blob(1), header("a"), body, scheme(copies)).await.unwrap_err();
        assert!(matches!(error, WriteError::Body(_)), "{error}");
    }
}

#[tokio::test]
async fn a_missing_copy_is_read_from_another_shard_and_reported() {
    let pool = memory_pool(2);
    let content = content(1, 1000);
    let written = pool.write(blob(1), header("a"), Body::Whole(content.clone()), scheme(2)).await.unwrap();
    let lost = written.copies[0].clone();
    pool.delete(lost.shard, vec![(blob(1), lost.locator.clone())]).await.unwrap();
    let mut reports = pool.bad_copies().unwrap();
    assert!(pool.bad_copies().is_none());
    let stored =
        BlobRef { id: blob(1), size: 1000, scheme: scheme(2), copies: vec![lost.clone(), written.copies[1].clone()] };
    for _ in 0..20 {
        assert_eq!(collect(pool.read(&stored, whole(1000)).await.unwrap()).await.unwrap(), content);
    }
    assert_eq!(reports.next().await.unwrap().shard, lost.shard);

    let good = vec![written.copies[1].clone()];
    let added = pool.add_copies(&stored, &good, scheme(2), &[]).await.unwrap();
    assert_eq!(added.len(), 1);
    assert_eq!(added[0].shard, lost.shard);
    assert_eq!(pool.verify(&stored, &added[0]).await, CopyState::Whole);
    assert_eq!(pool.verify(&stored, &lost).await, CopyState::Missing);
}

#[tokio::test]
async fn an_added_copy_is_as_old_as_itself_and_says_the_rest_as_before() {
    let clock = ManualClock::at(1_800_000_000_000_000_000);
    let pool = Shards::new(clock.clock(), Random::seeded(1), ShardsOptions::default());
    (1..=2).for_each(|id| pool.attach(info(id), Arc::new(MemoryBackend::new(MIB))));
    let body = Body::Whole(content(1, 10));
    let written = pool.write(blob(1), header("a"), body, scheme(1)).await.unwrap();
    let stored = BlobRef { id: blob(1), size: 10, scheme: scheme(2), copies: written.copies };
    let added = pool.add_copies(&stored, &stored.copies, scheme(2), &[]).await.unwrap();
    let (listed, _) = pool.list(added[0].shard, None).await.unwrap();
    assert_eq!(listed[0].written_nanos, 1_800_000_000_000_000_000);
    let said = pool.header(&BlobRef { copies: added, ..stored }).await.unwrap();
    assert_eq!(said, BlobHeader { written_nanos: 1_800_000_000_000_000_000, scheme: Some(scheme(1)), ..header("a") });
}

#[tokio::test]
async fn a_blob_whose_copies_are_all_gone_is_missing_but_not_while_a_shard_is_away() {
    let pool = memory_pool(2);
    let body = Body::Whole(content(1, 10));
    let written = pool.write(blob(1), header("a"), body, scheme(2)).await.unwrap();
    for copy in &written.copies {
        pool.delete(copy.shard, vec![(blob(1), copy.locator.clone())]).await.unwrap();
    }
    let stored = BlobRef { id: blob(1), size: 10, scheme: scheme(2), copies: written.copies };
    assert_eq!(pool.read(&stored, whole(10)).await.err(), Some(ReadError::AllMissing));
    pool.detach(ShardId(1));
    assert!(matches!(pool.read(&stored, whole(10)).await.err(), Some(ReadError::Unreachable(_))));
}

#[tokio::test]
async fn a_shard_that_is_away_keeps_new_copies_off_its_failure_domain() {
    let in_rack = |id| ShardInfo { failure_domain: Some("rack".into()), ..info(id) };
    for labelled_while_away in [false, true] {
        let pool = memory_pool(2);
        let body = Body::Whole(content(1, 10));
        let written = pool.write(blob(1), header("a"), body, scheme(2)).await.unwrap();
        let stored = BlobRef { id: blob(1), size: 10, scheme: scheme(3), copies: written.copies };
        pool.detach(ShardId(1));
        pool.note_unattached(if labelled_while_away { info(1) } else { in_rack(1) });
        pool.update(in_rack(1));
        pool.attach(in_rack(3), Arc::new(MemoryBackend::new(MIB)));
        let error = pool.add_copies(&stored, &stored.copies, scheme(3), &[]).await.unwrap_err();
        assert!(matches!(error, AddError::Write(WriteError::TooFewShards { .. })), "{error}");
        pool.attach(info(4), Arc::new(MemoryBackend::new(MIB)));
        let added = pool.add_copies(&stored, &stored.copies, scheme(3), &[]).await.unwrap();
        assert_eq!(added.iter().map(|copy| copy.shard).collect::<Vec<_>>(), [ShardId(4)]);
    }
}

#[tokio::test]
async fn too_few_shards_and_full_shards_are_told_apart() {
    let pool = memory_pool(1);
    let body = || Body::Whole(content(1, 1000));
    let error = pool.write(blob(1), header("a"), body(), scheme(2)).await.unwrap_err();
    assert!(matches!(error, WriteError::TooFewShards { needed: 2, reached: 1 }), "{error}");
    pool.attach(info(2), Arc::new(MemoryBackend::new(10)));
    let error = pool.write(blob(1), header("a"), body(), scheme(2)).await.unwrap_err();
    assert!(matches!(error, WriteError::NoRoom), "{error}");
    let written = pool.write(blob(1), header("a"), body(), scheme(1)).await.unwrap();
    assert_eq!(written.copies[0].shard, ShardId(1));
}

#[tokio::test]
async fn a_pool_with_fewer_shards_than_the_width_writes_what_it_can() {
    let pool = memory_pool(2);
    for body in [Body::Whole(content(1, 1000)), streamed(&content(1, 1000), 100)] {
        let written = pool.write(blob(1), header("a"), body, scheme(3)).await.unwrap();
        assert_eq!((written.copies.len(), written.missing), (2, 1));
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_halfway_leaves_nothing() {
    let pool = memory_pool(2);
    let body = stream::iter([Ok(content(1, 1000))]).chain(stream::pending());
    let body = Body::Stream { stream: Box::pin(body), size: None };
    let write = pool.write(blob(1), header("a"), body, scheme(2));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), write).await.is_err());
    for shard in [1, 2] {
        assert_eq!(pool.list(ShardId(shard), None).await.unwrap(), (vec![], None));
    }
}
