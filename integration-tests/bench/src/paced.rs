//! Writers that keep to a rate while something else goes on, and what they see of it.

use crate::contender::Contender;
use crate::crowd::together;
use crate::load::Client;
use crate::report::millis;
use crate::workload::{Ask, Body};
use anyhow::Result;
use cofre_runtime::{Clock, Random};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Writers, each with a connection.
pub const WRITERS: u64 = 16;
/// Keys that they write over and over, so that what they leave is of a known size.
pub const KEYS: u64 = 1_000;

/// How long answers took, counted from when they were due: one that waited for its turn counts as slow.
pub struct Latency {
    took: Vec<Duration>,
    time: Duration,
}

impl Latency {
    /// All but one in a hundred came within this.
    pub fn p99(&self) -> Duration {
        self.took[(self.took.len() * 99 / 100).min(self.took.len() - 1)]
    }

    /// Answers in a second.
    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / self.time.as_secs_f64()
    }

    /// Prints it.
    pub fn show(&self, when: &str) {
        let median = self.took[self.took.len() / 2];
        println!(
            "PUT of 4 KiB {when}: {:.0} a second, median {}, p99 {}",
            self.rate(),
            millis(median),
            millis(self.p99())
        );
    }
}

/// Name of an object that the writers write.
pub fn key(number: u64) -> String {
    format!("paced/{number}")
}

/// Writes at `rate` a second in all, as fast as can be if it is absent, until `until` says so. Every answer must be good.
pub fn write(
    contender: &Contender,
    body: &Body,
    rate: Option<f64>,
    mut until: impl FnMut() -> Result<bool>,
) -> Result<Latency> {
    let ended = AtomicBool::new(false);
    let clock = Clock::system();
    let began = clock.elapsed();
    let (ended, clock) = (&ended, &clock);
    let each = rate.map(|rate| Duration::from_secs_f64(WRITERS as f64 / rate));
    let took = std::thread::scope(|scope| {
        let writers = scope.spawn(move || {
            together(WRITERS as usize, |writer| {
                let mut client = Client::open(contender)?;
                let random = Random::seeded(writer);
                let mut took = Vec::new();
                while !ended.load(Ordering::Relaxed) {
                    let due = match each {
                        Some(each) => began + each * u32::try_from(took.len()).unwrap_or(u32::MAX),
                        None => clock.elapsed(),
                    };
                    std::thread::sleep(due.saturating_sub(clock.elapsed()));
                    client.ask(&key(random.below(KEYS)), &Ask::Put(body), false)?;
                    took.push(clock.elapsed() - due);
                }
                anyhow::Ok(took)
            })
        });
        let mut watched = Ok(false);
        while matches!(watched, Ok(false)) && !writers.is_finished() {
            watched = until();
        }
        ended.store(true, Ordering::Relaxed);
        let took = writers.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        watched.and(took)
    })?;
    let mut took: Vec<Duration> = took.into_iter().flatten().collect();
    took.sort_unstable();
    Ok(Latency { took, time: clock.elapsed() - began })
}

/// Writes for a time.
pub fn write_for(contender: &Contender, body: &Body, rate: Option<f64>, time: Duration) -> Result<Latency> {
    write(contender, body, rate, || {
        std::thread::sleep(time);
        Ok(true)
    })
}
