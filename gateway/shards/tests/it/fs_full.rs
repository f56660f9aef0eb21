//! A disk that fills: a tmpfs of a few MiB, mounted by the test, which must run as root.

use crate::samples::*;
use cofre_runtime::{Clock, Random};
use cofre_shards::{Backend, BackendError, Body, FsBackend, FsOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

struct Mount {
    directory: tempfile::TempDir,
}

impl Mount {
    fn new(mib: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(directory.path()));
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("shard")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run(Command::new("umount").arg("-l").arg(self.directory.path()));
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?} failed: this test must run as root");
}

fn create(path: &Path) -> FsBackend {
    let options =
        FsOptions { reserve_bytes: Some(256 * 1024), unclaimed_grace: std::time::Duration::ZERO, ..Default::default() };
    FsBackend::create(path, IDENTITY, options, Clock::system(), Random::system()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_takes_blobs_again_after_deletions() {
    for size in [4000, 300_000] {
        let mount = Mount::new(8);
        let shard = create(&mount.path());
        let mut stored = Vec::new();
        let number = loop {
            let number = stored.len() as u32;
            let body = match number % 3 {
                0 => Body::Whole(content(u64::from(number), size)),
                1 => streamed(&content(u64::from(number), size), 70_000),
                _ => Body::Stream { stream: stream_of(&content(u64::from(number), size), 70_000), size: None },
            };
            match shard.put(blob(number), &header("k"), body).await {
                Ok(put) => stored.push((blob(number), put.locator)),
                Err(BackendError::Full) => break number,
                Err(error) => panic!("full, not {error}"),
            }
            assert!(stored.len() * size < 9_000_000, "more was stored than there is room");
        };
        assert!(stored.len() * size > 5_000_000, "only {} blobs of {size} fitted", stored.len());
        // A put that fails cleans up behind it.
        let settled = tokio::time::timeout(std::time::Duration::from_secs(10), async {
            while std::fs::read_dir(mount.path().join("temp")).unwrap().next().is_some() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        });
        assert!(settled.await.is_ok());
        assert_eq!(list_all(&shard).await.len(), stored.len());
        for (number, (blob, locator)) in stored.iter().enumerate() {
            let read = read(&shard, *blob, locator, whole(size)).await.unwrap();
            assert!(read == content(number as u64, size));
        }
        shard.delete(stored.clone()).await.unwrap();
        assert!(list_all(&shard).await.is_empty());
        drop(shard);
        let shard = FsBackend::open(
            &mount.path(),
            IDENTITY,
            FsOptions { reserve_bytes: Some(256 * 1024), ..Default::default() },
            Clock::system(),
            Random::system(),
        )
        .unwrap();
        // Packs come back by compaction, files at once.
        while shard.compact(&crate::fs_compact::Ledger::default()).await.unwrap().is_some() {}
        shard.put(blob(number), &header("k"), Body::Whole(content(1, size))).await.unwrap();
    }
}
