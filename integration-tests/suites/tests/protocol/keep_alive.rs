//! A request that is refused before its body is read, and the next one on its connection.

use anyhow::{Result, ensure};
use cofre_harness::http2::{Http2, kind};
use cofre_harness::{Cofre, Connection, Fill, Options, Payload, Request, Response};
use cofre_suites::{get, path, put, succeeded, with_bucket};
use std::time::Duration;

/// Rounds on connections that are kept alive.
const ROUNDS: usize = 50;

/// A PUT whose signature is wrong.
fn forged(cofre: &Cofre, length: usize) -> Request {
    let mut request =
        put("refused", b"").header("host", &cofre.s3().to_string()).header("content-length", &length.to_string());
    request = cofre.signer().sign(request, Payload::Unsigned);
    for (name, value) in &mut request.headers {
        if name == "authorization" {
            let forged = if value.ends_with('0') { '1' } else { '0' };
            value.pop();
            value.push(forged);
        }
    }
    request
}

fn read(cofre: &Cofre, connection: &mut Connection) -> Result<()> {
    let request = get("object").header("host", &cofre.s3().to_string());
    let response = succeeded(connection.exchange(&cofre.signer().sign(request, Payload::Signed))?)?;
    ensure!(response.body == b"hello", "another answer: {}", response.text());
    Ok(())
}

fn says_close(response: &Response) -> bool {
    response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}

fn connect(cofre: &Cofre) -> Result<Connection> {
    let connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(Duration::from_secs(12))?;
    Ok(connection)
}

#[test]
fn a_refusal_leaves_a_connection_that_serves_or_says_that_it_closes() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"hello"))?)?;
    let mut connection = connect(&cofre)?;
    for round in 0..ROUNDS {
        for length in [1, 5, 4_096, 60_000, 300_000, 8 << 20] {
            let body = Fill(1).bytes(length);
            let request = forged(&cofre, length);
            connection.write(request.head().as_bytes())?;
            // Half of the rounds the head comes alone.
            if round % 2 == 0 {
                std::thread::yield_now();
            }
            // The server may have answered and closed before all of a large body is through.
            let sent = connection.write(&body);
            let response = connection.response(false)?;
            ensure!(response.status == 403, "{length}: {} {}", response.status, response.text());
            if says_close(&response) {
                ensure!(length > 60_000, "a rest of {length} bytes is worth reading");
                ensure!(connection.is_closed(), "it said that it closes");
                connection = connect(&cofre)?;
            } else {
                sent?;
            }
            read(&cofre, &mut connection)?;
        }
    }
    Ok(())
}

#[test]
fn a_refusal_before_100_continue_says_that_it_closes() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"hello"))?)?;
    for _ in 0..ROUNDS {
        let mut connection = connect(&cofre)?;
        // One that is taken is told to go on, and the connection serves on.
        let request = Request::new("PUT", &path("continued"))
            .header("host", &cofre.s3().to_string())
            .header("content-length", "5");
        let request = cofre.signer().sign(request, Payload::Unsigned).header("expect", "100-continue");
        connection.write(request.head().as_bytes())?;
        ensure!(connection.interim()? == 100, "it is told to go on");
        connection.write(b"12345")?;
        succeeded(connection.response(false)?)?;
        read(&cofre, &mut connection)?;

        let request = forged(&cofre, 5).header("expect", "100-continue");
        connection.write(request.head().as_bytes())?;
        ensure!(connection.interim()? == 403, "it is refused before its body");
        ensure!(connection.is_closed(), "nobody knows whether a body comes");
    }
    // A client that sends its body all the same is told too.
    let mut connection = connect(&cofre)?;
    let request = forged(&cofre, 5).header("expect", "100-continue");
    connection.write(request.head().as_bytes())?;
    connection.write(b"12345")?;
    let response = connection.response(false)?;
    ensure!(response.status == 403 && says_close(&response), "{response:?}");
    Ok(())
}

#[test]
fn requests_that_come_behind_a_refused_one_are_served() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"hello"))?)?;
    let mut connection = connect(&cofre)?;
    for _ in 0..ROUNDS {
        let next = get("object").header("host", &cofre.s3().to_string());
        let next = cofre.signer().sign(next, Payload::Signed);
        let bytes = format!("{}12345{}", forged(&cofre, 5).head(), next.head());
        connection.write(bytes.as_bytes())?;
        ensure!(connection.response(false)?.status == 403);
        ensure!(succeeded(connection.response(false)?)?.body == b"hello");
    }
    Ok(())
}

/// Takes frames until a stream's answer has ended, and gives its body.
fn answer(client: &mut Http2, stream: u32) -> Result<String> {
    let mut body = Vec::new();
    loop {
        let frame = client.frame()?;
        ensure!(!matches!(frame.kind, kind::RST_STREAM | kind::GOAWAY), "{frame:?}");
        if frame.stream == stream && matches!(frame.kind, kind::HEADERS | kind::DATA) {
            if frame.kind == kind::DATA {
                body.extend_from_slice(&frame.payload);
            }
            if frame.ends_stream() {
                return Ok(String::from_utf8_lossy(&body).into_owned());
            }
        }
    }
}

#[test]
fn a_stream_that_still_sends_is_not_reset_behind_its_answer() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"hello"))?)?;
    let host = cofre.s3().to_string();
    let signed = |request: Request, payload| cofre.signer().sign(request.header("host", &host), payload);
    let bytes = Fill(1).bytes(600 << 10);
    // Of a body without length more than a MiB is not held.
    for (request, code) in [
        (signed(Request::new("PUT", &path("long")), Payload::Unsigned), "MissingContentLength"),
        (Request::new("PUT", "/no-such-bucket/key").header("host", &host), "NoSuchBucket"),
        (Request::new("PUT", &path("key")).header("host", &host), "AccessDenied"),
    ] {
        let mut client = Http2::open(cofre.s3())?;
        // The windows of the server's settings count once they are acknowledged (RFC 9113, 6.5.3).
        let first = client.request(&signed(get("object"), Payload::Signed), true)?;
        ensure!(answer(&mut client, first)? == "hello", "{code}");
        let stream = client.request(&request, false)?;
        client.data(stream, &bytes, false)?;
        if code == "MissingContentLength" {
            // Credit for as much again.
            while client.frame()?.stream != stream {}
            client.data(stream, &bytes, false)?;
        }
        let refused = answer(&mut client, stream)?;
        ensure!(refused.contains(&format!("<Code>{code}</Code>")), "{code}: {refused}");
        // It may send on to the end, and the connection serves.
        client.data(stream, &bytes[..100 << 10], false)?;
        let next = client.request(&signed(get("object"), Payload::Signed), true)?;
        ensure!(answer(&mut client, next)? == "hello", "{code}");
        client.data(stream, b"the end", true)?;
        let last = client.request(&signed(get("object"), Payload::Signed), true)?;
        ensure!(answer(&mut client, last)? == "hello", "{code}");
    }
    Ok(())
}
