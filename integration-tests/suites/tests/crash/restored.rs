//! A catalog that is restored from a backup over shards that went on since: what it names is read, what it does not know
//! stays until an operator says otherwise.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, Fault, FaultyDisk, Fill, Options, Request, until};
use cofre_suites::{get, path, put, succeeded, with_bucket};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub const BACKED_UP: u64 = 15;
pub const NEWER: u64 = 5;
const SIZE: usize = 4_096;
/// Past the grace of garbage and that of copies which no record may name yet.
const LATER: Duration = Duration::from_secs(2 * 3_600);
/// Past the grace of orphans.
pub const MUCH_LATER: Duration = Duration::from_secs(3 * 86_400);
/// The longest until jobs have done what is waited for.
pub const JOBS_MAX: Duration = Duration::from_secs(120);

fn content(number: u64) -> Vec<u8> {
    Fill(number).bytes(SIZE)
}

pub fn fill(cofre: &Cofre, name: &str, count: u64) -> Result<()> {
    (0..count)
        .try_for_each(|number| succeeded(cofre.send(put(&format!("{name}{number}"), &content(number)))?).map(drop))
}

pub fn hold(cofre: &Cofre, name: &str, count: u64) -> Result<()> {
    (0..count).try_for_each(|number| {
        let key = format!("{name}{number}");
        let response = succeeded(cofre.send(get(&key))?).with_context(|| key.clone())?;
        ensure!(response.body == content(number), "{key} came back as something else");
        Ok(())
    })
}

pub fn json(cofre: &Cofre, request: Request) -> Result<Value> {
    Ok(serde_json::from_slice(&succeeded(cofre.send_admin(request)?)?.body)?)
}

pub fn backup(cofre: &Cofre) -> Result<PathBuf> {
    let directory = cofre.folder().join("backup");
    backup_to(cofre, &directory)?;
    Ok(directory)
}

pub fn backup_to(cofre: &Cofre, directory: &Path) -> Result<()> {
    let body = serde_json::json!({ "directory": directory }).to_string();
    let request = Request::new("POST", "/v1/backups").header("content-type", "application/json").body(body.as_bytes());
    let begun = json(cofre, request)?;
    until("the backup", JOBS_MAX, || {
        let backup = json(cofre, Request::new("GET", &format!("/v1/backups/{}", begun["id"])))?;
        ensure!(backup["state"] != "failed", "{backup}");
        Ok((backup["state"] == "done").then_some(()))
    })
}

/// Puts a backup in the place of the catalog, through the command line.
pub fn restore(cofre: &mut Cofre, backup: &Path) -> Result<()> {
    cofre.stop()?;
    std::fs::remove_dir_all(cofre.data().join("catalog"))?;
    let output = Command::new(Cofre::binary())
        .args(["catalog", "restore"])
        .arg(backup)
        .arg("--data")
        .arg(cofre.data())
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    cofre.start_again()
}

fn wake(cofre: &Cofre, job: &str) -> Result<()> {
    succeeded(cofre.send_admin(Request::new("POST", &format!("/v1/jobs/{job}/wake")))?).map(drop)
}

fn run(cofre: &Cofre, job: &str) -> Result<()> {
    succeeded(cofre.send_admin(Request::new("POST", &format!("/v1/jobs/{job}/run")))?).map(drop)
}

pub fn job(cofre: &Cofre, name: &str) -> Result<Value> {
    json(cofre, Request::new("GET", &format!("/v1/jobs/{name}")))
}

/// What health says of the catalog.
pub fn of_catalog(cofre: &Cofre) -> Result<Option<String>> {
    let health = json(cofre, Request::new("GET", "/v1/health"))?;
    let verdicts = health["verdicts"].as_array().context("verdicts")?.clone();
    let ours = verdicts.into_iter().find(|verdict| verdict["subject"] == "catalog");
    Ok(ours.map(|verdict| verdict["message"].as_str().unwrap_or_default().to_owned()))
}

pub fn compared(cofre: &Cofre) -> Result<Value> {
    until("every shard is compared", JOBS_MAX, || {
        let restore = json(cofre, Request::new("GET", "/v1/catalog/restore"))?;
        Ok((restore["shards_compared"] == restore["shards"]).then_some(restore))
    })
}

/// Has all shards searched for what no record names.
pub fn searched(cofre: &Cofre) -> Result<()> {
    let before = job(cofre, "orphans")?["passes"].as_u64().context("passes")?;
    run(cofre, "orphans")?;
    until("a search for orphans", JOBS_MAX, || {
        Ok((job(cofre, "orphans")?["passes"].as_u64() > Some(before)).then_some(()))
    })
}

fn files(folder: &Path, suffix: &str) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("packs"))? {
        count += usize::from(entry?.file_name().to_string_lossy().ends_with(suffix));
    }
    Ok(count)
}

