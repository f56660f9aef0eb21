//! Attacks by noise: one tenant fills what tells of all.

use super::attacker::{Attacker, OWN};
use crate::workload::BUCKET;
use anyhow::{Context, Result, ensure};
use cofre_harness::Request;
use serde_json::Value;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Where the attacker's log goes, and the other client's.
const OWN_LOGS: &str = "attacker-logs";
const LOGS: &str = "bench-logs";

/// Bytes of a line of the attacker's log, and more.
const AGENT_BYTES: usize = 12_000;

/// The fewest events that may be kept.
const EVENTS_KEPT: u64 = 1_000;

/// The longest until old events are gone.
const TRIM_MAX: Duration = Duration::from_secs(120);

/// Has both clients' buckets logged.
pub fn log_both(attacker: &Attacker<'_>) -> Result<()> {
    attacker.succeed(Request::new("PUT", &format!("/{OWN_LOGS}")))?;
    attacker.succeed(Request::new("PUT", &format!("/{OWN_LOGS}?policy")).body(let_logs_in(OWN_LOGS)))?;
    attacker.succeed(Request::new("PUT", &format!("/{OWN}?logging")).body(to_logs(OWN_LOGS)))?;
    let cofre = attacker.cofre;
    cofre.send(Request::new("PUT", &format!("/{LOGS}")))?;
    cofre.send(Request::new("PUT", &format!("/{LOGS}?policy")).body(let_logs_in(LOGS)))?;
    cofre.send(Request::new("PUT", &format!("/{BUCKET}?logging")).body(to_logs(LOGS))).map(drop)
}

fn let_logs_in(bucket: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:PutObject","Principal":{{"Service":"logging.s3.amazonaws.com"}},"Resource":"arn:aws:s3:::{bucket}/*"}}}}"#
    )
}

fn to_logs(bucket: &str) -> String {
    format!(
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{bucket}</TargetBucket><TargetPrefix>log/</TargetPrefix>\
         </LoggingEnabled></BucketLoggingStatus>"
    )
}

/// Makes long lines, as many as can be.
pub fn fill_log(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    let agent = "a".repeat(AGENT_BYTES);
    attacker.repeat(stop, |turn| {
        attacker.sign(attacker.request("GET", &format!("/{OWN}/{turn}")).header("user-agent", &agent))
    })
}

/// Whose lines were dropped: by events, which come once a minute at the most.
pub fn dropped_lines(attacker: &Attacker<'_>) -> Result<String> {
    let dropped = attacker.cofre.metric("cofre_access_log_lines_dropped_total")?;
    let written = attacker.cofre.metric("cofre_access_log_lines_written_total")?;
    let events = events(attacker, "access_log.lines_dropped")?;
    let others = events.iter().filter(|event| event["subject"] != OWN).count();
    ensure!(others == 0, "lines of others were dropped: {events:?}");
    let cofre = attacker.cofre;
    cofre.send(Request::new("PUT", &format!("/{BUCKET}?logging")).body("<BucketLoggingStatus/>"))?;
    attacker.succeed(Request::new("PUT", &format!("/{OWN}?logging")).body("<BucketLoggingStatus/>"))?;
    Ok(format!("; {written} lines written, {dropped} dropped, of others none ({} events)", events.len()))
}

/// Keeps so few events that the attack would push out those of operators, if it could.
pub fn keep_few_events(attacker: &Attacker<'_>) -> Result<()> {
    let few = |name: &str| format!("timers.{name}={EVENTS_KEPT}");
    let settings = [few("events_keep_max"), few("operator_events_keep_max")];
    for setting in &settings {
        attacker.cofre.admin(&["settings", "set", setting])?;
    }
    Ok(())
}

/// Changes the configuration of its own bucket, to and fro.
pub fn configure(attacker: &Attacker<'_>, stop: &AtomicBool) -> Result<()> {
    attacker.repeat(stop, |turn| {
        let status = if turn % 2 == 0 { "Enabled" } else { "Suspended" };
        let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        attacker.sign(attacker.request("PUT", &format!("/{OWN}?versioning")).body(body))
    })
}

/// Whether what the operator did is still told.
pub fn operators_events(attacker: &Attacker<'_>) -> Result<String> {
    attacker.cofre.admin(&["job", "run", "trim-events"])?;
    cofre_harness::until("events of accounts are trimmed", TRIM_MAX, || {
        let first = page(attacker, &format!("kind=bucket.&limit={EVENTS_KEPT}"))?;
        let next = first["next"].as_str().unwrap_or_default();
        let more = page(attacker, &format!("kind=bucket.&limit={EVENTS_KEPT}&after={next}"))?;
        // Beside those of accounts there are a few of operators.
        Ok(items(&more)?.len().lt(&100).then_some(()))
    })?;
    let made = events(attacker, "account.created")?;
    let told = made.iter().any(|event| event.to_string().contains(OWN));
    ensure!(told, "that the operator made the account is no longer told: {made:?}");
    Ok(format!("; {} changes, and the operator's events are told", attacker.answered()))
}

fn events(attacker: &Attacker<'_>, kind: &str) -> Result<Vec<Value>> {
    items(&page(attacker, &format!("kind={kind}&limit={EVENTS_KEPT}"))?)
}

fn page(attacker: &Attacker<'_>, query: &str) -> Result<Value> {
    attacker.cofre.admin_get(&format!("/v1/events?{query}"))
}

fn items(page: &Value) -> Result<Vec<Value>> {
    page["items"].as_array().cloned().context("a page of events")
}
