//! A disk that fills: a tmpfs of a few MiB, mounted by the test, which must run as root.

use cofre_catalog::{Batch, CommitError, Embedded, EmbeddedOptions, Read, Store, StoreError};
use cofre_runtime::ManualClock;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

struct Mount(tempfile::TempDir);

impl Mount {
    fn new(mib: u64) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(directory.path()));
        Self(directory)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run(Command::new("umount").arg("-l").arg(self.0.path()));
    }
}

fn run(command: &mut Command) {
    let status = command.status().expect("it runs");
    assert!(status.success(), "{command:?} failed: this test must run as root");
}

fn free_bytes(path: &Path) -> u64 {
    let stat = rustix::fs::statvfs(path).expect("a file system");
    stat.f_bavail * stat.f_frsize
}

/// Writes as somebody else on the same disk does, until so many bytes are left.
fn fill(path: &Path, left_bytes: u64) {
    let mut file = File::options().append(true).create(true).open(path.join("somebody-elses")).expect("a file");
    while free_bytes(path) > left_bytes {
        file.write_all(&[1; 64 * 1024]).expect("room");
    }
}

fn key(number: u32) -> Vec<u8> {
    format!("key {number}").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_somebody_else_filled_still_takes_deletions() {
    let mount = Mount::new(48);
    let path = mount.0.path().join("catalog");
    let clock = ManualClock::at(1_800_000_000_000_000_000);
    let options = || EmbeddedOptions { memtable_bytes: MIB, reserve_bytes: 16 * MIB, ..EmbeddedOptions::default() };
    let store = Embedded::open(&path, options(), clock.clock()).await.unwrap();
    let put = |number| {
        let mut batch = Batch::new();
        batch.put(key(number), vec![7; 100]);
        store.commit(batch)
    };
    for number in 0..100 {
        put(number).await.unwrap();
    }
    fill(mount.0.path(), 12 * MIB);
    clock.advance(Duration::from_secs(1));
    assert!(matches!(put(100).await, Err(CommitError::Store(StoreError::Full))));
    for number in 0..100 {
        let mut batch = Batch { frees: true, ..Batch::new() };
        batch.delete(key(number));
        store.commit(batch).await.unwrap();
    }
    assert!(matches!(put(100).await, Err(CommitError::Store(StoreError::Full))));
    store.close().await.unwrap();
    let store = Embedded::open(&path, options(), clock.clock()).await.unwrap();
    assert_eq!(store.get_many((0..=100).map(key).collect()).await.unwrap(), vec![None; 101]);
    std::fs::remove_file(mount.0.path().join("somebody-elses")).unwrap();
    clock.advance(Duration::from_secs(1));
    let mut batch = Batch::new();
    batch.put(key(100), vec![7; 100]);
    store.commit(batch).await.unwrap();
}
