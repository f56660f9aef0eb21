//! Certificates from Debian's Pebble, which is a small authority that speaks ACME.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, Options, Request, Tool, until};
use cofre_suites::{BUCKET, path};
use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Name of the server; Pebble is told by a DNS of its own where that is.
const NAME: &str = "s3.cofre.test";

/// The longest until the authority has made a certificate: it is asked again seconds after it could not be reached.
const CERTIFICATE_MAX: Duration = Duration::from_secs(120);

/// How long a certificate is good that is to be renewed soon, in seconds.
const SHORT_LIFE_SECS: u64 = 24;

/// Requests that must have been answered while the certificate was renewed, or the test shows nothing.
const ANSWERED_MIN: usize = 50;

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program itself, and not below another that would be killed in its stead.
fn start(command: &mut Command, log: &Path) -> Result<Process> {
    let log = File::create(log)?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let started = command.spawn();
    Ok(Process(started.with_context(|| format!("{} does not start", command.get_program().display()))?))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Where an authority is to be, and what it is made of.
struct Authority {
    folder: DataDir,
    port: u16,
    management: u16,
    dns: u16,
    records: u16,
    cert: String,
}

impl Authority {
    fn new() -> Result<Self> {
        let folder = DataDir::new()?;
        let cert = folder.path().join("pebble.pem").display().to_string();
        Tool::new("openssl")
            .args(&[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ])
            .args(&["-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(&["-addext", "basicConstraints=critical,CA:FALSE", "-out", &cert, "-keyout"])
            .arg(folder.path().join("pebble.key"))
            .run()?;
        let ports = [free_port()?, free_port()?, free_port()?, free_port()?];
        let [port, management, dns, records] = ports;
        Ok(Self { folder, port, management, dns, records, cert })
    }

    /// What Cofre is told of it.
    fn options(&self, arguments: &[&str]) -> Options {
        let directory = format!("https://127.0.0.1:{}/dir", self.port);
        Options::new()
            .args(&["--acme-directory", &directory, "--acme-ca-file", &self.cert, "--acme-contact", "ops@cofre.test"])
            .args(arguments)
    }

    /// Starts it. It looks for proofs at these ports.
    fn start(&self, http: u16, tls: u16, life_secs: u64) -> Result<[Process; 2]> {
        let config = self.folder.path().join("pebble.json");
        let text = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.port),
            "managementListenAddress": format!("127.0.0.1:{}", self.management),
            "certificate": self.cert,
            "privateKey": self.folder.path().join("pebble.key"),
            "httpPort": http,
            "tlsPort": tls,
            "certificateValidityPeriod": life_secs,
        }});
        fs::write(&config, text.to_string())?;
        let dns = format!("127.0.0.1:{}", self.dns);
        let records = start(
            Command::new("pebble-challtestsrv")
                .args(["-dns01", &dns, "-management", &format!("127.0.0.1:{}", self.records)])
                .args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]),
            &self.folder.path().join("dns.log"),
        )?;
        let pebble = start(
            Command::new("pebble")
                .args(["-config", &config.display().to_string(), "-dnsserver", &dns])
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_AUTHZREUSE", "0"),
            &self.folder.path().join("pebble.log"),
        )?;
        Ok([pebble, records])
    }

    /// A hook that puts records into its DNS, and notes how it was called.
    fn hook(&self) -> Result<String> {
        let hook = self.folder.path().join("hook");
        let text = format!(
            "#!/bin/sh\nset -e\necho \"$1 $2\" >> {notes}\nenv | grep ^COFRE_ >> {notes} || true\n\
             case \"$1\" in\n\
             present) curl -sf -d '{{\"host\":\"'\"$2\"'.\",\"value\":\"'\"$3\"'\"}}' http://127.0.0.1:{records}/set-txt ;;\n\
             cleanup) curl -sf -d '{{\"host\":\"'\"$2\"'.\"}}' http://127.0.0.1:{records}/clear-txt ;;\n\
             *) exit 1 ;;\nesac\n",
            notes = self.folder.path().join("notes").display(),
            records = self.records
        );
        fs::write(&hook, text)?;
        fs::set_permissions(&hook, Permissions::from_mode(0o755))?;
        Ok(hook.display().to_string())
    }

    /// The certificate that all others come from, in a file.
    fn root(&self) -> Result<String> {
        let root = self.folder.path().join("root.pem").display().to_string();
        let url = format!("https://127.0.0.1:{}/roots/0", self.management);
        Tool::new("curl").args(&["--silent", "--fail", "--cacert", &self.cert, "--output", &root, &url]).run()?;
        Ok(root)
    }
}

