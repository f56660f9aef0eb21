//! What clients that send and do not read, or begin and do not end, hold of the server's memory.

use anyhow::{Context, Result, ensure};
use cofre_harness::http2::Http2;
use cofre_harness::{Cofre, Connection, Fill, Options, Payload, Request, until};
use cofre_suites::{BUCKET, get, put, succeeded, with_bucket};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// What all requests share, in bytes: long buffers of up to three shards, of reads over several, and documents.
const SHARED_BYTES: u64 = (3 * 32 + 64 + 64) * MIB;

/// What one request holds whose client is slow, as `cofre serve --help` says of `--requests-max`.
const SLOW_BYTES: u64 = MIB / 2;

/// More than the buffers of two sockets take.
const LARGE_BYTES: usize = 16 << 20;

/// Memory of the process now, in bytes.
fn rss(cofre: &Cofre) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", cofre.pid()?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: u64 = line.split_whitespace().next().context("a number")?.parse()?;
    Ok(kib << 10)
}

/// Holds `requests` in flight, which `begin` begins on as many `connections`, while memory is looked at.
fn hold<T>(cofre: &Cofre, connections: u64, requests: u64, begin: impl Fn() -> Result<T>) -> Result<()> {
    let idle = rss(cofre)?;
    let held: Vec<T> = (0..connections).map(|_| begin()).collect::<Result<_>>()?;
    let bound = idle + SHARED_BYTES + requests * SLOW_BYTES;
    // It holds at all times, also a while after everything has come that is to come.
    let mut most = 0;
    for _ in 0..30 {
        most = most.max(rss(cofre)?);
        std::thread::sleep(Duration::from_millis(100));
    }
    ensure!(most <= bound, "{} MiB in use, {} when idle, and the bound is {}", most / MIB, idle / MIB, bound / MIB);
    drop(held);
    until(
        "memory is given back",
        Duration::from_secs(60),
        || Ok((rss(cofre)? <= idle + SHARED_BYTES / 2).then_some(())),
    )
}

fn filled(options: Options) -> Result<Cofre> {
    let cofre = with_bucket(options)?;
    succeeded(cofre.send(put("large", &Fill(4).bytes(LARGE_BYTES)))?)?;
    succeeded(cofre.send(get("large"))?)?;
    Ok(cofre)
}

#[test]
fn readers_that_do_not_read_hold_little() -> Result<()> {
    let cofre = filled(Options::new())?;
    let request = || cofre.signer().sign(get("large").header("host", &cofre.s3().to_string()), Payload::Signed);
    hold(&cofre, 200, 200, || {
        let mut connection = Connection::open(cofre.s3())?;
        connection.send(&request())?;
        Ok(connection)
    })?;
    // As many streams of a connection as there may be.
    hold(&cofre, 16, 16 * 32, || {
        let mut connection = Http2::open(cofre.s3())?;
        for _ in 0..32 {
            connection.request(&request(), true)?;
        }
        Ok(connection)
    })
}

#[test]
fn readers_of_pieces_that_do_not_read_hold_little() -> Result<()> {
    let cofre = filled(Options::new().shards(3).args(&["--redundancy", "ec:2+1"]))?;
    hold(&cofre, 200, 200, || {
        let mut connection = Connection::open(cofre.s3())?;
        let request = get("large").header("host", &cofre.s3().to_string());
        connection.send(&cofre.signer().sign(request, Payload::Signed))?;
        Ok(connection)
    })
}

#[test]
fn writers_that_do_not_write_hold_little() -> Result<()> {
    let cofre = filled(Options::new())?;
    let sign = |request: Request, length: usize| {
        let request = request.header("host", &cofre.s3().to_string()).header("content-length", &length.to_string());
        cofre.signer().sign(request, Payload::Unsigned)
    };
    let body = Fill(5).bytes(700_000);
    hold(&cofre, 200, 200, || {
        let mut connection = Connection::open(cofre.s3())?;
        connection.write(sign(put("held", b""), 1 << 30).head().as_bytes())?;
        connection.write(&body)?;
        Ok(connection)
    })?;
    // Without a length a body is gathered.
    hold(&cofre, 200, 200, || {
        let request = put("held", b"").header("host", &cofre.s3().to_string()).header("transfer-encoding", "chunked");
        let mut connection = Connection::open(cofre.s3())?;
        connection.write(cofre.signer().sign(request, Payload::Unsigned).head().as_bytes())?;
        connection.write(b"100000\r\n")?;
        // Those that are refused are closed.
        let _ = connection.write(&body);
        Ok(connection)
    })?;
    let spaces = vec![b' '; 1 << 20];
    for signed in [true, false] {
        hold(&cofre, 200, 200, || {
            let delete = Request::new("POST", &format!("/{BUCKET}?delete"));
            let request = match signed {
                true => sign(delete, 6 << 20),
                false => delete.header("host", &cofre.s3().to_string()).header("content-length", "6291456"),
            };
            let mut connection = Connection::open(cofre.s3())?;
            connection.write(request.head().as_bytes())?;
            // Those that are refused are closed.
            let _ = connection.write(&spaces);
            Ok(connection)
        })?;
    }
    Ok(())
}
