use crate::contender::Contender;
use crate::load::Client;
use crate::workload::{Ask, BUCKET, Body};
use anyhow::Result;
use cofre_harness::Request;
use std::sync::atomic::{AtomicU64, Ordering};

/// Connections that fill a server before it is measured.
const FILLERS: usize = 16;

/// Makes the bucket.
pub fn make_bucket(contender: &Contender) -> Result<()> {
    contender.send(Request::new("PUT", &format!("/{BUCKET}"))).map(drop)
}

/// Puts objects `from..to`, named and filled as the functions say.
pub fn fill<'b>(
    contender: &Contender,
    from: u64,
    to: u64,
    key: impl Fn(u64) -> String + Sync,
    body: impl Fn(u64) -> &'b Body + Sync,
) -> Result<()> {
    let next = AtomicU64::new(from);
    together(FILLERS, |_| {
        let mut client = Client::open(contender)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= to {
                return Ok(());
            }
            client.ask(&key(number), &Ask::Put(body(number)), false)?;
        }
    })
    .map(drop)
}

/// Runs `work` in this many threads and gathers what they give.
pub fn together<T: Send>(threads: usize, work: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads as u64).map(|number| scope.spawn(move || work(number))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
