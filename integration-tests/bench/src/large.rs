//! What memory a large PUT and a large GET hold above that of an idle server.

use crate::contender::Contender;
use crate::crowd::make_bucket;
use crate::report::mib;
use crate::workload::path;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Connection, Fill, Payload, Request};
use cofre_runtime::Clock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes that are made, sent and compared at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Time between two looks at the server's memory.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Seed of the contents.
const FILL: Fill = Fill(5);

/// Puts and gets one object of `bytes` and prints what each held.
pub fn run(bytes: u64) -> Result<()> {
    let cofre = Contender::cofre()?;
    make_bucket(&cofre)?;
    // Once in small, so that what every first request costs does not count.
    put(&cofre, PIECE_BYTES as u64)?;
    get(&cofre, PIECE_BYTES as u64)?;
    let idle = cofre.usage()?.rss_bytes;
    println!("idle: RSS {:.1} MiB", mib(idle));
    for (what, ask) in [("PUT", put as fn(&Contender, u64) -> Result<()>), ("GET", get)] {
        let clock = Clock::system();
        let most = watch(&cofre, || ask(&cofre, bytes))?;
        let rate = mib(bytes) / clock.elapsed().as_secs_f64();
        println!(
            "{what} of {:.0} MiB: {:.1} MiB above idle, {rate:.0} MiB/s",
            mib(bytes),
            mib(most.saturating_sub(idle))
        );
    }
    Ok(())
}

/// The most memory that the server holds while `work` runs.
fn watch(cofre: &Contender, work: impl FnOnce() -> Result<()>) -> Result<u64> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(cofre.usage()?.rss_bytes);
                std::thread::sleep(LOOK_INTERVAL);
            }
            anyhow::Ok(most)
        });
        let worked = work();
        done.store(true, Ordering::Relaxed);
        let most = watcher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        worked.and(most)
    })
}

fn put(cofre: &Contender, bytes: u64) -> Result<()> {
    let request = Request::new("PUT", &path("large"))
        .header("host", &cofre.address.to_string())
        .header("content-length", &bytes.to_string());
    let mut connection = Connection::open(cofre.address)?;
    connection.write(cofre.signer.sign(request, Payload::Unsigned).head().as_bytes())?;
    let mut piece = vec![0; PIECE_BYTES];
    for offset in (0..bytes).step_by(PIECE_BYTES) {
        let length = usize::try_from(bytes - offset).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        FILL.write(offset, &mut piece[..length]);
        connection.write(&piece[..length])?;
    }
    let response = connection.response(false)?;
    ensure!(response.status == 200, "PUT: {} {}", response.status, response.text());
    Ok(())
}

fn get(cofre: &Contender, bytes: u64) -> Result<()> {
    let request = Request::new("GET", &path("large")).header("host", &cofre.address.to_string());
    let mut connection = Connection::open(cofre.address)?;
    connection.send(&cofre.signer.sign(request, Payload::Signed))?;
    let (mut offset, mut same, mut expected) = (0, true, Vec::new());
    let response = connection
        .stream_response(false, |piece| {
            expected.resize(piece.len(), 0);
            FILL.write(offset, &mut expected);
            same &= expected == piece;
            offset += piece.len() as u64;
        })
        .context("GET")?;
    ensure!(response.status == 200 && offset == bytes && same, "GET: status {}, {offset} bytes", response.status);
    Ok(())
}
