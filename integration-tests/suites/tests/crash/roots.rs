//! Two of six roots are removed under load: nothing is lost, the status is true all the while, and redundancy is made
//! whole again on new roots.

use crate::ledger::Ledger;
use crate::nodes::verify;
use crate::target::Target;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Fill, Options, until};
use cofre_runtime::Random;
use cofre_suites::{get, put, succeeded, with_bucket};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// Clients that put, overwrite and delete, and clients that read.
const WRITERS: u64 = 3;
const READERS: u64 = 3;
/// Objects that are only read.
const FIXED: usize = 24;
/// What the key of each begins with; two digits follow.
const FIXED_PREFIX: &str = "fixed/";
/// Sizes of them, and on how many roots each stands under 4+2: whole copies up to 256 KiB, in packs and in files, then
/// pieces, in packs and in files.
const FIXED_SIZES: [(usize, usize); 4] = [(1 << 10, 3), (200_000, 3), (400_000, 6), (3 << 20, 6)];
/// Bytes of a file of its own in which its head is.
const HEAD_BYTES: u64 = 4096;
/// Reads that must be right in each phase, and objects that must stand before anything is removed.
const READS_MIN: u64 = 60;
const OBJECTS_MIN: usize = 40;
/// The longest until the clients got so far.
const LOAD_MAX: Duration = Duration::from_secs(60);
/// The longest until a root is removed: what the server makes in it meanwhile is removed as well.
const REMOVE_MAX: Duration = Duration::from_secs(20);
/// The longest until everything is whole again.
const WHOLE_MAX: Duration = Duration::from_secs(180);
/// What the server warns of while roots are gone, and nothing else.
const EXPECTED: [&str; 6] = [
    "a copy",
    "a piece was not written",
    "pieces were not rebuilt",
    "writing to a pack failed",
    "a shard",
    "turned away",
];

fn fixed(number: usize) -> (String, Vec<u8>) {
    let (size, _) = FIXED_SIZES[number % FIXED_SIZES.len()];
    (format!("{FIXED_PREFIX}{number:02}"), Fill(number as u64).bytes(size))
}

/// Reads one of the fixed objects; it must be right.
fn read_one(cofre: &Cofre, number: usize) -> Result<()> {
    let (key, body) = fixed(number);
    let response = succeeded(cofre.send(get(&key))?).with_context(|| key.clone())?;
    ensure!(response.body == body, "{key} came back as something else");
    Ok(())
}

/// Reads everything that was acknowledged.
fn hold(cofre: &Cofre, ledger: &Ledger) -> Result<()> {
    (0..FIXED).try_for_each(|number| read_one(cofre, number))?;
    ledger.hold(cofre).map(drop)
}

/// Files with blobs in a root. One that goes away meanwhile is left out, as is a root that is gone.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| folder.display().to_string())?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Numbers of the fixed objects whose copies or pieces a file holds: each has the key in its head.
fn held(path: &Path) -> Result<Vec<usize>> {
    let longest = if path.extension().is_some() { u64::MAX } else { HEAD_BYTES };
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?.take(longest).read_to_end(&mut bytes)?,
    };
    // Preallocated room holds nothing.
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let prefix = FIXED_PREFIX.as_bytes();
    let keys = bytes[..end].windows(prefix.len() + 2).filter(|key| key[0] == prefix[0] && key.starts_with(prefix));
    Ok(keys.filter_map(|key| std::str::from_utf8(&key[prefix.len()..]).ok()?.parse().ok()).collect())
}

/// How many of the fixed objects stand on fewer roots than they should, by what is in the roots.
fn lacking(roots: &[PathBuf]) -> Result<u64> {
    let mut standing = vec![0; FIXED];
    for root in roots {
        let mut here = BTreeSet::new();
        for folder in ["packs", "blobs"] {
            for path in files(&root.join(folder))? {
                here.extend(held(&path)?);
            }
        }
        here.into_iter().filter(|number| *number < FIXED).for_each(|number| standing[number] += 1);
    }
    let wanted = FIXED_SIZES.iter().map(|(_, roots)| *roots).cycle();
    Ok(standing.into_iter().zip(wanted).filter(|(stands, wanted)| stands < wanted).count() as u64)
}

