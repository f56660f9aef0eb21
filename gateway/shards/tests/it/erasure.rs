//! Pieces under an erasure code, while nothing fails but what is lost.

use crate::samples::*;
use bytes::Bytes;
use cofre_runtime::Random;
use cofre_shards::{BlobRef, Body, BodyError, Copy, CopyState, ReadError, Redundancy, Shards, WriteError, copy_bytes};
use cofre_types::{ResolvedRange, Scheme, ShardId};
use futures_util::stream;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Set it to write the samples anew, after a change of format.
const WRITE_VARIABLE: &str = "COFRE_WRITE_GOLDEN";
const CELL: usize = 128 * 1024;

fn ec(data: u8, parity: u8) -> Scheme {
    Scheme::erasure(data, parity).unwrap()
}

pub async fn write(pool: &Shards, body: Body, redundancy: impl Into<Redundancy>) -> Result<BlobRef, WriteError> {
    let written = pool.write(blob(1), header("a"), body, redundancy).await?;
    Ok(BlobRef { id: blob(1), size: written.size, scheme: written.scheme, copies: written.copies })
}

pub async fn read_range(pool: &Shards, blob: &BlobRef, start: u64, end: u64) -> Result<Vec<u8>, ReadError> {
    let stream = pool.read(blob, ResolvedRange { start, end }).await?;
    collect(stream).await.map_err(|error| *error.0.downcast::<ReadError>().unwrap())
}

fn without(blob: &BlobRef, lost: &[u8]) -> BlobRef {
    let copies = blob.copies.iter().filter(|copy| !lost.contains(&copy.piece)).cloned().collect();
    BlobRef { copies, ..blob.clone() }
}

async fn raw(pool: &Shards, blob: &BlobRef, piece: u8) -> Vec<u8> {
    let copies = blob.copies.iter().filter(|copy| copy.piece == piece).cloned().collect();
    let size = copy_bytes(blob.scheme, blob.size, piece);
    // As a whole copy of its own, a piece is read as it stands.
    let alone = BlobRef { size, scheme: Scheme::replicas(1).unwrap(), copies, ..blob.clone() };
    read_range(pool, &alone, 0, size).await.unwrap()
}

/// A code, a size near the bounds of cells and stripes, a range, and pieces that are lost.
fn cases() -> impl Strategy<Value = (Scheme, usize, (u64, u64), HashSet<u8>)> {
    let codes = prop_oneof![Just((4_u8, 2_u8)), Just((2, 1)), Just((3, 3)), Just((5, 2)), Just((10, 4))];
    codes
        .prop_flat_map(|(data, parity)| {
            let stripe = CELL * usize::from(data);
            let near = move |base: usize| (0_usize..70).prop_map(move |by| (base + by).saturating_sub(35));
            let sizes = prop_oneof![
                // An empty body is small whatever the bound, and has no pieces.
                1_usize..300,
                near(CELL),
                near(stripe),
                near(stripe + CELL),
                near(2 * stripe),
                0..2 * stripe
            ];
            let lost = proptest::collection::hash_set(0..data + parity, 0..=usize::from(parity));
            (Just(ec(data, parity)), sizes, lost)
        })
        .prop_flat_map(|(scheme, size, lost)| {
            let bounds = (0..=size as u64, 0..=size as u64).prop_map(|(a, b)| (a.min(b), a.max(b)));
            (Just(scheme), Just(size), bounds, Just(lost))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_range_comes_from_any_pieces_that_are_enough((scheme, size, (start, end), lost) in cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pool = memory_pool(scheme.width());
            let content = content(size as u64, size);
            let stored = write(&pool, streamed(&content, 77_777), scheme).await.unwrap();
            let pieces: Vec<u64> = stored.copies.iter().map(|copy| copy_bytes(scheme, size as u64, copy.piece)).collect();
            for (copy, bytes) in stored.copies.iter().zip(&pieces) {
                assert_eq!(pool.list(copy.shard, None).await.unwrap().0[0].size, *bytes);
                assert_eq!(pool.verify(&stored, copy).await, CopyState::Whole);
            }
            let data = stored.copies.iter().filter(|copy| usize::from(copy.piece) < scheme.needed());
            let held: u64 = data.map(|copy| copy_bytes(scheme, size as u64, copy.piece)).sum();
            assert_eq!(held, size as u64 + 8 * scheme.needed() as u64, "nothing is padded");
            let lost: Vec<u8> = lost.into_iter().collect();
            let left = without(&stored, &lost);
            let expected = &content[start as usize..end as usize];
            assert!(read_range(&pool, &left, start, end).await.unwrap() == expected);

            let added = pool.add_copies(&left, &left.copies, scheme, &[]).await.unwrap();
            assert_eq!(added.iter().map(|copy| copy.piece).collect::<HashSet<_>>(), lost.iter().copied().collect());
            for copy in &added {
                let again = BlobRef { copies: vec![copy.clone()], ..stored.clone() };
                assert!(raw(&pool, &again, copy.piece).await == raw(&pool, &stored, copy.piece).await);
                assert_eq!(pool.verify(&stored, copy).await, CopyState::Whole);
            }
        });
    }
}

