//! What another client sees, and what Cofre takes of memory and disk, while one client does its worst.
//!
//! The attacker has an address and an account of its own, and each attack goes on for as long as it is asked to. The
//! other client gets 4 KiB objects over a few connections that it keeps; a third asks for the health.

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
/// What Cofre logs of attacks.
const EXPECTED: [&str; 3] = ["policy", "body", "quota"];

/// What was seen during one attack.
struct Seen {
    p50: Duration,
    p99: Duration,
    gets: usize,
    health_max: Duration,
    rss_bytes_max: u64,
    disk_bytes: u64,
}

/// Runs the attacks whose name contains one of `only`, each for `time`, and prints what was seen.
pub fn run(only: &[String], time: Duration) -> Result<()> {
    let mut cofre = Contender::started(Options::new())?;
    EXPECTED.iter().for_each(|text| cofre.expect(text));
    make_bucket(&cofre)?;
    let body = Body::new(1, SMALL_BYTES);
    fill(&cofre, 0, OBJECTS, name, |_| &body)?;
    let attacker = ways::Attacker::new(&cofre)?;
    println!(
        "{:<20} {:>9} {:>10} {:>10} {:>7} {:>10} {:>9} {:>9}",
        "attack", "GETs", "p50", "p99", "x idle", "health max", "RSS MiB", "disk MiB"
    );
    let idle = watch(&cofre, &body, time, |_| Ok(()))?;
    line("none", &idle, &idle);
    for way in ways::ALL {
        if !only.is_empty() && !only.iter().any(|text| way.name.contains(text.as_str())) {
            continue;
        }
        (way.prepare)(&attacker).with_context(|| format!("{}: preparing", way.name))?;
        let seen = watch(&cofre, &body, time, |stop| (way.attack)(&attacker, stop));
        line(way.name, &seen.with_context(|| way.name)?, &idle);
    }
    let rest = watch(&cofre, &body, time, |_| Ok(()))?;
    line("none, afterwards", &rest, &idle);
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
        let health = scope.spawn(|| look(cofre, stop));
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
        let (health_max, rss_bytes_max) =
            health.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).context("health")?;
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().context("no GET was answered");
        Ok(Seen {
            p50: at(50)?,
            p99: at(99)?,
            gets: took.len(),
            health_max,
            rss_bytes_max,
            disk_bytes: bytes_below(&cofre.data()?),
        })
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

/// Asks for the health for as long as the attack lasts; the longest that it took, and the most memory.
fn look(cofre: &Contender, stop: &AtomicBool) -> Result<(Duration, u64)> {
    let clock = Clock::system();
    let request = Request::new("GET", "/health/ready").header("host", "localhost");
    let (mut longest, mut most) = (Duration::ZERO, 0);
    while !stop.load(Ordering::Relaxed) {
        let begin = clock.elapsed();
        Connection::open(cofre.admin_address()?)?.exchange(&request)?;
        longest = longest.max(clock.elapsed() - begin);
        let Usage { rss_bytes, .. } = cofre.usage()?;
        most = most.max(rss_bytes);
        std::thread::sleep(LOOK_INTERVAL);
    }
    Ok((longest, most))
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

fn line(name: &str, seen: &Seen, idle: &Seen) {
    println!(
        "{name:<20} {:>9} {:>10} {:>10} {:>7.1} {:>10} {:>9.0} {:>9.0}",
        seen.gets,
        millis(seen.p50),
        millis(seen.p99),
        seen.p99.as_secs_f64() / idle.p99.as_secs_f64(),
        millis(seen.health_max),
        mib(seen.rss_bytes_max),
        mib(seen.disk_bytes),
    );
}