/// What was told, and what was so.
#[derive(Debug)]
struct Poll {
    /// Blobs that wait to be healed, and copies that are away, as health tells.
    waiting: u64,
    away: u64,
    /// What is left for the jobs that make redundancy whole.
    left: u64,
    /// Fixed objects that lack copies or pieces.
    lacking: u64,
}

/// Asks for the status, and holds it against what stands in the roots.
fn poll(cofre: &Cofre, roots: &[PathBuf]) -> Result<Poll> {
    let left = |job: &str| {
        let job = cofre.admin_command(&["job", "show", job])?;
        job["remaining_objects"].as_u64().with_context(|| job.to_string())
    };
    let left = left("rebuild")? + left("heal")?;
    let health = cofre.admin_command(&["health"])?;
    let told = |field: &str| health["redundancy"][field].as_u64().with_context(|| health.to_string());
    let (waiting, away) = (told("waiting_blobs")?, told("away_copies")?);
    // Looked at after it was told, while nothing is removed: what is lacking now was lacking then.
    let poll = Poll { waiting, away, left, lacking: lacking(roots)? };
    ensure!(poll.lacking <= waiting + away, "more is lacking than is told: {poll:?}");
    ensure!(poll.lacking == 0 || health["status"] != "ok", "all is well, and it is not: {poll:?}");
    Ok(poll)
}

