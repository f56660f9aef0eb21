//! Kills a process that commits, again and again, and looks at what is left.
//!
//! The child is this test binary itself, told by an environment variable to run as the writer.

use crate::open;
use cofre_catalog::{Batch, Check, ReadExt, Scan, Store, Write};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const DIRECTORY: &str = "COFRE_CATALOG_CRASH_DIRECTORY";
const ROUNDS: u64 = 16;
const TASKS: u64 = 8;

/// Not a test of its own: what the child of the test below runs.
#[test]
fn writer_that_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let store = Arc::new(open(Path::new(&directory)).await.expect("the catalog opens"));
        let tasks = (0..TASKS).map(|task| {
            let store = Arc::clone(&store);
            cofre_runtime::spawn(async move { commit_for_ever(&*store, task).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("the task ends");
        }
    });
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().expect("the value is a number"))
}

/// Each commit moves three records of the task together, counts itself and appends to a log.
async fn commit_for_ever(store: &dyn Store, task: u64) {
    let names = ["x", "y", "z"].map(|name| format!("{name}{task}").into_bytes());
    loop {
        let read = store.get_many(vec![names[0].clone()]).await.expect("reads").remove(0);
        let next = read.as_ref().map_or(0, |entry| number(&entry.value)) + 1;
        let mut batch = Batch::new();
        batch.unchanged(names[0].clone(), read.map(|entry| entry.revision));
        batch.checks.push(Check::Absent(format!("never{task}").into_bytes()));
        for name in &names {
            batch.put(name.clone(), next.to_be_bytes().to_vec());
        }
        batch.put(
            format!("pad{task}/{}", next % 50).into_bytes(),
            vec![7; usize::try_from(next % 3000).expect("small")],
        );
        batch.add(b"count".to_vec(), vec![1]);
        let value = [task.to_be_bytes(), next.to_be_bytes()].concat();
        batch.writes.push(Write::Append { prefix: b"log".to_vec(), suffix: vec![0], value });
        let revision = store.commit(batch).await.expect("commits");
        println!("acknowledged {task} {next} {}", revision.0);
    }
}

/// Runs the writer for a while and gives the last acknowledged number of each task.
fn killed_writer(directory: &Path, acknowledgements: usize) -> BTreeMap<u64, u64> {
    let mut child = Command::new(std::env::current_exe().expect("the test's own path"))
        .args(["--exact", "crash::writer_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let mut acknowledged = BTreeMap::new();
    for (index, line) in output.lines().map_while(Result::ok).filter(|line| line.contains("acknowledged")).enumerate() {
        let mut words = line.split("acknowledged ").nth(1).expect("it follows").split(' ').map(str::parse);
        // The kill can cut the last line short: only a whole one is an acknowledgement.
        if let (Some(Ok(task)), Some(Ok(next)), Some(Ok(_))) = (words.next(), words.next(), words.next()) {
            acknowledged.insert(task, next);
        }
        if index == acknowledgements {
            child.kill().expect("it is killed");
        }
    }
    child.wait().expect("it ends");
    acknowledged
}

async fn check(directory: &Path, acknowledged: &BTreeMap<u64, u64>) {
    let store = open(directory).await.expect("the catalog opens after a crash");
    let view = store.snapshot().await.expect("a snapshot");
    let entries = view.page(Scan::prefix(b""), usize::MAX).await.expect("scans");
    let all: BTreeMap<_, _> = entries.into_iter().collect();
    let mut total = 0;
    for task in 0..TASKS {
        let values = ["x", "y", "z"].map(|name| all.get(format!("{name}{task}").as_bytes()));
        assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "task {task}: half a batch: {values:?}");
        let found = values[0].map_or(0, |entry| number(&entry.value));
        let promised = acknowledged.get(&task).copied().unwrap_or_default();
        assert!(found >= promised, "task {task}: {promised} was acknowledged, {found} is there");
        total += found;
    }
    let counted = all.get(&b"count"[..]).map_or(0, |entry| u64::from_le_bytes(entry.value[..].try_into().expect("8")));
    assert_eq!(counted, total, "the counter fits the records");
    let log: Vec<_> = all.range(b"log".to_vec()..b"loh".to_vec()).collect();
    assert_eq!(log.len() as u64, total, "the log fits the records");
    assert!(log.windows(2).all(|pair| pair[0].1.revision < pair[1].1.revision));
    assert_eq!(view.revision().0, total, "each commit has a revision of its own, and none is left out");
    drop(view);
    store.close().await.expect("closes");
}

#[tokio::test]
async fn no_acknowledged_commit_is_lost_and_none_is_half_there() {
    let directory = TempDir::new().expect("a directory");
    let mut acknowledged = BTreeMap::new();
    for round in 0..ROUNDS {
        // Kills fall early and late: while the catalog is made, while it replays, and under load.
        let acknowledgements = usize::try_from(round * round * 4 % 997).expect("small");
        let path = directory.path().to_owned();
        let now = cofre_runtime::blocking(move || killed_writer(&path, acknowledgements)).await;
        assert!(!now.is_empty(), "round {round}: the writer wrote nothing");
        acknowledged.extend(now);
        check(directory.path(), &acknowledged).await;
    }
    assert!(acknowledged.len() as u64 == TASKS, "each task had something acknowledged: {acknowledged:?}");
}

#[tokio::test]
async fn a_catalog_survives_kills_while_it_is_made() {
    for round in 0..8 {
        let directory = TempDir::new().expect("a directory");
        let mut child = Command::new(std::env::current_exe().expect("the test's own path"))
            .args(["--exact", "crash::writer_that_is_killed", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("the child starts");
        tokio::time::sleep(Duration::from_millis(round * 6)).await;
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        check(directory.path(), &BTreeMap::new()).await;
    }
}
