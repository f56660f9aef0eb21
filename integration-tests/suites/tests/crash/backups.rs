//! Backups of the catalog, those that Cofre takes by itself and those that an operator asks for.

use crate::catalog::{TOLD_MAX, health, run, text};
use crate::remote::{Node, add_arguments, admin};
use crate::restored::backup_to;
use anyhow::{Result, ensure};
use cofre_harness::{Cofre, DataDir, FaultyDisk, Options, Request, until};
use cofre_suites::{put, succeeded, with_bucket};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How far a clock goes back.
const BACK: Duration = Duration::from_secs(2 * 86_400);

/// The backups on the disk of a shard, the oldest first.
fn backups(shard: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(shard.join("catalog-backups")) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

#[test]
fn backups_are_taken_onto_the_shards_disks_and_can_be_restored() -> Result<()> {
    let folder = DataDir::new()?;
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    let mut cofre = with_bucket(Options::new().data(data.clone()).shards(3))?;
    cofre.admin_command(&["settings", "set", "timers.catalog_backups_keep=2"])?;
    succeeded(cofre.send(put("object", b"object"))?)?;
    let shards = cofre.shards();
    let mut newest = PathBuf::new();
    for taken in 1..=3_usize {
        cofre.admin_command(&["job", "run", "catalog-backup"])?;
        until("a backup", TOLD_MAX, || {
            let now = backups(&shards[0])?;
            let latest =
                now.last().filter(|latest| **latest > newest && latest.join("catalog.cofre").exists()).cloned();
            Ok(latest.filter(|_| now.len() == taken.min(2)).map(|latest| newest = latest))
        })?;
        // Backups are named by the second.
        let second = newest.clone();
        until("the next second", TOLD_MAX, || {
            let now = cofre_runtime::Clock::system().now_nanos() / 1_000_000_000;
            Ok((!second.ends_with(format!("{now:020}"))).then_some(()))
        })?;
    }
    ensure!(
        !backups(&shards[1])?.is_empty() && backups(&shards[2])?.is_empty(),
        "it stands on another number of disks"
    );
    let events = cofre.admin_command(&["events"])?.to_string();
    ensure!(events.contains("catalog.backed_up") && events.contains("catalog-backups"), "{events}");
    ensure!(health(&cofre)?["catalog"]["last_backup"].is_string(), "health does not tell when it was taken");
    let metrics = succeeded(cofre.send_admin(Request::new("GET", "/metrics"))?)?.text();
    ensure!(metrics.contains("cofre_last_backup_timestamp_seconds "), "metrics do not tell when it was taken");
    cofre.stop()?;
    let restored = run(&["catalog", "restore", text(&newest), "--data", text(&new), "--json"])?;
    restored.map_err(anyhow::Error::msg)?;
    ensure!(new.join("catalog").metadata()?.mode() & 0o077 == 0, "a restored catalog is open to others");
    Ok(())
}

#[test]
fn a_clock_that_went_back_keeps_the_newest_backup() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(1))?;
    cofre.admin_command(&["settings", "set", "timers.catalog_backups_keep=1"])?;
    let shard = cofre.shards().remove(0);
    let mut taken: Vec<PathBuf> = Vec::new();
    for ahead in [BACK, Duration::ZERO] {
        cofre.stop()?;
        cofre.set_clock_ahead(ahead);
        cofre.start_again()?;
        cofre.admin_command(&["job", "run", "catalog-backup"])?;
        until("another backup alone", TOLD_MAX, || {
            let now = backups(&shard)?;
            let whole = now.iter().all(|backup| backup.join("catalog.cofre").exists());
            Ok((now.len() == 1 && whole && now != taken).then(|| taken = now))
        })?;
    }
    cofre.stop()
}

#[test]
fn what_a_power_cut_leaves_of_a_backup_has_all_folders_above_it() -> Result<()> {
    let folder = DataDir::new()?;
    let disk = FaultyDisk::new(folder.path())?;
    let cofre = with_bucket(disk.options(Options::new()))?;
    let folders = ["", "a", "a/b", "a/b/c"].map(|path| folder.path().join(path));
    backup_to(&cofre, &folders[3])?;
    let synced = disk.synced_folders()?;
    for folder in &folders {
        ensure!(synced.contains(&folder.metadata()?.ino()), "the entries of {} are not synced", folder.display());
    }
    Ok(())
}

#[test]
fn where_all_shards_are_remote_health_says_what_to_do_about_backups() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    let Node::Cofre(mut node) = Node::cofre()? else { anyhow::bail!("a Cofre") };
    for text in ["shard", "backup"] {
        cofre.log().expect(text);
        node.log().expect(text);
    }
    let endpoint = format!("http://{}", node.s3());
    admin(&cofre, &add_arguments(&cofre, &endpoint, node.signer(), "node/")?)?;
    cofre.admin_command(&["shard", "drain", "1", "--wait"])?;
    succeeded(cofre.send_admin(Request::new("DELETE", "/v1/shards/1"))?)?;
    let told = |cofre: &Cofre| -> Result<bool> {
        let verdicts = health(cofre)?["verdicts"].to_string();
        Ok(verdicts.contains("cofre catalog backup") && verdicts.contains("timers.catalog_backup_secs=0"))
    };
    ensure!(told(&cofre)?, "health does not say what to do: {}", health(&cofre)?);
    cofre.admin_command(&["job", "run", "catalog-backup"])?;
    until("the job says so too", TOLD_MAX, || {
        let job = cofre.admin_command(&["job", "show", "catalog-backup"])?;
        Ok(job["problems"].to_string().contains("all shards are remote").then_some(()))
    })?;
    ensure!(health(&cofre)?["catalog"]["last_backup"].is_null(), "a backup that failed counts as one");
    cofre.admin_command(&["settings", "set", "timers.catalog_backup_secs=0"])?;
    ensure!(!told(&cofre)?, "health goes on about backups that an operator takes");
    cofre.stop()
}