/// Removes all that is in a root, and with `itself` the directory as well, while the server may write there.
fn remove(root: &Path, itself: bool) -> Result<()> {
    until("the root is removed", REMOVE_MAX, || {
        for entry in std::fs::read_dir(root)? {
            let path = entry?.path();
            // What cannot be removed has got something new in it: the next round removes that too.
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
        Ok(std::fs::read_dir(root)?.next().is_none().then_some(()))
    })?;
    if itself {
        std::fs::remove_dir(root)?;
    }
    Ok(())
}

/// Number of the shard in a directory.
fn shard_at(cofre: &Cofre, root: &Path) -> Result<String> {
    let shards = cofre.admin_command(&["shard", "list"])?;
    let mut all = shards.as_array().into_iter().flatten();
    let shard = all.find(|shard| shard["place"]["path"] == json!(root)).with_context(|| shards.to_string())?;
    Ok(shard["id"].as_u64().with_context(|| shard.to_string())?.to_string())
}

/// Polls until the clients have read this much more.
fn go_on(cofre: &Cofre, roots: &[PathBuf], reads: &AtomicU64) -> Result<()> {
    let enough = reads.load(Relaxed) + READS_MIN;
    until("the clients read on", LOAD_MAX, || {
        poll(cofre, roots)?;
        Ok((reads.load(Relaxed) >= enough).then_some(()))
    })
}

/// Loses two roots, one with its directory, and puts two empty ones in their place.
fn lose_and_replace(cofre: &Cofre, roots: &mut Vec<PathBuf>, reads: &AtomicU64) -> Result<()> {
    let lost = [roots[1].clone(), roots[4].clone()];
    remove(&lost[0], true)?;
    remove(&lost[1], false)?;
    let told = poll(cofre, roots)?;
    ensure!(told.lacking > 0, "nothing was removed: {told:?}");
    ensure!(told.away > 0, "copies are away, and that is not told: {told:?}");
    go_on(cofre, roots, reads)?;
    for number in [7, 8] {
        let root = cofre.folder().join(format!("shard-{number}"));
        cofre.admin_command(&["shard", "add", &root.display().to_string()])?;
        roots.push(root);
    }
    go_on(cofre, roots, reads)?;
    for root in lost {
        cofre.admin_command(&["shard", "declare-dead", &shard_at(cofre, &root)?])?;
    }
    go_on(cofre, roots, reads)
}

/// Polls until nothing is below its redundancy any more, as is told and as it is.
fn made_whole(cofre: &Cofre, roots: &[PathBuf]) -> Result<()> {
    until("everything is whole", WHOLE_MAX, || {
        let told = poll(cofre, roots)?;
        ensure!(told.left > 0 || told.lacking == 0, "no job has anything left, and something is: {told:?}");
        Ok((told.waiting + told.away + told.left == 0).then_some(()))
    })
}

fn join(clients: Vec<ScopedJoinHandle<'_, Result<u64>>>) -> Result<u64> {
    clients.into_iter().map(|client| client.join().expect("a client does not panic")).sum()
}

#[test]
fn two_of_six_roots_are_removed_under_load_and_nothing_is_lost() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(6).args(&["--redundancy", "ec:4+2"]))?;
    EXPECTED.iter().for_each(|text| cofre.log().expect(text));
    // What is acknowledged outlives any two at once, and not only after what it lacks was healed.
    cofre.admin_command(&["settings", "set", "writes.spares_min=2", "jobs.heal.busy_share=1"])?;
    for number in 0..FIXED {
        let (key, body) = fixed(number);
        succeeded(cofre.send(put(&key, &body))?)?;
    }
    let mut roots = cofre.shards();
    let told = poll(&cofre, &roots)?;
    ensure!(told.lacking + told.waiting + told.away == 0, "something is lacking from the start: {told:?}");

    let (ledger, random, reads) = (Ledger::default(), Random::seeded(0x4007), AtomicU64::new(0));
    let (writing, reading) = (Target::new(&cofre), Target::new(&cofre));
    std::thread::scope(|scope| {
        let (cofre, ledger, reads, writing, reading) = (&cofre, &ledger, &reads, &writing, &reading);
        let seed = || Random::seeded(random.u64());
        let work = move |client, random: Random| ledger.work(writing, client, &random, |status| status == 503);
        let read = move |random: Random| {
            while !reading.is_over() {
                read_one(cofre, usize::try_from(random.below(FIXED as u64))?)?;
                reads.fetch_add(1, Relaxed);
            }
            anyhow::Ok(0)
        };
        let writers: Vec<_> =
            (0..WRITERS).map(|client| (client, seed())).map(|(c, seed)| scope.spawn(move || work(c, seed))).collect();
        let readers: Vec<_> = (0..READERS).map(|_| seed()).map(|seed| scope.spawn(move || read(seed))).collect();
        let begun = until("objects stand", LOAD_MAX, || Ok((ledger.objects() >= OBJECTS_MIN).then_some(())));
        let replaced = begun.and_then(|()| lose_and_replace(cofre, &mut roots, reads));
        writing.end();
        let whole = replaced.and_then(|()| made_whole(cofre, &roots));
        reading.end();
        let (written, _) = (join(writers)?, join(readers)?);
        println!("{written} requests were acknowledged and {} objects read", reads.load(Relaxed));
        whole
    })?;

    verify(&cofre)?;
    hold(&cofre, &ledger)?;
    let heal = cofre.admin_command(&["job", "show", "heal"])?;
    ensure!(heal["remaining_objects"] == 0 && heal["problems"] == json!([]), "{heal}");
    cofre.kill()?;
    cofre.start_again()?;
    poll(&cofre, &roots)?;
    verify(&cofre)?;
    hold(&cofre, &ledger)?;
    // Whole again means that any two may go once more.
    remove(&roots[0], true)?;
    remove(&roots[3], false)?;
    ensure!(poll(&cofre, &roots)?.lacking > 0, "nothing was removed");
    hold(&cofre, &ledger)?;
    cofre.stop()
}
