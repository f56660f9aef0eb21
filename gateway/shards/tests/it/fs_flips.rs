//! Bits that flip on disk: never served, always noticed.

use crate::samples::*;
use cofre_runtime::Random;
use cofre_shards::{Backend, BackendError, Body, FsBackend, Locator};
use cofre_types::{BlobId, ResolvedRange};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Random flips in files that are too long to flip every byte of.
const RANDOM_FLIPS: u64 = 600;

struct Blob {
    id: BlobId,
    locator: Locator,
    content: Vec<u8>,
}

async fn store(root: &Root, sizes: &[usize]) -> Vec<Blob> {
    let shard = root.create();
    let mut blobs = Vec::new();
    for (number, size) in sizes.iter().enumerate() {
        let (id, content) = (blob(number as u32), content(number as u64, *size));
        let stored = shard.put(id, &header("key"), Body::Whole(content.clone())).await.unwrap();
        blobs.push(Blob { id, locator: stored.locator, content: content.to_vec() });
    }
    blobs
}

/// Reads everything, whole and in part: right bytes or an error. Returns how many blobs are not whole.
async fn check(shard: &FsBackend, blobs: &[Blob]) -> usize {
    let mut bad = 0;
    for blob in blobs {
        let size = blob.content.len();
        let header = shard.header(blob.id, &blob.locator).await;
        let mut whole_blob = header.is_ok();
        for (start, end) in [(0, size), (size / 2, size), (size / 3, size / 3 + size.min(1))] {
            let range = ResolvedRange { start: start as u64, end: end as u64 };
            match read(shard, blob.id, &blob.locator, range).await {
                Ok(read) => assert!(read == blob.content[start..end], "wrong bytes were served"),
                Err(BackendError::Corrupt(_) | BackendError::Missing) => whole_blob = false,
                Err(error) => panic!("a flip is no reason for {error}"),
            }
        }
        bad += usize::from(!whole_blob);
    }
    bad
}

async fn flip(shard: &FsBackend, path: &Path, at: u64, bit: u8, blobs: &[Blob]) -> usize {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << bit)], at).unwrap();
    let bad = check(shard, blobs).await;
    list_all(shard).await;
    file.write_all_at(&byte, at).unwrap();
    bad
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_a_pack() {
    let root = Root::new();
    let blobs = store(&root, &[0, 1, 300, 40]).await;
    let shard = root.open();
    let pack = root.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
    for at in 0..fs::metadata(&pack).unwrap().len() {
        let bad = flip(&shard, &pack, at, (at % 8) as u8, &blobs).await;
        // The head of the pack holds nothing of a blob.
        assert_eq!(bad, usize::from(at >= 24), "byte {at}");
    }
    assert_eq!(check(&shard, &blobs).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bits_of_large_blobs_and_full_blocks() {
    let root = Root::new();
    let blobs = store(&root, &[1_500_000, 131_072]).await;
    let shard = root.open();
    let random = Random::seeded(7);
    let files: Vec<_> = root.files().into_iter().filter(|path| !path.ends_with("cofre-shard")).collect();
    assert_eq!(files.len(), 2);
    for round in 0..RANDOM_FLIPS {
        let path = &files[random.below(2) as usize];
        let len = fs::metadata(path).unwrap().len();
        // Heads are short: every third flip goes there.
        let at = if round % 3 == 0 { 24 + random.below(4096 - 24) } else { 24 + random.below(len - 24) };
        assert_eq!(flip(&shard, path, at, random.below(8) as u8, &blobs).await, 1, "byte {at} of {path:?}");
    }
    assert_eq!(check(&shard, &blobs).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_tombstone_never_kills_another_blob() {
    let root = Root::new();
    let blobs = store(&root, &[100, 100, 100]).await;
    let shard = root.open();
    shard.delete(vec![(blobs[1].id, blobs[1].locator.clone())]).await.unwrap();
    let dead = root.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "dead")).unwrap();
    let whole = fs::read(&dead).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&dead, damaged).unwrap();
        let listed: Vec<_> = list_all(&shard).await.into_iter().map(|listed| listed.blob).collect();
        assert!(listed.contains(&blobs[0].id) && listed.contains(&blobs[2].id), "byte {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_short_or_lost_is_noticed() {
    let root = Root::new();
    let blobs = store(&root, &[1_500_000]).await;
    let shard = root.open();
    let file = root.files().into_iter().find(|path| path.to_str().unwrap().contains("/blobs/")).unwrap();
    let len = fs::metadata(&file).unwrap().len();
    for cut in [0, 100, 4096, len - 1] {
        OpenOptions::new().write(true).open(&file).unwrap().set_len(cut).unwrap();
        assert_eq!(check(&shard, &blobs).await, 1, "cut to {cut}");
        assert_eq!(list_all(&shard).await.len(), 1, "it can still be found and deleted");
    }
    fs::remove_file(&file).unwrap();
    let error = read(&shard, blobs[0].id, &blobs[0].locator, whole(10)).await.unwrap_err();
    assert!(matches!(error, BackendError::Missing), "{error}");
}
