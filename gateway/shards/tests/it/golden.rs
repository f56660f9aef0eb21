//! Samples of everything that is written to disk, byte for byte. They change only with a version byte.

use crate::samples::*;
use cofre_runtime::{ManualClock, Random};
use cofre_shards::{Backend, Body, FsBackend, FsOptions, Locator};
use cofre_types::Scheme;
use std::fs;
use std::path::{Path, PathBuf};

/// Set it to write the samples anew, after a change of format.
const WRITE_VARIABLE: &str = "COFRE_WRITE_GOLDEN";
const SIZES: [usize; 4] = [0, 300, 5000, 140_000];

/// The version of heads that is written today.
const TODAY: &str = "v2";

fn golden(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(version)
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
        header.scheme = (number > 0).then(|| Scheme::replicas(number as u8).unwrap());
        header.piece = number as u8;
        let body = Body::Whole(bytes(number).into());
        let stored = shard.put(blob(number as u32), &header, body).await.unwrap();
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
            fs::create_dir_all(golden(TODAY).join(file).parent().unwrap()).unwrap();
            fs::copy(root.path().join(file), golden(TODAY).join(file)).unwrap();
        }
        fs::write(golden(TODAY).join("locators"), &locators).unwrap();
    }
    assert_eq!(fs::read_to_string(golden(TODAY).join("locators")).unwrap(), locators);
    for file in files {
        let sample = fs::read(golden(TODAY).join(&file)).unwrap();
        assert!(fs::read(root.path().join(&file)).unwrap() == sample, "{file:?} is another than the sample");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_every_version_are_still_read() {
    for version in ["v1", TODAY] {
        let root = Root::new();
        store(&root).await;
        for file in relative(&root.path(), root.files()) {
            fs::copy(golden(version).join(&file), root.path().join(&file)).unwrap();
        }
        let shard = root.open();
        let listed: Vec<_> = list_all(&shard).await.into_iter().map(|listed| listed.blob).collect();
        assert_eq!(listed, [blob(0), blob(2), blob(3)], "blob 1 has a tombstone");
        let locators = fs::read_to_string(golden(version).join("locators")).unwrap();
        for (number, locator) in locators.lines().enumerate() {
            let locator = Locator(hex::decode(locator).unwrap());
            let id = blob(number as u32);
            let said = shard.header(id, &locator).await.unwrap();
            let scheme = (number > 0).then(|| Scheme::replicas(number as u8).unwrap());
            let told = if version == TODAY { (scheme, number as u8) } else { (None, 0) };
            assert_eq!((said.key.as_str(), said.scheme, said.piece), ("golden/key", told.0, told.1));
            assert_eq!(read(&shard, id, &locator, whole(SIZES[number])).await.unwrap(), bytes(number));
        }
    }
}
