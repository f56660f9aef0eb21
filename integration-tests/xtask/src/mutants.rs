//! `cargo xtask mutants`: changes the code in small ways, one after the other, and tells which changes no test notices.
//!
//! A survivor is a gap in the tests, or a change that means nothing. How many each file has stands in [`FILE`], and may
//! only shrink. A run takes hours, so it is not a part of `cargo verify`.

use crate::verify::install;
use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Packages that are changed, unless arguments name others: those that hold what cannot be had back.
const PACKAGES: [&str; 4] = ["cofre-catalog", "cofre-blobs", "cofre-objects", "cofre-iam"];

/// Where the survivors of each file are counted.
const FILE: &str = "integration-tests/xtask/mutants.toml";

/// Seconds that tests may take at the least before a change counts as one that makes them hang.
const TIMEOUT_SECS_MIN: &str = "120";

const USAGE: &str = "usage: cargo xtask mutants [--file GLOB]... [PACKAGE]...";

/// What to change.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    packages: Vec<String>,
    files: Vec<String>,
}

/// Changes to one file: how many the tests noticed, and how many they did not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Fates {
    caught: u64,
    missed: u64,
}

/// Runs `cargo mutants` on each package and compares the survivors with the ratchet; `false` if there are more than it
/// lists, or fewer.
pub fn run(arguments: &[String]) -> Result<bool> {
    let choice = choose(arguments)?;
    install::cargo_mutants()?;
    let mut found = BTreeMap::new();
    for package in &choice.packages {
        change(package, &choice.files, &mut found)?;
    }
    let sum = found.values().fold(Fates::default(), |sum, fates| Fates {
        caught: sum.caught + fates.caught,
        missed: sum.missed + fates.missed,
    });
    println!("{} changes were noticed, {} were not", sum.caught, sum.missed);
    let listed = std::fs::read_to_string(workspace::root().join(FILE)).context(FILE)?;
    let complaints = compare(&parse(&listed)?, &found);
    complaints.iter().for_each(|complaint| println!("{complaint}"));
    Ok(complaints.is_empty())
}

fn choose(arguments: &[String]) -> Result<Choice> {
    let mut choice = Choice { packages: Vec::new(), files: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--file" => choice.files.push(rest.next().context(USAGE)?.clone()),
            package if !package.starts_with('-') => choice.packages.push(package.to_owned()),
            other => bail!("what is {other:?}?\n{USAGE}"),
        }
    }
    if choice.packages.is_empty() {
        choice.packages = PACKAGES.map(str::to_owned).to_vec();
    }
    Ok(choice)
}

/// Changes one package and adds what became of its files to `found`.
fn change(package: &str, files: &[String], found: &mut BTreeMap<String, Fates>) -> Result<()> {
    let output = workspace::target().join("mutants").join(package);
    std::fs::create_dir_all(&output)?;
    let status = Command::new(workspace::target().join("tools/bin/cargo-mutants"))
        .args(["mutants", "--no-shuffle", "--minimum-test-timeout", TIMEOUT_SECS_MIN, "--package", package])
        .args(["--cargo-arg", "--ignore-rust-version", "--output"])
        .arg(&output)
        .args(files.iter().flat_map(|file| ["--file", file]))
        .current_dir(workspace::root())
        .status()
        .context("cargo-mutants does not start")?;
    // 2 and 3 tell of changes that were missed, or made the tests hang.
    ensure!(matches!(status.code(), Some(0 | 2 | 3)), "cargo-mutants on {package} ended with {status}");
    read(&output.join("mutants.out/outcomes.json"), found)
}

/// Reads what became of each change.
fn read(path: &Path, found: &mut BTreeMap<String, Fates>) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let document: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let outcomes = document["outcomes"].as_array().context("outcomes.json has no outcomes")?;
    for outcome in outcomes {
        // The first is of the code as it is.
        let Some(file) = outcome["scenario"]["Mutant"]["file"].as_str() else { continue };
        let fates = found.entry(file.to_owned()).or_default();
        match outcome["summary"].as_str() {
            Some("CaughtMutant" | "Timeout") => fates.caught += 1,
            Some("MissedMutant") => fates.missed += 1,
            // What does not compile says nothing.
            Some("Unviable") => {}
            other => bail!("outcomes.json: what is {other:?}?"),
        }
    }
    Ok(())
}

