//! The bound on the length of a file, with a ratchet: files that are longer are listed with their
//! length, and a list that is not exact is a complaint. So a long file cannot grow, and one that
//! shrinks takes its bound with it.

use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// Lines that a file may have.
const LINES_MAX: usize = 400;
/// Where the exceptions stand.
pub const FILE: &str = "integration-tests/xtask/ratchet.toml";

/// Files that may be longer, with their exact length in lines.
pub struct Ratchet(BTreeMap<String, usize>);

impl Ratchet {
    /// Reads the list: `"path" = lines`.
    pub fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().context(FILE)?;
        let read = |(path, lines): (String, toml::Value)| {
            let lines = lines.as_integer().and_then(|lines| usize::try_from(lines).ok());
            Ok((path.clone(), lines.with_context(|| format!("{FILE}: {path} has no number of lines"))?))
        };
        Ok(Self(table.into_iter().map(read).collect::<Result<_>>()?))
    }

    /// Complaints about files that are too long, and about entries that are not exact.
    pub fn check(&self, lengths: &[(String, usize)]) -> Vec<String> {
        let mut found = Vec::new();
        for (path, lines) in lengths {
            match self.0.get(path) {
                None if *lines > LINES_MAX => {
                    found.push(format!("{path}: {lines} lines, and {LINES_MAX} are the most; split it by meaning"));
                }
                Some(listed) if lines > listed => {
                    found.push(format!("{path}: grew from {listed} to {lines} lines; the ratchet only shrinks"));
                }
                Some(_) if *lines <= LINES_MAX => found.push(format!("{FILE}: {path} no longer needs its entry")),
                Some(listed) if lines < listed => {
                    found.push(format!("{FILE}: {path} shrank to {lines} lines; say so"));
                }
                None | Some(_) => {}
            }
        }
        let known = |path: &String| lengths.iter().any(|(other, _)| other == path);
        found.extend(self.0.keys().filter(|path| !known(path)).map(|path| format!("{FILE}: {path} is not there")));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(list: &str, lines: usize) -> usize {
        Ratchet::parse(list).unwrap().check(&[("a.rs".to_owned(), lines)]).len()
    }

    #[test]
    fn bounds_files_that_are_not_listed() {
        assert_eq!(complaints("", LINES_MAX), 0);
        assert_eq!(complaints("", LINES_MAX + 1), 1);
    }

    #[test]
    fn lets_a_listed_file_only_shrink() {
        assert_eq!(complaints("\"a.rs\" = 500", 500), 0);
        assert_eq!(complaints("\"a.rs\" = 500", 501), 1);
        assert_eq!(complaints("\"a.rs\" = 500", 450), 1);
        assert_eq!(complaints("\"a.rs\" = 500", 100), 1);
    }

    #[test]
    fn refuses_entries_of_files_that_are_gone() {
        assert_eq!(complaints("\"b.rs\" = 500", 10), 1);
        assert!(Ratchet::parse("\"b.rs\" = \"long\"").is_err());
    }
}
