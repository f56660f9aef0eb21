use crate::{open, put};
use cofre_catalog::{
    Batch, CommitError, CommitState, Embedded, EmbeddedOptions, Read, ReadExt, Scan, Store, StoreError, StoreState,
    conformance,
};
use cofre_runtime::Clock;
use std::sync::Arc;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conformance() {
    let directory = TempDir::new().expect("a directory");
    conformance::run_all(|name| {
        let path = directory.path().join(name);
        async move { Arc::new(open(&path).await.expect("the catalog opens")) as Arc<dyn Store> }
    })
    .await;
}

#[tokio::test]
async fn commits_and_revisions_go_on_after_a_restart() {
    let directory = TempDir::new().expect("a directory");
    let mut last = None;
    for round in 0..5 {
        let store = open(directory.path()).await.expect("the catalog opens");
        assert_eq!(store.snapshot().await.expect("a snapshot").revision(), last.unwrap_or_default());
        for index in 0..20 {
            let revision = put(&store, &format!("{round} {index}"), "value").await;
            assert!(Some(revision) > last);
            last = Some(revision);
        }
        store.close().await.expect("closes");
    }
    let store = open(directory.path()).await.expect("the catalog opens");
    let page = store.snapshot().await.expect("a snapshot").page(Scan::prefix(b""), 1000).await.expect("scans");
    assert_eq!(page.len(), 100);
    assert_eq!(page.iter().map(|(_, entry)| entry.revision).max(), last);
}

#[tokio::test]
async fn a_second_opener_is_told_that_it_is_in_use() {
    let directory = TempDir::new().expect("a directory");
    let first = open(directory.path()).await.expect("the catalog opens");
    match open(directory.path()).await.err() {
        Some(StoreError::InUse(path)) => assert_eq!(path, directory.path().display().to_string()),
        other => panic!("expected InUse, got {other:?}"),
    }
    first.close().await.expect("closes");
    open(directory.path()).await.expect("it is free again");
}

#[tokio::test]
async fn a_closed_catalog_says_so() {
    let directory = TempDir::new().expect("a directory");
    let store = open(directory.path()).await.expect("the catalog opens");
    let held = store.snapshot().await.expect("a snapshot");
    store.close().await.expect("closes");
    assert!(matches!(store.snapshot().await.err(), Some(StoreError::Closed)));
    let mut batch = Batch::new();
    batch.put(b"a".to_vec(), Vec::new());
    assert!(matches!(store.commit(batch).await, Err(CommitError::Store(StoreError::Closed))));
    assert!(held.get(b"a".to_vec()).await.expect("a held snapshot reads on").is_none());
    assert!(matches!(open(directory.path()).await.err(), Some(StoreError::InUse(_))));
    drop(held);
    open(directory.path()).await.expect("the last snapshot is gone");
}

