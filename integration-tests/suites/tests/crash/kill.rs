use crate::ledger::{Ledger, Target};
use anyhow::{Result, ensure};
use cofre_harness::Options;
use cofre_runtime::{Clock, Random};
use cofre_suites::with_bucket;
use std::time::Duration;

/// How often the server is killed.
const ROUNDS: u64 = 12;
/// Clients at the same time.
const CLIENTS: u64 = 8;
/// The longest that a round lasts, in milliseconds; each lasts for a random part of it.
const ROUND_MILLIS_MAX: u64 = 3_000;
/// A round in which fewer requests were acknowledged than this, on average, shows nothing.
const ACKNOWLEDGED_MIN: u64 = 20;

/// Kills the server at random moments under load, and looks at what is left.
fn kill_rounds(options: Options) -> Result<()> {
    let mut cofre = with_bucket(options)?;
    let (ledger, random) = (Ledger::default(), Random::seeded(0xc0f2e));
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let target = Target::new(&cofre);
        let seeds: Vec<u64> = (0..CLIENTS).map(|_| random.u64()).collect();
        let lasts = Duration::from_millis(100 + random.below(ROUND_MILLIS_MAX));
        acknowledged += std::thread::scope(|scope| {
            let (ledger, target) = (&ledger, &target);
            let clients: Vec<_> = (0..CLIENTS)
                .zip(seeds)
                // A server that is being killed refuses nothing: it answers, or it does not.
                .map(|(client, seed)| {
                    scope.spawn(move || ledger.work(target, client, &Random::seeded(seed), |_| false))
                })
                .collect();
            std::thread::sleep(lasts);
            cofre.kill()?;
            target.end();
            let counts = clients.into_iter().map(|client| client.join().expect("a client does not panic"));
            anyhow::Ok(counts.collect::<Result<Vec<u64>>>()?.into_iter().sum::<u64>())
        })?;
        let clock = Clock::system();
        cofre.start_again()?;
        let ready = clock.elapsed();
        let keys = ledger.hold(&cofre)?;
        println!("round {round}: ready in {ready:?}, {keys} keys held, {acknowledged} requests acknowledged so far");
    }
    ensure!(acknowledged >= ROUNDS * ACKNOWLEDGED_MIN, "only {acknowledged} requests were acknowledged");
    ledger.hold_listing(&cofre)?;
    cofre.stop()
}

#[test]
fn kill_9_under_load_loses_nothing_that_was_acknowledged() -> Result<()> {
    kill_rounds(Options::new())
}

#[test]
fn kill_9_under_load_with_two_copies_on_three_shards() -> Result<()> {
    kill_rounds(Options::new().shards(3).args(&["--redundancy", "replicas:2"]))
}

#[test]
fn kill_9_under_load_with_pieces_on_six_shards() -> Result<()> {
    kill_rounds(Options::new().shards(6).args(&["--redundancy", "ec:4+2"]))
}
