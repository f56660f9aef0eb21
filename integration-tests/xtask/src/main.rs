//! The project's own tools: `cargo xtask COMMAND`, and `cargo verify` for `cargo xtask verify`.

#![allow(clippy::disallowed_methods, reason = "a tool that times processes needs no clock that a test owns")]

mod bench;
mod crash;
mod dist;
mod fuzz;
mod mutants;
mod tidy;
mod verify;
mod workspace;

use anyhow::{Result, bail};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  verify [--only SUITE]... [--list]   run the checks, or some of them; `cargo verify` is the same
  tidy                                check the crates' edges and the style of the tree
  crash [--rounds N] [TEST]           kill a release build under load, round after round
  fuzz TARGET [ARGUMENT]...           run a fuzz target under libFuzzer, for as long as you like
  mutants [--file GLOB] [PACKAGE]...  change the code in small ways and tell what no test notices; takes hours
  dist                                build the program for others, and its symbols into a file of their own
  bench [ARGUMENT]...                 measure Cofre against s3s-fs; `bench --help` says what it takes
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `false` if it found something wrong.
fn run(arguments: &[String]) -> Result<bool> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "verify" => verify::run(rest),
        "tidy" => tidy::run(),
        "bench" => bench::run(rest),
        "crash" => crash::run(rest),
        "dist" => dist::run(),
        "fuzz" => fuzz::run(rest),
        "mutants" => mutants::run(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(true)
        }
        other => bail!("no command {other:?}\n{USAGE}"),
    }
}
