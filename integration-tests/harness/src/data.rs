use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A folder for a server's data, gone when it is dropped.
#[derive(Debug)]
pub struct DataDir(TempDir);

impl DataDir {
    /// An empty folder.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self(tempfile::Builder::new().prefix("cofre-test-").tempdir().context("a temporary folder")?))
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A filesystem in memory that is soon full. Making one takes root.
#[derive(Debug)]
pub struct FullDisk(DataDir);

impl FullDisk {
    /// An empty one that holds this many bytes.
    ///
    /// # Errors
    /// If it cannot be mounted.
    pub fn new(bytes: u64) -> Result<Self> {
        let folder = DataDir::new()?;
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(folder.path())
            .status()
            .context("mount")?;
        ensure!(status.success(), "a tmpfs cannot be mounted; this test runs as root");
        Ok(Self(folder))
    }

    /// Makes room, as an operator would.
    ///
    /// # Errors
    /// If it cannot be mounted anew.
    pub fn grow(&self, bytes: u64) -> Result<()> {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,size={bytes}")])
            .arg(self.0.path())
            .status()
            .context("mount")?;
        ensure!(status.success(), "a tmpfs cannot be made larger");
        Ok(())
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        // Lazily: a server that still runs must not keep the mount.
        let unmounted = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.path().display());
        }
    }
}
