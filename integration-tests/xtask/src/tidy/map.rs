//! Reads the two tables of `gateway/ARCHITECTURE.md`.
//!
//! The first has a row for each crate: folder, package, what lives there, and the packages that it
//! may use. The second has a row for each third-party crate that has a home: the crate, and the
//! packages that may name it in their manifests.

use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};

/// Header of the table of crates.
const CRATES: &str = "| folder | package | what lives there | may use |";
/// Header of the table of third-party crates with a home.
const HOMES: &str = "| third-party crate | only in |";
/// Packages that every package of the product may use.
const BASE: [&str; 2] = ["cofre-types", "cofre-runtime"];

/// What a package may use.
#[derive(Debug, PartialEq, Eq)]
pub enum Uses {
    /// Every package.
    Everything,
    /// These packages of the workspace.
    Only(BTreeSet<String>),
}

/// One crate of the map.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its folder, from the root of the tree.
    pub folder: String,
    /// What it may use.
    pub uses: Uses,
}

/// The page's tables.
#[derive(Debug)]
pub struct Map {
    /// Crates by package name.
    pub crates: BTreeMap<String, Row>,
    /// Third-party crates, and the packages that may name them.
    pub homes: BTreeMap<String, BTreeSet<String>>,
}

impl Map {
    /// Reads the page.
    pub fn parse(page: &str) -> Result<Self> {
        let mut crates = BTreeMap::new();
        for cells in rows(page, CRATES)? {
            let [folder, package, _, uses] = cells.as_slice() else {
                anyhow::bail!("a row of the table of crates has not four cells: {cells:?}")
            };
            let package = one_name(package)?;
            let row = Row { folder: one_name(folder)?, uses: parse_uses(&package, uses) };
            ensure!(crates.insert(package.clone(), row).is_none(), "{package} stands twice in the table of crates");
        }
        let mut homes = BTreeMap::new();
        for cells in rows(page, HOMES)? {
            let [third, only] = cells.as_slice() else {
                anyhow::bail!("a row of the table of homes has not two cells: {cells:?}")
            };
            homes.insert(one_name(third)?, names(only).collect());
        }
        Ok(Self { crates, homes })
    }
}

fn parse_uses(package: &str, cell: &str) -> Uses {
    if cell == "everything" {
        return Uses::Everything;
    }
    let mut uses: BTreeSet<String> = names(cell).collect();
    if !cell.starts_with("nothing") {
        uses.extend(BASE.map(str::to_owned));
    }
    uses.remove(package);
    Uses::Only(uses)
}

/// Cells of the rows under `header`.
fn rows(page: &str, header: &str) -> Result<Vec<Vec<String>>> {
    let mut lines = page.lines().skip_while(|line| *line != header);
    lines.next().with_context(|| format!("the map has no table {header:?}"))?;
    let rows: Vec<Vec<String>> = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect();
    ensure!(!rows.is_empty(), "the table {header:?} is empty");
    Ok(rows)
}

fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Names in backquotes.
fn names(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn one_name(cell: &str) -> Result<String> {
    let mut found = names(cell);
    let name = found.next().with_context(|| format!("no name in backquotes in {cell:?}"))?;
    ensure!(found.next().is_none(), "more than one name in {cell:?}");
    Ok(name)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A small map, for the tests of the rules too.
    pub const PAGE: &str = "\
# Map
| folder | package | what lives there | may use |
|---|---|---|---|
| `gateway/types` | `cofre-types` | names | nothing |
| `gateway/iam` | `cofre-iam` | rights | base |
| `gateway/objects` | `cofre-objects` | the domain | base, `cofre-iam` |
| `gateway/server` | `cofre-server` | the binary | everything |

| third-party crate | only in |
|---|---|
| `s3s` | `cofre-s3`, `cofre-bench` |
";

    #[test]
    fn reads_both_tables() {
        let map = Map::parse(PAGE).unwrap();
        assert_eq!(map.crates.len(), 4);
        assert_eq!(map.crates["cofre-types"].uses, Uses::Only(BTreeSet::new()));
        assert_eq!(map.crates["cofre-server"].uses, Uses::Everything);
        let Uses::Only(objects) = &map.crates["cofre-objects"].uses else { panic!("objects may not use everything") };
        assert!(objects.contains("cofre-types") && objects.contains("cofre-iam") && objects.len() == 3);
        assert_eq!(map.homes["s3s"].len(), 2);
    }

    #[test]
    fn refuses_a_page_without_its_tables() {
        assert!(Map::parse("# Map\n").is_err());
        assert!(Map::parse(&PAGE.replace("| `s3s`", "| s3s")).is_err());
        assert!(Map::parse(&PAGE.replace("| nothing |", "|")).is_err());
    }
}
