//! The console in Chromium: each flow as a person goes it, held at every state to axe-core, both themes and two widths.
//! Pictures of the states go to `target/verify/console/`. What is not installed is a failure.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Options, Tool, browser_tools};
use std::path::{Path, PathBuf};

/// Names of the folder that has many.
const NAMES: u32 = 5_000;

/// Folder of the tree.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Runs a script of `integration-tests/console` against a server.
fn script(cofre: &Cofre, name: &str, arguments: &[&str], prepare: impl FnOnce(Tool) -> Tool) -> Result<()> {
    let shots = folder("target/verify/console");
    let tool = Tool::new("node").arg(folder("integration-tests/console").join(name)).args(arguments).for_server(cofre);
    let tool = tool
        .env("COFRE_CONSOLE_URL", &format!("http://{}", cofre.admin()))
        .env("COFRE_VERIFY_CONSOLE", &browser_tools().display().to_string())
        .env("COFRE_CONSOLE_SHOTS", &shots.display().to_string());
    let said = prepare(tool).run()?;
    // A script that checks nothing must not pass.
    ensure!(said.trim_end().ends_with(" checks passed") && !said.starts_with("0 "), "{said}");
    Ok(())
}

fn plain(name: &str) -> Result<()> {
    script(&Cofre::start(Options::new())?, name, &[], |tool| tool)
}

#[test]
fn a_session_is_for_its_own_page_alone() -> Result<()> {
    plain("sign_in.mjs")
}

#[test]
fn people_keep_move_share_and_bring_back_files() -> Result<()> {
    plain("files.mjs")
}

#[test]
fn nothing_of_a_stranger_runs() -> Result<()> {
    plain("hostile.mjs")
}

#[test]
fn operators_look_and_others_do_not() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    let other = cofre.create_account("other", "other@example.com")?.signer;
    script(&cofre, "operations.mjs", &[], |tool| {
        tool.env("OTHER_ACCESS_KEY_ID", &other.access_key).env("OTHER_SECRET_ACCESS_KEY", &other.secret_key)
    })
}

#[test]
fn operators_act_by_a_token_that_goes_when_they_leave() -> Result<()> {
    // What is paused and drained here is logged.
    let cofre = Cofre::start(Options::new())?;
    let token = std::fs::read_to_string(cofre.data().join("admin-token"))?;
    script(&cofre, "acting.mjs", &[], |tool| tool.env("ADMIN_TOKEN", token.trim()))
}

/// The browser is killed in the middle, and then the server.
#[test]
fn an_upload_goes_on_after_browser_and_server_were_killed() -> Result<()> {
    let mut cofre = Cofre::start(Options::new())?;
    script(&cofre, "uploads.mjs", &["begin"], |tool| tool)?;
    cofre.kill()?;
    cofre.start_again()?;
    script(&cofre, "uploads.mjs", &["resume"], |tool| tool)
}

#[test]
fn many_names_are_scrolled_and_jumped_to() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    cofre.send(cofre_harness::Request::new("PUT", "/many"))?;
    for number in 0..NAMES {
        let put = cofre_harness::Request::new("PUT", &format!("/many/name-{number:07}"));
        ensure!(cofre.send(put)?.status == 200, "name {number} is not put");
    }
    script(&cofre, "many.mjs", &[], |tool| tool.env("COFRE_CONSOLE_NAMES", &NAMES.to_string()))
}

/// The pages' JSDoc holds together, strictly, as TypeScript reads it.
#[test]
fn types_check() -> Result<()> {
    let home = Cofre::start(Options::new())?;
    let copy = home.folder().join("types");
    copy_all(&folder("admin-api/console"), &copy)?;
    // Packages are looked for upwards of the files that use them.
    std::os::unix::fs::symlink(browser_tools().join("node_modules"), copy.join("node_modules"))?;
    let said = Tool::new("node").arg("node_modules/typescript/bin/tsc").args(&["--project", "jsconfig.json"]);
    said.within(&copy).run().map(drop)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let goal = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &goal)?;
        } else {
            std::fs::copy(entry.path(), goal)?;
        }
    }
    Ok(())
}
