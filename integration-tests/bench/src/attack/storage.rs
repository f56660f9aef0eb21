//! Attacks on the disk: what a quota lets stand, and what is refused.

use super::attacker::{Attacker, OWN, THREADS};
use super::ways::Bounds;
use anyhow::Result;
use cofre_harness::{Fill, Request, sha256_base64, sha256_hex};
use std::sync::atomic::AtomicBool;

/// A bucket whose quota has room for two objects, and one whose quota has room for none.
const SMALL: &str = "attacker-small";
const FULL: &str = "attacker-full";

/// Bytes of an object.
const OBJECT_BYTES: u64 = 1 << 20;

/// The quota of the small bucket, in bytes, and how much of it may be in grace (`quotas.grace_multiple`).
const QUOTA_BYTES: u64 = 2 * OBJECT_BYTES;
const GRACE_MULTIPLE: u64 = 3;

/// What is being written when it is looked at: an object for each thread.
const IN_FLIGHT_BYTES: u64 = THREADS as u64 * OBJECT_BYTES;

/// Of writes to the small bucket.
pub const OF_SMALL: Bounds = Bounds::of_disk(QUOTA_BYTES * (1 + GRACE_MULTIPLE) + IN_FLIGHT_BYTES);

/// Of writes that are all refused.
pub const OF_FULL: Bounds = Bounds::of_disk(IN_FLIGHT_BYTES);

/// Buckets with long configurations.
const BUCKETS: u64 = 80;

/// Rules of each of them: just below the bound of a document.
const RULES: u64 = 700;

pub fn make_small(attacker: &Attacker<'_>) -> Result<()> {
    make(attacker, SMALL, QUOTA_BYTES)
}

pub fn make_full(attacker: &Attacker<'_>) -> Result<()> {
    make(attacker, FULL, 1)
}

fn make(attacker: &Attacker<'_>, bucket: &str, quota: u64) -> Result<()> {
    attacker.succeed(Request::new("PUT", &format!("/{bucket}")))?;
    attacker.cofre.admin(&["bucket", "quota", bucket, "--bytes", &quota.to_string()]).map(drop)
}

/// Overwrites two objects over and over: what was overwritten stands for its grace.
pub fn overwrite(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    put(attacker, SMALL, stop)
}

/// Puts what the quota has no room for.
pub fn put_beyond(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    put(attacker, FULL, stop)
}

fn put(attacker: &Attacker<'_>, bucket: &str, stop: &AtomicBool) -> Result<()> {
    let body = Fill(8).bytes(OBJECT_BYTES as usize);
    let sha256 = sha256_hex(&body);
    attacker.repeat(stop, |turn| {
        let request = attacker.request("PUT", &format!("/{bucket}/over-{}", turn % 2));
        attacker.sign_hashed(request.body(body.clone()), &sha256)
    })
}

/// Begins uploads that nobody completes, with as many headers as an object may have.
pub fn begin_uploads(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let text = "a".repeat(1_900);
    attacker.repeat(stop, |turn| {
        let request = attacker.request("POST", &format!("/{OWN}/upload-{turn}?uploads"));
        attacker.sign(request.header("x-amz-meta-text", &text).header("cache-control", &"b".repeat(5_000)))
    })
}

/// Makes buckets whose configurations are as long as they may be.
pub fn configure_buckets(attacker: &Attacker<'_>) -> Result<()> {
    let rules: String = (0..RULES)
        .map(|rule| {
            format!(
                "<Rule><ID>rule-{rule}</ID><Filter><Prefix>prefix-{rule}-{}/</Prefix></Filter><Status>Enabled</Status>\
                 <Expiration><Days>9</Days></Expiration></Rule>",
                "p".repeat(20)
            )
        })
        .collect();
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    let digest = sha256_base64(document.as_bytes());
    for number in 0..BUCKETS {
        attacker.succeed(Request::new("PUT", &format!("/{}", configured(number))))?;
        let request = Request::new("PUT", &format!("/{}?lifecycle", configured(number)));
        attacker.succeed(request.header("x-amz-checksum-sha256", &digest).body(document.clone()))?;
    }
    Ok(())
}

/// Asks of all of them in turns, so that their records are cached.
pub fn ask_of_buckets(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    attacker.repeat(stop, |turn| attacker.sign(attacker.request("HEAD", &format!("/{}", configured(turn % BUCKETS)))))
}

fn configured(number: u64) -> String {
    format!("attacker-configured-{number}")
}
