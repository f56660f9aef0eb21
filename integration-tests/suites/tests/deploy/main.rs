//! The files of `deploy/`, each as it is used, on machines to throw away. What is not installed is a failure.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Tool};
use std::path::{Path, PathBuf};

/// Folder of the tree.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Runs a script of `integration-tests/deploy`, which makes its machine and wants to be root for it.
fn script(name: &str, arguments: &[&str]) -> Result<()> {
    let binary = std::path::absolute(Cofre::binary())?;
    // Nor may it litter the tree.
    let tool = Tool::python("python").arg("-B").arg(folder("integration-tests/deploy").join(name)).args(arguments);
    let said = tool.env("COFRE_BIN", &binary.display().to_string()).run()?;
    // A script that checks nothing must not pass.
    assert!(said.trim_end().ends_with("checks passed"), "{said}");
    Ok(())
}

#[test]
fn nginx_keeps_what_is_signed() -> Result<()> {
    script("proxies.py", &["nginx"])
}

#[test]
fn caddy_keeps_what_is_signed() -> Result<()> {
    script("proxies.py", &["caddy"])
}

#[test]
fn haproxy_keeps_what_is_signed() -> Result<()> {
    script("proxies.py", &["haproxy"])
}

#[test]
fn haproxy_hands_tls_through() -> Result<()> {
    script("proxies.py", &["passthrough"])
}

/// By `X-Forwarded-For`.
#[test]
fn clients_are_seen_through_nginx() -> Result<()> {
    script("seen.py", &["nginx"])
}

/// By `X-Forwarded-For`, which Caddy sets without a word.
#[test]
fn clients_are_seen_through_caddy() -> Result<()> {
    script("seen.py", &["caddy"])
}

/// By PROXY v2, which says that they came by TLS.
#[test]
fn clients_are_seen_through_haproxy() -> Result<()> {
    script("seen.py", &["haproxy"])
}

/// By PROXY v2 before their TLS.
#[test]
fn clients_are_seen_through_haproxy_that_hands_tls_through() -> Result<()> {
    script("seen.py", &["passthrough"])
}

#[test]
fn restarts_behind_haproxy_fail_no_request() -> Result<()> {
    script("rolling.py", &[])
}

#[test]
fn units_start_in_their_sandbox() -> Result<()> {
    script("unit.py", &[])
}

#[test]
fn image_starts_on_folders_of_anyone() -> Result<()> {
    script("image.py", &[])
}

#[test]
fn stores_of_older_releases_are_read() -> Result<()> {
    script("upgrade.py", &[])
}

/// The image does the same in `image.py`.
#[test]
fn stores_of_older_releases_are_read_by_the_unit() -> Result<()> {
    script("upgrade.py", &["unit"])
}

#[test]
fn chart_makes_what_kubernetes_takes() -> Result<()> {
    script("charts.py", &[])
}

#[test]
fn dashboard_and_rules_ask_for_what_there_is() -> Result<()> {
    script("metrics.py", &[])
}

/// Every page and README.md, each on a machine of its own.
#[test]
fn pages_do_what_they_say() -> Result<()> {
    let mut pages = vec!["README".to_owned()];
    for entry in std::fs::read_dir(folder("deploy/docs"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).context("a name")?;
        pages.push(name.to_owned());
    }
    ensure!(pages.len() > 1, "no pages: {pages:?}");
    pages.sort();
    pages.iter().try_for_each(|page| script("pages.py", &[page.as_str()]).with_context(|| format!("{page}.md")))
}
