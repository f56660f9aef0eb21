//! Compresses the files of `site/` and lists them for the crate to embed.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::{Result, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What is served. Licences and settings of tools are not.
const SERVED: [&str; 4] = ["css", "html", "js", "svg"];

/// The page, and what in it is to be replaced by the modules that it begins with.
const PAGE: &str = "index.html";
const PRELOADS: &str = "<!-- preloads -->";

/// Modules that come when they are wanted, and what is no module.
const LATER: [&str; 4] = ["boot.js", "ops/", "vendor/lean-qr.js", "words/pt-BR"];

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=site");
    let site = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("site");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Vec::new();
    gather(&site, &mut files)?;
    files.sort();
    let name = |file: &PathBuf| file.strip_prefix(&site).unwrap_or(file).to_string_lossy().replace('\\', "/");
    let names: Vec<String> = files.iter().map(name).collect();
    let mut list = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let compressed = out.join(format!("{number}.gz"));
        let mut encoder = GzEncoder::new(fs::File::create(&compressed)?, Compression::best());
        let name = &names[number];
        let mut bytes = fs::read(file)?;
        let plain = out.join(format!("{number}.plain"));
        if name.ends_with(".js") && !name.starts_with("vendor/") {
            bytes = without_comments(&String::from_utf8_lossy(&bytes)).into_bytes();
        }
        if name == PAGE {
            bytes = with_preloads(&String::from_utf8_lossy(&bytes), &names).into_bytes();
        }
        fs::write(&plain, &bytes)?;
        encoder.write_all(&bytes)?;
        encoder.finish()?;
        // Writing to a string cannot fail.
        let _ = writeln!(
            list,
            "    File {{ name: {name:?}, plain: include_bytes!({plain:?}), gzip: include_bytes!({compressed:?}) }},"
        );
    }
    list.push_str("]\n");
    fs::write(out.join("files.rs"), list)
}

/// The page with all modules that it begins with named, so that a browser asks for them at once, and not one behind another.
fn with_preloads(page: &str, names: &[String]) -> String {
    let now = names.iter().filter(|name| name.ends_with(".js") && !LATER.iter().any(|later| name.starts_with(later)));
    let links = now.map(|name| format!("<link rel=\"modulepreload\" href=\"/a/{name}\">\n"));
    page.replace(PRELOADS, links.collect::<String>().trim_end())
}

/// The lines of a script without indentation, and without comments that have their lines to themselves: half of a script is
/// types for tools, which no browser reads.
fn without_comments(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut in_comment = false;
    for line in script.lines().map(str::trim) {
        let begins = line.starts_with("/**");
        let is_comment =
            in_comment || line.starts_with("//") || (begins && line.find("*/").is_none_or(|end| end + 2 == line.len()));
        in_comment = (in_comment || begins) && !line.contains("*/");
        if !is_comment && !line.is_empty() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().and_then(|extension| extension.to_str()).is_some_and(|e| SERVED.contains(&e)) {
            files.push(path);
        }
    }
    Ok(())
}
