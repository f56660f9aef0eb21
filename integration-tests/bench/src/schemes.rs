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

/// Requests of each kind in one round.
const REQUESTS: usize = 8;

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
    let coded = Options::new().shards(6).args(&["--redundancy", "ec:4+2"]);
    let ways = [
        Way { name: "plain", cofre: plain()?, written: 1.0, encrypted: false },
        Way { name: "SSE-S3", cofre: plain()?, written: 1.0, encrypted: true },
        Way { name: "ec:4+2", cofre: Contender::started(coded)?, written: 1.5, encrypted: false },
    ];
    for way in &ways {
        make_bucket(&way.cofre)?;
    }
    let mut rates = vec![[Vec::new(), Vec::new()]; ways.len()];
    for _ in 0..rounds {
        for (way, rates) in ways.iter().zip(&mut rates) {
            // What one has written and not synced must not be the other's burden.
            ensure!(Command::new("sync").status()?.success(), "sync failed");
            rates[0].push(way.rate(&body, connections, Way::put)?);
            rates[1].push(way.rate(&body, connections, Way::get)?);
        }
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
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

impl Way {
    /// MiB a second.
    fn rate(&self, body: &Body, connections: usize, ask: fn(&Self, &Body, &str) -> Result<()>) -> Result<f64> {
        let clock = Clock::system();
        let began = clock.elapsed();
        let each = REQUESTS.div_ceil(connections);
        together(connections, |connection| {
            (0..each).try_for_each(|request| ask(self, body, &format!("large/{connection}-{request}")))
        })?;
        let took: Duration = clock.elapsed() - began;
        ensure!(!took.is_zero(), "it took {}", millis(took));
        Ok(mib((each * connections * LARGE_BYTES) as u64) / took.as_secs_f64())
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
