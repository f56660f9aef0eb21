//! The catalog on disks that fail, hang and rot.

use anyhow::{Context, Result, ensure};
use cofre_catalog::{Batch, Embedded, EmbeddedOptions, Store};
use cofre_harness::{Cofre, DataDir, Fault, FaultyDisk, FullDisk, Options, Request, until};
use cofre_suites::{contents, path, put, succeeded, with_bucket};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The longest from a fault to when it is told.
pub const TOLD_MAX: Duration = Duration::from_secs(15);

/// What the log may say while the catalog is broken.
const BROKEN: [&str; 8] = [
    "takes no commits",
    "could not be made durable",
    "turned away",
    "a request failed",
    "could not settle",
    "step failed",
    "persist failed",
    "Failed to fsync",
];

fn expect_broken(cofre: &mut Cofre) {
    for text in BROKEN {
        cofre.log().expect(text);
    }
}

fn readiness(cofre: &Cofre) -> Result<(u16, String)> {
    let response = cofre.send_admin(Request::new("GET", "/health/ready"))?;
    Ok((response.status, response.text()))
}

fn until_ready(cofre: &Cofre, ready: bool) -> Result<()> {
    until(if ready { "ready" } else { "unready" }, TOLD_MAX, || {
        Ok(readiness(cofre)?.0.eq(&if ready { 200 } else { 503 }).then_some(()))
    })
}

pub fn health(cofre: &Cofre) -> Result<Value> {
    let response = succeeded(cofre.send_admin(Request::new("GET", "/v1/health"))?)?;
    serde_json::from_slice(&response.body).context("health is JSON")
}

/// The head of a PUT whose body never comes: whether it is answered at once, and how.
fn put_without_its_body(cofre: &Cofre, key: &str) -> Result<u16> {
    let request =
        Request::new("PUT", &path(key)).header("host", &cofre.s3().to_string()).header("expect", "100-continue");
    let request = request.body(vec![7; 1 << 20]);
    let signed = cofre.signer().sign(request, cofre_harness::Payload::Unsigned);
    let mut connection = cofre_harness::Connection::open(cofre.s3())?;
    let head = signed.head();
    connection.write(head.as_bytes())?;
    connection.wait_at_most(TOLD_MAX)?;
    connection.response(false).map(|response| response.status)
}

#[test]
fn a_failed_sync_and_a_restart_leave_no_hole() -> Result<()> {
    let folder = DataDir::new()?;
    let data = folder.path().join("data");
    let disk = FaultyDisk::new(&data.join("catalog"))?;
    let mut cofre = with_bucket(disk.options(Options::new().data(data)))?;
    expect_broken(&mut cofre);
    succeeded(cofre.send(put("before", b"before"))?)?;
    disk.begin(Fault::FailSync)?;
    let failed = cofre.send(put("failed", b"failed"))?;
    ensure!(failed.status >= 500, "a failed sync is answered with {}", failed.status);
    until_ready(&cofre, false)?;
    let told = health(&cofre)?;
    ensure!(told["status"] == "failing" && told["catalog"]["state"] == "refusing", "{told}");
    ensure!(put_without_its_body(&cofre, "late")? == 503, "a PUT that cannot be committed is not refused early");
    ensure!(contents(&cofre, "before")?.as_deref() == Some(b"before"), "reads do not go on");
    disk.end(Fault::FailSync)?;
    cofre.kill()?;
    // The page cache still has what no disk has.
    cofre.start_again()?;
    succeeded(cofre.send(put("behind", b"behind"))?)?;
    cofre.kill()?;
    disk.cut_power()?;
    cofre.start_again()?;
    for key in ["before", "behind"] {
        ensure!(contents(&cofre, key)?.as_deref() == Some(key.as_bytes()), "{key} was acknowledged and is lost");
    }
    succeeded(cofre.send(put("after", b"after"))?)?;
    cofre.stop()
}

