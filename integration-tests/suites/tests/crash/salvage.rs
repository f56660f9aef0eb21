//! What is left of a damaged catalog serves, and deletes nothing that something refers to.

use crate::catalog::{OBJECTS, flip, key, small_tables, tables, text};
use crate::nodes::verify;
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, FaultyDisk, Options, Request, until};
use cofre_suites::{contents, path, put, succeeded, with_bucket};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What was let go of in the salvaged catalog is past its grace.
const LATER: Duration = Duration::from_secs(2 * 3_600);

/// The longest until jobs have done what is waited for.
const JOBS_MAX: Duration = Duration::from_secs(120);

/// Salvages the catalog of a data directory into another one, which gets the keys, and starts a Cofre on that, over the same
/// shard. Gives it and what was lost.
pub fn start_salvaged(data: &Path, new: &Path, disk: Option<&FaultyDisk>) -> Result<(Cofre, Vec<Value>)> {
    let mut salvage = Command::new(Cofre::binary());
    salvage.args(["catalog", "salvage", "--data", text(data), "--to", text(new), "--json"]);
    salvage.envs(disk.iter().flat_map(|disk| disk.environment()));
    let output = salvage.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let salvaged: Value = serde_json::from_slice(&output.stdout)?;
    for name in ["master.key", "encryption-keys", "credentials", "admin-token"] {
        std::fs::copy(data.join(name), new.join(name))?;
    }
    // The shard stands below the old directory: it is named.
    let cofre = Cofre::start(Options::new().data(new.to_owned()).shard(data.join("shard-1")))?;
    Ok((cofre, salvaged["losses"].as_array().context("losses")?.clone()))
}

#[test]
fn a_salvaged_catalog_counts_what_is_there_and_deletes_nothing_that_is_referred_to() -> Result<()> {
    let folder = DataDir::new()?;
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    small_tables(&data)?;
    let mut cofre = with_bucket(Options::new().data(data.clone()))?;
    let padding = "p".repeat(1_500);
    let copied = |number: usize| format!("copy-{number:03}");
    let copy = |number: usize| {
        let source = path(&key(number));
        Request::new("PUT", &path(&copied(number))).header("x-amz-copy-source", &source)
    };
    for number in 0..OBJECTS / 2 {
        succeeded(cofre.send(put(&key(number), key(number).as_bytes()).header("x-amz-meta-padding", &padding))?)?;
        succeeded(cofre.send(copy(number))?)?;
        // Written anew: what stood there before waits as garbage.
        if number % 3 == 0 {
            succeeded(cofre.send(copy(number))?)?;
        }
    }
    cofre.stop()?;
    let size = |table: &PathBuf| std::fs::metadata(table).map_or(0, |found| found.len());
    let rotten = &tables(&data)?.into_iter().max_by_key(size).context("a table")?;
    flip(rotten, size(rotten) / 2)?;
    let (mut cofre, lost) = start_salvaged(&data, &new, None)?;
    ensure!(!lost.is_empty(), "nothing was damaged");
    cofre.admin_command(&["settings", "set", "timers.garbage_grace_secs=60", "timers.job_busy_share=1"])?;
    verify(&cofre)?;
    let there = |cofre: &Cofre, name: String| Ok::<_, anyhow::Error>(contents(cofre, &name)?.is_some());
    let mut pairs = Vec::new();
    for number in 0..OBJECTS / 2 {
        if there(&cofre, key(number))? && there(&cofre, copied(number))? {
            pairs.push(number);
            succeeded(cofre.send(Request::new("DELETE", &path(&key(number))))?)?;
        }
    }
    // It is deleted last, so that all others were let go of once its blob is.
    succeeded(cofre.send(put("alone", b"alone"))?)?;
    succeeded(cofre.send(Request::new("DELETE", &path("alone")))?)?;
    ensure!(pairs.len() > OBJECTS / 4, "{} objects are left with their copies", pairs.len());
    cofre.stop()?;
    cofre.set_clock_ahead(LATER);
    cofre.start_again()?;
    until("what was deleted is reclaimed", JOBS_MAX, || {
        succeeded(cofre.send_admin(Request::new("POST", "/v1/jobs/reclaim/wake"))?)?;
        let job = cofre.admin_command(&["job", "show", "reclaim"])?;
        Ok((job["remaining_objects"] == 0 && job["done"].as_u64() > Some(0)).then_some(()))
    })?;
    for number in pairs {
        let found = contents(&cofre, &copied(number))?;
        ensure!(found.as_deref() == Some(key(number).as_bytes()), "{} went with its source", copied(number));
    }
    verify(&cofre)?;
    cofre.stop()
}

#[test]
fn a_journal_that_cannot_be_read_in_places_is_salvaged_around_them() -> Result<()> {
    let folder = DataDir::new()?;
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    let disk = FaultyDisk::new(&data.join("catalog"))?;
    let mut cofre = with_bucket(disk.options(Options::new().data(data.clone())))?;
    for number in 0..OBJECTS {
        succeeded(cofre.send(put(&key(number), key(number).as_bytes()))?)?;
    }
    cofre.kill()?;
    let journal = data.join("catalog/engine/0.jnl");
    let bytes = std::fs::read(&journal)?;
    // Two pages in the middle of what was written.
    let middle = bytes.iter().rposition(|byte| *byte != 0).context("something was written")? as u64 / 2 / 4096 * 4096;
    disk.fail_reads(&journal, middle..middle + 8192)?;
    let (mut cofre, lost) = start_salvaged(&data, &new, Some(&disk))?;
    ensure!(lost.len() == 1 && lost[0]["file"] == text(&journal), "{lost:?}");
    let mut found = 0;
    for number in 0..OBJECTS {
        // Of an object whose blob has no record any more nothing is read.
        found += usize::from(cofre.send(Request::new("GET", &path(&key(number))))?.status == 200);
    }
    ensure!(found + 60 > OBJECTS && found < OBJECTS, "{found} of {OBJECTS} objects are left");
    cofre.stop()
}
