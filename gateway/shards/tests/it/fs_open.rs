//! Opening a filesystem shard: identity, recovery, swapped mounts.

use crate::samples::*;
use cofre_runtime::{Clock, Random};
use cofre_shards::{Backend, BackendError, Body, FsBackend, FsError, FsOptions, Locator, ShardIdentity};
use cofre_types::BlobId;
use futures_util::StreamExt;
use std::fs;
use std::io::Write;
use std::path::Path;

fn open(root: &Root, identity: ShardIdentity) -> Result<FsBackend, FsError> {
    FsBackend::open(&root.path(), identity, FsOptions::default(), Clock::system(), Random::system())
}

fn create(root: &Root) -> Result<FsBackend, FsError> {
    FsBackend::create(&root.path(), IDENTITY, FsOptions::default(), Clock::system(), Random::system())
}

#[test]
fn a_root_with_another_identity_is_refused() {
    let root = Root::new();
    drop(root.create());
    let other = ShardIdentity { shard: [9; 16], ..IDENTITY };
    assert!(matches!(open(&root, other), Err(FsError::OtherShard { found }) if found == "01".repeat(16)));
    let foreign = ShardIdentity { cluster: [9; 16], ..IDENTITY };
    assert!(matches!(open(&root, foreign), Err(FsError::ForeignCluster { found }) if found == "02".repeat(16)));
    assert!(open(&root, IDENTITY).is_ok());
}

#[test]
fn a_root_without_identity_is_refused_and_stays_as_it_is() {
    let root = Root::new();
    fs::create_dir(root.path()).unwrap();
    assert!(matches!(open(&root, IDENTITY), Err(FsError::NoIdentity)));
    assert!(root.files().is_empty() && fs::read_dir(root.path()).unwrap().next().is_none());
    assert!(create(&root).is_ok());
}

/// What a power cut may leave of an identity file that was just written.
fn torn() -> Vec<Vec<u8>> {
    let whole = IDENTITY.encode().into_bytes();
    vec![Vec::new(), whole[..1].to_vec(), whole[..whole.len() - 1].to_vec(), vec![0; whole.len()]]
}

