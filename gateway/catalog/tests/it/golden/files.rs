use super::hold;
use crate::put;
use cofre_catalog::backup::{BACKUP_FILE, backup, restore};
use cofre_catalog::{Embedded, EmbeddedOptions, Memory, ReadExt, Revision, Scan, Store, keys};
use cofre_runtime::{Clock, Random};
use cofre_types::Timestamp;
use tempfile::TempDir;

#[tokio::test]
async fn a_backup_is_as_it_was_and_restores() {
    let directory = TempDir::new().expect("a directory");
    let store = Memory::new();
    put(&store, "a", "first").await;
    put(&store, "b", "").await;
    put(&store, "a", "second").await;
    let taken = Timestamp(1_700_000_000_000_000_000);
    backup(&store, &directory.path().join("today"), taken, |_| ()).await.expect("the backup is taken");
    let today = std::fs::read(directory.path().join("today").join(BACKUP_FILE)).expect("it reads");
    let golden = hold("backup.v2.hex", &[today]).remove(0);
    let older = std::fs::read_to_string("tests/golden/backup.v1.hex").expect("it reads");
    let older = hex::decode(older.trim()).expect("it is hexadecimal");
    for (version, golden, taken) in [("1", older, None), ("2", golden, Some(taken))] {
        std::fs::write(directory.path().join(BACKUP_FILE), golden).expect("it is written");
        let (data, now) = (directory.path().join(version), Timestamp(1));
        let restored = restore(directory.path(), &data, EmbeddedOptions::default(), now, |_| ()).await;
        assert_eq!(restored.expect("it is restored").taken, taken);
        let store = crate::open(&data).await.expect("it opens");
        let view = store.snapshot().await.expect("a snapshot");
        let page = view.page(Scan::prefix(b""), 10).await.expect("scans");
        let ours = page.iter().filter(|(key, _)| *key != keys::incarnation());
        let found: Vec<_> = ours.map(|(key, entry)| (&key[..], entry.revision.0, &entry.value[..])).collect();
        assert_eq!(found, [(&b"a"[..], 3, &b"second"[..]), (b"b", 2, b"")]);
        assert_eq!(view.revision(), Revision(3));
    }
}

#[tokio::test]
async fn the_durable_mark_is_as_it_was_and_opens() {
    let directory = TempDir::new().expect("a directory");
    let options = EmbeddedOptions { random: Random::seeded(1), ..EmbeddedOptions::default() };
    let store = Embedded::open(directory.path(), options, Clock::system()).await.expect("the catalog opens");
    put(&store, "a", "1").await;
    put(&store, "b", "1").await;
    store.close().await.expect("closes");
    drop(store);
    let path = directory.path().join("durable");
    let today = std::fs::read(&path).expect("it reads");
    assert_eq!(today.len(), 2 * 4096);
    let (slots, rests): (Vec<_>, Vec<_>) = today.chunks(4096).map(|slot| slot.split_at(37)).unzip();
    assert!(rests.concat().iter().all(|byte| *byte == 0));
    let golden = hold("durable.v1.hex", &slots.iter().map(|slot| slot.to_vec()).collect::<Vec<_>>());
    let mut written = Vec::new();
    for mut slot in golden {
        slot.resize(4096, 0);
        written.extend(slot);
    }
    std::fs::write(&path, written).expect("it is written");
    let store = crate::open(directory.path()).await.expect("it opens");
    assert_eq!(store.snapshot().await.expect("a snapshot").revision(), Revision(2));
}
