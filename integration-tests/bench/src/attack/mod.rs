//! What another client sees, and what Cofre takes of memory and disk, while one client does its worst.
//!
//! The attacker has an address and an account of its own, and each attack goes on for as long as it is asked to. The
//! other client gets 4 KiB objects over a few connections that it keeps; a third asks for the health.
//!
//! # Bounds
//! What is seen is shown beside what is promised, and what is beyond it is named at the end of the line: a p99 of five
//! times that of idling, health within 100 ms, memory of what idling takes, what all requests share and a constant for
//! each in flight, and disk of a quota, its multiple in grace and what is in flight.

mod attacker;
mod noise;
mod storage;
mod ways;

use crate::contender::{Contender, Usage};
use crate::crowd::{fill, make_bucket};
use crate::load::Client;
use crate::report::{mib, millis};
use crate::workload::{Ask, Body, SMALL_BYTES};
use anyhow::{Context, Result};
use cofre_harness::{Connection, Options, Request};
use cofre_runtime::Clock;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Objects that the other client gets, and its connections.
const OBJECTS: u64 = 256;
const CONNECTIONS: u64 = 2;
/// Time between two looks at health and memory.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// Every how many-th look goes at the disk and at requests in flight too.
const WIDE_LOOK_EVERY: usize = 10;
/// What Cofre logs of attacks.
const EXPECTED: [&str; 4] = ["policy", "body", "quota", "lines of access logs"];

const MIB: u64 = 1 << 20;
/// Memory that all requests share, in bytes: long buffers of reads and writes of a shard, and documents.
const SHARED_BYTES: u64 = (3 * 32 + 64 + 64) * MIB;
/// How much slower the other client's p99 may be than without an attack.
const SLOWDOWN_MAX: f64 = 5.0;
/// The longest that an answer about health may take.
const HEALTH_MAX: Duration = Duration::from_millis(100);

/// What was seen during one attack.
struct Seen {
    p50: Duration,
    p99: Duration,
    gets: usize,
    looked: Looked,
}

/// What was seen of the server itself.
#[derive(Debug, Clone, Copy, Default)]
struct Looked {
    health_max: Duration,
    rss_bytes_min: u64,
    rss_bytes_max: u64,
    in_flight_max: u64,
    /// On the shard, more than at the beginning.
    disk_bytes_max: u64,
}

/// Runs the attacks whose name contains one of `only`, each for `time`, and prints what was seen.
pub fn run(only: &[String], time: Duration) -> Result<()> {
    let mut cofre = Contender::started(Options::new())?;
    EXPECTED.iter().for_each(|text| cofre.expect(text));
    make_bucket(&cofre)?;
    let body = Body::new(1, SMALL_BYTES);
    fill(&cofre, 0, OBJECTS, name, |_| &body)?;
    let attacker = attacker::Attacker::new(&cofre)?;
    println!("{}", HEADS.join(" "));
    let idle = watch(&cofre, &body, time, |_| Ok(()))?;
    line("none", &idle, &idle, None, "");
    for way in ways::ALL {
        if !only.is_empty() && !only.iter().any(|text| way.name.contains(text.as_str())) {
            continue;
        }
        (way.prepare)(&attacker).with_context(|| format!("{}: preparing", way.name))?;
        let seen = watch(&cofre, &body, time, |stop| (way.attack)(&attacker, stop));
        let seen = seen.with_context(|| way.name)?;
        let told = (way.afterwards)(&attacker).with_context(|| format!("{}: afterwards", way.name))?;
        line(way.name, &seen, &idle, Some(way.bounds), &told);
    }
    let rest = watch(&cofre, &body, time, |_| Ok(()))?;
    line("none, afterwards", &rest, &idle, None, "");
    Ok(())
}

fn name(number: u64) -> String {
    format!("victim-{number}")
}

/// Attacks while the other clients look.
fn watch(
    cofre: &Contender,
    body: &Body,
    time: Duration,
    attack: impl Fn(&AtomicBool) -> Result<()> + Sync,
) -> Result<Seen> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = &stop;
        let gets: Vec<_> = (0..CONNECTIONS).map(|number| scope.spawn(move || get(cofre, body, number, stop))).collect();
        let looking = scope.spawn(|| look(cofre, stop));
        let attacking = scope.spawn(|| attack(stop));
        let clock = Clock::system();
        while clock.elapsed() < time && !attacking.is_finished() {
            std::thread::sleep(LOOK_INTERVAL);
        }
        std::thread::sleep(time.saturating_sub(clock.elapsed()));
        stop.store(true, Ordering::Relaxed);
        attacking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut took = Vec::new();
        for thread in gets {
            took.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        let looked = looking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).context("health")?;
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().context("no GET was answered");
        Ok(Seen { p50: at(50)?, p99: at(99)?, gets: took.len(), looked })
    })
}

