//! The suites, in the order in which they run: what is quick and common to get wrong comes first.
//!
//! All that compiles uses one profile and one selection of packages (`--workspace`), because
//! another selection would give the dependencies other features, and build them again.

use super::install;
use super::step::{Log, Tally};
use crate::{tidy, workspace};
use anyhow::Result;

/// A suite: its name for `--only`, what it checks, and how.
pub struct Suite {
    /// Name for `--only`.
    pub name: &'static str,
    /// What it checks, in a few words.
    pub about: &'static str,
    /// Runs it.
    pub run: fn(&mut Log) -> Result<Tally>,
}

/// All suites.
pub const SUITES: &[Suite] = &[
    Suite { name: "fmt", about: "formatting", run: fmt },
    Suite { name: "tidy", about: "edges between crates, and the style of the tree", run: tidy_tree },
    Suite { name: "clippy", about: "lints, with warnings denied", run: clippy },
    Suite { name: "doc", about: "documentation builds without a warning", run: doc },
    Suite { name: "unit", about: "tests of each crate", run: unit },
    Suite { name: "fuzz", about: "every parser of ours over mutated inputs, for seconds", run: fuzz },
    Suite { name: "protocol", about: "what no proper client sends, against the real binary", run: protocol },
    Suite {
        name: "clients",
        about: "aws CLI, boto3, SDK, Terraform's calls, rclone, s3cmd, s5cmd, restic, generated clients",
        run: clients,
    },
    Suite { name: "deploy", about: "deploy/ as it is used: proxies, units, image, chart, rules, pages", run: deploy },
    Suite { name: "console", about: "the console in Chromium: flows, axe-core, types", run: console },
    Suite { name: "crash", about: "kill -9, full disks, rotten shards, nodes that fail", run: crash },
];

/// The flags that every building command takes: s3s declares a newer compiler than it needs.
const WHOLE: [&str; 3] = ["--workspace", "--ignore-rust-version", "--locked"];

fn fmt(log: &mut Log) -> Result<Tally> {
    Ok(Tally::of(log.run("cargo", &["fmt", "--all", "--check"], &[])?))
}

fn tidy_tree(_: &mut Log) -> Result<Tally> {
    Ok(Tally::of(tidy::run()?))
}

fn clippy(log: &mut Log) -> Result<Tally> {
    let arguments = [&["clippy"], &WHOLE[..], &["--all-targets", "--", "-D", "warnings"]].concat();
    Ok(Tally::of(log.run("cargo", &arguments, &[])?))
}

fn doc(log: &mut Log) -> Result<Tally> {
    let arguments = [&["doc"], &WHOLE[..], &["--no-deps"]].concat();
    Ok(Tally::of(log.run("cargo", &arguments, &[("RUSTDOCFLAGS", "-D warnings")])?))
}

fn unit(log: &mut Log) -> Result<Tally> {
    test(log, &["--lib", "--bins", "--test", "it"], &[])
}

fn fuzz(log: &mut Log) -> Result<Tally> {
    test(log, &["--test", "fuzz"], &[])
}

fn protocol(log: &mut Log) -> Result<Tally> {
    install::debian(log, &["curl", "openssl"])?;
    test(log, &["--test", "protocol"], &[])
}

fn clients(log: &mut Log) -> Result<Tally> {
    install::debian(log, &["curl", "fusermount3", "openssl", "pebble", "prometheus", "restic", "s3cmd"])?;
    let venv = install::venv(log)?.display().to_string();
    let generators = install::generators(log)?.display().to_string();
    let environment = [("COFRE_VERIFY_VENV", venv.as_str()), ("COFRE_VERIFY_GENERATORS", &generators)];
    test(log, &["--test", "clients"], &environment)
}

fn deploy(log: &mut Log) -> Result<Tally> {
    install::debian(
        log,
        &[
            "buildah",
            "caddy",
            "crun",
            "curl",
            "dbus-daemon",
            "haproxy",
            "ip",
            "nginx",
            "openssl",
            "podman",
            "prometheus",
            "strip",
            "systemd-analyze",
            "systemd-nspawn",
            "unshare",
        ],
    )?;
    let venv = install::venv(log)?.display().to_string();
    let charts = install::charts(log)?.display().to_string();
    let environment = [("COFRE_VERIFY_VENV", venv.as_str()), ("COFRE_VERIFY_CHARTS", &charts)];
    test(log, &["--test", "deploy"], &environment)
}

fn console(log: &mut Log) -> Result<Tally> {
    install::debian(log, &["chromium", "python3"])?;
    let tools = install::browser_tools(log)?.display().to_string();
    test(log, &["--test", "console"], &[("COFRE_VERIFY_CONSOLE", &tools)])
}

fn crash(log: &mut Log) -> Result<Tally> {
    install::debian(log, &["mount", "openssl"])?;
    let venv = install::venv(log)?.display().to_string();
    test(log, &["--test", "crash"], &[("COFRE_VERIFY_VENV", &venv)])
}

/// Runs the chosen tests of the workspace, after what they run against was built.
fn test(log: &mut Log, chosen: &[&str], environment: &[(&str, &str)]) -> Result<Tally> {
    if !build(log)? {
        return Ok(Tally::FAILED);
    }
    let binary = workspace::target().join("debug/cofre").display().to_string();
    let environment = [&[("COFRE_BIN", binary.as_str())], environment].concat();
    log.test(&[&["test"], &WHOLE[..], &["--no-fail-fast"], chosen].concat(), &environment)
}

/// Builds every binary and test, so that the suites' own times say what they cost.
fn build(log: &mut Log) -> Result<bool> {
    log.run("cargo", &[&["build"], &WHOLE[..], &["--bins", "--tests"]].concat(), &[])
}
