use crate::ledger::Ledger;
use crate::target::Target;
use anyhow::{Result, ensure};
use cofre_harness::{Fill, FullDisk, Options};
use cofre_runtime::Random;
use cofre_suites::{contents, put, with_bucket};
use std::time::Duration;

/// Bytes of a shard's disk that fills.
const SHARD_DISK_BYTES: u64 = 96 << 20;
/// Bytes of a disk for everything: the catalog and the shard each keep a reserve of it.
const WHOLE_DISK_BYTES: u64 = 512 << 20;
/// Objects that are more than a shard's disk holds.
const OBJECTS: u64 = 200;
/// Bytes of each.
const OBJECT_BYTES: usize = 1 << 20;
/// Clients that write to it at the same time.
const CLIENTS: u64 = 6;
/// For how long they do.
const TIME: Duration = Duration::from_secs(8);

/// 507 Insufficient Storage, or 503 SlowDown.
fn says_full(status: u16) -> bool {
    matches!(status, 503 | 507)
}

#[test]
fn a_full_shard_refuses_and_loses_nothing() -> Result<()> {
    let disk = FullDisk::new(SHARD_DISK_BYTES)?;
    let mut cofre = with_bucket(Options::new().shard(disk.path().join("shard")))?;
    for text in ["full", "space", "No space left"] {
        cofre.log().expect(text);
    }
    let mut stored = Vec::new();
    let mut refused = 0;
    for number in 0..OBJECTS {
        let response = cofre.send(put(&number.to_string(), &Fill(number).bytes(OBJECT_BYTES)))?;
        match response.status {
            200 => stored.push(number),
            status if says_full(status) => refused += 1,
            status => anyhow::bail!("a full disk is answered with {status}: {}", response.text()),
        }
    }
    ensure!(stored.len() >= 20 && refused >= 20, "{} stored, {refused} refused", stored.len());
    let hold = |cofre: &cofre_harness::Cofre| {
        for number in &stored {
            let found = contents(cofre, &number.to_string())?;
            ensure!(found.as_deref() == Some(&Fill(*number).bytes(OBJECT_BYTES)[..]), "object {number} is not whole");
        }
        Ok(())
    };
    hold(&cofre)?;
    cofre.kill()?;
    cofre.start_again()?;
    hold(&cofre)
}

#[test]
fn a_server_whose_whole_disk_is_full_comes_back() -> Result<()> {
    let disk = FullDisk::new(WHOLE_DISK_BYTES)?;
    let data = disk.path().join("everything");
    let mut cofre = with_bucket(Options::new().data(data))?;
    for text in ["full", "space", "No space left"] {
        cofre.log().expect(text);
    }
    let ledger = Ledger::default();
    let target = Target::new(&cofre);
    let random = Random::seeded(0xf111);
    let seeds: Vec<u64> = (0..CLIENTS).map(|_| random.u64()).collect();
    let acknowledged = std::thread::scope(|scope| {
        let (ledger, target) = (&ledger, &target);
        let work = |client, seed| ledger.work(target, client, &Random::seeded(seed), says_full);
        let clients: Vec<_> = (0..CLIENTS).zip(seeds).map(|(c, seed)| scope.spawn(move || work(c, seed))).collect();
        std::thread::sleep(TIME);
        cofre.kill()?;
        target.end();
        let counts = clients.into_iter().map(|client| client.join().expect("a client does not panic"));
        anyhow::Ok(counts.collect::<Result<Vec<u64>>>()?.into_iter().sum::<u64>())
    })?;
    ensure!(acknowledged >= 20, "only {acknowledged} requests were acknowledged");
    // The operator makes room, as the log asks.
    disk.grow(2 * WHOLE_DISK_BYTES)?;
    cofre.start_again()?;
    let keys = ledger.hold(&cofre)?;
    ensure!(keys > 0, "no key was written");
    ledger.hold_listing(&cofre)
}
