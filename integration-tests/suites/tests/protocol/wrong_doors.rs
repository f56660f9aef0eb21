//! Who comes to the wrong port, or in the wrong protocol, is told which setting mends it.

use anyhow::{Result, ensure};
use cofre_harness::{Cofre, Connection, DataDir, Options, Payload, Request, Tool};
use cofre_suites::{refused, with_bucket};
use std::process::Command;

#[test]
fn each_door_tells_the_clients_of_the_other_where_to_go() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    let (s3, admin) = (cofre.s3(), cofre.admin());
    let ask = |request: Request| Connection::open(admin)?.exchange(&request);
    let request = Request::new("GET", "/").header("host", &admin.to_string());
    for signed in [
        cofre.signer().sign(request.clone(), Payload::Signed),
        cofre.signer().presign(request.clone(), std::time::Duration::from_secs(60)),
    ] {
        let response = ask(signed)?;
        ensure!(response.status == 400 && response.code() == "InvalidRequest", "{response:?}");
        ensure!(response.text().contains("--listen") && response.text().contains(&s3.port().to_string()));
    }
    // A browser finds a page.
    let response = ask(request)?;
    ensure!(
        response.status == 200 && response.header("content-type") == Some("text/html; charset=utf-8"),
        "{response:?}"
    );
    ensure!(ask(Request::new("GET", "/docs/").header("host", &admin.to_string()))?.status == 200);

    // Who opens the S3 API in a browser is told where the console is; a program is refused as ever.
    let root = || Request::new("GET", "/").header("host", &s3.to_string());
    let page = cofre.send_raw(&root().header("accept", "text/html,*/*;q=0.8"))?;
    ensure!(page.status == 403 && page.header("content-type") == Some("text/html; charset=utf-8"), "{page:?}");
    ensure!(page.text().contains(&format!("http://{admin}/")), "{}", page.text());
    refused(&cofre.send_raw(&root().header("accept", "*/*"))?, 403, "AccessDenied")?;

    let token = Request::new("GET", "/v1/shards").header("host", &s3.to_string()).header("authorization", "Bearer x");
    let response = Connection::open(s3)?.exchange(&token)?;
    ensure!(response.status == 400 && response.text().contains("--admin-listen"), "{}", response.text());
    let said = admin_fails(&[("COFRE_ADMIN_URL", &format!("http://{s3}"))], &cofre, &[])?;
    ensure!(said.contains("COFRE_ADMIN_URL") && said.contains("--admin-listen"), "{said}");
    // Without credentials a request is S3's, whatever it asks for.
    let response = cofre.send_raw(&Request::new("GET", "/v1-of-mine/shards").header("host", &s3.to_string()))?;
    refused(&response, 404, "NoSuchBucket")
}

#[test]
fn tls_and_plain_http_say_so_of_each_other() -> Result<()> {
    let plain = with_bucket(Options::new())?;
    for (address, flag) in [(plain.s3(), "--tls-cert"), (plain.admin(), "--admin-tls-cert")] {
        let mut client = Connection::open(address)?;
        client.write(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")?;
        let response = client.response(false)?;
        ensure!(response.status == 400 && response.text().contains(flag), "{response:?}");
    }
    let said = admin_fails(&[("COFRE_ADMIN_URL", &format!("https://{}", plain.admin()))], &plain, &[])?;
    ensure!(said.contains("http://"), "{said}");

    let folder = DataDir::new()?;
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    Tool::new("openssl")
        .args(&["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(&[
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .run()?;
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let arguments = ["--tls-cert", &cert, "--tls-key", &key];
    let sealed = Cofre::start(Options::new().args(&arguments))?;
    let mut client = Connection::open(sealed.s3())?;
    client.send(&Request::new("GET", "/").header("host", "localhost"))?;
    let response = client.response(false)?;
    ensure!(response.status == 400 && response.code() == "InvalidRequest", "{response:?}");
    ensure!(response.text().contains("https://") && response.text().contains("--tls-cert"));
    ensure!(client.is_closed());

    // The port of S3 stands for one with TLS that the command line does not trust yet.
    let url = format!("https://{}", sealed.s3());
    let said = admin_fails(&[("COFRE_ADMIN_URL", &url)], &sealed, &[])?;
    ensure!(said.contains("--ca-file"), "{said}");
    let said = admin_fails(&[("COFRE_ADMIN_URL", &url)], &sealed, &["--ca-file", &cert])?;
    ensure!(said.contains("--admin-listen"), "with the certificate it gets through: {said}");
    Ok(())
}

/// What `cofre admin shard list` says when it fails.
fn admin_fails(variables: &[(&str, &str)], cofre: &Cofre, arguments: &[&str]) -> Result<String> {
    let output = Command::new(Cofre::binary())
        .args(["admin", "shard", "list"])
        .args(arguments)
        .env("COFRE_ADMIN_TOKEN_FILE", cofre.data().join("admin-token"))
        .envs(variables.iter().copied())
        .output()?;
    ensure!(!output.status.success(), "it works");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}
