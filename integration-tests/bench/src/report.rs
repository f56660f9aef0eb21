use crate::contender::Usage;
use crate::load::Seen;
use crate::workload::Workload;
use std::time::Duration;

/// One round of one server.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// Requests a second.
    pub per_sec: f64,
    /// The median answer.
    pub p50: Duration,
    /// All but one in a hundred answers came within this.
    pub p99: Duration,
    /// Processor time of the server for one request, in microseconds.
    pub cpu_micros: f64,
}

impl Round {
    /// Sums up what the connections saw. Each has its own time, because a slow answer may outlast the
    /// round.
    pub fn new(seen: &[Seen], cpu_secs: f64) -> Self {
        let per_sec = seen.iter().map(|seen| seen.took.len() as f64 / seen.time.as_secs_f64()).sum();
        let mut took: Vec<Duration> = seen.iter().flat_map(|seen| seen.took.iter().copied()).collect();
        took.sort_unstable();
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
        let cpu_micros = cpu_secs * 1e6 / took.len() as f64;
        Self { per_sec, p50: at(50), p99: at(99), cpu_micros }
    }
}

/// The median of each number.
pub fn median(rounds: &[Round]) -> Round {
    fn middle<T: Copy + PartialOrd>(rounds: &[Round], field: impl Fn(&Round) -> T) -> T {
        let mut values: Vec<T> = rounds.iter().map(field).collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        values[values.len() / 2]
    }
    Round {
        per_sec: middle(rounds, |round| round.per_sec),
        p50: middle(rounds, |round| round.p50),
        p99: middle(rounds, |round| round.p99),
        cpu_micros: middle(rounds, |round| round.cpu_micros),
    }
}

/// Prints the heads of the columns.
pub fn head() {
    println!(
        "{:<15} {:>4}  {:<7} {:>11} {:>10} {:>10} {:>9} {:>8} {:>7}",
        "workload", "conn", "server", "rate/s", "p50", "p99", "cpu us", "RSS MiB", "ratios"
    );
}

/// Prints one server's line; `ratios` are its rate over that of each server above it.
pub fn line(workload: Workload, connections: usize, server: &str, round: &Round, usage: &Usage, ratios: &[f64]) {
    let ratios: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let rate = match workload.bytes() {
        Some(bytes) => format!("{:.0} MiB", round.per_sec * bytes as f64 / f64::from(1 << 20)),
        None => format!("{:.0}", round.per_sec),
    };
    println!(
        "{:<15} {connections:>4}  {server:<7} {rate:>11} {:>10} {:>10} {:>9.0} {:>8.0} {:>7}",
        workload.name(),
        millis(round.p50),
        millis(round.p99),
        round.cpu_micros,
        mib(usage.rss_bytes),
        ratios.join(" "),
    );
}

/// A time in milliseconds.
pub fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// Bytes in MiB.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up_a_round_and_takes_medians() {
        let took: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let seen = [Seen { took, time: Duration::from_secs(2) }];
        let round = Round::new(&seen, 0.5);
        assert!((round.per_sec - 50.0).abs() < 1e-9 && (round.cpu_micros - 5_000.0).abs() < 1e-6);
        assert_eq!((round.p50, round.p99), (Duration::from_millis(51), Duration::from_millis(100)));
        let other = Round { per_sec: 10.0, ..round };
        let third = Round { per_sec: 70.0, ..round };
        assert!((median(&[third, round, other]).per_sec - 50.0).abs() < 1e-9);
    }
}
