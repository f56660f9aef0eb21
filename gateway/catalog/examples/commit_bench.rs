//! Measures the embedded engine: durable commits (one check, one put) a second by 1, 16 and 64
//! tasks, point reads, and pages of 1,000 records at two sizes of the catalog.
//!
//! `cargo run --ignore-rust-version --release -p cofre-catalog --example commit_bench -- DIR [SECONDS] [RECORDS]`

use cofre_catalog::{Batch, Embedded, EmbeddedOptions, Read, ReadExt, Scan, Store};
use cofre_runtime::{Clock, spawn};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const VALUE_BYTES: usize = 200;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("usage: commit_bench DIR [SECONDS] [RECORDS]");
    let seconds = arguments.next().map_or(3, |text| text.parse().expect("SECONDS is a number"));
    let records: u64 = arguments.next().map_or(1_000_000, |text| text.parse().expect("RECORDS is a number"));
    for tasks in [1, 16, 64] {
        bare(Path::new(&directory), Duration::from_secs(1));
        commits(Path::new(&directory), tasks, Duration::from_secs(seconds)).await;
    }
    reads(&Path::new(&directory).join("reads"), records, Duration::from_secs(seconds)).await;
}

async fn open(path: &Path, clock: &Clock) -> Arc<Embedded> {
    let began = clock.elapsed();
    let store = Embedded::open(path, EmbeddedOptions::default(), clock.clone()).await.expect("the catalog opens");
    println!("opened in {:?}; {}", clock.elapsed().saturating_sub(began), memory());
    Arc::new(store)
}

/// What the disk does at this moment: 400 bytes and an fdatasync, again and again.
fn bare(directory: &Path, time: Duration) {
    let clock = Clock::system();
    std::fs::create_dir_all(directory).expect("a directory");
    let path = directory.join("bare");
    let mut file = std::fs::File::create(&path).expect("a file");
    file.set_len(64 << 20).expect("it grows");
    let mut syncs = 0_u32;
    while clock.elapsed() < time {
        file.write_all(&[7; 400]).expect("it writes");
        file.sync_data().expect("it syncs");
        syncs += 1;
    }
    println!("bare disk: {:.0} appends and syncs/s", f64::from(syncs) / time.as_secs_f64());
    std::fs::remove_file(path).expect("it is removed");
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}

fn key(task: u64, index: u64) -> Vec<u8> {
    // Scattered, as the names of blobs are.
    let scattered = (task << 40 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("b{scattered:016x}").into_bytes()
}

async fn commits(directory: &Path, tasks: u64, time: Duration) {
    let clock = Clock::system();
    let store = open(&directory.join(format!("commits-{tasks}")), &clock).await;
    let until = clock.elapsed() + time;
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (store, clock) = (Arc::clone(&store), clock.clone());
            spawn(async move {
                let mut worst = Duration::ZERO;
                for index in 0.. {
                    let began = clock.elapsed();
                    if began >= until {
                        break;
                    }
                    let mut batch = Batch::new();
                    let name = key(task, index);
                    batch.unchanged(name.clone(), None).put(name, vec![7; VALUE_BYTES]);
                    store.commit(batch).await.expect("commits");
                    worst = worst.max(clock.elapsed().saturating_sub(began));
                }
                worst
            })
        })
        .collect();
    let mut worst = Duration::ZERO;
    for task in running {
        worst = worst.max(task.await.expect("the task ends"));
    }
    let stats = store.stats();
    println!(
        "{tasks} tasks: {:.0} commits/s, {:.1} a group, sync {} us on average, slowest commit {worst:?}; {}",
        stats.commits as f64 / time.as_secs_f64(),
        stats.group_commits.sum as f64 / stats.group_commits.count.max(1) as f64,
        stats.sync_micros.sum / stats.sync_micros.count.max(1),
        memory(),
    );
    store.close().await.expect("closes");
}

async fn fill(store: &Embedded, from: u64, to: u64) {
    let mut index = from;
    while index < to {
        let mut batch = Batch::new();
        for _ in 0..1000.min(to - index) {
            batch.put(format!("c/{index:012}").into_bytes(), vec![7; VALUE_BYTES]);
            batch.put(key(1, index), vec![7; 60]);
            index += 1;
        }
        store.commit(batch).await.expect("commits");
    }
}

async fn reads(path: &Path, records: u64, time: Duration) {
    let clock = Clock::system();
    let store = open(path, &clock).await;
    let mut filled = 0;
    for size in [10_000, records] {
        fill(&store, filled, size).await;
        filled = size;
        for tasks in [1, 16] {
            gets(&store, &clock, size, tasks, time / 3).await;
        }
        pages(&store, &clock, size).await;
    }
    store.close().await.expect("closes");
    drop(store);
    let store = open(path, &clock).await;
    pages(&store, &clock, records).await;
    gets(&store, &clock, records, 16, time / 3).await;
}

async fn gets(store: &Arc<Embedded>, clock: &Clock, size: u64, tasks: u64, time: Duration) {
    let until = clock.elapsed() + time;
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (store, clock) = (Arc::clone(store), clock.clone());
            spawn(async move {
                let mut done = 0_u64;
                while clock.elapsed() < until {
                    let index = (done.wrapping_mul(0x9e37_79b9) + task * 7919) % size;
                    let key = format!("c/{index:012}").into_bytes();
                    assert!(store.get_many(vec![key]).await.expect("reads")[0].is_some());
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in running {
        done += task.await.expect("the task ends");
    }
    println!("{size} records, {tasks} tasks: {:.0} gets/s; {}", done as f64 / time.as_secs_f64(), memory());
}

async fn pages(store: &Embedded, clock: &Clock, size: u64) {
    let rounds = 200;
    let mut times = Vec::new();
    for round in 0..rounds {
        let from = format!("c/{:012}", size / rounds * round).into_bytes();
        let began = clock.elapsed();
        let view = store.snapshot().await.expect("a snapshot");
        view.page(Scan::prefix(b"c/").after(from), 1000).await.expect("scans");
        times.push(clock.elapsed().saturating_sub(began));
    }
    times.sort();
    println!(
        "{size} records: page of 1,000 in {:?} at the median, {:?} at the worst",
        times[times.len() / 2],
        times[times.len() - 1]
    );
}
