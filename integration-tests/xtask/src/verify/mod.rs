//! `cargo verify`: every check, by name, with a table of what passed and how long it took.
//!
//! What the checks need and the machine lacks is installed, and said. Nothing is skipped: a tool
//! that cannot be had fails its suite, and a test that does not run counts as failed. All that the
//! tools print goes to `target/verify/SUITE.log`; the end of it is shown when a suite fails.

pub mod install;
mod step;
mod suites;

use anyhow::{Result, bail};
use std::time::{Duration, Instant};
use step::Tally;
use suites::{SUITES, Suite};

const USAGE: &str = "usage: cargo verify [--only SUITE]... [--list]";

/// What became of a suite.
struct Outcome {
    name: &'static str,
    tally: Tally,
    took: Duration,
}

/// Runs the suites that `arguments` name, or all of them; `false` if anything failed.
pub fn run(arguments: &[String]) -> Result<bool> {
    let Some(chosen) = choose(arguments)? else {
        for suite in SUITES {
            println!("{:<12} {}", suite.name, suite.about);
        }
        return Ok(true);
    };
    let outcomes: Vec<Outcome> = chosen.into_iter().map(run_suite).collect();
    Ok(report(&outcomes))
}

/// The suites to run; `None` if they are only to be listed.
fn choose(arguments: &[String]) -> Result<Option<Vec<&'static Suite>>> {
    let mut only = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), argument.strip_prefix("--only=")) {
            ("--list", _) => return Ok(None),
            ("--only", _) => match rest.next() {
                Some(name) => only.push(name.as_str()),
                None => bail!("--only wants the name of a suite\n{USAGE}"),
            },
            (_, Some(name)) => only.push(name),
            (other, None) => bail!("what is {other:?}?\n{USAGE}"),
        }
    }
    if let Some(unknown) = only.iter().find(|name| SUITES.iter().all(|suite| suite.name != **name)) {
        bail!("no suite {unknown:?}; `cargo verify --list` names them");
    }
    Ok(Some(SUITES.iter().filter(|suite| only.is_empty() || only.contains(&suite.name)).collect()))
}

fn run_suite(suite: &'static Suite) -> Outcome {
    println!("== {}: {}", suite.name, suite.about);
    let started = Instant::now();
    let tally = step::Log::create(suite.name).and_then(|mut log| (suite.run)(&mut log)).unwrap_or_else(|error| {
        println!("   {}", step::without_hosts(&format!("{error:#}")));
        Tally::FAILED
    });
    let took = started.elapsed();
    println!("   {} passed, {} failed, {:.1} s", tally.passed, tally.failed, took.as_secs_f64());
    Outcome { name: suite.name, tally, took }
}

/// Prints the table and the line that CI reads.
fn report(outcomes: &[Outcome]) -> bool {
    println!("\n{:<12} {:>7} {:>7} {:>9}", "suite", "passed", "failed", "seconds");
    let mut sum = Tally::default();
    for Outcome { name, tally, took } in outcomes {
        println!("{name:<12} {:>7} {:>7} {:>9.1}", tally.passed, tally.failed, took.as_secs_f64());
        sum = sum + *tally;
    }
    println!("\n{} passed, {} failed", sum.passed, sum.failed);
    sum.failed == 0 && sum.passed > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        choose(&arguments).unwrap().unwrap().iter().map(|suite| suite.name).collect()
    }

    #[test]
    fn runs_all_suites_unless_told_otherwise() {
        assert_eq!(names(&[]).len(), SUITES.len());
        assert_eq!(names(&["--only", "tidy", "--only=fmt"]), ["fmt", "tidy"]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for arguments in [vec!["--only"], vec!["--only", "nothing"], vec!["fmt"]] {
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            assert!(choose(&arguments).is_err());
        }
    }
}