/// The serial number of the certificate that is shown for a name.
fn serial(cofre: &Cofre, name: &str) -> Result<String> {
    let connect = ["s_client", "-connect", &cofre.s3().to_string(), "-servername", name];
    let shown = Tool::new("openssl").args(&connect).output()?;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let from = text.find("-----BEGIN CERTIFICATE-----").context("a certificate is shown")?;
    let pem = cofre.folder().join("shown.pem");
    fs::write(&pem, &text[from..])?;
    Tool::new("openssl").args(&["x509", "-noout", "-serial", "-in", &pem.display().to_string()]).run()
}

/// Asks for health by a name, as a client that trusts `root` alone.
fn trusted(cofre: &Cofre, name: &str, root: &str) -> bool {
    let address = cofre.s3();
    Tool::new("curl")
        .args(&["--silent", "--fail", "--cacert", root])
        .args(&["--resolve", &format!("{name}:{}:{}", address.port(), address.ip())])
        .arg(format!("https://{name}:{}/-/health/live", address.port()))
        .run()
        .is_ok()
}

/// The worst that health says of the certificate.
fn verdict(cofre: &Cofre) -> Result<Option<(String, String)>> {
    let health = cofre.admin_command(&["health"])?;
    let verdicts = health["verdicts"].as_array().context("verdicts")?;
    let ours = verdicts.iter().find(|verdict| verdict["subject"] == "certificate");
    let text = |verdict: &serde_json::Value, field: &str| verdict[field].as_str().unwrap_or_default().to_owned();
    Ok(ours.map(|verdict| (text(verdict, "severity"), text(verdict, "message"))))
}

#[test]
fn a_certificate_is_had_once_the_authority_is_there_and_renewed_under_load() -> Result<()> {
    let authority = Authority::new()?;
    let mut cofre = Cofre::start(authority.options(&["--acme-domain", NAME]))?;
    cofre.log().expect("no certificate has been had from");
    let own = serial(&cofre, NAME)?;
    let (severity, message) = until("health tells it", CERTIFICATE_MAX, || verdict(&cofre))?;
    ensure!(severity == "critical" && message.contains("self-signed") && message.contains("443"), "{message}");
    let metrics = cofre.send_admin(Request::new("GET", "/metrics"))?.text();
    let since = metrics.lines().find_map(|line| line.strip_prefix("cofre_acme_failing_since_timestamp_seconds "));
    ensure!(since.is_some_and(|since| since.parse::<f64>().is_ok_and(|since| since > 1e9)), "{since:?}");

    let processes = authority.start(free_port()?, cofre.s3().port(), SHORT_LIFE_SECS)?;
    let first = until("the first certificate", CERTIFICATE_MAX, || {
        Ok(Some(serial(&cofre, NAME)?).filter(|serial| *serial != own))
    })?;
    let root = authority.root()?;
    ensure!(trusted(&cofre, NAME, &root), "the certificate is none of the authority's");
    until("health is well", CERTIFICATE_MAX, || Ok(verdict(&cofre)?.is_none().then_some(())))?;
    for file in ["account.json", "certificate.json"] {
        let mode = fs::metadata(cofre.data().join("acme").join(file))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let urls = urls(&cofre)?;
    std::thread::scope(|scope| {
        let load = || -> Result<()> {
            while !over.load(Ordering::Relaxed) {
                // One connection for all of them, and another in the next round.
                let get = ["--silent", "--show-error", "--fail", "--insecure"];
                let said =
                    Tool::new("curl").args(&get).args(&urls.iter().map(String::as_str).collect::<Vec<_>>()).run()?;
                ensure!(said == "kept".repeat(urls.len()), "{said}");
                answered.fetch_add(urls.len(), Ordering::Relaxed);
            }
            Ok(())
        };
        let clients = [scope.spawn(load), scope.spawn(load)];
        let renewed = until("a renewal", CERTIFICATE_MAX, || {
            Ok((serial(&cofre, NAME)? != first && answered.load(Ordering::Relaxed) >= ANSWERED_MIN).then_some(()))
        });
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("a client does not panic")?;
        }
        renewed
    })?;
    ensure!(trusted(&cofre, NAME, &root), "the renewed certificate is none of the authority's");

    // The authority dies. The old certificate is shown, even by the next start, and health says that it is not renewed.
    drop(processes);
    let (_, message) = until("health tells it", CERTIFICATE_MAX, || verdict(&cofre))?;
    ensure!(message.contains("the one that is shown"), "{message}");
    let last = serial(&cofre, NAME)?;
    cofre.stop()?;
    cofre.start_again()?;
    assert_eq!(serial(&cofre, NAME)?, last);
    Ok(())
}

