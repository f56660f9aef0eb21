//! An older copy of the catalog that is put back without a restore, over shards that went on since.

use crate::restored::{BACKED_UP, JOBS_MAX, MUCH_LATER, NEWER, compared, fill, hold, job, of_catalog, searched};
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Options, Request, until};
use cofre_suites::{get, path, succeeded, with_bucket};
use std::path::Path;
use std::process::Command;

/// What the log says of it.
const TOLD: &str = "an older copy of it was put back";

fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    ensure!(status.success(), "cp failed");
    Ok(())
}

/// Copies the catalog of a server that is stopped, and starts it again.
fn copied(cofre: &mut Cofre, name: &str) -> Result<std::path::PathBuf> {
    let copied = cofre.folder().join(name);
    cofre.stop()?;
    copy(&cofre.data().join("catalog"), &copied)?;
    cofre.start_again()?;
    Ok(copied)
}

/// Puts a copy in the place of the catalog of a server that is stopped.
fn put_back(cofre: &Cofre, copied: &Path) -> Result<()> {
    let catalog = cofre.data().join("catalog");
    std::fs::remove_dir_all(&catalog)?;
    copy(copied, &catalog)
}

fn is_restored(cofre: &Cofre) -> Result<bool> {
    Ok(cofre.send_admin(Request::new("GET", "/v1/catalog/restore"))?.status == 200)
}

#[test]
fn what_is_newer_than_a_catalog_that_was_put_back_waits_for_a_word() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(2))?;
    cofre.admin_command(&["settings", "set", "timers.job_busy_share=1", "timers.garbage_grace_secs=60"])?;
    fill(&cofre, "k", BACKED_UP)?;
    let older = copied(&mut cofre, "older")?;
    fill(&cofre, "newer", NEWER)?;
    // What the older catalog names, this one has deleted: the space is given back after its grace.
    for number in 0..BACKED_UP {
        succeeded(cofre.send(Request::new("DELETE", &path(&format!("k{number}"))))?)?;
    }
    ensure!(!is_restored(&cofre)?, "a catalog that goes on is no older copy");
    cofre.stop()?;
    put_back(&cofre, &older)?;
    cofre.log().expect(TOLD);
    cofre.set_clock_ahead(MUCH_LATER);
    cofre.start_again()?;
    let told = of_catalog(&cofre)?.context("health tells of it")?;
    ensure!(told.contains("an older copy of it was put back"), "{told}");
    let restored = compared(&cofre)?;
    let (newer, found) = (&restored["newer"]["objects"], &restored["found_behind"]);
    ensure!(*newer == NEWER && *found == true && restored["waiting"] == true, "{restored}");
    let events = cofre.admin_command(&["events"])?.to_string();
    ensure!(events.contains("catalog.found_behind"), "{events}");
    searched(&cofre)?;
    ensure!(job(&cofre, "orphans")?["actions"]["doomed"].as_u64().unwrap_or(0) == 0, "something was deleted");
    hold(&cofre, "k", BACKED_UP)?;
    ensure!(cofre.send(get("newer0"))?.status == 404, "the older catalog does not know it");
    // It is told once: a start after that finds a catalog that goes on.
    cofre.kill()?;
    cofre.start_again()?;
    let again = cofre.log().text()?.matches(TOLD).count();
    ensure!(again == 1, "it was told {again} times");
    ensure!(compared(&cofre)?["waiting"] == true, "it waits no more");

    // The catalog that was put away knows of no restore, and shards have seen one by now.
    fill(&cofre, "late", NEWER)?;
    cofre.stop()?;
    put_back(&cofre, &older)?;
    cofre.start_again()?;
    ensure!(cofre.log().text()?.matches(TOLD).count() == 2, "an older incarnation is not told");
    // All that the copy lacks is one again: what was newer, and what came late.
    let restored = compared(&cofre)?;
    ensure!(restored["newer"]["objects"] == 2 * NEWER, "{restored}");
    hold(&cofre, "k", BACKED_UP)?;
    cofre.stop()
}

#[test]
fn a_shard_that_was_away_when_the_catalog_was_put_back_is_left_alone() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(2))?;
    cofre.admin_command(&["settings", "set", "timers.job_busy_share=1"])?;
    let older = copied(&mut cofre, "older")?;
    fill(&cofre, "newer", NEWER)?;
    cofre.stop()?;
    put_back(&cofre, &older)?;
    let away: Vec<_> = cofre.shards().into_iter().map(|shard| (shard.with_extension("away"), shard)).collect();
    for (aside, shard) in &away {
        std::fs::rename(shard, aside)?;
    }
    cofre.log().expect("a shard");
    cofre.start_unready()?;
    ensure!(!is_restored(&cofre)?, "no shard was there to tell");
    for (aside, shard) in &away {
        std::fs::rename(aside, shard)?;
    }
    let refused = until("the shard is refused", JOBS_MAX, || {
        let shards = cofre.admin_command(&["shard", "list"])?.to_string();
        Ok(shards.contains("older copy").then_some(shards))
    })?;
    ensure!(refused.contains("start Cofre anew"), "{refused}");
    cofre.kill()?;
    cofre.log().expect(TOLD);
    cofre.start_again()?;
    ensure!(compared(&cofre)?["newer"]["objects"] == NEWER, "what is newer is not told");
    cofre.stop()
}
