use crate::ledger::Ledger;
use crate::nodes::verify;
use crate::target::Target;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Connection, Options, Request};
use cofre_runtime::{Clock, Random};
use cofre_suites::with_bucket;
use std::net::SocketAddr;
use std::time::Duration;

/// How often the server is killed, unless [`ROUNDS_VARIABLE`] says otherwise.
const ROUNDS: u64 = 12;
/// The variables that `cargo xtask crash` sets.
const ROUNDS_VARIABLE: &str = "COFRE_CRASH_ROUNDS";
const SEED_VARIABLE: &str = "COFRE_CRASH_SEED";
/// Clients at the same time.
const CLIENTS: u64 = 8;
/// The longest that a round lasts, in milliseconds; each lasts for a random part of it.
const ROUND_MILLIS_MAX: u64 = 3_000;
/// A round in which fewer requests were acknowledged than this, on average, shows nothing.
const ACKNOWLEDGED_MIN: u64 = 20;
/// The setting that an operator changes all the while; nothing else depends on it here.
const SETTING: &str = "operator_events_keep_max";
/// What it may be: a number of five digits.
const SETTING_VALUES: std::ops::Range<u64> = 10_000..100_000;

/// A number from the environment.
fn number(name: &str, usual: u64) -> Result<u64> {
    let Some(text) = std::env::var_os(name) else { return Ok(usual) };
    text.to_str().and_then(|text| text.parse().ok()).with_context(|| format!("{name}: {} is no number", text.display()))
}

/// An operator who changes a setting again and again.
struct Operator {
    address: SocketAddr,
    token: String,
    /// What the setting may be: as it was acknowledged last, and as requests that were never answered wanted it.
    possible: Vec<u64>,
}

impl Operator {
    fn new(cofre: &Cofre) -> Result<Self> {
        let token = std::fs::read_to_string(cofre.data().join("admin-token"))?.trim().to_owned();
        Ok(Self { address: cofre.admin(), token, possible: Vec::new() })
    }

    /// Changes the setting until the server does not answer. Gives how many changes it acknowledged.
    fn work(&mut self, target: &Target, random: &Random) -> Result<u64> {
        let Ok(mut connection) = Connection::open(self.address) else { return Ok(0) };
        let mut acknowledged = 0;
        while !target.is_over() {
            let value = SETTING_VALUES.start + random.below(SETTING_VALUES.end - SETTING_VALUES.start);
            self.possible.push(value);
            let body = format!("{{\"timers\":{{\"{SETTING}\":{value}}}}}");
            let request = Request::new("PATCH", "/v1/settings")
                .header("host", &self.address.to_string())
                .header("authorization", &format!("Bearer {}", self.token))
                .header("content-type", "application/json")
                .header("if-match", "*")
                .body(body);
            let Ok(response) = connection.exchange(&request) else { break };
            ensure!(response.status == 200, "the settings are answered with {} {}", response.status, response.text());
            self.possible = vec![value];
            acknowledged += 1;
        }
        Ok(acknowledged)
    }

    /// The setting is as it may be.
    fn hold(&mut self, cofre: &Cofre) -> Result<()> {
        let settings = cofre.admin_command(&["settings", "get"])?;
        let found = settings["timers"][SETTING].as_u64().with_context(|| settings.to_string())?;
        ensure!(self.possible.contains(&found), "{SETTING} is {found}, and may be {:?}", self.possible);
        self.possible = vec![found];
        Ok(())
    }
}

/// Kills the server at random moments under load, and looks at what is left.
fn kill_rounds(options: Options) -> Result<()> {
    let (rounds, seed) = (number(ROUNDS_VARIABLE, ROUNDS)?, number(SEED_VARIABLE, 0xc0f2e)?);
    println!("{rounds} rounds from seed {seed}");
    let mut cofre = with_bucket(options)?;
    // What is let go is deleted and compacted while the rounds go on.
    cofre.admin_command(&["settings", "set", "timers.garbage_grace_secs=60", "timers.job_busy_share=1"])?;
    let (ledger, random) = (Ledger::with_versions(&cofre)?, Random::seeded(seed));
    let mut operator = Operator::new(&cofre)?;
    let mut acknowledged = 0;
    for round in 0..rounds {
        let target = Target::new(&cofre);
        let seeds: Vec<u64> = (0..CLIENTS).map(|_| random.u64()).collect();
        let changes = Random::seeded(random.u64());
        let lasts = Duration::from_millis(100 + random.below(ROUND_MILLIS_MAX));
        acknowledged += std::thread::scope(|scope| {
            let (ledger, target, operator) = (&ledger, &target, &mut operator);
            // A server that is being killed refuses nothing: it answers, or it does not.
            let work = |client, seed| ledger.work(target, client, &Random::seeded(seed), |_| false);
            let mut all: Vec<_> = (0..CLIENTS).zip(seeds).map(|(c, seed)| scope.spawn(move || work(c, seed))).collect();
            all.push(scope.spawn(move || operator.work(target, &changes)));
            std::thread::sleep(lasts);
            cofre.kill()?;
            target.end();
            all.into_iter().map(|client| client.join().expect("a client does not panic")).sum::<Result<u64>>()
        })?;
        let clock = Clock::system();
        cofre.start_again()?;
        let ready = clock.elapsed();
        let keys = ledger.hold(&cofre).with_context(|| format!("round {round} from seed {seed}"))?;
        ledger.hold_listing(&cofre)?;
        operator.hold(&cofre)?;
        println!("round {round}: ready in {ready:?}, {keys} keys held, {acknowledged} requests acknowledged so far");
    }
    ensure!(acknowledged >= rounds * ACKNOWLEDGED_MIN, "only {acknowledged} requests were acknowledged");
    verify(&cofre)?;
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
