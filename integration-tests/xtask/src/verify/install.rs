//! What the suites need and a machine may lack. Only what is missing is installed, and it is said.

use super::step::Log;
use crate::workspace;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian packages, by a program that tells whether one is there.
const DEBIAN: [(&str, &str); 25] = [
    ("buildah", "buildah"),
    ("caddy", "caddy"),
    ("chromium", "chromium"),
    ("crun", "crun"),
    ("curl", "curl"),
    ("dbus-daemon", "dbus"),
    ("fusermount3", "fuse3"),
    ("go", "golang-go"),
    ("haproxy", "haproxy"),
    ("ip", "iproute2"),
    ("mount", "mount"),
    ("nginx", "nginx"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("pebble", "pebble"),
    ("podman", "podman"),
    ("prometheus", "prometheus"),
    ("python3", "python3"),
    ("restic", "restic"),
    ("s3cmd", "s3cmd"),
    ("strip", "binutils"),
    ("systemd-analyze", "systemd"),
    ("systemd-nspawn", "systemd-container"),
    ("unshare", "util-linux"),
];
/// Python packages, pinned.
const REQUIREMENTS: &str = "integration-tests/clients/requirements.txt";
/// What makes Go clients of the admin API, pinned.
const OAPI_CODEGEN: &str = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2";
/// The programs of the Go and TypeScript clients of the admin API, with what they are built by, pinned.
const GENERATED: &str = "integration-tests/clients/generated";
/// What drives a browser through the console, and checks its types, pinned.
const BROWSER_TOOLS: &str = "admin-api/console/package.json";
/// What checks the chart of `deploy/helm`, pinned: programs, then modules that hold schemas of what it makes.
const CHART_PROGRAMS: [&str; 2] =
    ["helm.sh/helm/v3/cmd/helm@v3.18.6", "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"];
const CHART_SCHEMAS: [&str; 2] =
    ["k8s.io/cli-runtime@v0.33.3", "github.com/prometheus-operator/prometheus-operator@v0.83.0"];
/// Version of cargo-fuzz.
const CARGO_FUZZ: &str = "0.13.2";
/// Version of cargo-mutants.
const CARGO_MUTANTS: &str = "27.0.0";

/// Installs the programs of this list that are missing: those that a suite names.
pub fn debian(log: &mut Log, programs: &[&str]) -> Result<()> {
    let missing: Vec<&str> = DEBIAN
        .iter()
        .filter(|(program, _)| programs.contains(program) && !is_there(program))
        .map(|(_, p)| *p)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt(log, &missing)
}

fn apt(log: &mut Log, packages: &[&str]) -> Result<()> {
    println!("   installing Debian packages: {}", packages.join(" "));
    let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    // A fresh machine has no lists, and old ones name packages that are gone.
    let done = log.run("apt-get", &["update"], &quiet)? && log.run("apt-get", &install, &quiet)?;
    ensure!(done, "{} cannot be installed; it takes Debian, and root", packages.join(" "));
    Ok(())
}

/// Makes `target/verify-venv` what the requirements say. Gives its folder.
pub fn venv(log: &mut Log) -> Result<PathBuf> {
    let folder = workspace::target().join("verify-venv");
    let wanted = std::fs::read_to_string(workspace::root().join(REQUIREMENTS))?;
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    debian(log, &["python3"])?;
    let count = wanted.lines().filter(|line| line.contains("==")).count();
    println!("   installing {count} Python packages into {}", folder.display());
    make_venv(log, &folder)?;
    let pip = folder.join("bin/pip").display().to_string();
    let arguments = ["install", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    ensure!(log.run(&pip, &arguments, &[])?, "the Python packages cannot be installed");
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

fn make_venv(log: &mut Log, folder: &Path) -> Result<()> {
    let arguments = ["-m", "venv", "--clear", &folder.display().to_string()];
    // Debian keeps a part of the module in a package of its own.
    if !has_module("ensurepip") {
        apt(log, &["python3-venv"])?;
    }
    ensure!(log.run("python3", &arguments, &[])?, "no venv can be made in {}", folder.display());
    Ok(())
}

/// Makes `target/verify-generators` hold what makes clients of the admin API in Go and TypeScript; what makes them in
/// Python is a part of the venv. Gives its folder.
pub fn generators(log: &mut Log) -> Result<PathBuf> {
    let folder = workspace::target().join("verify-generators");
    let sources = workspace::root().join(GENERATED);
    let read = |name: &str| std::fs::read_to_string(sources.join(name));
    let wanted = [OAPI_CODEGEN.to_owned(), read("typescript/package.json")?, read("go/go.sum")?].concat();
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    debian(log, &["go", "node", "npm"])?;
    println!("   installing generators of clients into {}", folder.display());
    let typescript = folder.join("typescript");
    std::fs::create_dir_all(&typescript)?;
    std::fs::copy(sources.join("typescript/package.json"), typescript.join("package.json"))?;
    let bin = folder.join("bin").display().to_string();
    let (go, npm) = (sources.join("go").display().to_string(), typescript.display().to_string());
    let quiet = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", &npm];
    let done = log.run("go", &["install", OAPI_CODEGEN], &[("GOBIN", &bin)])?
        && log.run("go", &["-C", &go, "mod", "download"], &[])?
        && log.run("npm", &quiet, &[])?;
    ensure!(done, "the generators of clients cannot be installed");
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

/// Makes `target/verify-console` hold what drives a browser through the console, and checks its types. Gives its folder.
pub fn browser_tools(log: &mut Log) -> Result<PathBuf> {
    let folder = workspace::target().join("verify-console");
    let wanted = std::fs::read_to_string(workspace::root().join(BROWSER_TOOLS))?;
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    debian(log, &["node", "npm"])?;
    println!("   installing what drives a browser into {}", folder.display());
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), &wanted)?;
    let place = folder.display().to_string();
    let quiet = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", &place];
    ensure!(log.run("npm", &quiet, &[])?, "what drives a browser cannot be installed");
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

/// Makes `target/verify-charts` hold what checks the chart of `deploy/helm`. Gives its folder.
pub fn charts(log: &mut Log) -> Result<PathBuf> {
    let folder = workspace::target().join("verify-charts");
    let wanted = [CHART_PROGRAMS, CHART_SCHEMAS].concat().join("\n");
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    debian(log, &["go"])?;
    println!("   installing what checks charts into {}", folder.display());
    std::fs::create_dir_all(&folder)?;
    let bin = folder.join("bin").display().to_string();
    let mut done = log.run("go", &[&["mod", "download"], &CHART_SCHEMAS[..]].concat(), &[])?;
    for program in CHART_PROGRAMS {
        done = done && log.run("go", &["install", program], &[("GOBIN", &bin)])?;
    }
    ensure!(done, "what checks charts cannot be installed");
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

/// Installs cargo-fuzz; not a part of `cargo verify`.
pub fn cargo_fuzz() -> Result<()> {
    cargo_tool("cargo-fuzz", CARGO_FUZZ)
}

/// Installs cargo-mutants; not a part of `cargo verify`.
pub fn cargo_mutants() -> Result<()> {
    cargo_tool("cargo-mutants", CARGO_MUTANTS)
}

/// Installs a program into `target/tools`, which takes minutes.
fn cargo_tool(name: &str, version: &str) -> Result<()> {
    let tools = workspace::target().join("tools");
    if tools.join("bin").join(name).is_file() {
        return Ok(());
    }
    println!("installing {name} {version} into {}", tools.display());
    let root = tools.display().to_string();
    let mut log = Log::create(name)?;
    let arguments = ["install", "--locked", "--version", version, "--root", &root, name];
    ensure!(log.run("cargo", &arguments, &[])?, "{name} cannot be installed");
    Ok(())
}

fn has_module(name: &str) -> bool {
    succeeds(Command::new("python3").args(["-c", &format!("import {name}")]))
}

fn is_there(program: &str) -> bool {
    succeeds(Command::new("sh").args(["-c", "command -v \"$0\"", program]))
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
