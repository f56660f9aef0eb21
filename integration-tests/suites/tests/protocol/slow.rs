//! Clients that send or take a byte now and then.

use anyhow::{Context, Result, ensure};
use cofre_harness::http2::{Http2, kind};
use cofre_harness::{Cofre, Connection, Fill, Options, Payload, Request, until};
use cofre_suites::{BUCKET, contents, get, path, put, refused, succeeded, with_bucket};
use socket2::{Domain, Socket, Type};
use std::time::Duration;

/// Longer than what these tests set may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two bytes of a slow client, far below the time that a body may stand still.
const DRIP: Duration = Duration::from_millis(200);
/// More than the buffers of two sockets take.
const LARGE_BYTES: usize = 32 << 20;

fn timed() -> Options {
    Options::new().args(&["--body-timeout-secs", "1", "--body-rate-min", "1KiB"])
}

/// Sends a byte now and then until the server says something.
fn drip(connection: &mut Connection) -> Result<()> {
    for _ in 0..PATIENCE.as_millis() / DRIP.as_millis() {
        if connection.write(b"x").is_err() || connection.has_news(DRIP)? {
            return Ok(());
        }
    }
    anyhow::bail!("a client that sends a byte now and then is served for ever")
}

#[test]
fn a_body_that_drips_is_given_up() -> Result<()> {
    let cofre = with_bucket(timed())?;
    // Small ones are gathered, and large ones streamed.
    for length in [1_000, 10 << 20] {
        let mut slow = Connection::open(cofre.s3())?;
        let request =
            put("slow", b"").header("host", &cofre.s3().to_string()).header("content-length", &length.to_string());
        slow.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
        drip(&mut slow)?;
        refused(&slow.response(false)?, 400, "RequestTimeout").with_context(|| length.to_string())?;
        ensure!(contents(&cofre, "slow")?.is_none());
    }
    let mut slow = Connection::open(cofre.s3())?;
    let request = Request::new("POST", &format!("/{BUCKET}?delete"))
        .header("host", &cofre.s3().to_string())
        .header("content-length", "1000");
    slow.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
    drip(&mut slow)?;
    refused(&slow.response(false)?, 400, "RequestTimeout")
}

#[test]
fn a_head_that_drips_is_cut_off() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--header-timeout-secs", "1"]))?;
    for begun in ["", "GET / HTTP/1.1\r\nhost: a\r\nx-slow: "] {
        let mut slow = Connection::open(cofre.s3())?;
        slow.wait_at_most(PATIENCE)?;
        slow.write(begun.as_bytes())?;
        if !begun.is_empty() {
            drip(&mut slow)?;
        }
        ensure!(slow.is_closed(), "a head that is never whole holds its connection");
    }
    Ok(())
}

#[test]
fn a_body_at_the_least_rate_is_taken() -> Result<()> {
    let cofre = with_bucket(timed())?;
    let body = Fill(9).bytes(12 << 10);
    let request =
        put("steady", b"").header("host", &cofre.s3().to_string()).header("content-length", &body.len().to_string());
    let mut steady = Connection::open(cofre.s3())?;
    steady.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
    // Over six times as long as it may stand still.
    for piece in body.chunks(400) {
        ensure!(!steady.has_news(DRIP)?, "it is given up");
        steady.write(piece)?;
    }
    succeeded(steady.response(false)?)?;
    ensure!(contents(&cofre, "steady")?.is_some_and(|found| found == body));
    Ok(())
}

/// Unsent bytes in the kernel are none that a client took: with megabytes of them a slow client looks like a dead one.
#[test]
fn a_client_that_takes_its_answer_slowly_and_steadily_gets_all_of_it() -> Result<()> {
    const LENGTH: usize = 8 << 20;
    let cofre = with_bucket(timed())?;
    let body = Fill(4).bytes(LENGTH);
    succeeded(cofre.send(put("large", &body))?)?;
    let mut steady = narrow(&cofre, 64 << 10)?;
    let request = get("large").header("host", &cofre.s3().to_string());
    steady.send(&cofre.signer().sign(request, Payload::Signed))?;
    // Over six times as long as it may stand still.
    let (mut came, mut same, mut pauses) = (0, true, 0);
    steady.stream_response(false, |bytes| {
        same &= body.get(came..came + bytes.len()) == Some(bytes);
        came += bytes.len();
        if pauses < 30 && came > pauses * (20 << 10) {
            pauses += 1;
            std::thread::sleep(DRIP);
        }
    })?;
    ensure!(pauses == 30 && same && came == LENGTH, "{came} bytes");
    Ok(())
}

