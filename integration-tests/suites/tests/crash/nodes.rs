//! Three shards of this machine and three remote ones, of three kinds, while the nodes fail.

use crate::ledger::Ledger;
use crate::remote::{Node, add_arguments, admin};
use crate::target::Target;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Fill, Options, Request, until};
use cofre_runtime::Random;
use cofre_suites::{get, put, succeeded, with_bucket};
use serde_json::Value;
use std::time::Duration;

/// Clients that write, and clients that read.
const WRITERS: u64 = 4;
const READERS: u64 = 2;
/// Objects that are only read, and their sizes: packed, one request, several parts.
const FIXED: u64 = 24;
const FIXED_SIZES: [usize; 4] = [0, 3_000, 400_000, 12 << 20];
/// How long a node is away before it may come back.
const AWAY: Duration = Duration::from_secs(4);
/// The longest until the status tells of a node that it is away, or back.
const TOLD_MAX: Duration = Duration::from_secs(60);
/// The longest until everything is whole again.
const WHOLE_MAX: Duration = Duration::from_secs(120);
/// Requests that must have been acknowledged for the test to show anything.
const ACKNOWLEDGED_MIN: u64 = 100;

fn fixed(number: u64) -> (String, Vec<u8>) {
    let size = FIXED_SIZES[(number % FIXED_SIZES.len() as u64) as usize];
    (format!("fixed/{number:02}"), Fill(number).bytes(size))
}

/// Reads objects that are there, and lists them: each time everything must be right.
fn read(cofre: &Cofre, target: &Target, random: &Random) -> Result<u64> {
    let mut reads = 0;
    while !target.is_over() {
        let (key, body) = fixed(random.below(FIXED));
        let response = succeeded(cofre.send(get(&key))?).with_context(|| key.clone())?;
        ensure!(response.body == body, "{key} came back as something else");
        let list = format!("/{}?list-type=2&prefix=fixed%2F", cofre_suites::BUCKET);
        let listed = succeeded(cofre.send(Request::new("GET", &list))?)?.text();
        ensure!(listed.matches("<Key>").count() as u64 == FIXED, "a listing is short: {listed}");
        reads += 1;
    }
    Ok(reads)
}

pub fn admin_json(cofre: &Cofre, path: &str) -> Result<Value> {
    let answer = succeeded(cofre.send_admin(Request::new("GET", path))?)?;
    serde_json::from_str(&answer.text()).context("JSON")
}

/// Waits until the status tells that a shard is in this state.
pub fn told(cofre: &Cofre, shard: u64, state: &str) -> Result<()> {
    until(&format!("shard {shard} is told to be {state}"), TOLD_MAX, || {
        let shard = admin_json(cofre, &format!("/v1/shards/{shard}"))?;
        Ok((shard["health"]["state"] == state).then_some(()))
    })
}

/// Waits until no blob is below its redundancy any more and every promise holds, but for room and for what the shards of
/// one machine share: its disk says nothing here.
pub fn whole(cofre: &Cofre) -> Result<()> {
    until("everything is whole", WHOLE_MAX, || {
        succeeded(cofre.send_admin(Request::new("POST", "/v1/jobs/heal/wake"))?)?;
        let health = admin_json(cofre, "/v1/health")?;
        let verdicts = health["verdicts"].as_array().context("verdicts")?;
        let of_disk = |verdict: &Value| {
            verdict["promise"] == "space" || verdict["message"].as_str().is_some_and(|told| told.contains("one device"))
        };
        let holds = verdicts.iter().all(of_disk);
        Ok((health["redundancy"]["waiting_blobs"] == 0 && holds).then_some(()))
    })
}

/// One round of trouble for a node, under load all the while. The status must tell of it, both ways.
fn trouble(cofre: &Cofre, node: &mut Node, shard: u64) -> Result<()> {
    println!("freezing {}, which is shard {shard}", node.name());
    node.freeze()?;
    told(cofre, shard, "unreachable")?;
    ensure!(admin_json(cofre, "/v1/health")?["status"] != "ok", "health is good while a shard is away");
    std::thread::sleep(AWAY);
    node.thaw()?;
    told(cofre, shard, "online")?;
    println!("killing {}", node.name());
    node.kill()?;
    told(cofre, shard, "unreachable")?;
    std::thread::sleep(AWAY);
    node.start_again()?;
    told(cofre, shard, "online")
}

