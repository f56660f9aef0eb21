use anyhow::{Context, Result};
use cofre_harness::{Cofre, Options, until};
use cofre_suites::{contents, put, succeeded, with_bucket};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

#[test]
fn the_first_start_makes_secrets_and_the_second_shows_none() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"kept"))?)?;
    let secret = cofre.signer().secret_key.clone();
    let token = std::fs::read_to_string(cofre.data().join("admin-token"))?.trim().to_owned();
    assert!(secret.len() >= 32 && token.len() >= 32, "secrets are long");
    for file in ["credentials", "admin-token"] {
        let mode = std::fs::metadata(cofre.data().join(file))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let key = cofre.signer().access_key.clone();
    let log = cofre.log();
    // Lines are written a moment after what they tell of.
    until("the first start is told", Duration::from_secs(20), || {
        Ok(Some(log.text()?).filter(|said| said.contains("the first start made") && said.contains(&key)))
    })?;

    cofre.stop()?;
    let before = cofre.log().text()?.len();
    cofre.start_again()?;
    assert_eq!(contents(&cofre, "object")?.as_deref(), Some(&b"kept"[..]));
    cofre.stop()?;
    let said = cofre.log().text()?.split_off(before);
    assert!(!said.contains(&secret) && !said.contains(&token), "a second start shows a secret");
    Ok(())
}

#[test]
fn secrets_of_two_servers_differ() -> Result<()> {
    let (one, other) = (Cofre::start(Options::new())?, Cofre::start(Options::new())?);
    assert_ne!(one.signer().access_key, other.signer().access_key);
    assert_ne!(one.signer().secret_key, other.signer().secret_key);
    Ok(())
}

#[test]
fn a_second_process_on_the_same_data_is_refused() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let output = Command::new(Cofre::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(cofre.data())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("in use"), "{said}");
    succeeded(cofre.send(put("object", b"still here"))?).map(drop)
}

#[test]
fn wrong_settings_are_named() -> Result<()> {
    for (arguments, field) in [
        (["--redundancy", "replicas:0"], "redundancy"),
        (["--redundancy", "replicas:3"], "redundancy"),
        (["--redundancy", "ec:1+1"], "redundancy"),
        (["--redundancy", "ec:4+2"], "redundancy"),
        (["--header-timeout-secs", "0"], "header"),
        (["--listen", "nowhere"], "listen"),
        (["--tls-cert", "/nowhere"], "tls"),
        (["--config", "/nowhere"], "/nowhere"),
    ] {
        let folder = cofre_harness::DataDir::new()?;
        let output = Command::new(Cofre::binary())
            .args(["serve", "--data"])
            .arg(folder.path().join("data"))
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"].iter().filter(|_| field != "listen"))
            .args(arguments)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success(), "{arguments:?} is taken");
        assert!(said.contains(field) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn a_shard_that_is_another_servers_is_refused() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(1))?;
    let shard = cofre.shards().remove(0);
    let folder = cofre_harness::DataDir::new()?;
    cofre.stop()?;
    let output = Command::new(Cofre::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .arg("--shard")
        .arg(&shard)
        .output()
        .context("cofre starts")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("shard"), "{said}");
    Ok(())
}
