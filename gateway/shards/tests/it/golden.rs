//! Samples of everything that is written to disk, byte for byte. They change only with a version byte.

use crate::samples::*;
use cofre_runtime::{ManualClock, Random};
use cofre_shards::{Backend, Body, Durability, FsBackend, FsOptions, Locator};
use std::fs;
use std::path::{Path, PathBuf};

/// Set it to write the samples anew, after a change of format.
const WRITE_VARIABLE: &str = "COFRE_WRITE_GOLDEN";
const SIZES: [usize; 4] = [0, 300, 5000, 140_000];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn bytes(number: usize) -> Vec<u8> {
    (0..SIZES[number]).map(|i| (i % 7) as u8).collect()
}

/// A store that comes out the same each time, and the locators of its blobs as text.
async fn store(root: &Root) -> String {
    let clock = ManualClock::at(1_800_000_000_000_000_000).clock();
    let shard = FsBackend::create(&root.path(), IDENTITY, FsOptions::default(), clock, Random::seeded(1)).unwrap();
    let mut locators = String::new();
    for number in 0..SIZES.len() {
        let mut header = header("golden/key");
        header.part = (number == 1).then(|| (7, "upload".into()));
        let body = Body::Whole(bytes(number).into());
        let stored = shard.put(blob(number as u32), &header, body, Durability::Durable).await.unwrap();
        locators += &format!("{}\n", hex::encode(&stored.locator.0));
        if number == 1 {
            shard.delete(vec![(blob(1), stored.locator)]).await.unwrap();
        }
    }
    locators
}

fn relative(root: &Path, files: Vec<PathBuf>) -> Vec<PathBuf> {
    files.into_iter().map(|path| path.strip_prefix(root).unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_the_sample_byte_for_byte() {
    let root = Root::new();
    let locators = store(&root).await;
    let files = relative(&root.path(), root.files());
    assert_eq!(files.len(), 4, "identity, pack, tombstones, large blob: {files:?}");
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        for file in &files {
            fs::create_dir_all(golden().join(file).parent().unwrap()).unwrap();
            fs::copy(root.path().join(file), golden().join(file)).unwrap();
        }
        fs::write(golden().join("locators"), &locators).unwrap();
    }
    assert_eq!(fs::read_to_string(golden().join("locators")).unwrap(), locators);
    for file in files {
        let sample = fs::read(golden().join(&file)).unwrap();
        assert!(fs::read(root.path().join(&file)).unwrap() == sample, "{file:?} is another than the sample");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_still_read() {
    let root = Root::new();
    let locators = store(&root).await;
    for file in relative(&root.path(), root.files()) {
        fs::copy(golden().join(&file), root.path().join(&file)).unwrap();
    }
    let shard = root.open();
    let listed: Vec<_> = list_all(&shard).await.into_iter().map(|listed| listed.blob).collect();
    assert_eq!(listed, [blob(0), blob(2), blob(3)], "blob 1 has a tombstone");
    for (number, locator) in locators.lines().enumerate() {
        let locator = Locator(hex::decode(locator).unwrap());
        let id = blob(number as u32);
        assert_eq!(shard.header(id, &locator).await.unwrap().key, "golden/key");
        assert_eq!(read(&shard, id, &locator, whole(SIZES[number])).await.unwrap(), bytes(number));
    }
}
