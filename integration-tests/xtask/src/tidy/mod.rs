//! `cargo xtask tidy`: what the compiler and clippy cannot see.
//!
//! Each rule is a pure function from text to complaints, with its own tests. The map of the
//! project (`gateway/ARCHITECTURE.md`) is read, not repeated: its tables are the rules for edges.

mod callers;
mod circles;
mod edges;
mod files;
mod licences;
mod map;
mod names;
mod ratchet;
mod supply;

use crate::workspace;
use anyhow::{Context, Result};

/// The page whose tables say which crate may use which.
const MAP: &str = "gateway/ARCHITECTURE.md";

/// Checks the tree, prints what is wrong, and says whether all is well.
pub fn run() -> Result<bool> {
    let complaints = complaints()?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("tidy: {} complaints", complaints.len());
    Ok(complaints.is_empty())
}

/// What is wrong with the tree.
fn complaints() -> Result<Vec<String>> {
    let root = workspace::root();
    let page = std::fs::read_to_string(root.join(MAP)).with_context(|| format!("{MAP} is there"))?;
    let map = map::Map::parse(&page)?;
    let metadata = workspace::metadata()?;
    let packages = edges::packages(&metadata, &root)?;
    let mut found = edges::check(&map, &packages);
    found.extend(callers::check_doors(&map, &packages));
    found.extend(licences::check(&metadata));

    let ratchet = ratchet::Ratchet::parse(&std::fs::read_to_string(root.join(ratchet::FILE))?)?;
    let (mut lengths, mut sources) = (Vec::new(), Vec::new());
    for path in workspace::files()? {
        found.extend(files::check_path(&path));
        let Some(text) = read_text(&root.join(&path))? else { continue };
        found.extend(files::check_text(&path, &text));
        found.extend(callers::check_text(&path, &text));
        found.extend(supply::check(&path, &text));
        if files::has_bound(&path) {
            lengths.push((path.clone(), text.lines().count()));
        }
        if path.ends_with(".rs") && path.contains("/src/") {
            sources.push((path, text));
        }
    }
    found.extend(ratchet.check(&lengths));
    found.extend(circles::check(&sources));
    found.extend(names::check(&sources));
    found.sort();
    Ok(found)
}

/// The file's text; `None` if it is not UTF-8.
fn read_text(path: &std::path::Path) -> Result<Option<String>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8(bytes).ok())
}
