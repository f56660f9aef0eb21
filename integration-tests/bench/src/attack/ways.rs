//! The attacks, in the order in which they run.

use super::attacker::{Attacker, DRIP, OWN, THREADS, wait};
use super::{noise, storage};
use crate::workload::BUCKET;
use anyhow::{Context, Result};
use cofre_harness::http2::Http2;
use cofre_harness::{Connection, Fill, Payload, Request, Signer, sha256_hex};
use std::sync::atomic::{AtomicBool, Ordering};

/// Connections that are held open where that is the attack.
const HELD: usize = 400;
/// Streams of an HTTP/2 connection that are begun at once.
const STREAMS: usize = 128;

/// Memory of one request in flight at the most, in bytes, as `cofre serve --help` says of `--requests-max`.
pub const REQUEST_BYTES: u64 = 8 << 20;
/// Memory of one whose client is slow, in bytes, as it says there.
const SLOW_REQUEST_BYTES: u64 = 512 << 10;

/// What an attack must stay within.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Memory of each request in flight.
    pub request_bytes: u64,
    /// What the shard may take more; none where the attacker may store what it likes.
    pub disk_bytes: Option<u64>,
}

impl Bounds {
    /// Of requests that are answered as fast as can be, and that store nothing.
    const FAST: Self = Self { request_bytes: REQUEST_BYTES, disk_bytes: None };
    /// Of clients that are slow.
    const SLOW: Self = Self { request_bytes: SLOW_REQUEST_BYTES, disk_bytes: None };

    /// Of requests that store, below a quota.
    pub const fn of_disk(bytes: u64) -> Self {
        Self { request_bytes: REQUEST_BYTES, disk_bytes: Some(bytes) }
    }
}