#[tokio::test]
async fn a_disk_below_its_reserve_is_full_and_reads_go_on() {
    let directory = TempDir::new().expect("a directory");
    let store = open(directory.path()).await.expect("the catalog opens");
    put(&store, "a", "1").await;
    store.close().await.expect("closes");
    let options = EmbeddedOptions { reserve_bytes: u64::MAX, ..EmbeddedOptions::default() };
    let store = Embedded::open(directory.path(), options, Clock::system()).await.expect("the catalog opens");
    let mut batch = Batch::new();
    batch.put(b"b".to_vec(), b"1".to_vec());
    assert!(matches!(store.commit(batch).await, Err(CommitError::Store(StoreError::Full))));
    assert_eq!(store.state().commits, CommitState::Full);
    let entries = store.get_many(vec![b"a".to_vec(), b"b".to_vec()]).await.expect("reads");
    assert!(entries[0].is_some() && entries[1].is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_written_and_read_back() {
    let directory = TempDir::new().expect("a directory");
    let options = EmbeddedOptions { memtable_bytes: 256 * 1024, ..EmbeddedOptions::default() };
    let store = Embedded::open(directory.path(), options, Clock::system()).await.expect("the catalog opens");
    for round in 0..40 {
        let mut batch = Batch::new();
        for index in 0..500 {
            batch.put(format!("{index:03} {round:02}").into_bytes(), vec![round; 100]);
        }
        batch.delete(format!("{round:03} 00").into_bytes());
        store.commit(batch).await.expect("commits");
    }
    for reopened in [false, true] {
        let store = if reopened {
            open(directory.path()).await.expect("the catalog opens")
        } else {
            put(&store, "~", "last").await;
            continue_checking(&store).await;
            store.close().await.expect("closes");
            continue;
        };
        continue_checking(&store).await;
    }
}

async fn continue_checking(store: &Embedded) {
    let view = store.snapshot().await.expect("a snapshot");
    let page = view.page(Scan::prefix(b""), usize::MAX).await.expect("scans");
    assert_eq!(page.len(), 500 * 40 - 40 + 1);
    assert!(page.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let backward = view.page(Scan::prefix(b"").reversed(), usize::MAX).await.expect("scans");
    assert!(page.iter().eq(backward.iter().rev()));
    assert_eq!(view.get(b"123 17".to_vec()).await.expect("reads").expect("it is there").value, vec![17; 100]);
    assert_eq!(view.get(b"017 00".to_vec()).await.expect("reads"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stats_count_commits_and_groups() {
    let directory = TempDir::new().expect("a directory");
    let store = Arc::new(open(directory.path()).await.expect("the catalog opens"));
    let tasks: Vec<_> = (0..32)
        .map(|task| {
            let store = Arc::clone(&store);
            cofre_runtime::spawn(async move {
                for index in 0..10 {
                    put(&*store, &format!("{task} {index}"), "1").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
    let mut batch = Batch::new();
    batch.unchanged(b"0 0".to_vec(), None);
    assert!(store.commit(batch).await.is_err());
    let stats = store.stats();
    assert_eq!((stats.commits, stats.turned_away, stats.commit_micros.count), (320, 1, 321));
    assert_eq!(stats.group_commits.sum, 320);
    assert_eq!(stats.group_commits.count, stats.sync_micros.count);
    assert!(stats.group_commits.count < 320, "concurrent commits share a sync");
}

#[tokio::test]
async fn the_directory_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("catalog");
    std::fs::create_dir(&path).expect("a directory");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is opened to others");
    open(&path).await.expect("the catalog opens").close().await.expect("closes");
    assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o777, 0o700);
}

/// Steps through every file.
async fn check_files(store: &Embedded) -> (u64, Vec<String>) {
    let (mut after, mut bytes, mut damages) = (Vec::new(), 0, Vec::new());
    loop {
        let checked = store.check_files(after).await.expect("it looks");
        bytes += checked.bytes;
        damages.extend(checked.damage);
        match checked.next {
            Some(next) => after = next,
            None => return (bytes, damages),
        }
    }
}

/// Numbers of the tables that the engine uses now.
async fn live_tables(store: &Embedded) -> Vec<String> {
    let (mut after, mut tables) = (Vec::new(), Vec::new());
    while let Some(next) = store.check_files(after).await.expect("it looks").next {
        tables.push(u64::from_be_bytes(next[..8].try_into().expect("a number")).to_string());
        after = next;
    }
    tables
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_any_table_is_found_and_told_until_a_whole_look_finds_none() {
    use std::os::unix::fs::FileExt;
    let directory = TempDir::new().expect("a directory");
    let options = EmbeddedOptions { memtable_bytes: 256 * 1024, ..EmbeddedOptions::default() };
    let store = Embedded::open(directory.path(), options, Clock::system()).await.expect("the catalog opens");
    for round in 0..20 {
        let mut batch = Batch::new();
        for index in 0..500 {
            batch.put(format!("{index:03} {round:02}").into_bytes(), vec![round; 100]);
        }
        store.commit(batch).await.expect("commits");
    }
    let (bytes, damages) = check_files(&store).await;
    assert!(bytes > 256 * 1024 && damages.is_empty(), "{bytes} {damages:?}");
    assert_eq!(store.state(), StoreState::default());
    let trees = directory.path().join("engine/keyspaces");
    let names = std::fs::read_dir(trees.join("0/tables")).expect("lists").map(|entry| entry.expect("lists").path());
    let mut paths: Vec<_> = names.collect();
    let mut live = live_tables(&store).await;
    paths.extend(live.iter().map(|table| trees.join("1/tables").join(table)));
    let mut found = 0;
    for path in paths {
        let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("it opens");
        let length = file.metadata().expect("it has a length").len();
        for at in [0, 40, length / 3, length / 2, length - 60, length - 10] {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).expect("it reads");
            file.write_all_at(&[byte[0] ^ 1], at).expect("it writes");
            let (_, damages) = check_files(&store).await;
            let told = store.state();
            file.write_all_at(&byte, at).expect("it writes");
            let before = std::mem::replace(&mut live, live_tables(&store).await);
            // A compaction may have replaced it meanwhile.
            let is_live = path.starts_with(trees.join("0"))
                || live.iter().any(|table| trees.join("1/tables").join(table) == path);
            if before == live && is_live {
                let name = path.display().to_string();
                assert!(damages.iter().any(|what| what.contains(&name)), "{name} at {at}: {damages:?}");
                assert!(told.damage.is_some_and(|what| what.contains("/tables/")), "{name} at {at}");
                assert_eq!(told.commits, CommitState::Taken);
                assert_eq!(check_files(&store).await.1, Vec::<String>::new());
                assert_eq!(store.state().damage, None);
                found += 1;
            }
        }
    }
    assert!(found > 6, "{found} flips were looked at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_passed_a_table_before_it_rotted_does_not_say_that_it_is_whole() {
    use std::os::unix::fs::FileExt;
    let directory = TempDir::new().expect("a directory");
    let options = EmbeddedOptions { memtable_bytes: 128 * 1024, ..EmbeddedOptions::default() };
    let store = Embedded::open(directory.path(), options, Clock::system()).await.expect("the catalog opens");
    let mut batch = Batch::new();
    (0..3_000).for_each(|index| _ = batch.put(format!("{index:04}").into_bytes(), vec![7; 100]));
    store.commit(batch).await.expect("commits");
    let mut tables = Vec::new();
    while tables.is_empty() {
        tables = live_tables(&store).await;
        tokio::task::yield_now().await;
    }
    let mut after = Vec::new();
    for _ in &tables {
        after = store.check_files(after).await.expect("it looks").next.expect("a table");
    }
    let path = directory.path().join("engine/keyspaces/1/tables").join(&tables[0]);
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("it opens");
    let flip = || {
        let mut byte = [0];
        file.read_exact_at(&mut byte, 600).expect("it reads");
        file.write_all_at(&[byte[0] ^ 1], 600).expect("it writes");
    };
    flip();
    assert_eq!(check_files(&store).await.1.len(), 1, "another look finds it");
    while let Some(next) = store.check_files(after).await.expect("it looks").next {
        after = next;
    }
    assert!(store.state().damage.is_some(), "the first look ended, and had not read the table since");
    flip();
    assert!(check_files(&store).await.1.is_empty());
    assert_eq!(store.state().damage, None);
}
