//! Samples of what is written, byte for byte. They change only with a version byte.

use crate::endpoint::Endpoint;
use crate::samples::*;
use cofre_runtime::{Clock, Random};
use cofre_shards::{Backend, Locator};
use cofre_shards_s3::S3Backend;
use std::fs;
use std::path::Path;

/// Set it to write the samples anew, after a change of format.
const WRITE_VARIABLE: &str = "COFRE_WRITE_GOLDEN";
const SIZES: [usize; 3] = [0, 300, 5_000];

/// Name, locator and bytes of each object, in hexadecimal but for the name.
async fn store(endpoint: &Endpoint) -> String {
    S3Backend::create(&options(endpoint.address), IDENTITY, Random::seeded(1)).await.unwrap();
    let shard =
        S3Backend::open(&options(endpoint.address), IDENTITY, Clock::system(), Random::seeded(1)).await.unwrap();
    let mut sample = fs::read_to_string(endpoint.shard().join("cofre-shard")).unwrap();
    for (n, size) in SIZES.into_iter().enumerate() {
        let bytes: Vec<u8> = (0..size).map(|i| (i % 7) as u8).collect();
        let stored = put(&shard, n as u8, &bytes.into()).await.unwrap();
        let object = endpoint.blobs().remove(n);
        let name = object.file_name().unwrap().to_str().unwrap();
        sample += &format!("{name} {} {}\n", hex(&stored.locator.0), hex(&fs::read(&object).unwrap()));
    }
    sample
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_the_sample_and_the_sample_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/shard.v1");
    let endpoint = Endpoint::start().await;
    let today = store(&endpoint).await;
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &today).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    assert!(today == golden, "today's objects are not those of before");

    let shard = S3Backend::open(&options(endpoint.address), IDENTITY, Clock::system(), Random::system()).await.unwrap();
    for (n, line) in golden.lines().skip(4).enumerate() {
        let [name, locator, object] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        fs::write(endpoint.shard().join("blobs").join(name), bytes(object)).unwrap();
        let locator = Locator(bytes(locator));
        assert_eq!(shard.header(blob(n as u8), &locator).await.unwrap(), header());
        let read = get(&shard, n as u8, &locator, 0, SIZES[n]).await.unwrap();
        assert!(read.iter().enumerate().all(|(i, byte)| *byte == (i % 7) as u8) && read.len() == SIZES[n]);
    }
}