/// Addresses of one object, each signed; the object is put.
fn urls(cofre: &Cofre) -> Result<Vec<String>> {
    let presign = |method: &str, target: &str| {
        let request = Request::new(method, target).header("host", &cofre.s3().to_string());
        format!("https://{}{}", cofre.s3(), cofre.signer().presign(request, Duration::from_secs(600)).target)
    };
    let put = ["--silent", "--show-error", "--fail", "--insecure", "--request", "PUT"];
    Tool::new("curl").args(&put).arg(presign("PUT", &format!("/{BUCKET}"))).run()?;
    Tool::new("curl").args(&put).args(&["--data-binary", "kept"]).arg(presign("PUT", &path("object"))).run()?;
    Ok(vec![presign("GET", &path("object")); 10])
}

#[test]
fn http_proves_names_at_its_own_port_or_at_that_of_s3() -> Result<()> {
    for own in [true, false] {
        let authority = Authority::new()?;
        let port = free_port()?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string();
        let names = ["--acme-domain", NAME, "--acme-domain", "other.cofre.test", "--acme-challenge", "http-01"];
        let arguments = if own { [&names[..], &["--acme-http-listen", &listen]].concat() } else { names.to_vec() };
        let mut cofre = Cofre::start(authority.options(&arguments))?;
        cofre.log().expect("no certificate has been had from");
        let http = if own { port } else { cofre.s3().port() };
        let _processes = authority.start(http, free_port()?, 3_600)?;
        let root = until("the authority", CERTIFICATE_MAX, || Ok(authority.root().ok()))?;
        for name in [NAME, "other.cofre.test"] {
            until("a certificate", CERTIFICATE_MAX, || Ok(trusted(&cofre, name, &root).then_some(())))?;
        }
        ensure!(!trusted(&cofre, "third.cofre.test", &root), "nobody asked for that name");
    }
    Ok(())
}

#[test]
fn a_hook_proves_wildcards_in_the_dns() -> Result<()> {
    let authority = Authority::new()?;
    let hook = authority.hook()?;
    let arguments =
        ["--acme-domain", NAME, "--acme-domain", "*.s3.cofre.test", "--domain", NAME, "--acme-dns-hook", &hook];
    let _processes = authority.start(free_port()?, free_port()?, 3_600)?;
    let root = until("the authority", CERTIFICATE_MAX, || Ok(authority.root().ok()))?;
    let options = authority.options(&arguments).env("COFRE_MASTER_KEY", &"5a".repeat(32));
    let mut cofre = Cofre::start(options)?;
    cofre.log().expect("no certificate has been had from");
    until("a certificate", CERTIFICATE_MAX, || Ok(trusted(&cofre, NAME, &root).then_some(())))?;
    // There the path is an object's, which nobody may read.
    let host = format!("bucket.{NAME}:{}", cofre.s3().port());
    let asked = Tool::new("curl")
        .args(&["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", &root])
        .args(&["--resolve", &format!("{host}:{}", cofre.s3().ip()), &format!("https://{host}/key")])
        .run()?;
    ensure!(["403", "404"].contains(&asked.as_str()), "{asked}");
    let notes = fs::read_to_string(authority.folder.path().join("notes"))?;
    let calls = |verb: &str| notes.matches(&format!("{verb} _acme-challenge.{NAME}\n")).count();
    assert_eq!((calls("present"), calls("cleanup")), (2, 2), "{notes}");
    ensure!(!notes.contains("COFRE_"), "the hook sees secrets: {notes}");
    Ok(())
}
