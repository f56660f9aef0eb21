use crate::trees;
use anyhow::{Context, Result};
use cofre_harness::{Cofre, DataDir, Fill, Options, Tool, until};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The name of the server in rclone's configuration, which stands in its environment.
const REMOTE: &str = "RCLONE_CONFIG_COFRE";

fn rclone(cofre: &Cofre, arguments: &[&str]) -> Tool {
    Tool::python("rclone")
        .for_server(cofre)
        .env(&format!("{REMOTE}_TYPE"), "s3")
        .env(&format!("{REMOTE}_PROVIDER"), "Other")
        .env(&format!("{REMOTE}_ENV_AUTH"), "true")
        .env(&format!("{REMOTE}_ENDPOINT"), &format!("http://{}", cofre.s3()))
        .env("RCLONE_CONFIG", "/dev/null")
        // A retry would hide an answer that is wrong once.
        .env("RCLONE_LOW_LEVEL_RETRIES", "1")
        .env("RCLONE_RETRIES", "1")
        .args(arguments)
}

#[test]
fn copies_syncs_and_checks() -> Result<()> {
    let cofre = Cofre::start(Options::new().shards(3).args(&["--redundancy", "replicas:2"]))?;
    let (sent, got) = (DataDir::new()?, DataDir::new()?);
    trees::write(sent.path())?;
    let (from, to) = (sent.path().display().to_string(), got.path().display().to_string());

    rclone(&cofre, &["mkdir", "cofre:rclone"]).run()?;
    rclone(&cofre, &["copy", "--s3-upload-cutoff", "8M", "--s3-chunk-size", "5M", &from, "cofre:rclone/tree"]).run()?;
    rclone(&cofre, &["check", &from, "cofre:rclone/tree"]).run()?;
    rclone(&cofre, &["check", "--download", &from, "cofre:rclone/tree"]).run()?;
    rclone(&cofre, &["sync", "cofre:rclone/tree", &to]).run()?;
    trees::same(sent.path(), got.path())?;

    std::fs::remove_file(sent.path().join("block"))?;
    std::fs::write(sent.path().join("one byte"), "2")?;
    rclone(&cofre, &["sync", &from, "cofre:rclone/tree"]).run()?;
    rclone(&cofre, &["check", &from, "cofre:rclone/tree"]).run()?;

    // On the server: bytes do not come here and go back.
    rclone(&cofre, &["copy", "cofre:rclone/tree", "cofre:rclone/copy"]).run()?;
    rclone(&cofre, &["check", "--download", &from, "cofre:rclone/copy"]).run()?;
    rclone(&cofre, &["moveto", "cofre:rclone/copy/multipart", "cofre:rclone/moved"]).run()?;
    let size = rclone(&cofre, &["size", "--json", "cofre:rclone/moved"]).run()?;
    assert!(size.contains("\"count\":1") && size.contains("\"bytes\":20971527"), "{size}");
    rclone(&cofre, &["purge", "cofre:rclone"]).run()?;
    assert_eq!(rclone(&cofre, &["lsf", "cofre:"]).run()?, "");
    Ok(())
}

/// A FUSE mount of a bucket, by a process that is ours.
struct Mount {
    folder: DataDir,
    child: Child,
}

impl Mount {
    fn new(cofre: &Cofre) -> Result<Self> {
        let folder = DataDir::new()?;
        let cache = cofre.folder().join("rclone-cache").display().to_string();
        let place = folder.path().display().to_string();
        let log = std::fs::File::create(cofre.folder().join("rclone-mount.log"))?;
        let child = Command::from(rclone(
            cofre,
            &[
                "mount",
                "cofre:mounted",
                &place,
                "--vfs-cache-mode",
                "writes",
                "--vfs-write-back",
                "0s",
                "--cache-dir",
                &cache,
            ],
        ))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("rclone mount starts")?;
        let mut mount = Self { folder, child };
        until("the bucket is mounted", Duration::from_secs(30), || {
            anyhow::ensure!(mount.child.try_wait()?.is_none(), "rclone mount ended: it needs fuse3, and root");
            Ok(std::fs::read_to_string("/proc/mounts")?.contains(&place).then_some(()))
        })?;
        Ok(mount)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Unmounts, which waits until all is written.
    fn end(mut self) -> Result<()> {
        Tool::new("fusermount3").arg("-u").arg(self.folder.path()).run()?;
        until("rclone mount ends", Duration::from_secs(60), || Ok(self.child.try_wait()?)).map(drop)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // After a failure: what is not mounted any more, or has ended, is well.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn mounts_a_bucket_for_programs_that_know_files() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    rclone(&cofre, &["mkdir", "cofre:mounted"]).run()?;
    let mount = Mount::new(&cofre)?;
    let large = Fill(9).bytes((12 << 20) + 3);
    std::fs::create_dir_all(mount.path("folder/deeper"))?;
    std::fs::write(mount.path("folder/large"), &large)?;
    std::fs::write(mount.path("folder/deeper/ü small"), "small")?;
    std::fs::write(mount.path("overwritten"), "first")?;
    std::fs::write(mount.path("overwritten"), "second, and longer")?;
    std::fs::rename(mount.path("folder/large"), mount.path("folder/renamed"))?;
    std::fs::rename(mount.path("folder"), mount.path("moved"))?;
    std::fs::write(mount.path("gone"), "gone")?;
    std::fs::remove_file(mount.path("gone"))?;
    assert_eq!(std::fs::read(mount.path("moved/renamed"))?, large);
    assert_eq!(names(&mount.path("moved"))?, ["deeper", "renamed"]);
    mount.end()?;

    // What the server has, through a mount that remembers nothing.
    let again = Mount::new(&cofre)?;
    assert_eq!(std::fs::read(again.path("moved/renamed"))?, large);
    assert_eq!(std::fs::read_to_string(again.path("moved/deeper/ü small"))?, "small");
    assert_eq!(std::fs::read_to_string(again.path("overwritten"))?, "second, and longer");
    assert_eq!(names(&again.path("."))?, ["moved", "overwritten"]);
    again.end()
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}