#[tokio::test]
async fn a_body_is_written_the_same_however_it_comes() {
    let scheme = ec(4, 2);
    for size in [1, 5, CELL, 4 * CELL, 4 * CELL + 1, 3_000_001] {
        let content = content(1, size);
        let mut pieces: Vec<Vec<Vec<u8>>> = Vec::new();
        let unknown = Body::Stream { stream: stream_of(&content, 1_000_003), size: None };
        for body in [Body::Whole(content.clone()), streamed(&content, 65_536), streamed(&content, 700_000), unknown] {
            let pool = memory_pool(6);
            let stored = write(&pool, body, scheme).await.unwrap();
            assert_eq!((stored.size, stored.scheme, stored.copies.len()), (size as u64, scheme, 6));
            assert_eq!(stored.copies.iter().map(|copy| copy.shard).collect::<HashSet<_>>().len(), 6);
            assert!(read_range(&pool, &stored, 0, size as u64).await.unwrap() == content);
            let mut raws = Vec::new();
            for piece in 0..6 {
                raws.push(raw(&pool, &stored, piece).await);
            }
            pieces.push(raws);
        }
        assert!(pieces.iter().all(|other| *other == pieces[0]), "{size}");
    }
}

#[tokio::test]
async fn a_range_reads_only_what_it_needs() {
    let pool = memory_pool(6);
    let size = 40 * CELL;
    let content = content(1, size);
    let stored = write(&pool, Body::Whole(content.clone()), ec(4, 2)).await.unwrap();
    let read = || pool.status().iter().map(|shard| shard.figures.read_bytes).sum::<u64>();
    let cell = CELL as u64;
    for (start, end) in [(0, 1), (cell - 1, cell + 1), (9 * cell + 5, 9 * cell + 4005), (0, size as u64)] {
        let before = read();
        assert!(read_range(&pool, &stored, start, end).await.unwrap() == content[start as usize..end as usize]);
        assert_eq!(read() - before, end - start, "{start}..{end}");
    }
    // A range of a piece that is lost takes the same few bytes of as many others.
    let piece = u8::try_from((9 * cell / cell) % 4).unwrap();
    let left = without(&stored, &[piece]);
    let before = read();
    let (start, end) = (9 * cell + 64, 9 * cell + 4160);
    assert!(read_range(&pool, &left, start, end).await.unwrap() == content[start as usize..end as usize]);
    assert_eq!(read() - before, 4 * (end - start));
}

#[tokio::test]
async fn small_blobs_are_whole_copies_that_outlive_as_many_shards() {
    let limit = 10_000;
    let redundancy = Redundancy { scheme: ec(4, 2), replicate_bytes_max: limit, spares_min: None };
    for (size, copies) in [(1, 3), (limit, 3), (limit + 1, 6)] {
        let content = content(1, size as usize);
        let unknown = Body::Stream { stream: stream_of(&content, 3000), size: None };
        for body in [Body::Whole(content.clone()), streamed(&content, 3000), unknown] {
            let pool = memory_pool(6);
            let stored = write(&pool, body, redundancy).await.unwrap();
            assert_eq!((stored.copies.len(), stored.scheme), (copies, redundancy.of_size(size)));
            assert!(read_range(&pool, &stored, 0, size).await.unwrap() == content);
            let header = pool.header(&stored).await.unwrap();
            assert_eq!(header.scheme, Some(stored.scheme));
        }
    }
    #[derive(Debug, thiserror::Error)]
    #[error("bad digest")]
    struct BadDigest;
    let pool = memory_pool(6);
    let pieces = vec![Ok(content(1, 100)), Err(BodyError(Box::new(BadDigest)))];
    let body = Body::Stream { stream: Box::pin(stream::iter(pieces)), size: None };
    let error = write(&pool, body, redundancy).await.unwrap_err();
    assert!(matches!(error, WriteError::Body(BodyError(source)) if source.is::<BadDigest>()));
}

#[tokio::test]
async fn a_copy_says_which_piece_of_which_scheme_it_is() {
    let pool = memory_pool(6);
    let stored = write(&pool, Body::Whole(content(1, 500_000)), ec(4, 2)).await.unwrap();
    for copy in &stored.copies {
        let alone = BlobRef { copies: vec![copy.clone()], ..stored.clone() };
        let said = pool.header(&alone).await.unwrap();
        assert_eq!((said.scheme, said.piece, said.key.as_str()), (Some(ec(4, 2)), copy.piece, "a"));
        let raw = raw(&pool, &stored, copy.piece).await;
        assert_eq!(raw.last_chunk().copied().map(u64::from_le_bytes), Some(500_000), "it ends with the blob's size");
        let other = Copy { piece: (copy.piece + 1) % 6, ..copy.clone() };
        assert!(matches!(pool.verify(&stored, &other).await, CopyState::Corrupt(_)));
        let longer = BlobRef { size: 500_001, ..stored.clone() };
        assert!(matches!(pool.verify(&longer, copy).await, CopyState::Corrupt(_)));
    }
}

