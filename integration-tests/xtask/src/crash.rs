//! `cargo xtask crash`: kills a release build under load, for as many rounds as asked.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::process::Command;

const USAGE: &str = "usage: cargo xtask crash [--rounds NUMBER] [--seed NUMBER] [TEST]";

/// Rounds of each test, unless they are said.
const ROUNDS: u64 = 100;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    rounds: u64,
    seed: Option<u64>,
    /// A part of the tests' names.
    tests: String,
}

/// Builds the release binary and runs the tests that kill it; `false` if one failed.
pub fn run(arguments: &[String]) -> Result<bool> {
    let asked = parse(arguments)?;
    let build = ["build", "--release", "--ignore-rust-version", "--workspace", "--bin", "cofre"];
    if !cargo(&build, &[])? {
        return Ok(false);
    }
    let (rounds, seed) = (asked.rounds.to_string(), asked.seed.map(|seed| seed.to_string()));
    let binary = workspace::target().join("release/cofre").display().to_string();
    let mut environment = vec![("COFRE_BIN", binary.as_str()), ("COFRE_CRASH_ROUNDS", &rounds)];
    environment.extend(seed.as_deref().map(|seed| ("COFRE_CRASH_SEED", seed)));
    let test = ["test", "--ignore-rust-version", "--workspace", "--test", "crash", &asked.tests, "--", "--nocapture"];
    // Side by side they would share the load that each is to have.
    cargo(&[&test[..], &["--test-threads", "1"]].concat(), &environment)
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<bool> {
    let mut command = Command::new("cargo");
    command.args(arguments).envs(environment.iter().copied()).current_dir(workspace::root());
    Ok(command.status().context("cargo does not start")?.success())
}

fn parse(arguments: &[String]) -> Result<Asked> {
    let mut asked = Asked { rounds: ROUNDS, seed: None, tests: "kill::".to_owned() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut number = || {
            let value = rest.next().and_then(|value| value.parse().ok());
            value.with_context(|| format!("{argument} wants a number\n{USAGE}"))
        };
        match argument.as_str() {
            "--rounds" => asked.rounds = number()?,
            "--seed" => asked.seed = Some(number()?),
            flag if flag.starts_with('-') => bail!("what is {flag}?\n{USAGE}"),
            test => test.clone_into(&mut asked.tests),
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Asked> {
        parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn takes_rounds_a_seed_and_a_test() {
        let all = parsed(&["--rounds", "7", "--seed", "9", "pieces"]).unwrap();
        assert_eq!(all, Asked { rounds: 7, seed: Some(9), tests: "pieces".to_owned() });
        assert_eq!(parsed(&[]).unwrap().rounds, ROUNDS);
        assert!(
            parsed(&["--rounds"]).is_err() && parsed(&["--rounds", "many"]).is_err() && parsed(&["--often"]).is_err()
        );
    }
}