/// Waits until the server is done with a request for an object, as its log tells.
fn is_done(cofre: &mut Cofre, key: &str) -> Result<()> {
    let line = format!("\"path\":\"{}\"", path(key));
    let log = cofre.log();
    until("the request is given up", PATIENCE, || {
        let text = log.text()?;
        let mut lines = text.lines().filter(|entry| entry.contains(&line) && entry.contains("GetObject"));
        Ok(lines.next().map(|_| ()))
    })
}

#[test]
fn an_answer_that_nobody_takes_is_given_up() -> Result<()> {
    let mut cofre = with_bucket(timed())?;
    succeeded(cofre.send(put("large", &Fill(4).bytes(LARGE_BYTES)))?)?;
    let request = get("large").header("host", &cofre.s3().to_string());
    let mut idle = Connection::open(cofre.s3())?;
    idle.send(&cofre.signer().sign(request, Payload::Signed))?;
    is_done(&mut cofre, "large")?;
    let mut came = 0;
    ensure!(idle.stream_response(false, |bytes| came += bytes.len()).is_err(), "all {came} bytes came");
    Ok(())
}

#[test]
fn a_stream_that_gives_no_credit_is_reset_and_its_connection_is_not() -> Result<()> {
    let cofre = with_bucket(timed())?;
    succeeded(cofre.send(put("large", &Fill(4).bytes(1 << 20)))?)?;
    succeeded(cofre.send(put("small", b"small"))?)?;
    let mut client = Http2::open(cofre.s3())?;
    let sign = |key: &str| cofre.signer().sign(get(key).header("host", &cofre.s3().to_string()), Payload::Signed);
    let stalled = client.request(&sign("large"), true)?;
    loop {
        let frame = client.frame()?;
        ensure!(frame.kind != kind::GOAWAY, "the connection ends: {frame:?}");
        if frame.kind == kind::RST_STREAM {
            ensure!(frame.stream == stalled);
            break;
        }
    }
    // The first stream took all the credit of the connection.
    let head = cofre
        .signer()
        .sign(Request::new("HEAD", &path("small")).header("host", &cofre.s3().to_string()), Payload::Signed);
    let next = client.request(&head, true)?;
    loop {
        let frame = client.frame()?;
        if frame.stream == next {
            ensure!(frame.status() == Some(200), "{frame:?}");
            return Ok(());
        }
        ensure!(frame.kind != kind::GOAWAY, "the connection ends: {frame:?}");
    }
}

/// A connection whose client's system holds little of what it does not take.
fn narrow(cofre: &Cofre, bytes: usize) -> Result<Connection> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(bytes)?;
    socket.connect(&cofre.s3().into())?;
    Connection::over(socket.into())
}

#[test]
fn the_last_of_an_answer_does_not_idle_before_it_is_taken() -> Result<()> {
    const IDLE: Duration = Duration::from_secs(1);
    let mut cofre = with_bucket(Options::new().args(&["--idle-timeout-secs", "1"]))?;
    // The server is done with it while its client has taken little.
    let body = Fill(6).bytes(256 << 10);
    succeeded(cofre.send(put("last", &body))?)?;
    let request = get("last").header("host", &cofre.s3().to_string());
    let mut slow = narrow(&cofre, 4 << 10)?;
    slow.send(&cofre.signer().sign(request, Payload::Signed))?;
    is_done(&mut cofre, "last")?;
    std::thread::sleep(3 * IDLE);
    let taken = succeeded(slow.response(false)?)?;
    ensure!(taken.body == body, "{} of {} bytes", taken.body.len(), body.len());
    // Then it idles as any other.
    slow.wait_at_most(PATIENCE)?;
    ensure!(slow.is_closed(), "a connection that idles stays open");
    Ok(())
}
