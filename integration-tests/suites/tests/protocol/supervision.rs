//! What a service manager hands over, and what it is told.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, Options, Request, Tool};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

/// Longer than the watchdog of this test.
const PATIENCE: Duration = Duration::from_secs(60);

/// The next thing that is said.
fn next(socket: &UnixDatagram) -> Result<String> {
    let mut bytes = [0; 1_000];
    let length = socket.recv(&mut bytes).context("nothing is said")?;
    Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
}

#[test]
fn a_service_manager_is_told_how_it_goes() -> Result<()> {
    let folder = DataDir::new()?;
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let options = Options::new().env("NOTIFY_SOCKET", &path.display().to_string()).env("WATCHDOG_USEC", "1000000");
    let mut cofre = Cofre::start(options)?;
    let ready = next(&socket)?;
    ensure!(ready.lines().any(|line| line == "READY=1"), "{ready}");
    for _ in 0..3 {
        assert_eq!(next(&socket)?, "WATCHDOG=1\n");
    }
    cofre.stop()?;
    let stopping = loop {
        let said = next(&socket)?;
        if said != "WATCHDOG=1\n" {
            break said;
        }
    };
    let lines: Vec<_> = stopping.lines().collect();
    ensure!(lines.contains(&"STOPPING=1") && stopping.contains("EXTEND_TIMEOUT_USEC="), "{stopping}");
    Ok(())
}

#[test]
fn credentials_that_are_handed_over_are_used() -> Result<()> {
    let folder = DataDir::new()?;
    let (id, secret) = ("HANDEDOVERKEY0000001", "a-long-secret-that-nobody-guesses-1234");
    let (cert, key) = super::tls::certificate(folder.path(), "handed")?;
    std::fs::rename(cert, folder.path().join("tls-cert"))?;
    std::fs::rename(key, folder.path().join("tls-key"))?;
    for (name, text) in
        [("root-access-key-id", id), ("root-secret-access-key", secret), ("master-key", &"5a".repeat(32))]
    {
        std::fs::write(folder.path().join(name), format!("{text}\n"))?;
    }
    for file in std::fs::read_dir(folder.path())? {
        std::fs::set_permissions(file?.path(), Permissions::from_mode(0o400))?;
    }
    let directory = folder.path().display().to_string();
    let mut cofre = Cofre::start(Options::new().env("CREDENTIALS_DIRECTORY", &directory))?;
    assert_eq!((cofre.signer().access_key.as_str(), cofre.signer().secret_key.as_str()), (id, secret));
    ensure!(!cofre.data().join("master.key").exists(), "another master key was made");
    let presigned = cofre
        .signer()
        .presign(Request::new("GET", "/").header("host", &cofre.s3().to_string()), Duration::from_secs(60));
    Tool::new("curl")
        .args(&["--silent", "--show-error", "--fail", "--cacert", &format!("{directory}/tls-cert")])
        .arg(format!("https://{}{}", cofre.s3(), presigned.target))
        .run()?;

    // So is the token, by the client.
    std::fs::copy(cofre.data().join("admin-token"), folder.path().join("admin-token"))?;
    let health = Command::new(Cofre::binary())
        .args(["admin", "health", "--json"])
        .current_dir(folder.path())
        .env("COFRE_ADMIN_URL", format!("http://{}", cofre.admin()))
        .env("CREDENTIALS_DIRECTORY", &directory)
        .output()?;
    ensure!(health.status.success(), "{health:?}");

    // The same key opens what it sealed.
    cofre.stop()?;
    cofre.start_again()
}
