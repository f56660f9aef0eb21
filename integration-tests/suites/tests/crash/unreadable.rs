//! A place on a shard's disk that cannot be read, in a pack.

use crate::restored::{NEWER, backup, compared, fill, json, restore, searched};
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
    let pack = pack(&shard)?;
    let middle = OBJECTS * SIZE as u64 / 2 / 4096 * 4096;
    disk.fail_reads(&pack, middle..middle + 8192)?;
    for text in ["cannot be read, and is passed", "a copy is bad", "content could not be read", "turned away"] {
        cofre.log().expect(text);
    }
    restore(&mut cofre, &backup)?;
    let restored = compared(&cofre)?;
    ensure!(restored["newer"]["objects"] == NEWER, "{restored}");
    let told = damage(&cofre)?.context("health tells of the damage")?;
    let name = pack.file_name().and_then(|name| name.to_str()).context("a name")?;
    ensure!(told.contains(name) && told.contains("drain"), "{told}");
    until("an event", TOLD_MAX, || {
        Ok(cofre.admin_command(&["events"])?.to_string().contains("shard.damaged").then_some(()))
    })?;
    let mut whole = 0;
    for number in 0..OBJECTS {
        let read = cofre.send(get(&key(number)))?;
        if read.status == 200 {
            ensure!(read.body == Fill(number).bytes(SIZE), "{} came back as something else", key(number));
            whole += 1;
        }
    }
    ensure!(whole + 2 >= OBJECTS, "{whole} of {OBJECTS} objects read");
    // A listing that gets through all of it ends that.
    disk.end(Fault::FailRead)?;
    searched(&cofre)?;
    ensure!(damage(&cofre)?.is_none(), "it reads again, and health says otherwise");
    cofre.stop()
}
