use anyhow::{Context, Result};
use cofre_harness::{Cofre, Connection, Fill, Options, Payload, Request, Tool, until};
use cofre_suites::{BUCKET, contents, get, path, put, succeeded, with_bucket};
use rustix::process::Signal;
use std::time::Duration;

/// Waits until a request is in flight: one of which nothing was read when draining begins is not begun.
fn until_under_way(cofre: &Cofre) -> Result<()> {
    until("the upload is under way", Duration::from_secs(20), || {
        let metrics = succeeded(cofre.send_admin(Request::new("GET", "/metrics"))?)?.text();
        Ok(metrics.lines().any(|line| line == "cofre_s3_requests_in_flight 1").then_some(()))
    })
}

#[test]
fn requests_in_flight_finish_after_sigterm() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    let body = Fill(3).bytes(8 << 20);
    let request =
        put("drained", b"").header("host", &cofre.s3().to_string()).header("content-length", &body.len().to_string());
    let mut upload = Connection::open(cofre.s3())?;
    upload.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
    let (first, rest) = body.split_at(1 << 20);
    upload.write(first)?;
    until_under_way(&cofre)?;

    cofre.signal(Signal::TERM)?;
    let s3 = cofre.s3();
    until("no new connections are taken", Duration::from_secs(20), || Ok(Connection::open(s3).is_err().then_some(())))?;
    upload.write(rest)?;
    succeeded(upload.response(false)?)?;
    let status = cofre.wait()?;
    assert!(status.success(), "{status}");

    cofre.start_again()?;
    assert!(contents(&cofre, "drained")?.is_some_and(|found| found == body), "what was acknowledged is gone");
    cofre.stop()
}

#[test]
fn health_turns_before_the_listener_closes() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    let live = |path: &str| Request::new("GET", path).header("host", "localhost");
    let mut admin = Connection::open(cofre.admin())?;
    assert_eq!(admin.exchange(&live("/health/live"))?.status, 200);
    assert_eq!(admin.exchange(&live("/health/ready"))?.status, 200);

    // An upload that hangs keeps the server draining.
    let request = put("held", b"").header("host", &cofre.s3().to_string()).header("content-length", "10");
    let mut upload = Connection::open(cofre.s3())?;
    upload.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
    upload.write(b"12345")?;
    until_under_way(&cofre)?;
    cofre.signal(Signal::TERM)?;
    let address = cofre.admin();
    until("health turns unready", Duration::from_secs(20), || {
        let answer = Connection::open(address).and_then(|mut admin| admin.exchange(&live("/health/ready")));
        Ok(answer.ok().filter(|response| response.status == 503))
    })?;
    upload.write(b"67890")?;
    succeeded(upload.response(false)?)?;
    assert!(cofre.wait()?.success());
    Ok(())
}

#[test]
fn http_2_works_without_tls() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"over two"))?)?;
    let request = Request::new("GET", &path("object")).header("host", &cofre.s3().to_string());
    let presigned = cofre.signer().presign(request, Duration::from_secs(60));
    let said = Tool::new("curl")
        .args(&["--silent", "--show-error", "--http2-prior-knowledge", "--write-out", " %{http_version} %{http_code}"])
        .arg(format!("http://{}{}", cofre.s3(), presigned.target))
        .run()?;
    assert_eq!(said, "over two 2 200");
    Ok(())
}

#[test]
fn a_bucket_can_stand_in_the_host() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--domain", "s3.example.test"]))?;
    succeeded(cofre.send(put("object", b"virtual"))?)?;
    let ask = |host: &str, target: &str| {
        let request = Request::new("GET", target).header("host", host);
        cofre.send_raw(&cofre.signer().sign(request, Payload::Signed))
    };
    let virtual_host = format!("{BUCKET}.s3.example.test");
    for (host, target) in [
        (virtual_host.as_str(), "/object"),
        (&format!("{virtual_host}:9000"), "/object"),
        ("s3.example.test", &path("object")),
        // A host that is no domain of ours means path style, and is no bucket.
        ("gateway", &path("object")),
        ("127.0.0.1", &path("object")),
    ] {
        assert_eq!(succeeded(ask(host, target)?).with_context(|| host.to_owned())?.body, b"virtual", "{host}");
    }
    Ok(())
}

#[test]
fn every_answer_can_be_found_in_the_log() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    for request in [get("missing"), put("object", b"x"), get("object"), Request::new("GET", "/no-such-bucket-here")] {
        let response = cofre.send(request)?;
        let id = response.header("x-amz-request-id").context("a request id")?.to_owned();
        assert!(response.header("x-amz-id-2").is_some(), "{response:?}");
        if response.status >= 400 {
            assert_eq!(response.element("RequestId").as_deref(), Some(id.as_str()));
        }
        let log = cofre.log();
        until("the request is in the log", Duration::from_secs(5), || Ok(log.text()?.contains(&id).then_some(())))?;
    }
    Ok(())
}

#[test]
fn small_answers_do_not_wait_for_an_acknowledgement() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", &Fill(1).bytes(4_096)))?)?;
    let mut connection = Connection::open(cofre.s3())?;
    let clock = cofre_runtime::Clock::system();
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let request = get("object").header("host", &cofre.s3().to_string());
        let begin = clock.elapsed();
        succeeded(connection.exchange(&cofre.signer().sign(request, Payload::Signed))?)?;
        fastest = fastest.min(clock.elapsed() - begin);
    }
    // Nagle's algorithm against a delayed acknowledgement makes each one 40 ms.
    assert!(fastest < Duration::from_millis(30), "the fastest of 20 took {fastest:?}");
    Ok(())
}