/// One attack.
pub struct Way {
    pub name: &'static str,
    pub bounds: Bounds,
    pub prepare: fn(&Attacker<'_>) -> Result<()>,
    pub attack: fn(&Attacker<'_>, &AtomicBool) -> Result<()>,
    /// What is looked at when it is over, and what there is to tell of it.
    pub afterwards: fn(&Attacker<'_>) -> Result<String>,
}

impl Way {
    const fn new(name: &'static str, attack: fn(&Attacker<'_>, &AtomicBool) -> Result<()>) -> Self {
        Self { name, bounds: Bounds::FAST, prepare: nothing, attack, afterwards: answered }
    }

    const fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    const fn prepared(self, prepare: fn(&Attacker<'_>) -> Result<()>) -> Self {
        Self { prepare, ..self }
    }

    const fn told(self, afterwards: fn(&Attacker<'_>) -> Result<String>) -> Self {
        Self { afterwards, ..self }
    }
}

/// All of them.
pub const ALL: [Way; 14] = [
    Way::new("policy-variables", ask_for_variables).prepared(put_variables),
    Way::new("policy-patterns", delete_by_patterns).prepared(put_patterns),
    Way::new("anonymous-bodies", send_bodies).within(Bounds::SLOW).told(silent),
    Way::new("empty-parts", complete_of_nothing),
    Way::new("no-reading", read_nothing).prepared(put_large).within(Bounds::SLOW).told(silent),
    Way::new("slow-senders", drip).within(Bounds::SLOW).told(silent),
    Way::new("anonymous-flood", flood),
    Way::new("forged-signatures", forge),
    Way::new("over-quota", storage::overwrite).prepared(storage::make_small).within(storage::OF_SMALL),
    Way::new("refused-puts", storage::put_beyond).prepared(storage::make_full).within(storage::OF_FULL),
    Way::new("open-uploads", storage::begin_uploads),
    Way::new("bucket-records", storage::ask_of_buckets).prepared(storage::configure_buckets),
    Way::new("log-noise", noise::fill_log).prepared(noise::log_both).told(noise::dropped_lines),
    Way::new("config-changes", noise::configure).prepared(noise::keep_few_events).told(noise::operators_events),
];

fn nothing(_: &Attacker<'_>) -> Result<()> {
    Ok(())
}

fn silent(_: &Attacker<'_>) -> Result<String> {
    Ok(String::new())
}

fn answered(attacker: &Attacker<'_>) -> Result<String> {
    Ok(format!("; {} requests answered", attacker.answered()))
}

/// Holds what is begun, and begins more in place of what is refused.
fn hold<T>(stop: &AtomicBool, count: usize, begin: impl Fn() -> Result<T>) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let held: Vec<_> =
            (0..count).map_while(|_| if stop.load(Ordering::Relaxed) { None } else { begin().ok() }).collect();
        for _ in 0..10 {
            if !stop.load(Ordering::Relaxed) {
                std::thread::sleep(DRIP);
            }
        }
        drop(held);
    }
    wait(stop);
    Ok(())
}

/// As many variables as a policy may have, for a header as long as a head may have.
fn put_variables(attacker: &Attacker<'_>) -> Result<()> {
    let resource = "${aws:UserAgent}".repeat(120);
    let resources: Vec<String> = (0..9).map(|i| format!("\"arn:aws:s3:::{OWN}/{i}{resource}\"")).collect();
    let resources = resources.join(",");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":[{resources}]}}]}}"#
    );
    put_policy(attacker, &policy)
}

fn put_policy(attacker: &Attacker<'_>, policy: &str) -> Result<()> {
    attacker.succeed(Request::new("PUT", &format!("/{OWN}?policy")).body(policy)).map(drop)
}

fn ask_for_variables(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let agent = "a".repeat(8_000);
    attacker.repeat(stop, |_| attacker.request("GET", &format!("/{OWN}/k")).header("user-agent", &agent))
}

/// As many stars as a policy may have, for a header that nearly fits each.
fn put_patterns(attacker: &Attacker<'_>) -> Result<()> {
    let patterns: Vec<String> = (0..9).map(|i| format!("\"{}b{i}\"", "*a".repeat(1_000))).collect();
    let patterns = patterns.join(",");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::{OWN}/*","Condition":{{"StringLike":{{"aws:UserAgent":[{patterns}]}}}}}}]}}"#
    );
    put_policy(attacker, &policy)
}

fn delete_by_patterns(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let agent = "a".repeat(8_000);
    let keys: String = (0..1_000).map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    let body = format!("<Delete>{keys}</Delete>");
    let digest = cofre_harness::sha256_base64(body.as_bytes());
    attacker.repeat(stop, |_| {
        attacker
            .request("POST", &format!("/{OWN}?delete"))
            .header("user-agent", &agent)
            .header("x-amz-checksum-sha256", &digest)
            .body(body.clone())
    })
}

/// Streams of anonymous requests whose bodies are gathered.
fn send_bodies(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let piece = vec![b' '; 64 << 10];
    hold(stop, THREADS, || {
        let mut client = Http2::over(attacker.socket()?)?;
        let request = attacker.request("POST", &format!("/{BUCKET}?delete")).header("content-length", "6291456");
        let streams = (0..STREAMS).map(|_| client.request(&request, false)).collect::<Result<Vec<_>>>()?;
        for stream in streams {
            client.data(stream, &piece, false)?;
        }
        Ok(client)
    })
}

fn complete_of_nothing(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let begun = attacker.succeed(Request::new("POST", &format!("/{OWN}/k?uploads")))?;
    let upload = begun.element("UploadId").context("an upload")?;
    let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", "<Part></Part>".repeat(300_000));
    let sha256 = sha256_hex(body.as_bytes());
    attacker.repeat(stop, |_| {
        let request = attacker.request("POST", &format!("/{OWN}/k?uploadId={upload}"));
        attacker.sign_hashed(request.body(body.clone()), &sha256)
    })
}

fn put_large(attacker: &Attacker<'_>) -> Result<()> {
    attacker.succeed(Request::new("PUT", &format!("/{OWN}/large")).body(Fill(3).bytes(32 << 20))).map(drop)
}

fn read_nothing(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let request = || attacker.sign(attacker.request("GET", &format!("/{OWN}/large")));
    hold(stop, HELD, || {
        let mut connection = attacker.connect()?;
        connection.send(&request())?;
        Ok(connection)
    })
}

fn drip(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let begin = |number: usize| {
        let mut connection = attacker.connect()?;
        if number.is_multiple_of(2) {
            connection.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")?;
        } else {
            let request = attacker.request("PUT", &format!("/{OWN}/slow")).header("content-length", "1000000");
            connection.write(attacker.signer.sign(request, Payload::Unsigned).head().as_bytes())?;
        }
        anyhow::Ok(connection)
    };
    let mut held = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        held.retain_mut(|connection: &mut Connection| connection.write(b"x").is_ok());
        while held.len() < 4 * HELD && !stop.load(Ordering::Relaxed) {
            match begin(held.len()) {
                Ok(connection) => held.push(connection),
                Err(_) => break,
            }
        }
        std::thread::sleep(DRIP);
    }
    Ok(())
}

fn flood(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    attacker.repeat(stop, |turn| attacker.request("GET", &format!("/{BUCKET}/{turn}")))
}

fn forge(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let forger = Signer::new(&attacker.signer.access_key, "a secret that is not the one of this key");
    attacker.repeat(stop, |turn| forger.sign(attacker.request("GET", &format!("/{BUCKET}/{turn}")), Payload::Signed))
}
