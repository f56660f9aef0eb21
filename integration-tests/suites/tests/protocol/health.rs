//! A balancer asks the S3 API whether it should send requests there.

use anyhow::{Result, ensure};
use cofre_harness::{Cofre, Connection, DataDir, Options, Request, until};
use cofre_suites::{get, put, succeeded, with_bucket};
use rustix::process::Signal;
use std::process::Command;
use std::time::Duration;

const LIVE: &str = "/-/health/live";
const READY: &str = "/-/health/ready";

/// Longer than what these tests wait for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The status of an answer to who brings no token.
fn status(cofre: &Cofre, method: &str, path: &str, host: &str) -> Result<u16> {
    Ok(cofre.send_raw(&Request::new(method, path).header("host", host))?.status)
}

/// The exit code of `cofre health`, and what it says.
fn command(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let output = Command::new(Cofre::binary()).arg("health").args(arguments).env_clear().output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn health_is_told_without_a_token() -> Result<()> {
    let mut cofre = with_bucket(Options::new().args(&["--domain", "s3.example", "--website-domain", "web.example"]))?;
    for host in ["localhost", "s3.example", "s3.example:9000", "203.0.113.7"] {
        for path in [LIVE, READY] {
            assert_eq!(status(&cofre, "GET", path, host)?, 200, "{path} {host}");
            assert_eq!(status(&cofre, "HEAD", path, host)?, 200, "{path} {host}");
        }
    }
    // There it is the key of an object.
    for host in ["suite-bucket.s3.example", "suite-bucket.web.example"] {
        ensure!([403, 404].contains(&status(&cofre, "GET", READY, host)?), "{host}");
    }
    for (method, path) in [("PUT", "/-"), ("PUT", READY), ("GET", "/-/health"), ("POST", LIVE)] {
        ensure!((400..500).contains(&status(&cofre, method, path, "localhost")?), "{method} {path}");
    }
    let asked = cofre.send(Request::new("PUT", "/-"))?;
    assert_eq!((asked.status, asked.code().as_str()), (400, "InvalidBucketName"));
    let marked = Request::new("GET", "/after-health").header("host", "localhost");
    cofre.send_raw(&marked)?;
    let log = cofre.log();
    let text = until("a later request is logged", PATIENCE, || {
        Ok(Some(log.text()?).filter(|text| text.contains("/after-health")))
    })?;
    ensure!(!text.lines().any(|line| line.contains(LIVE) && line.contains("\"GET\"")), "health is logged");
    Ok(())
}

#[test]
fn who_is_about_to_end_is_not_ready_and_serves_on() -> Result<()> {
    let mut cofre = with_bucket(Options::new().args(&["--shutdown-delay-secs", "4"]))?;
    succeeded(cofre.send(put("object", b"kept"))?)?;
    let listen = cofre.s3().to_string();
    assert_eq!(command(&["--listen", &listen])?.0, Some(0));
    let mut kept = Connection::open(cofre.s3())?;
    let ready = Request::new("GET", READY).header("host", "localhost");
    assert_eq!(kept.exchange(&ready)?.status, 200);
    cofre.signal(Signal::TERM)?;
    until("it is not ready", PATIENCE, || Ok((kept.exchange(&ready)?.status == 503).then_some(())))?;
    assert_eq!(status(&cofre, "GET", READY, "localhost")?, 503);
    assert_eq!(status(&cofre, "GET", LIVE, "localhost")?, 200);
    assert_eq!(succeeded(cofre.send(get("object"))?)?.body, b"kept");
    let (code, said) = command(&["--listen", &listen])?;
    ensure!(code == Some(1) && said.contains("not ready"), "{code:?} {said}");
    assert_eq!(command(&["--live", "--listen", &listen])?.0, Some(0));
    ensure!(cofre.wait()?.success());
    let (code, said) = command(&["--listen", &listen])?;
    ensure!(code == Some(1) && said.contains("--listen"), "{code:?} {said}");
    Ok(())
}

#[test]
fn health_is_told_in_the_clear_where_tls_is_spoken() -> Result<()> {
    let folder = DataDir::new()?;
    let (cert, key) = super::tls::certificate(folder.path(), "health")?;
    let config = folder.path().join("cofre.toml");
    let cofre = Cofre::start(Options::new().args(&[
        "--tls-cert",
        &cert.display().to_string(),
        "--tls-key",
        &key.display().to_string(),
    ]))?;
    for path in [LIVE, READY] {
        assert_eq!(status(&cofre, "GET", path, "localhost")?, 200, "{path}");
        assert_eq!(status(&cofre, "HEAD", path, "localhost")?, 200, "{path}");
    }
    for path in ["/-/health", "/", "/bucket/object"] {
        assert_eq!(status(&cofre, "GET", path, "localhost")?, 400, "{path}");
    }
    // Where it listens may stand in a file or in the environment.
    std::fs::write(&config, format!("listen = \"{}\"\n", cofre.s3()))?;
    assert_eq!(command(&["--config", &config.display().to_string()])?.0, Some(0));
    let by_variable =
        Command::new(Cofre::binary()).arg("health").env("COFRE_LISTEN", cofre.s3().to_string()).status()?;
    ensure!(by_variable.success());
    Ok(())
}
