//! A shard drains while clients write: what they feel of it, and that it is empty at the end.

use crate::contender::Contender;
use crate::crowd::{fill, make_bucket};
use crate::paced;
use crate::report::mib;
use crate::workload::{Body, SMALL_BYTES};
use anyhow::{Result, ensure};
use cofre_harness::Options;
use cofre_runtime::Clock;
use std::time::Duration;

/// Shards; the first one drains.
const SHARDS: usize = 6;
/// How long the rate is looked for.
const AT_MOST: Duration = Duration::from_secs(8);
/// How long the writers are measured before the drain: a disk stalls now and then by itself.
const IDLE: Duration = Duration::from_secs(30);
/// Time between two looks at the drain.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Copies of each object.
const COPIES: u64 = 2;

/// Puts so much that a shard holds copies of `objects`, and drains it at half of the load that the server can take.
pub fn run(objects: u64) -> Result<()> {
    let cofre =
        Contender::started(Options::new().shards(SHARDS).args(&["--redundancy", &format!("replicas:{COPIES}")]))?;
    make_bucket(&cofre)?;
    let body = Body::new(3, SMALL_BYTES);
    fill(&cofre, 0, objects * SHARDS as u64 / COPIES, |index| format!("kept/{index}"), |_| &body)?;
    fill(&cofre, 0, paced::KEYS, paced::key, |_| &body)?;
    // What is overwritten stays for its grace and moves too, so the shortest is taken.
    cofre.admin(&["settings", "set", "timers.garbage_grace_secs=60"])?;
    let most = paced::write_for(&cofre, &body, None, AT_MOST)?;
    most.show("as fast as can be");
    let half = Some(most.rate() / 2.0);
    let idle = paced::write_for(&cofre, &body, half, IDLE)?;
    idle.show("at half of that");

    cofre.admin(&["shard", "drain", "1"])?;
    let clock = Clock::system();
    let mut moved = (0, 0);
    let drained = || {
        std::thread::sleep(LOOK_INTERVAL);
        let drain = cofre.admin_get("/v1/shards/1/drain")?;
        let number = |field: &str| drain[field].as_u64().unwrap_or(0);
        moved = (number("moved_blobs"), number("moved_bytes"));
        Ok(drain["state"] == "drained")
    };
    let during = paced::write(&cofre, &body, half, drained)?;
    during.show("while the shard drained");
    let (blobs, bytes) = moved;
    println!(
        "drained {blobs} blobs, {:.0} MiB, in {:.0} s; p99 over idle {:.2}",
        mib(bytes),
        clock.elapsed().as_secs_f64(),
        during.p99().as_secs_f64() / idle.p99().as_secs_f64()
    );
    let left = cofre.admin_get("/v1/shards/1/drain")?;
    ensure!(left["remaining_blobs"] == 0, "the shard is not empty: {left}");
    // Refused by the commit itself if any record names a copy on it.
    cofre.admin_silent(&["shard", "remove", "1"])
}