#[tokio::test]
async fn a_drain_moves_pieces_as_they_are_and_never_two_to_one_domain() {
    let pool = memory_pool(8);
    for (id, domain) in [(7, "a"), (8, "a")] {
        pool.update(cofre_shards::ShardInfo { failure_domain: Some(domain.into()), ..info(id) });
    }
    let content = content(1, 2_000_000);
    let stored = write(&pool, Body::Whole(content.clone()), ec(4, 2)).await.unwrap();
    let leaving = stored.copies.iter().find(|copy| copy.shard.0 < 7).unwrap().clone();
    let read = || pool.status().iter().map(|shard| shard.figures.read_bytes).sum::<u64>();
    let before = read();
    let added = pool.add_copies(&stored, &stored.copies, ec(4, 2), &[leaving.shard]).await.unwrap();
    assert_eq!(added.iter().map(|copy| copy.piece).collect::<Vec<_>>(), [leaving.piece]);
    assert_eq!(read() - before, copy_bytes(ec(4, 2), 2_000_000, leaving.piece), "only the piece was read");
    let taken: Vec<ShardId> = stored.copies.iter().map(|copy| copy.shard).collect();
    assert!(!taken.contains(&added[0].shard));
    assert!(added[0].shard.0 < 7 || !taken.iter().any(|shard| shard.0 >= 7), "{added:?} beside {taken:?}");
    assert_eq!(pool.verify(&stored, &added[0]).await, CopyState::Whole);
    // Where the piece cannot be read it is rebuilt.
    pool.delete(leaving.shard, vec![(blob(1), leaving.locator.clone())]).await.unwrap();
    let added = pool.add_copies(&stored, &stored.copies, ec(4, 2), &[leaving.shard]).await.unwrap();
    assert_eq!(pool.verify(&stored, &added[0]).await, CopyState::Whole);
    assert!(pool.add_copies(&stored, &stored.copies, ec(4, 2), &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn too_few_pieces_are_lost_or_out_of_reach_but_never_short() {
    let pool = memory_pool(6);
    let stored = write(&pool, Body::Whole(content(1, 2_000_000)), ec(4, 2)).await.unwrap();
    for copy in &stored.copies[..3] {
        pool.delete(copy.shard, vec![(blob(1), copy.locator.clone())]).await.unwrap();
    }
    assert_eq!(read_range(&pool, &stored, 0, 2_000_000).await, Err(ReadError::AllMissing));
    assert!(pool.add_copies(&stored, &stored.copies[3..], ec(4, 2), &[]).await.is_err());
    pool.detach(stored.copies[0].shard);
    assert!(matches!(read_range(&pool, &stored, 0, 2_000_000).await, Err(ReadError::Unreachable(_))));
}

/// Pieces as text: short ones whole, long ones by their length and the blob's bytes that come back.
async fn pieces_of(scheme: Scheme, size: usize) -> BTreeMap<u8, Vec<u8>> {
    let mut bytes = vec![0; size];
    Random::seeded(9).fill(&mut bytes);
    let pool = memory_pool(scheme.width());
    let stored = write(&pool, Body::Whole(Bytes::from(bytes)), scheme).await.unwrap();
    let mut pieces = BTreeMap::new();
    for piece in 0..scheme.width() as u8 {
        pieces.insert(piece, raw(&pool, &stored, piece).await);
    }
    pieces
}

#[tokio::test]
async fn pieces_are_the_samples_byte_for_byte() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pieces.hex");
    let mut lines = String::new();
    for (scheme, size) in [(ec(4, 2), 1003), (ec(2, 1), 1), (ec(2, 2), 300), (ec(10, 4), 777), (ec(16, 15), 600)] {
        for (piece, bytes) in pieces_of(scheme, size).await {
            lines += &format!("{scheme} {piece} {}\n", hex::encode(bytes));
        }
    }
    // Two full stripes and a short one: a run of each cell tells where it stands.
    for (piece, bytes) in pieces_of(ec(3, 2), 6 * CELL + 1000).await {
        let runs = [&bytes[..64], &bytes[CELL - 32..CELL + 32], &bytes[2 * CELL - 32..]].concat();
        lines += &format!("ec:3+2 {piece} {}\n", hex::encode(runs));
    }
    if std::env::var_os(WRITE_VARIABLE).is_some() && !path.exists() {
        std::fs::write(&path, &lines).unwrap();
    }
    assert_eq!(lines, std::fs::read_to_string(&path).unwrap(), "pieces written before can no longer be read");
}
