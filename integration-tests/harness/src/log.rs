use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Lines of the log that an error shows.
const TAIL_LINES: usize = 40;

/// What a server says, over all of its starts, in one file.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    expected: Vec<String>,
}

impl Log {
    /// A log in this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path, expected: Vec::new() }
    }

    /// The file, to append to.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn append(&self) -> Result<File> {
        File::options().create(true).append(true).open(&self.path).with_context(|| self.path.display().to_string())
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Announces warnings and errors whose line contains `text`.
    pub fn expect(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    /// All that was said.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn text(&self) -> Result<String> {
        let bytes = std::fs::read(&self.path).with_context(|| self.path.display().to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The end of what was said.
    pub fn tail(&self) -> String {
        let text = self.text().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// Fails on panics, and on warnings and errors that nobody announced.
    ///
    /// # Errors
    /// The lines in question.
    pub fn check(&self) -> Result<()> {
        let text = self.text()?;
        let bad: Vec<&str> = text.lines().filter(|line| is_bad(line) && !self.is_expected(line)).collect();
        ensure!(bad.is_empty(), "the server logged {} lines that nobody expected:\n{}", bad.len(), first(&bad));
        Ok(())
    }

    fn is_expected(&self, line: &str) -> bool {
        self.expected.iter().any(|text| line.contains(text))
    }
}

fn first(lines: &[&str]) -> String {
    lines[..lines.len().min(TAIL_LINES)].join("\n")
}

/// Whether a line of the log speaks of trouble. Log lines are JSON; a panic is not.
fn is_bad(line: &str) -> bool {
    match serde_json::from_str::<Value>(line) {
        Ok(entry) => matches!(entry["level"].as_str(), Some("WARN" | "ERROR")),
        Err(_) => line.contains("panicked at") || line.contains("stack overflow"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_trouble_that_nobody_announced() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::new(folder.path().join("log"));
        let lines = "{\"level\":\"INFO\",\"m\":\"panicked at\"}\n{\"level\":\"WARN\",\"m\":\"shard slow\"}\n";
        std::fs::write(log.path(), lines).unwrap();
        assert!(log.check().is_err());
        log.expect("shard slow");
        log.check().unwrap();
        std::fs::write(log.path(), "thread 'main' panicked at src/main.rs:1:1:\n").unwrap();
        assert!(log.check().is_err());
    }
}
