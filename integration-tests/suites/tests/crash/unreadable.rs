//! A place on a shard's disk that cannot be read, in a pack.

use crate::restored::{MUCH_LATER, NEWER, backup, compared, fill, job, json, of_catalog, restore, searched};
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, Fault, FaultyDisk, Fill, Options, Request, until};
use cofre_suites::{get, put, succeeded, with_bucket};
use std::path::{Path, PathBuf};
use std::time::Duration;

const OBJECTS: u64 = 40;
/// Packed, and several in each window that a scan reads.
const SIZE: usize = 100_000;
/// The longest until something is told.
const TOLD_MAX: Duration = Duration::from_secs(30);

fn key(number: u64) -> String {
    format!("o{number}")
}

/// The pack that holds most.
fn pack(shard: &Path) -> Result<PathBuf> {
    let mut packs = Vec::new();
    for entry in std::fs::read_dir(shard.join("packs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "pack") {
            let blocks = std::os::unix::fs::MetadataExt::blocks(&path.metadata()?);
            packs.push((blocks, path));
        }
    }
    packs.into_iter().max().map(|(_, path)| path).context("a pack")
}

fn damage(cofre: &Cofre) -> Result<Option<String>> {
    let health = json(cofre, Request::new("GET", "/v1/health"))?;
    let verdicts = health["verdicts"].as_array().context("verdicts")?;
    let mut messages = verdicts.iter().filter_map(|verdict| verdict["message"].as_str());
    Ok(messages.find(|message| message.contains("does not give")).map(str::to_owned))
}

#[test]
fn a_place_that_cannot_be_read_holds_no_comparison_up_and_is_told() -> Result<()> {
    let folder = DataDir::new()?;
    let shard = folder.path().join("shard");
    let disk = FaultyDisk::new(&shard)?;
    let mut cofre = with_bucket(disk.options(Options::new().shard(shard.clone())))?;
    cofre.admin_command(&["settings", "set", "timers.job_busy_share=1"])?;
    for number in 0..OBJECTS {
        succeeded(cofre.send(put(&key(number), &Fill(number).bytes(SIZE)))?)?;
    }
    let backup = backup(&cofre)?;
    fill(&cofre, "newer", NEWER)?;
    // What is newer stands where the disk fails: it was written last.
    let pack = pack(&shard)?;
    let bytes = std::fs::read(&pack)?;
    let end = bytes.iter().rposition(|byte| *byte != 0).context("something was written")? as u64;
    let newest = end.saturating_sub(NEWER * 4_096) / 4_096 * 4_096;
    disk.fail_reads(&pack, newest..end + 4_096)?;
    for text in ["cannot be read, and is passed", "a copy is bad", "content could not be read", "turned away"] {
        cofre.log().expect(text);
    }
    cofre.set_clock_ahead(MUCH_LATER);
    restore(&mut cofre, &backup)?;
    let restored = compared(&cofre)?;
    ensure!(restored["shards_unreadable"] == 1 && restored["waiting"] == true, "{restored}");
    ensure!(restored["newer"]["objects"].as_u64() < Some(NEWER), "the disk gave what it should not: {restored}");
    let refused = cofre.admin_command(&["restore", "discard", "--yes"]);
    ensure!(refused.is_err_and(|error| error.to_string().contains("could not be read")), "it is let go of unseen");
    let told = of_catalog(&cofre)?.context("health tells of it")?;
    ensure!(told.contains("could not be read") && told.contains("job run orphans"), "{told}");
    let told = damage(&cofre)?.context("health tells of the damage")?;
    let name = pack.file_name().and_then(|name| name.to_str()).context("a name")?;
    ensure!(told.contains(name) && told.contains("drain"), "{told}");
    until("an event", TOLD_MAX, || {
        Ok(cofre.admin_command(&["events"])?.to_string().contains("shard.damaged").then_some(()))
    })?;
    // A start forgets what it saw of the disk, and the comparison does not.
    disk.end(Fault::FailRead)?;
    cofre.kill()?;
    cofre.start_again()?;
    searched(&cofre)?;
    let restored = compared(&cofre)?;
    ensure!(restored["shards_unreadable"] == 0 && restored["newer"]["objects"] == NEWER, "{restored}");
    ensure!(job(&cofre, "orphans")?["actions"]["doomed"].as_u64().unwrap_or(0) == 0, "something was deleted");
    ensure!(damage(&cofre)?.is_none(), "it reads again, and health says otherwise");
    for number in 0..OBJECTS {
        let read = succeeded(cofre.send(get(&key(number)))?)?;
        ensure!(read.body == Fill(number).bytes(SIZE), "{} came back as something else", key(number));
    }
    cofre.stop()
}