#[test]
fn a_hanging_disk_is_told_within_seconds() -> Result<()> {
    let folder = DataDir::new()?;
    let data = folder.path().join("data");
    let disk = FaultyDisk::new(&data.join("catalog"))?;
    let mut cofre = with_bucket(disk.options(Options::new().data(data)))?;
    for text in ["does not answer", "has not answered", "turned away"] {
        cofre.log().expect(text);
    }
    disk.begin(Fault::HangSync)?;
    std::thread::scope(|scope| {
        let put = scope.spawn(|| cofre.send(put("slow", b"slow")));
        until_ready(&cofre, false)?;
        let (_, reasons) = readiness(&cofre)?;
        ensure!(reasons.contains("has not answered"), "{reasons}");
        ensure!(health(&cofre)?["catalog"]["state"] == "slow", "health does not say that the disk hangs");
        ensure!(put_without_its_body(&cofre, "late")? == 503, "a PUT that cannot be committed is not refused early");
        disk.end(Fault::HangSync)?;
        succeeded(put.join().expect("the client does not panic")?)?;
        until_ready(&cofre, true)
    })?;
    ensure!(contents(&cofre, "slow")?.as_deref() == Some(b"slow"), "what waited is not there");
    cofre.stop()
}

/// Runs `cofre` with these arguments; what it printed if it succeeded, else what it said.
pub fn run(arguments: &[&str]) -> Result<std::result::Result<Vec<u8>, String>> {
    let output = Command::new(Cofre::binary()).args(arguments).output().context("cofre does not start")?;
    Ok(match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    })
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// A catalog whose tables are small, so that few objects make many.
pub fn small_tables(data: &Path) -> Result<()> {
    let options = EmbeddedOptions { memtable_bytes: 128 * 1024, ..EmbeddedOptions::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let store = Embedded::open(&data.join("catalog"), options, cofre_runtime::Clock::system()).await?;
        // One to which nothing was ever committed is made anew.
        store.commit(Batch::new()).await?;
        anyhow::Ok(store.close().await?)
    })
}

pub fn tables(data: &Path) -> Result<Vec<PathBuf>> {
    let folder = data.join("catalog/engine/keyspaces/1/tables");
    let mut tables: Vec<_> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    tables.sort();
    Ok(tables)
}

pub fn flip(path: &Path, at: u64) -> Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    Ok(file.write_all_at(&[byte[0] ^ 1], at)?)
}

/// Objects that make several tables.
pub const OBJECTS: usize = 300;

pub fn key(number: usize) -> String {
    format!("object-{number:03}")
}

#[test]
fn a_rotten_table_is_told_and_what_reads_is_salvaged() -> Result<()> {
    let folder = DataDir::new()?;
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    small_tables(&data)?;
    let mut cofre = with_bucket(Options::new().data(data.clone()))?;
    let padding = "p".repeat(1_500);
    for number in 0..OBJECTS {
        succeeded(cofre.send(put(&key(number), key(number).as_bytes()).header("x-amz-meta-padding", &padding))?)?;
    }
    cofre.stop()?;
    let size = |table: &PathBuf| std::fs::metadata(table).map_or(0, |found| found.len());
    let rotten = &tables(&data)?.into_iter().max_by_key(size).context("a table")?;
    // In the middle stand objects: what a start reads stands around them.
    flip(rotten, size(rotten) / 2)?;
    expect_broken(&mut cofre);
    for text in ["damaged", "Checksum mismatch", "crashed", "Compaction failed", "could not be", "does not decode"] {
        cofre.log().expect(text);
    }
    cofre.start_unready()?;
    cofre.admin_command(&["job", "run", "scrub"])?;
    until("the damage is told", TOLD_MAX, || {
        let told = health(&cofre)?;
        let messages = told["verdicts"].to_string();
        Ok((told["status"] == "failing" && messages.contains("salvage")).then_some(()))
    })?;
    ensure!(readiness(&cofre)?.0 == 503, "a damaged catalog is ready");
    ensure!(
        (0..OBJECTS).any(|number| contents(&cofre, &key(number)).is_ok_and(|found| found.is_some())),
        "nothing reads"
    );
    cofre.kill()?;
    let (mut cofre, lost) = crate::salvage::start_salvaged(&data, &new, None)?;
    ensure!(lost.len() == 1 && lost[0]["file"] == text(rotten), "{lost:?}");
    let mut found = 0;
    for number in 0..OBJECTS {
        if let Some(body) = contents(&cofre, &key(number))? {
            ensure!(body == key(number).as_bytes(), "{} is another", key(number));
            found += 1;
        }
    }
    ensure!(found + 20 > OBJECTS, "{found} of {OBJECTS} objects are left");
    cofre.stop()
}