/// Reads the list: `"path" = survivors`.
fn parse(text: &str) -> Result<BTreeMap<String, u64>> {
    let table: toml::Table = text.parse().context(FILE)?;
    let read = |(path, survivors): (String, toml::Value)| {
        let survivors = survivors.as_integer().and_then(|survivors| u64::try_from(survivors).ok());
        Ok((path.clone(), survivors.with_context(|| format!("{FILE}: {path} has no number of survivors"))?))
    };
    table.into_iter().map(read).collect()
}

/// Complaints about files that were changed and do not have as many survivors as are listed.
fn compare(listed: &BTreeMap<String, u64>, found: &BTreeMap<String, Fates>) -> Vec<String> {
    let complain = |(path, fates): (&String, &Fates)| {
        let listed = listed.get(path).copied();
        (fates.missed != listed.unwrap_or(0)).then(|| match listed {
            Some(listed) if fates.missed < listed => format!("{FILE}: {path} has only {} left; say so", fates.missed),
            Some(listed) => format!("{path}: {} changes are not noticed, and {listed} are the most", fates.missed),
            None => format!("{path}: {} changes are not noticed; add tests, or list it", fates.missed),
        })
    };
    found.iter().filter_map(complain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn changes_what_it_is_told_to() {
        assert_eq!(choose(&[]).unwrap().packages, PACKAGES);
        let choice = choose(&arguments(&["--file", "gateway/catalog/src/walk.rs", "cofre-catalog"])).unwrap();
        assert_eq!(choice.packages, ["cofre-catalog"]);
        assert_eq!(choice.files, ["gateway/catalog/src/walk.rs"]);
        for wrong in [vec!["--file"], vec!["--all"]] {
            assert!(choose(&arguments(&wrong)).is_err());
        }
    }

    #[test]
    fn survivors_only_become_fewer() {
        let complaints = |list: &str, missed: u64| {
            let found = BTreeMap::from([("a.rs".to_owned(), Fates { caught: 9, missed })]);
            compare(&parse(list).unwrap(), &found).len()
        };
        assert_eq!((complaints("", 0), complaints("", 1)), (0, 1));
        assert_eq!([4, 5, 6].map(|missed| complaints("\"a.rs\" = 5", missed)), [1, 0, 1]);
        assert_eq!(complaints("\"b.rs\" = 5", 0), 0, "what was not changed says nothing");
        assert!(parse("\"a.rs\" = \"few\"").is_err());
    }

    #[test]
    fn reads_what_became_of_each_change() {
        let folder = workspace::target().join("xtask-tests");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("outcomes.json");
        let mutant = |file: &str, summary: &str| {
            format!(r#"{{"scenario": {{"Mutant": {{"file": "{file}"}}}}, "summary": "{summary}"}}"#)
        };
        let outcomes = [
            r#"{"scenario": "Baseline", "summary": "Success"}"#.to_owned(),
            mutant("a.rs", "CaughtMutant"),
            mutant("a.rs", "Timeout"),
            mutant("a.rs", "MissedMutant"),
            mutant("b.rs", "Unviable"),
        ];
        std::fs::write(&path, format!(r#"{{"outcomes": [{}]}}"#, outcomes.join(","))).unwrap();
        let mut found = BTreeMap::new();
        read(&path, &mut found).unwrap();
        assert_eq!(found["a.rs"], Fates { caught: 2, missed: 1 });
        assert_eq!(found["b.rs"], Fates::default());
        std::fs::write(&path, r#"{"outcomes": [{"scenario": {"Mutant": {"file": "a.rs"}}, "summary": "New"}]}"#)
            .unwrap();
        assert!(read(&path, &mut found).is_err(), "a word that is not known is told");
    }
}
