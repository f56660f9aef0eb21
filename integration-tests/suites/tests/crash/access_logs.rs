use crate::target::Target;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Connection, Options, Payload, Request, until};
use cofre_runtime::Random;
use cofre_suites::{BUCKET, make_bucket, path, put, succeeded, with_bucket};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the log of the suite's bucket goes.
const LOGS: &str = "suite-logs";
const LET_LOGS_IN: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject",
    "Principal": {"Service": "logging.s3.amazonaws.com"}, "Resource": "arn:aws:s3:::suite-logs/*"}}"#;
const TO_LOGS: &str = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>suite-logs</TargetBucket>\
    <TargetPrefix>log/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>";
/// How often the server is killed.
const ROUNDS: u64 = 8;
/// Clients at the same time.
const CLIENTS: u64 = 6;
/// The longest that a round lasts, in milliseconds: a few deliveries.
const ROUND_MILLIS_MAX: u64 = 2_500;
/// Requests that must have been answered, or the test shows nothing.
const ANSWERED_MIN: usize = 200;
/// The longest from the last start to the delivery of what waits; one is due each second.
const DELIVERY_MAX: Duration = Duration::from_secs(60);
/// Which field of a line is the request id, where its time counts as two.
const REQUEST_ID: usize = 6;

/// Requests that write, also ones that are refused, until the server does not answer. Gives the ids of those that were
/// answered.
fn work(target: &Target, client: u64, random: &Random) -> Result<Vec<String>> {
    let mut answered = Vec::new();
    while !target.is_over() {
        let Ok(mut connection) = Connection::open(target.address) else { break };
        while !target.is_over() {
            let key = format!("client-{client}/{}", random.below(10));
            let request = match random.below(3) {
                0 => Request::new("DELETE", &path(&key)),
                1 => put(&key, b"refused").header("if-match", "\"00000000000000000000000000000000\""),
                _ => put(&key, b"accepted"),
            };
            let request = request.header("host", &target.address.to_string());
            let Ok(response) = connection.exchange(&target.signer.sign(request, Payload::Signed)) else { break };
            ensure!(matches!(response.status, 200 | 204 | 404 | 412), "{key}: {} {}", response.status, response.text());
            answered.push(response.header("x-amz-request-id").context("a request id")?.to_owned());
        }
    }
    Ok(answered)
}

/// How often each request id stands in the objects that were delivered.
fn delivered(cofre: &Cofre) -> Result<BTreeMap<String, usize>> {
    let listed = succeeded(cofre.send(Request::new("GET", &format!("/{LOGS}?list-type=2")))?)?;
    ensure!(listed.element("IsTruncated").as_deref() == Some("false"), "more log objects than a page has");
    let mut ids = BTreeMap::new();
    for key in listed.text().split("<Key>").skip(1).filter_map(|key| key.split('<').next()) {
        let log = succeeded(cofre.send(Request::new("GET", &format!("/{LOGS}/{key}")))?)?;
        for line in log.text().lines() {
            let id = line.split(' ').nth(REQUEST_ID).with_context(|| format!("a request id in {line}"))?;
            *ids.entry(id.to_owned()).or_default() += 1;
        }
    }
    Ok(ids)
}

#[test]
fn kill_9_loses_no_line_of_a_write_that_was_answered_and_delivers_none_twice() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    make_bucket(&cofre, LOGS)?;
    succeeded(cofre.send(Request::new("PUT", &format!("/{LOGS}?policy")).body(LET_LOGS_IN))?)?;
    succeeded(cofre.send(Request::new("PUT", &format!("/{BUCKET}?logging")).body(TO_LOGS))?)?;
    cofre.admin_command(&["settings", "set", "timers.access_log_delivery_secs=1"])?;
    let random = Random::seeded(0x10c5);
    let mut answered = Vec::new();
    for round in 0..ROUNDS {
        let target = Target::new(&cofre);
        let seeds: Vec<u64> = (0..CLIENTS).map(|_| random.u64()).collect();
        let lasts = Duration::from_millis(100 + random.below(ROUND_MILLIS_MAX));
        let ids = std::thread::scope(|scope| {
            let target = &target;
            let work = |client, seed| move || work(target, client, &Random::seeded(seed));
            let clients: Vec<_> = (0..CLIENTS).zip(seeds).map(|(c, seed)| scope.spawn(work(c, seed))).collect();
            std::thread::sleep(lasts);
            cofre.kill()?;
            target.end();
            let ids = clients.into_iter().map(|client| client.join().expect("a client does not panic"));
            ids.collect::<Result<Vec<Vec<String>>>>()
        })?;
        answered.extend(ids.into_iter().flatten());
        cofre.start_again()?;
        println!(
            "round {round}: {} requests answered so far, {} lines delivered",
            answered.len(),
            delivered(&cofre)?.len()
        );
    }
    ensure!(answered.len() >= ANSWERED_MIN, "only {} requests were answered", answered.len());
    let lines = until("the delivery of every line", DELIVERY_MAX, || {
        let lines = delivered(&cofre)?;
        Ok(answered.iter().all(|id| lines.contains_key(id)).then_some(lines))
    })?;
    let twice: Vec<_> = lines.iter().filter(|(_, count)| **count > 1).collect();
    ensure!(twice.is_empty(), "delivered more than once: {twice:?}");
    cofre.stop()
}
