//! `cargo xtask bench`: builds the release binaries and hands over to `cofre-bench`.

use crate::workspace;
use anyhow::{Context, Result};
use std::process::Command;

/// Builds `cofre` and `cofre-bench` in the release profile, then runs the latter with `arguments`.
pub fn run(arguments: &[String]) -> Result<bool> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--ignore-rust-version", "--package", "cofre-server", "--package", "cofre-bench"])
        .current_dir(workspace::root())
        .status()
        .context("cargo does not start")?;
    if !built.success() {
        return Ok(false);
    }
    let binaries = workspace::target().join("release");
    let status = Command::new(binaries.join("cofre-bench"))
        .args(arguments)
        .env("COFRE_BIN", binaries.join("cofre"))
        .status()
        .context("cofre-bench does not start")?;
    Ok(status.success())
}