/// Gets objects for as long as the attack lasts; how long each took.
fn get(cofre: &Contender, body: &Body, number: u64, stop: &AtomicBool) -> Result<Vec<Duration>> {
    let clock = Clock::system();
    let mut client = Client::open(cofre)?;
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let begin = clock.elapsed();
        client.ask(&name((took.len() as u64 + number) % OBJECTS), &Ask::Get(body), false)?;
        took.push(clock.elapsed() - begin);
    }
    Ok(took)
}

/// Asks for the health, and looks at memory and disk, for as long as the attack lasts.
fn look(cofre: &Contender, stop: &AtomicBool) -> Result<Looked> {
    let clock = Clock::system();
    let request = Request::new("GET", "/health/ready").header("host", "localhost");
    let shard = cofre.shard()?;
    let had = bytes_below(&shard);
    let mut looked = Looked { rss_bytes_min: u64::MAX, ..Looked::default() };
    for turn in 0.. {
        let last = stop.load(Ordering::Relaxed);
        let begin = clock.elapsed();
        Connection::open(cofre.admin_address()?)?.exchange(&request)?;
        looked.health_max = looked.health_max.max(clock.elapsed() - begin);
        let Usage { rss_bytes, .. } = cofre.usage()?;
        looked.rss_bytes_max = looked.rss_bytes_max.max(rss_bytes);
        looked.rss_bytes_min = looked.rss_bytes_min.min(rss_bytes);
        if turn % WIDE_LOOK_EVERY == 0 || last {
            looked.disk_bytes_max = looked.disk_bytes_max.max(bytes_below(&shard).saturating_sub(had));
            looked.in_flight_max = looked.in_flight_max.max(cofre.metric("cofre_s3_requests_in_flight")? as u64);
        }
        if last {
            break;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    Ok(looked)
}

/// What files below a folder take on the disk. Those that go away meanwhile take nothing.
fn bytes_below(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// Heads of the columns, as wide as they are.
const HEADS: [&str; 11] = [
    "attack              ",
    "     GETs",
    "       p50",
    "       p99",
    " x idle",
    "health max",
    "in flight",
    "  RSS MiB",
    "    bound",
    " disk MiB",
    "    bound",
];

fn line(name: &str, seen: &Seen, idle: &Seen, bounds: Option<ways::Bounds>, told: &str) {
    let Looked { health_max, rss_bytes_max, in_flight_max, disk_bytes_max, .. } = seen.looked;
    let slowdown = seen.p99.as_secs_f64() / idle.p99.as_secs_f64();
    let request_bytes = bounds.map_or(ways::REQUEST_BYTES, |bounds| bounds.request_bytes);
    let rss_bound = idle.looked.rss_bytes_max + SHARED_BYTES + in_flight_max * request_bytes;
    let disk_bound = bounds.and_then(|bounds| bounds.disk_bytes);
    let disk_bound_shown = disk_bound.map_or_else(|| "-".to_owned(), |bytes| format!("{:.0}", mib(bytes)));
    let beyond = [
        (slowdown > SLOWDOWN_MAX, "p99"),
        (health_max > HEALTH_MAX, "health"),
        (rss_bytes_max > rss_bound, "memory"),
        (disk_bound.is_some_and(|bound| disk_bytes_max > bound), "disk"),
    ];
    let beyond: Vec<&str> = beyond.iter().filter(|(is_beyond, _)| *is_beyond).map(|(_, what)| *what).collect();
    let verdict = if beyond.is_empty() { "within".to_owned() } else { format!("BEYOND: {}", beyond.join(", ")) };
    println!(
        "{name:<20} {:>9} {:>10} {:>10} {slowdown:>7.1} {:>10} {in_flight_max:>9} {:>9.0} {:>9.0} {:>9.1} {disk_bound_shown:>9} {verdict}{told}",
        seen.gets,
        millis(seen.p50),
        millis(seen.p99),
        millis(health_max),
        mib(rss_bytes_max),
        mib(rss_bound),
        mib(disk_bytes_max),
    );
}
