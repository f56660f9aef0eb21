//! Edges between crates, held against the map.

use super::map::{Map, Uses};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A package of the workspace, as cargo sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the root of the tree.
    pub folder: String,
    /// What it uses when it is built.
    pub uses: BTreeSet<String>,
    /// What its tests use besides.
    pub tests_use: BTreeSet<String>,
    /// Whether its manifest takes the lints of the workspace.
    pub has_lints: bool,
}

/// Packages of the workspace in the output of `cargo metadata`.
pub fn packages(metadata: &Value, root: &Path) -> Result<Vec<Package>> {
    let members: BTreeSet<&str> = array(metadata, "workspace_members").filter_map(Value::as_str).collect();
    array(metadata, "packages")
        .filter(|package| package["id"].as_str().is_some_and(|id| members.contains(id)))
        .map(|package| read_package(package, root))
        .collect()
}

fn read_package(package: &Value, root: &Path) -> Result<Package> {
    let manifest = package["manifest_path"].as_str().context("a package has a manifest")?;
    let text = std::fs::read_to_string(manifest).with_context(|| manifest.to_owned())?;
    let folder = Path::new(manifest).parent().and_then(|folder| folder.strip_prefix(root).ok());
    let named = |in_tests: bool| {
        array(package, "dependencies")
            .filter(|used| (used["kind"].as_str() == Some("dev")) == in_tests)
            .filter_map(|used| used["name"].as_str().map(str::to_owned))
            .collect()
    };
    Ok(Package {
        name: package["name"].as_str().context("a package has a name")?.to_owned(),
        folder: folder.context("a member lies in the tree")?.display().to_string(),
        uses: named(false),
        tests_use: named(true),
        has_lints: takes_lints(&text)?,
    })
}

fn array<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

fn takes_lints(manifest: &str) -> Result<bool> {
    let manifest: toml::Table = manifest.parse()?;
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    Ok(lints.and_then(toml::Value::as_bool) == Some(true))
}

/// Complaints about packages that are not as the map says.
pub fn check(map: &Map, packages: &[Package]) -> Vec<String> {
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found: Vec<String> = packages.iter().flat_map(|package| check_package(map, package, &members)).collect();
    for (name, row) in &map.crates {
        if !members.contains(name.as_str()) {
            found.push(format!("{}: the map names {name}, and there is no such package", row.folder));
        }
    }
    found
}

fn check_package(map: &Map, package: &Package, members: &BTreeSet<&str>) -> Vec<String> {
    let Package { name, folder, .. } = package;
    let mut found = Vec::new();
    if !package.has_lints {
        found.push(format!("{folder}/Cargo.toml: lacks `[lints] workspace = true`"));
    }
    match map.crates.get(name) {
        None => found.push(format!("{folder}: {name} is not on the map; a new crate is a design decision")),
        Some(row) if row.folder != *folder => {
            found.push(format!("{folder}: the map says that {name} is {}", row.folder))
        }
        Some(row) => {
            for used in package.uses.iter().filter(|used| members.contains(used.as_str())) {
                if let Uses::Only(allowed) = &row.uses
                    && !allowed.contains(used)
                {
                    found
                        .push(format!("{folder}: {name} may not use {used}; an edge that is new is a design decision"));
                }
            }
        }
    }
    for third in package.uses.union(&package.tests_use) {
        if let Some(homes) = map.homes.get(third)
            && !homes.contains(name)
        {
            found.push(format!("{folder}: {third} belongs in {} only", join(homes)));
        }
    }
    found
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::map::tests::PAGE;

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: format!("cofre-{name}"),
            folder: format!("gateway/{name}"),
            uses: uses.iter().map(|used| (*used).to_owned()).collect(),
            tests_use: BTreeSet::new(),
            has_lints: true,
        }
    }

    fn whole() -> Vec<Package> {
        vec![
            package("types", &["serde"]),
            package("iam", &["cofre-types"]),
            package("objects", &["cofre-types", "cofre-iam"]),
            package("server", &["cofre-objects", "cofre-iam"]),
        ]
    }

    fn complaints(packages: &[Package]) -> Vec<String> {
        check(&Map::parse(PAGE).unwrap(), packages)
    }

    #[test]
    fn agrees_with_the_map() {
        assert_eq!(complaints(&whole()), Vec::<String>::new());
    }

    #[test]
    fn finds_an_edge_that_is_not_on_the_map() {
        let mut packages = whole();
        packages[1] = package("iam", &["cofre-objects"]);
        assert_eq!(complaints(&packages).len(), 1);
        packages[1] = package("iam", &["cofre-types"]);
        packages[0] = package("types", &["cofre-iam"]);
        assert!(complaints(&packages)[0].contains("cofre-types may not use cofre-iam"));
    }

    #[test]
    fn lets_tests_use_other_crates_but_not_those_with_a_home() {
        let mut packages = whole();
        packages[1].tests_use.insert("cofre-objects".to_owned());
        assert_eq!(complaints(&packages), Vec::<String>::new());
        packages[1].tests_use.insert("s3s".to_owned());
        assert!(complaints(&packages)[0].contains("s3s belongs in"));
    }

    #[test]
    fn finds_a_crate_without_lints_or_off_the_map() {
        let mut packages = whole();
        packages[1].has_lints = false;
        packages.push(package("extra", &[]));
        packages.remove(0);
        let found = complaints(&packages);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn reads_the_lints_of_a_manifest() {
        assert!(takes_lints("[lints]\nworkspace = true\n").unwrap());
        assert!(!takes_lints("[lints]\nworkspace = false\n").unwrap());
        assert!(!takes_lints("[package]\nname = \"a\"\n").unwrap());
    }
}
