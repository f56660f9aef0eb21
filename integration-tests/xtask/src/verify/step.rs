//! Running one tool with its output in a log, and counting what it says.

use crate::workspace;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::ops::Add;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The longest that one tool may run, in seconds. All of `cargo verify` ends within an hour.
const TOOL_SECS_MAX: u32 = 45 * 60;
/// How much of a log is shown when its suite fails.
const TAIL_LINES: usize = 60;

/// How many checks passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Checks that passed.
    pub passed: u32,
    /// Checks that failed, or did not run.
    pub failed: u32,
}

impl Tally {
    /// One check that passed.
    pub const PASSED: Self = Self { passed: 1, failed: 0 };
    /// One check that failed.
    pub const FAILED: Self = Self { passed: 0, failed: 1 };

    /// One check.
    pub const fn of(passed: bool) -> Self {
        if passed { Self::PASSED } else { Self::FAILED }
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// Log of a suite.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Begins `target/verify/NAME.log` anew.
    pub fn create(name: &str) -> Result<Self> {
        let folder = workspace::target().join("verify");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let path = folder.join(format!("{name}.log"));
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        Ok(Self { path, file })
    }

    /// Runs a tool in the root of the tree; `false` if it failed. The end of its output is then shown.
    pub fn run(&mut self, program: impl AsRef<Path>, arguments: &[&str], environment: &[(&str, &str)]) -> Result<bool> {
        Ok(self.output(program.as_ref(), arguments, environment)?.0)
    }

    /// Runs `cargo test` and counts what passed, failed and did not run.
    pub fn test(&mut self, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Tally> {
        let (passed, output) = self.output(Path::new("cargo"), arguments, environment)?;
        let tally = count(&output);
        // A crate that does not compile has no results to count.
        Ok(if !passed && tally.failed == 0 { tally + Tally::FAILED } else { tally })
    }

    fn output(&mut self, program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(bool, String)> {
        let name = program.display();
        writeln!(self.file, "\n$ {name} {}", arguments.join(" "))?;
        let from = self.file.metadata()?.len();
        let status = Command::new("timeout")
            .args(["--kill-after=10", &TOOL_SECS_MAX.to_string()])
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            // The caller's wish for few words is not the log's.
            .env_remove("CARGO_TERM_QUIET")
            .current_dir(workspace::root())
            .stdin(Stdio::null())
            .stdout(self.append()?)
            .stderr(self.append()?)
            .status()
            .with_context(|| format!("{name} does not start"))?;
        let log = std::fs::read(&self.path)?;
        let output = String::from_utf8_lossy(log.get(usize::try_from(from)?..).unwrap_or_default()).into_owned();
        if !status.success() {
            println!("   {name} {} failed ({status}); the end of {}:", arguments.join(" "), self.path.display());
            let lines: Vec<&str> = output.lines().collect();
            for line in &lines[lines.len().saturating_sub(TAIL_LINES)..] {
                println!("   | {}", without_hosts(line));
            }
        }
        Ok((status.success(), output))
    }

    fn append(&self) -> Result<File> {
        File::options().append(true).open(&self.path).with_context(|| self.path.display().to_string())
    }
}

/// The text with the hosts of its addresses blotted out: which mirror a machine uses is its own matter.
pub fn without_hosts(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after.find(|c: char| c == '/' || c == '`' || c == '"' || c == ')' || c.is_whitespace());
        let host = &after[..end.unwrap_or(after.len())];
        shown.push_str(before);
        shown.push_str(if host.starts_with("127.0.0.1") || host.starts_with("localhost") { host } else { "…" });
        rest = &after[host.len()..];
    }
    shown.push_str(rest);
    shown
}

/// Sums the results that the test binaries print. An ignored test is one that failed to run.
fn count(output: &str) -> Tally {
    let results = output.lines().filter_map(|line| line.trim().strip_prefix("test result: "));
    results.fold(Tally::default(), |sum, line| {
        let number = |word: &str| {
            let mut words = line.split([' ', ';', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().into_iter();
            let mut last = 0;
            words
                .find_map(|part| {
                    if part == word {
                        Some(last)
                    } else {
                        last = part.parse().unwrap_or(0);
                        None
                    }
                })
                .unwrap_or(0)
        };
        sum + Tally { passed: number("passed"), failed: number("failed") + number("ignored") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_results_of_all_binaries() {
        let output = "\
running 3 tests
test a ... ok
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        assert_eq!(count(output), Tally { passed: 15, failed: 3 });
        assert_eq!(count("error: could not compile"), Tally::default());
    }

    #[test]
    fn hides_the_hosts_of_registries() {
        assert_eq!(without_hosts("GET https://mirror.test:8/x failed"), "GET https://…/x failed");
        assert_eq!(without_hosts("at http://127.0.0.1:9000/a"), "at http://127.0.0.1:9000/a");
        assert_eq!(without_hosts("`registry+https://mirror.test`"), "`registry+https://…`");
    }
}