/// The whole of it, under a redundancy that outlives any one shard. `refusal` says which refusals of writes are to be
/// expected meanwhile; reads are never refused.
fn nodes_fail_one_by_one(redundancy: &str, refusal: fn(u16) -> bool) -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(3))?;
    // What the server says of shards that fail is what the test is about.
    for text in ["shard", "a copy"] {
        cofre.log().expect(text);
    }
    let mut nodes = [Node::cofre()?, Node::s3s_fs()?, Node::rclone()?];
    let mut shards = Vec::new();
    for node in &nodes {
        let added = admin(&cofre, &add_arguments(&cofre, &node.endpoint(), node.signer(), "node/")?)?;
        shards.push(added["id"].as_u64().with_context(|| format!("{added}"))?);
    }
    // A server does not start with fewer failure domains than its redundancy wants, so it is set once they are there.
    cofre.admin_command(&["settings", "set", &format!("redundancy={redundancy}"), "jobs.heal.busy_share=1"])?;
    for number in 0..FIXED {
        let (key, body) = fixed(number);
        succeeded(cofre.send(put(&key, &body))?)?;
    }
    for shard in &shards {
        let health = admin_json(&cofre, &format!("/v1/shards/{shard}"))?["health"].clone();
        ensure!(health["written_bytes"].as_u64() > Some(0), "nothing went to shard {shard}: {health}");
    }

    let (ledger, random) = (Ledger::default(), Random::seeded(0x0de5));
    let target = Target::new(&cofre);
    std::thread::scope(|scope| {
        let (cofre, ledger, target) = (&cofre, &ledger, &target);
        let seed = || Random::seeded(random.u64());
        let writers: Vec<_> = (0..WRITERS)
            .map(|client| (client, seed()))
            .map(|(client, random)| scope.spawn(move || ledger.work(target, client, &random, refusal)))
            .collect();
        let readers: Vec<_> =
            (0..READERS).map(|_| seed()).map(|random| scope.spawn(move || read(cofre, target, &random))).collect();
        let troubled = nodes.iter_mut().zip(&shards).try_for_each(|(node, shard)| trouble(cofre, node, *shard));
        target.end();
        let join = |clients: Vec<std::thread::ScopedJoinHandle<'_, Result<u64>>>| {
            let counts = clients.into_iter().map(|client| client.join().expect("a client does not panic"));
            anyhow::Ok(counts.collect::<Result<Vec<u64>>>()?.into_iter().sum::<u64>())
        };
        let (written, read) = (join(writers)?, join(readers)?);
        troubled?;
        println!("{written} requests were acknowledged and {read} objects read meanwhile");
        ensure!(written >= ACKNOWLEDGED_MIN && read >= ACKNOWLEDGED_MIN, "{written} written, {read} read");
        anyhow::Ok(())
    })?;

    whole(&cofre)?;
    ledger.hold(&cofre)?;
    verify(&cofre)?;
    // Every object outlives the loss of any two nodes: healing has done what it says.
    for kept in 0..nodes.len() {
        let lost: Vec<_> = (0..nodes.len()).filter(|node| *node != kept).collect();
        lost.iter().try_for_each(|node| nodes[*node].kill())?;
        let only = || format!("with {} alone of the nodes", nodes[kept].name());
        ledger.hold(&cofre).with_context(only)?;
        for number in 0..FIXED {
            let (key, body) = fixed(number);
            let read = succeeded(cofre.send(get(&key))?).with_context(only)?;
            ensure!(read.body == body, "{key} is not whole {}", only());
        }
        lost.iter().try_for_each(|node| nodes[*node].start_again())?;
        shards.iter().try_for_each(|shard| told(&cofre, *shard, "online"))?;
    }
    cofre.stop()
}

/// Reads every byte of every copy that a record names; all must be there.
pub fn verify(cofre: &Cofre) -> Result<()> {
    let lines = cofre.admin_lines(&["verify", "--deep"])?;
    let whole = |end: &Value| end["kind"] == "end" && end["wrong"] == 0 && end["unreachable"] == 0;
    ensure!(lines.last().is_some_and(whole), "{lines:?}");
    Ok(())
}

#[test]
fn three_copies_outlive_nodes_that_fail_under_load() -> Result<()> {
    nodes_fail_one_by_one("replicas:3", |_| false)
}

/// Each write waits for five of six pieces, as `writes.spares_min` has it by itself: what is acknowledged while one node is
/// away outlives the next one before it is healed. All five others must take their piece then, so that one more call that
/// fails, as on a connection to a node that was just restarted, is a 503, which clients try again.
#[test]
fn pieces_outlive_nodes_that_fail_under_load() -> Result<()> {
    nodes_fail_one_by_one("ec:4+2", |status| status == 503)
}