#[test]
fn a_root_whose_making_was_cut_short_is_made_anew() {
    for torn in torn() {
        for name in ["cofre-shard", "cofre-shard.new"] {
            let root = Root::new();
            fs::create_dir(root.path()).unwrap();
            fs::write(root.path().join(name), &torn).unwrap();
            fs::create_dir_all(root.path().join("blobs/00")).unwrap();
            if name == "cofre-shard.new" {
                fs::remove_dir_all(root.path().join("blobs")).unwrap();
            }
            assert!(FsBackend::identity(&root.path()).unwrap().is_none());
            FsBackend::check_empty(&root.path()).unwrap();
            drop(create(&root).unwrap());
            assert_eq!(FsBackend::identity(&root.path()).unwrap(), Some(IDENTITY));
            assert!(!root.path().join("cofre-shard.new").exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_with_a_torn_identity_and_blobs_is_left_alone() {
    for size in [1000, 400_000] {
        let root = Root::new();
        let shard = root.create();
        put(&shard, 1, size).await;
        drop(shard);
        for torn in torn() {
            fs::write(root.path().join("cofre-shard"), &torn).unwrap();
            assert!(matches!(FsBackend::identity(&root.path()), Err(FsError::DamagedIdentity)));
            assert!(matches!(FsBackend::check_empty(&root.path()), Err(FsError::NotEmpty)));
            assert!(matches!(create(&root), Err(FsError::NotEmpty)));
            assert!(matches!(open(&root, IDENTITY), Err(FsError::DamagedIdentity)));
            assert_eq!(fs::read(root.path().join("cofre-shard")).unwrap(), torn);
        }
    }
}

#[test]
fn a_directory_with_a_torn_identity_and_anything_else_is_not_made_a_shard() {
    let root = Root::new();
    fs::create_dir(root.path()).unwrap();
    fs::write(root.path().join("cofre-shard"), "").unwrap();
    fs::write(root.path().join("holiday.jpg"), "x").unwrap();
    assert!(matches!(create(&root), Err(FsError::NotEmpty)));
    assert_eq!(root.files().len(), 2);
}

#[test]
fn a_directory_with_anything_in_it_is_not_made_a_shard() {
    let root = Root::new();
    fs::create_dir(root.path()).unwrap();
    fs::write(root.path().join("holiday.jpg"), "x").unwrap();
    assert!(matches!(create(&root), Err(FsError::NotEmpty)));
    assert_eq!(root.files().len(), 1);
}

#[test]
fn every_flipped_byte_of_the_identity_is_noticed() {
    let root = Root::new();
    drop(root.create());
    let path = root.path().join("cofre-shard");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        let error = open(&root, IDENTITY).err();
        assert!(matches!(error, Some(FsError::DamagedIdentity | FsError::NewerIdentity)), "byte {at}: {error:?}");
    }
    fs::write(&path, whole).unwrap();
    assert!(open(&root, IDENTITY).is_ok());
}

#[test]
fn a_root_is_open_once_at_a_time() {
    let root = Root::new();
    let first = root.create();
    assert!(matches!(open(&root, IDENTITY), Err(FsError::Busy)));
    drop(first);
    assert!(open(&root, IDENTITY).is_ok());
}

async fn put(shard: &FsBackend, number: u32, size: usize) -> (BlobId, Locator, usize) {
    let body = Body::Whole(content(u64::from(number), size));
    let stored = shard.put(blob(number), &header("k"), body).await.unwrap();
    (blob(number), stored.locator, number as usize)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_blob_that_cannot_be_deleted_does_not_keep_the_others() {
    let root = Root::new();
    let shard = root.create();
    let mut stored = Vec::new();
    for number in 0..6 {
        let size = if number % 2 == 0 { 1000 } else { 300_000 };
        let body = Body::Whole(content(u64::from(number), size));
        let put = shard.put(blob(number), &header("k"), body).await.unwrap();
        stored.push((blob(number), put.locator));
    }
    // Nothing can be unlinked by the name of a directory.
    let stuck = root.files().into_iter().find(|path| path.to_string_lossy().contains(&blob(1).to_string())).unwrap();
    fs::remove_file(&stuck).unwrap();
    fs::create_dir(&stuck).unwrap();
    let foreign = (blob(7), Locator(b"foreign".to_vec()));
    let failed = shard.delete([vec![foreign.clone()], stored.clone()].concat()).await.unwrap();
    assert_eq!(failed.iter().map(|failed| failed.blob).collect::<Vec<_>>(), [blob(1), blob(7)]);
    fs::remove_dir(&stuck).unwrap();
    assert!(list_all(&shard).await.is_empty());
    // A disk that takes nothing is another matter than a locator that means nothing.
    assert_eq!(shard.delete(vec![foreign]).await.unwrap().len(), 1);
    fs::create_dir(&stuck).unwrap();
    assert!(matches!(shard.delete(vec![stored[1].clone()]).await, Err(BackendError::Unreachable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_outlive_a_restart_and_leftovers_do_not() {
    let root = Root::new();
    let mut stored = Vec::new();
    for round in 0..3 {
        let shard = if round == 0 { root.create() } else { root.open() };
        for number in round * 10..round * 10 + 10 {
            let size = if number % 5 == 0 { 400_000 } else { 1000 };
            stored.push((put(&shard, number, size).await, size));
        }
        for ((blob, locator, number), size) in &stored {
            let read = read(&shard, *blob, locator, whole(*size)).await.unwrap();
            assert_eq!(read, content(*number as u64, *size));
        }
        assert_eq!(list_all(&shard).await.len(), stored.len());
        drop(shard);
        fs::write(root.path().join("temp/00000000deadbeef"), "half a blob").unwrap();
    }
    let shard = root.open();
    assert!(fs::read_dir(root.path().join("temp")).unwrap().next().is_none());
    drop(shard);
}

/// The newest pack of a root.
fn newest_pack(root: &Root) -> std::path::PathBuf {
    root.files().into_iter().rfind(|path| path.extension().is_some_and(|e| e == "pack")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_cut_off_wherever_it_tore() {
    let root = Root::new();
    let shard = root.create();
    let kept = put(&shard, 1, 5000).await;
    let torn = put(&shard, 2, 5000).await;
    drop(shard);
    let pack = newest_pack(&root);
    let whole_pack = fs::read(&pack).unwrap();
    let record = (whole_pack.len() - 24) / 2;
    for cut in [1, 10, 40, record / 2, record - 1] {
        let mut bytes = whole_pack[..24 + record + cut].to_vec();
        bytes.resize(whole_pack.len() + 100_000, 0);
        fs::write(&pack, bytes).unwrap();
        let shard = root.open();
        assert_eq!(fs::metadata(&pack).unwrap().len() as usize, 24 + record, "cut at {cut}");
        assert_eq!(list_all(&shard).await.len(), 1);
        assert_eq!(read(&shard, kept.0, &kept.1, whole(5000)).await.unwrap(), content(1, 5000));
        let error = read(&shard, torn.0, &torn.1, whole(5000)).await.unwrap_err();
        assert!(matches!(error, BackendError::Corrupt(_)), "{error}");
        drop(shard);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_head_does_not_take_the_records_behind_it() {
    let root = Root::new();
    let shard = root.create();
    put(&shard, 1, 5000).await;
    let behind = put(&shard, 2, 5000).await;
    drop(shard);
    let pack = newest_pack(&root);
    let mut bytes = fs::read(&pack).unwrap();
    bytes[30] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let shard = root.open();
    let listed: Vec<_> = list_all(&shard).await.into_iter().map(|listed| listed.blob).collect();
    assert_eq!(listed, [behind.0]);
    assert_eq!(read(&shard, behind.0, &behind.1, whole(5000)).await.unwrap(), content(2, 5000));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_below_a_mount_that_is_gone() {
    let root = Root::new();
    let shard = root.create();
    put(&shard, 1, 100).await;
    let away = root.path().with_extension("away");
    fs::rename(root.path(), &away).unwrap();
    fs::create_dir(root.path()).unwrap();
    fs::File::create(root.path().join("other")).unwrap().write_all(b"other").unwrap();
    let error = shard.probe().await.unwrap_err();
    assert!(matches!(&error, BackendError::Unreachable(why) if why.contains("another directory")), "{error}");
    put(&shard, 2, 100).await;
    put(&shard, 3, 300_000).await;
    assert_eq!(root.files().len(), 1, "only what stood there");
    // What is not in what was opened is no proof while something else stands in its place.
    let (blob, locator, _) = put(&shard, 4, 300_000).await;
    shard.delete(vec![(blob, locator.clone())]).await.unwrap();
    let gone = || fs::read_dir(away.join("blobs/00")).is_ok_and(|files| files.count() == 1);
    while !gone() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(shard.header(blob, &locator).await, Err(BackendError::Unreachable(_))));
    drop(shard);
    fs::remove_dir_all(root.path()).unwrap();
    fs::rename(away, root.path()).unwrap();
    assert_eq!(list_all(&root.open()).await.len(), 3);
}

/// Removes everything in a directory that stays.
fn empty(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_is_emptied_or_removed_is_away_at_once_and_takes_nothing() {
    let ways: [fn(&Path); 2] = [empty, |root| fs::remove_dir_all(root).unwrap()];
    for remove in ways {
        let root = Root::new();
        let shard = root.create();
        let small = put(&shard, 1, 100).await;
        let large = put(&shard, 2, 300_000).await;
        // Its pack is held open from now on, and its room is known.
        read(&shard, small.0, &small.1, whole(100)).await.unwrap();
        shard.capacity().await.unwrap();
        remove(&root.path());
        let mut errors = vec![shard.capacity().await.unwrap_err(), shard.probe().await.unwrap_err()];
        for size in [100, 300_000] {
            let body = Body::Whole(content(3, size));
            errors.push(shard.put(blob(3), &header("k"), body).await.unwrap_err());
        }
        for (blob, locator, _) in [&small, &large] {
            errors.push(read(&shard, *blob, locator, whole(100)).await.unwrap_err());
            errors.push(shard.header(*blob, locator).await.unwrap_err());
        }
        errors.push(shard.list(None).await.unwrap_err());
        errors.push(shard.capacity().await.unwrap_err());
        let away = |error: &BackendError| matches!(error, BackendError::Unreachable(_));
        assert!(errors.iter().all(away), "{errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_removed_takes_nothing_more_and_the_next_one_does() {
    let root = Root::new();
    let shard = root.create();
    let lost = put(&shard, 1, 100).await;
    read(&shard, lost.0, &lost.1, whole(100)).await.unwrap();
    fs::remove_file(newest_pack(&root)).unwrap();
    let second = shard.put(blob(2), &header("k"), Body::Whole(content(2, 100))).await;
    assert!(matches!(second, Err(BackendError::Unreachable(_))), "{second:?}");
    assert!(matches!(read(&shard, lost.0, &lost.1, whole(100)).await, Err(BackendError::Missing)));
    let third = put(&shard, 3, 100).await;
    drop(shard);
    assert_eq!(read(&root.open(), third.0, &third.1, whole(100)).await.unwrap(), content(3, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_size_takes_little_room_before_its_content_comes() {
    let root = Root::new();
    let shard = root.create();
    let begun = content(1, 3_000_000);
    let stream = Box::pin(stream_of(&begun, 500_000).chain(futures_util::stream::pending()));
    let body = Body::Stream { stream, size: Some(300 * MIB) };
    let header = header("k");
    let put = shard.put(blob(1), &header, body);
    let longest = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            let lens = root.files().into_iter().filter_map(|path| fs::metadata(path).ok()).map(|m| m.len());
            if let Some(len) = lens.max().filter(|len| *len >= 64 * MIB) {
                return len;
            }
        }
    };
    tokio::select! {
        _ = put => panic!("a body that never ends ended"),
        len = longest => assert_eq!(len, 64 * MIB),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_longer_than_what_is_allocated_ahead_is_read_as_it_was_written() {
    let root = Root::new();
    let shard = root.create();
    let content = content(1, 70 * MIB as usize);
    let stored = shard.put(blob(1), &header("k"), streamed(&content, 900_000)).await.unwrap();
    assert!(read(&shard, blob(1), &stored.locator, whole(content.len())).await.unwrap() == content);
}

#[test]
fn paths_on_one_file_system_are_told_from_those_on_others() {
    let root = Root::new();
    let missing = root.path().join("not/yet");
    assert!(FsBackend::same_device(&missing, &root.path()).unwrap());
    assert!(!FsBackend::same_device(&missing, Path::new("/proc/self")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_above_a_new_shard_are_made() {
    let root = Root::new();
    let path = root.path().join("several/levels/down");
    let shard = FsBackend::create(&path, IDENTITY, FsOptions::default(), Clock::system(), Random::system()).unwrap();
    shard.probe().await.unwrap();
}
