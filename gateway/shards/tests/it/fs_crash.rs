//! kill -9 under load, many rounds: what was acknowledged is there, whole.

use crate::samples::*;
use cofre_runtime::Random;
use cofre_shards::{Backend, Body, Locator};
use cofre_types::BlobId;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: u64 = 12;
const ROOT_VARIABLE: &str = "COFRE_SHARDS_CRASH_ROOT";

fn size_of(number: u64) -> usize {
    match number % 16 {
        0 => 1_200_000,
        1 => 131_073,
        small => small as usize * 977,
    }
}

/// The child of the test below: puts blobs until it is killed, and prints each that is acknowledged.
/// By itself it tests nothing.
#[test]
fn child() {
    let Some(root) = std::env::var_os(ROOT_VARIABLE) else { return };
    let shard = cofre_shards::FsBackend::open(
        root.as_ref(),
        IDENTITY,
        Default::default(),
        cofre_runtime::Clock::system(),
        Random::system(),
    );
    let shard = Arc::new(shard.unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8).map(|_| cofre_runtime::spawn(put_forever(shard.clone()))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn put_forever(shard: Arc<cofre_shards::FsBackend>) {
    loop {
        let number = Random::system().u64();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        id.rotate_left(3);
        let content = content(number, size_of(number));
        let body = if number & 32 == 0 { Body::Whole(content) } else { streamed(&content, 60_000) };
        let blob = BlobId::from_bytes(id);
        let stored = shard.put(blob, &header("crash"), body).await.unwrap();
        let line = format!("acked {blob} {number} {}\n", hex::encode(&stored.locator.0));
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_blobs_survive_kill_9() {
    let root = Root::new();
    drop(root.create());
    let mut acked: Vec<(BlobId, u64, Locator)> = Vec::new();
    let mut checked = 0;
    for round in 0..ROUNDS {
        let before = acked.len();
        acked.extend(run_and_kill(&root, Duration::from_millis(20 + round * 23 % 150)));
        assert!(acked.len() > before, "nothing was put in round {round}");
        let shard = root.open();
        let listed = list_all(&shard).await;
        assert!(std::fs::read_dir(root.path().join("temp")).unwrap().next().is_none());
        // The blobs of this round all, those of the rounds before in part.
        for (blob, number, locator) in acked[checked..].iter().chain(acked[..checked].iter().step_by(17)) {
            let size = size_of(*number);
            assert_eq!(shard.header(*blob, locator).await.unwrap(), header("crash"));
            let read = read(&shard, *blob, locator, whole(size)).await.unwrap();
            assert!(read == content(*number, size), "{blob} is not what was written");
            assert!(listed.iter().any(|listed| listed.blob == *blob && listed.locator == *locator));
        }
        // Whatever else is there is whole too: an orphan, not half a blob.
        for orphan in listed.iter().filter(|listed| acked.iter().all(|(blob, ..)| *blob != listed.blob)) {
            let read = read(&shard, orphan.blob, &orphan.locator, whole(orphan.size as usize)).await.unwrap();
            assert_eq!(read.len() as u64, orphan.size);
        }
        checked = acked.len();
    }
}

/// Runs the child, kills it some time after its first acknowledgement, and returns all of them.
fn run_and_kill(root: &Root, after: Duration) -> Vec<(BlobId, u64, Locator)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["fs_crash::child", "--exact", "--nocapture"])
        .env(ROOT_VARIABLE, root.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acked = Vec::new();
    acked.extend(lines.by_ref().map_while(Result::ok).find_map(|line| parse(&line)));
    assert!(!acked.is_empty(), "the child ended before it put anything");
    let killer = std::thread::scope(|scope| {
        let reader = scope.spawn(|| lines.map_while(Result::ok).filter_map(|line| parse(&line)).collect::<Vec<_>>());
        std::thread::sleep(after);
        child.kill().unwrap();
        reader.join().unwrap()
    });
    child.wait().unwrap();
    acked.extend(killer);
    acked
}

/// A line that was printed whole.
fn parse(line: &str) -> Option<(BlobId, u64, Locator)> {
    let (_, line) = line.split_once("acked ")?;
    let [blob, number, locator] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    Some((BlobId::parse(blob).ok()?, number.parse().ok()?, Locator(hex::decode(locator).ok()?)))
}
