use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, Options, Request, Tool, until};
use cofre_suites::BUCKET;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Makes a certificate for loopback under this name, and moves it into place whole.
pub(crate) fn certificate(folder: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    Tool::new("openssl")
        .args(&["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(&["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(folder.join("new-key.pem"))
        .arg("-out")
        .arg(folder.join("new-cert.pem"))
        .run()?;
    std::fs::rename(folder.join("new-key.pem"), &key)?;
    std::fs::rename(folder.join("new-cert.pem"), &cert)?;
    Ok((cert, key))
}

/// The name in the certificate that the server shows.
fn shown(cofre: &Cofre) -> Result<String> {
    let output = Tool::new("openssl").args(&["s_client", "-connect", &cofre.s3().to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let subject = text.lines().find_map(|line| line.strip_prefix("subject=")).context("a certificate")?;
    Ok(subject.rsplit('=').next().unwrap_or_default().trim().to_owned())
}

#[test]
fn certificates_are_read_again_when_they_change() -> Result<()> {
    let folder = DataDir::new()?;
    let (cert, key) = certificate(folder.path(), "first")?;
    let options =
        Options::new().args(&["--tls-cert", &cert.display().to_string(), "--tls-key", &key.display().to_string()]);
    let mut cofre = Cofre::start(options)?;
    assert_eq!(shown(&cofre)?, "first");

    let presign = |method: &str, target: &str| {
        let request = Request::new(method, target).header("host", &cofre.s3().to_string());
        format!("https://{}{}", cofre.s3(), cofre.signer().presign(request, Duration::from_secs(60)).target)
    };
    let curl = |version: &str, arguments: &[&str]| {
        let cert = cert.display().to_string();
        let arguments = [&["--silent", "--show-error", "--fail", "--cacert", &cert, version], arguments].concat();
        Tool::new("curl").args(&arguments).run()
    };
    curl("--http1.1", &["--request", "PUT", &presign("PUT", &format!("/{BUCKET}"))])?;
    let object = format!("/{BUCKET}/object");
    curl("--http2", &["--request", "PUT", "--data-binary", "sealed", &presign("PUT", &object)])?;
    for (version, number) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let said = curl(version, &["--write-out", " %{http_version}", &presign("GET", &object)])?;
        assert_eq!(said, format!("sealed {number}"));
    }

    certificate(folder.path(), "second")?;
    until("the new certificate is shown", Duration::from_secs(60), || Ok((shown(&cofre)? == "second").then_some(())))?;
    assert_eq!(curl("--http2", &[&presign("GET", &object)])?, "sealed");

    // Half a change must not take the listener down.
    cofre.log().expect("certificate");
    std::fs::write(&key, "no key")?;
    assert_eq!(shown(&cofre)?, "second");
    Ok(())
}

#[test]
fn a_key_that_others_may_read_is_refused() -> Result<()> {
    let folder = DataDir::new()?;
    let (cert, key) = certificate(folder.path(), "open")?;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640))?;
    let output = Command::new(Cofre::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .arg("--tls-cert")
        .arg(cert)
        .arg("--tls-key")
        .arg(&key)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && said.contains(&format!("chmod 600 {}", key.display())), "{said}");
    Ok(())
}
