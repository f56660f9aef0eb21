//! `cargo xtask dist`: the program as it is shipped, and the symbols and line tables of that very build beside it.
//!
//! `target/dist-split/cofre` is what `cargo build --release` makes; debuggers and `perf` find
//! `target/dist-split/cofre.debug` by its name in it, where both are in one directory.

use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// Builds and splits; gives whether the program came out.
pub fn run() -> Result<bool> {
    let build = [
        "build",
        "--profile",
        "dist",
        "--ignore-rust-version",
        "--locked",
        "--package",
        "cofre-server",
        "--bin",
        "cofre",
    ];
    run_in(&workspace::root(), "cargo", &build)?;
    let built = workspace::target().join("dist/cofre");
    let folder = workspace::target().join("dist-split");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let built = built.to_str().context("the path of the build is UTF-8")?;
    // The link to the symbols is by a name without a directory.
    run_in(&folder, "objcopy", &["--only-keep-debug", "--compress-debug-sections", built, "cofre.debug"])?;
    run_in(&folder, "objcopy", &["--strip-all", "--add-gnu-debuglink=cofre.debug", built, "cofre"])?;
    println!("{} and cofre.debug", folder.join("cofre").display());
    Ok(true)
}

fn run_in(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    let status = status.with_context(|| format!("{program} does not start; objcopy is of Debian's binutils"))?;
    ensure!(status.success(), "{program} {} failed", arguments.join(" "));
    Ok(())
}
