//! `cargo xtask fuzz`: one target under libFuzzer, with the address sanitizer.

use crate::verify::install;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// The crate of the targets.
const CRATE: &str = "integration-tests/fuzz";

/// Runs `cargo fuzz` on the target that the first argument names; the others go to libFuzzer.
pub fn run(arguments: &[String]) -> Result<bool> {
    let Some((target, rest)) = arguments.split_first() else { bail!("which target? {CRATE}/fuzz_targets has them") };
    install::cargo_fuzz()?;
    let folder = workspace::target();
    let status = Command::new(folder.join("tools/bin/cargo-fuzz"))
        .args(["run", "--fuzz-dir", CRATE, "--features", "libfuzzer", "--target-dir"])
        .arg(folder.join("fuzz"))
        .arg(target)
        .arg("--")
        .args(rest)
        // The sanitizer is behind a flag that a stable compiler takes only so.
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(workspace::root())
        .status()
        .context("cargo-fuzz does not start")?;
    Ok(status.success())
}
