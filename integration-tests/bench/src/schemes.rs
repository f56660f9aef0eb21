//! 64 MiB in the clear, encrypted, and under an erasure code, in turns.

use crate::contender::Contender;
use crate::crowd::{make_bucket, together};
use crate::report::{mib, millis};
use crate::workload::{Body, LARGE_BYTES, path};
use anyhow::{Result, ensure};
use cofre_harness::{Connection, Options, Payload, Request};
use cofre_runtime::Clock;
use std::process::Command;
use std::time::Duration;

/// Objects that are written in one round.
const OBJECTS: usize = 8;
/// How often each of them is read in one round.
const READS: usize = 4;
/// What Cofre says while shards are gone.
const AWAY: [&str; 5] = ["a copy", "a piece", "pieces were not rebuilt", "a shard", "turned away"];

/// One request about an object.
type Ask = fn(&Way, &Body, &str) -> Result<()>;

/// A way to keep bytes.
struct Way {
    name: &'static str,
    cofre: Contender,
    /// Bytes written to disk for each byte of content.
    written: f64,
    encrypted: bool,
}

/// Measures `rounds` rounds of each way.
pub fn run(rounds: usize, connections: usize) -> Result<()> {
    let body = Body::new(9, LARGE_BYTES);
    let plain = || Contender::started(Options::new());
    let ways = [
        Way { name: "plain", cofre: plain()?, written: 1.0, encrypted: false },
        Way { name: "SSE-S3", cofre: plain()?, written: 1.0, encrypted: true },
        Way { name: "ec:4+2", cofre: Contender::started(coded())?, written: 1.5, encrypted: false },
    ];
    for way in &ways {
        make_bucket(&way.cofre)?;
    }
    let degraded = degraded(&body, connections)?;
    let mut rebuilt = Vec::new();
    let mut rates = vec![[Vec::new(), Vec::new()]; ways.len()];
    for _ in 0..rounds {
        for (way, rates) in ways.iter().zip(&mut rates) {
            // What one has written and not synced must not be the other's burden.
            ensure!(Command::new("sync").status()?.success(), "sync failed");
            rates[0].push(way.rate(&body, connections, 1, Way::put)?);
            rates[1].push(way.rate(&body, connections, READS, Way::get)?);
        }
        rebuilt.push(degraded.rate(&body, connections, READS, Way::get)?);
    }
    println!("64 MiB by {connections} connections, medians of {rounds} rounds");
    let medians: Vec<[f64; 2]> = rates.into_iter().map(|[put, get]| [median(put), median(get)]).collect();
    for (way, [put, get]) in ways.iter().zip(&medians) {
        let [plain_put, plain_get] = medians[0];
        println!(
            "{:<7} PUT {put:>5.0} MiB/s, {:.2} of plain ({:.2} by bytes written); GET {get:>5.0} MiB/s, {:.2} of plain",
            way.name,
            put / plain_put,
            put * way.written / plain_put,
            get / plain_get
        );
    }
    let (rebuilt, [_, healthy]) = (median(rebuilt), medians[2]);
    println!("{}: GET {rebuilt:.0} MiB/s, {:.2} of ec:4+2", degraded.name, rebuilt / healthy);
    Ok(())
}

/// Six shards with objects in pieces, of which two were removed.
fn degraded(body: &Body, connections: usize) -> Result<Way> {
    let cofre = Contender::started(coded())?;
    make_bucket(&cofre)?;
    // With the default a write waits for five of the six pieces, and the last may come after the shards are gone.
    cofre.admin(&["settings", "set", "writes.spares_min=2"])?;
    let mut way = Way { name: "ec:4+2 without two shards", cofre, written: 1.5, encrypted: false };
    way.rate(body, connections, 1, Way::put)?;
    way.cofre.remove_shards(&[1, 4], &AWAY)?;
    Ok(way)
}

fn coded() -> Options {
    Options::new().shards(6).args(&["--redundancy", "ec:4+2"])
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

impl Way {
    /// MiB a second.
    fn rate(&self, body: &Body, connections: usize, times: usize, ask: Ask) -> Result<f64> {
        let clock = Clock::system();
        let began = clock.elapsed();
        let each = OBJECTS.div_ceil(connections);
        together(connections, |connection| {
            let all = (0..times).flat_map(|_| 0..each);
            all.into_iter().try_for_each(|object| ask(self, body, &format!("large/{connection}-{object}")))
        })?;
        let took: Duration = clock.elapsed() - began;
        ensure!(!took.is_zero(), "it took {}", millis(took));
        Ok(mib((times * each * connections * LARGE_BYTES) as u64) / took.as_secs_f64())
    }

    fn put(&self, body: &Body, key: &str) -> Result<()> {
        let mut request = Request::new("PUT", &path(key))
            .header("host", &self.cofre.address.to_string())
            .header("content-length", &body.bytes.len().to_string());
        if self.encrypted {
            request = request.header("x-amz-server-side-encryption", "AES256");
        }
        let mut connection = Connection::open(self.cofre.address)?;
        connection.write(self.cofre.signer.sign(request, Payload::Unsigned).head().as_bytes())?;
        connection.write(&body.bytes)?;
        let response = connection.response(false)?;
        ensure!(response.status == 200, "PUT: {} {}", response.status, response.text());
        ensure!(response.header("x-amz-server-side-encryption").is_some() == self.encrypted, "{response:?}");
        Ok(())
    }

    fn get(&self, body: &Body, key: &str) -> Result<()> {
        let request = Request::new("GET", &path(key)).header("host", &self.cofre.address.to_string());
        let mut connection = Connection::open(self.cofre.address)?;
        connection.send(&self.cofre.signer.sign(request, Payload::Signed))?;
        let (mut offset, mut same) = (0, true);
        let response = connection.stream_response(false, |piece| {
            same &= body.bytes.get(offset..offset + piece.len()) == Some(piece);
            offset += piece.len();
        })?;
        ensure!(response.status == 200 && offset == LARGE_BYTES && same, "GET: {} {offset}", response.status);
        Ok(())
    }
}