#[test]
fn a_catalog_that_is_read_only_is_read() -> Result<()> {
    let (folder, disk) = (DataDir::new()?, FullDisk::new(512 << 20)?);
    let data = disk.path().join("data");
    let remount = |how: &str| -> Result<()> {
        let status = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(disk.path()).status()?;
        ensure!(status.success(), "mount -o remount,{how} failed: this test must run as root");
        Ok(())
    };
    let mut cofre = with_bucket(Options::new().data(data).shard(folder.path().join("shard")))?;
    succeeded(cofre.send(put("before", b"before"))?)?;
    cofre.stop()?;
    expect_broken(&mut cofre);
    cofre.log().expect("could not be recorded");
    remount("ro")?;
    cofre.start_unready()?;
    ensure!(contents(&cofre, "before")?.as_deref() == Some(b"before"), "what is there does not read");
    ensure!(cofre.send(put("late", b"late"))?.status == 503, "a write is not refused");
    ensure!(readiness(&cofre)?.0 == 503 && health(&cofre)?["catalog"]["state"] == "refusing", "it counts as good");
    remount("rw")?;
    ensure!(cofre.send(put("late", b"late"))?.status == 503, "what was opened for reading takes a write");
    cofre.kill()?;
    cofre.start_again()?;
    succeeded(cofre.send(put("after", b"after"))?)?;
    ensure!(contents(&cofre, "before")?.as_deref() == Some(b"before"), "what was there is gone");
    cofre.stop()
}

#[test]
fn the_secrets_of_an_older_store_are_not_overwritten() -> Result<()> {
    let folder = DataDir::new()?;
    let data = folder.path().join("data");
    let mut cofre = Cofre::start(Options::new().data(data.clone()))?;
    cofre.stop()?;
    let secrets = ["credentials", "admin-token"].map(|name| data.join(name));
    let before = secrets.each_ref().map(std::fs::read).into_iter().collect::<std::io::Result<Vec<_>>>()?;
    std::fs::remove_dir_all(data.join("catalog"))?;
    let refused = run(&["serve", "--data", text(&data), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])?;
    let said = refused.err().context("it starts beside the secrets of an older store")?;
    ensure!(said.contains("cofre catalog restore"), "{said}");
    let after = secrets.each_ref().map(std::fs::read).into_iter().collect::<std::io::Result<Vec<_>>>()?;
    ensure!(before == after && !data.join("catalog").exists(), "something was written");
    Ok(())
}

#[test]
fn who_lost_the_last_admin_token_makes_one_on_the_machine() -> Result<()> {
    let folder = DataDir::new()?;
    let data = folder.path().join("data");
    let mut cofre = Cofre::start(Options::new().data(data.clone()))?;
    let create = ["token", "create", "--data", text(&data), "--json"];
    let said = run(&create)?.err().context("it writes to the catalog of a running Cofre")?;
    ensure!(said.contains("a Cofre runs on it"), "{said}");
    let refused = cofre.send_admin(Request::new("GET", "/v1/tokens"))?;
    let listed: Value = serde_json::from_slice(&succeeded(refused)?.body)?;
    let last = listed["items"][0]["id"].as_str().context("a token")?.to_owned();
    let refused = cofre.send_admin(Request::new("DELETE", &format!("/v1/tokens/{last}")))?;
    ensure!(refused.status == 409 && refused.text().contains("cofre token create"), "{}", refused.text());
    succeeded(cofre.send_admin(Request::new("DELETE", &format!("/v1/tokens/{last}?force=true")))?)?;
    cofre.stop()?;
    let made: Value = serde_json::from_slice(&run(&create)?.map_err(anyhow::Error::msg)?)?;
    std::fs::write(data.join("admin-token"), made["secret"].as_str().context("a secret")?)?;
    cofre.start_again()?;
    ensure!(health(&cofre)?["status"] == "ok", "the new token does not work");
    cofre.stop()
}

#[test]
fn the_process_keeps_its_files_and_its_memory_to_itself() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"object"))?)?;
    let proc = PathBuf::from(format!("/proc/{}", cofre.pid()?));
    let status = std::fs::read_to_string(proc.join("status"))?;
    ensure!(status.lines().any(|line| line == "Umask:\t0077"), "{status}");
    let limits = std::fs::read_to_string(proc.join("limits"))?;
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).context("a limit of cores")?;
    ensure!(core.split_whitespace().nth(4) == Some("0"), "{core}");
    let mut folders = vec![cofre.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata()?);
            ensure!(metadata.mode() & 0o077 == 0, "{} is open to others: {:o}", path.display(), metadata.mode());
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    cofre.stop()
}