#[test]
fn objects_that_were_deleted_since_the_backup_outlive_compaction() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(2).args(&["--redundancy", "replicas:2"]))?;
    cofre.admin_command(&["settings", "set", "jobs.compact.paused=true", "timers.garbage_grace_secs=60"])?;
    cofre.admin_command(&["settings", "set", "timers.job_busy_share=1"])?;
    fill(&cofre, "k", BACKED_UP)?;
    let backup = backup(&cofre)?;
    for number in 0..BACKED_UP {
        succeeded(cofre.send(Request::new("DELETE", &path(&format!("k{number}"))))?)?;
    }
    cofre.stop()?;
    cofre.set_clock_ahead(LATER);
    cofre.start_again()?;
    let shards = cofre.shards();
    until("every copy is deleted", JOBS_MAX, || {
        wake(&cofre, "reclaim")?;
        let all = shards.iter().map(|shard| files(shard, ".dead")).collect::<Result<Vec<_>>>()?;
        let left = job(&cofre, "reclaim")?;
        Ok((all.iter().all(|count| *count > 0) && left["remaining_objects"] == 0).then_some(()))
    })?;
    restore(&mut cofre, &backup)?;
    compared(&cofre)?;
    cofre.admin_command(&["settings", "set", "jobs.compact.paused=false"])?;
    let before = job(&cofre, "compact")?["passes"].as_u64().context("passes")?;
    until("compaction has looked at everything", JOBS_MAX, || {
        wake(&cofre, "compact")?;
        Ok((job(&cofre, "compact")?["passes"].as_u64() > Some(before + 2)).then_some(()))
    })?;
    hold(&cofre, "k", BACKED_UP)?;
    let verified = cofre.admin_lines(&["verify", "--deep"])?;
    let end = verified.last().context("an end")?;
    ensure!(end.to_string().contains("\"wrong\":0"), "{end}");
    // Each shard holds a copy of each.
    for shard in &shards {
        let aside = shard.with_extension("aside");
        cofre.log().expect("a shard");
        cofre.stop()?;
        std::fs::rename(shard, &aside)?;
        // One shard is no quorum of two copies: it serves reads.
        cofre.start_unready()?;
        hold(&cofre, "k", BACKED_UP)?;
        cofre.stop()?;
        std::fs::rename(&aside, shard)?;
        cofre.start_again()?;
    }
    Ok(())
}

#[test]
fn objects_that_moved_are_read_and_newer_ones_wait_for_a_word() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(3))?;
    cofre.admin_command(&["settings", "set", "timers.job_busy_share=1"])?;
    fill(&cofre, "k", BACKED_UP)?;
    let backup = backup(&cofre)?;
    fill(&cofre, "newer", NEWER)?;
    cofre.admin_command(&["shard", "drain", "1", "--wait"])?;
    for text in ["a copy is bad", "content could not be read", "a request was turned away"] {
        cofre.log().expect(text);
    }
    cofre.set_clock_ahead(MUCH_LATER);
    restore(&mut cofre, &backup)?;
    let restored = compared(&cofre)?;
    // One that was moved since stands in two places until compaction, and is one all the same.
    ensure!(restored["newer"]["objects"] == NEWER && restored["waiting"] == true, "{restored}");
    ensure!(restored["backup_taken"].as_str().is_some(), "{restored}");
    hold(&cofre, "k", BACKED_UP)?;
    let said = of_catalog(&cofre)?.context("health tells of the restore")?;
    let newer = format!("{NEWER} objects");
    for part in ["restored from a backup of 2", "3 of 3 shards compared", &format!("{newer} are newer than the backup")]
    {
        ensure!(said.contains(part), "{said}");
    }
    // They stay, however long that takes.
    searched(&cofre)?;
    ensure!(job(&cofre, "orphans")?["actions"]["doomed"].as_u64().unwrap_or(0) == 0, "something was deleted");
    let refused = cofre.admin_command(&["restore", "discard"]);
    ensure!(refused.is_err_and(|error| error.to_string().contains(&newer)), "it wants a word");
    cofre.admin_command(&["restore", "discard", "--yes"])?;
    searched(&cofre)?;
    let doomed = job(&cofre, "orphans")?["actions"]["doomed"].as_u64().unwrap_or(0);
    ensure!(doomed >= NEWER, "{doomed} copies were deleted");
    ensure!(of_catalog(&cofre)?.is_none(), "health has nothing more to say of it");
    hold(&cofre, "k", BACKED_UP)
}

#[test]
fn a_first_start_that_was_cut_short_needs_no_hands() -> Result<()> {
    for torn in ["", "cofre sh"] {
        let mut options = Options::new();
        let folder = DataDir::new()?;
        let roots = ["one", "two"].map(|name| folder.path().join(name));
        for root in &roots {
            std::fs::create_dir_all(root)?;
            std::fs::write(root.join("cofre-shard"), torn)?;
            options = options.shard(root.clone());
        }
        let cofre = with_bucket(options.args(&["--redundancy", "replicas:2"]))?;
        fill(&cofre, "k", 2)?;
        hold(&cofre, "k", 2)?;
    }
    Ok(())
}

#[test]
fn an_identity_that_is_not_durable_is_not_there() -> Result<()> {
    let folder = DataDir::new()?;
    let (data, shard) = (folder.path().join("data"), folder.path().join("shard"));
    let disk = FaultyDisk::new(&shard)?;
    let options = || disk.options(Options::new().data(data.clone()).shard(shard.clone()));
    disk.begin(Fault::FailSync)?;
    ensure!(Cofre::start(options()).is_err(), "a shard is served whose identity was never synced");
    ensure!(!shard.join("cofre-shard").exists(), "an identity has its name before it is synced");
    disk.end(Fault::FailSync)?;
    let cofre = with_bucket(options())?;
    fill(&cofre, "k", 2)?;
    hold(&cofre, "k", 2)
}
