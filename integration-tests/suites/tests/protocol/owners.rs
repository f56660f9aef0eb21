//! A service of its own user, and one start as root. It takes root, as `cargo verify` does.

use anyhow::{Context, Result};
use cofre_harness::{Cofre, DataDir};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Who the service is: a user that owns nothing.
const USER: u32 = 60_417;

/// Starts a server for as long as it takes to be ready, as this user, on any ports.
fn start(user: u32, data: &Path) -> Result<Output> {
    let mut command = Command::new("setpriv");
    // What says how tests run is no setting.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"COFRE_")) {
        command.env_remove(name);
    }
    command
        .args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()])
        .arg(Cofre::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .current_dir("/")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("setpriv starts")?;
    let mut banner = std::io::BufReader::new(child.stdout.take().context("its output")?);
    let mut line = String::new();
    while std::io::BufRead::read_line(&mut banner, &mut line)? > 0 {
        if line.starts_with("  data ") {
            let killed = Command::new("kill").arg(child.id().to_string()).status()?;
            assert!(killed.success());
        }
        line.clear();
    }
    Ok(child.wait_with_output()?)
}

#[test]
fn a_start_as_another_user_names_the_files_and_what_gives_them_back() -> Result<()> {
    let folder = DataDir::new()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    chown(&data, Some(USER), Some(USER))?;
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let first = start(USER, &data)?;
    assert!(first.status.success(), "{}", said(&first));
    let root = start(0, &data)?;
    assert!(root.status.success(), "{}", said(&root));
    let warned = format!("chown -R {USER}:{USER} {}", data.display());
    assert!(said(&root).contains("WARN") && said(&root).contains(&warned), "{}", said(&root));

    let refused = start(USER, &data)?;
    let text = said(&refused);
    assert!(!refused.status.success());
    let roots_files = Command::new("find").arg(&data).args(["-user", "0", "-type", "f"]).output()?;
    let roots_files = String::from_utf8(roots_files.stdout)?;
    assert!(roots_files.lines().count() > 0, "a start as root makes files");
    for file in roots_files.lines().take(5) {
        assert!(text.contains(&format!("{file}  (the user 0's)")), "{file}: {text}");
    }
    assert!(text.contains(&format!("the user {USER}")) && text.contains(&warned), "{text}");

    let mended = Command::new("chown").args(["-R", &format!("{USER}:{USER}")]).arg(&data).status()?;
    assert!(mended.success());
    let again = start(USER, &data)?;
    assert!(again.status.success() && !said(&again).contains("WARN"), "{}", said(&again));
    Ok(())
}
