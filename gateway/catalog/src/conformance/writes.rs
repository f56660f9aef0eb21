use super::{delete, everything, key, put, read, snapshot};
use crate::{
    BATCH_BYTES_MAX, Batch, Check, CommitError, KEY_BYTES_MAX, ReadExt, Revision, Scan, Store, StoreError, Write,
};
use std::sync::Arc;

async fn add(store: &dyn Store, name: &str, deltas: &[i64]) {
    let mut batch = Batch::new();
    batch.add(key(name), deltas.to_vec());
    store.commit(batch).await.expect("commits");
}

async fn row(store: &dyn Store, name: &str) -> Vec<i64> {
    let value = read(store, name).await.expect("the row is there").value;
    value.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().expect("rows hold whole numbers"))).collect()
}

fn append(prefix: &str, suffix: &str, value: &str) -> Write {
    Write::Append { prefix: key(prefix), suffix: key(suffix), value: key(value) }
}

pub(super) async fn later_writes_of_a_batch_win(store: Arc<dyn Store>) {
    let mut batch = Batch::new();
    batch.put(key("a"), key("1")).put(key("a"), key("2"));
    batch.put(key("b"), key("1")).delete(key("b"));
    batch.delete(key("c")).put(key("c"), key("3"));
    store.commit(batch).await.expect("commits");
    assert_eq!(read(&*store, "a").await.expect("it was put").value, key("2"));
    assert_eq!(read(&*store, "b").await, None);
    assert_eq!(read(&*store, "c").await.expect("it was put").value, key("3"));
}

pub(super) async fn revisions_grow_and_mark_values(store: Arc<dyn Store>) {
    let first = put(&*store, "a", "1").await;
    assert!(first >= Revision(1));
    let second = put(&*store, "b", "1").await;
    let third = put(&*store, "b", "1").await;
    assert!(first < second && second < third);
    assert_eq!(read(&*store, "a").await.expect("it was put").revision, first);
    assert_eq!(read(&*store, "b").await.expect("it was put").revision, third);
    assert_eq!(snapshot(&*store).await.revision(), third);
    let page = snapshot(&*store).await.page(everything(), 10).await.expect("scans");
    assert_eq!(page.iter().map(|(_, entry)| entry.revision).collect::<Vec<_>>(), [first, third]);
}

pub(super) async fn deleting_nothing_is_fine(store: Arc<dyn Store>) {
    delete(&*store, "a").await;
    put(&*store, "b", "1").await;
    delete(&*store, "a").await;
    assert_eq!(snapshot(&*store).await.page(everything(), 10).await.expect("scans").len(), 1);
}

pub(super) async fn counters_add_up(store: Arc<dyn Store>) {
    add(&*store, "n", &[1, -2]).await;
    assert_eq!(row(&*store, "n").await, [1, -2]);
    add(&*store, "n", &[10]).await;
    assert_eq!(row(&*store, "n").await, [11, -2]);
    add(&*store, "n", &[0, 0, 7]).await;
    assert_eq!(row(&*store, "n").await, [11, -2, 7]);
    add(&*store, "n", &[i64::MAX, i64::MIN]).await;
    assert_eq!(row(&*store, "n").await, [i64::MAX, i64::MIN, 7]);
}

pub(super) async fn counters_mix_with_puts_and_deletes(store: Arc<dyn Store>) {
    let mut batch = Batch::new();
    batch.add(key("n"), vec![1]).add(key("n"), vec![2]);
    batch.put(key("m"), 40_i64.to_le_bytes().to_vec()).add(key("m"), vec![2]);
    store.commit(batch).await.expect("commits");
    assert_eq!(row(&*store, "n").await, [3]);
    assert_eq!(row(&*store, "m").await, [42]);
    let mut batch = Batch::new();
    batch.delete(key("n")).add(key("n"), vec![5]);
    batch.add(key("m"), vec![1]).delete(key("m"));
    store.commit(batch).await.expect("commits");
    assert_eq!(row(&*store, "n").await, [5]);
    assert_eq!(read(&*store, "m").await, None);
}

pub(super) async fn appends_stand_in_commit_order(store: Arc<dyn Store>) {
    let mut expected = Vec::new();
    for round in 0..300 {
        let mut batch = Batch::new();
        batch.writes.push(append("log", "b", &format!("{round} b")));
        batch.writes.push(append("log", "a", &format!("{round} a")));
        let revision = store.commit(batch).await.expect("commits");
        for suffix in ["a", "b"] {
            let name = [b"log", &revision.0.to_be_bytes()[..], suffix.as_bytes()].concat();
            expected.push((name, key(&format!("{round} {suffix}"))));
        }
    }
    let page = snapshot(&*store).await.page(Scan::prefix(b"log"), 1000).await.expect("scans");
    let found: Vec<_> = page.into_iter().map(|(key, entry)| (key, entry.value)).collect();
    assert_eq!(found, expected);
}

pub(super) async fn odd_keys_and_values_survive(store: Arc<dyn Store>) {
    let every_byte: Vec<u8> = (0..=u8::MAX).rev().collect();
    let keys =
        [vec![1], vec![1, 0], vec![0xff], vec![0xff; 300], vec![7; KEY_BYTES_MAX], every_byte.clone(), key("a\0b")];
    let values = [Vec::new(), vec![0], every_byte, vec![0xff; 100_000]];
    let mut batch = Batch::new();
    for (index, name) in keys.iter().enumerate() {
        batch.put(name.clone(), values[index % values.len()].clone());
    }
    store.commit(batch).await.expect("commits");
    let entries = store.get_many(keys.to_vec()).await.expect("reads");
    for (index, entry) in entries.into_iter().enumerate() {
        assert_eq!(entry.expect("it was put").value, values[index % values.len()], "key {index}");
    }
}

pub(super) async fn unfit_keys_and_batches_are_refused(store: Arc<dyn Store>) {
    let half = BATCH_BYTES_MAX / 2;
    let refused: [fn(&mut Batch, usize); 5] = [
        |batch, _| _ = batch.put(vec![0, 1], Vec::new()),
        |batch, _| _ = batch.put(Vec::new(), Vec::new()),
        |batch, _| _ = batch.put(vec![b'a'; KEY_BYTES_MAX + 1], Vec::new()),
        |batch, _| batch.writes.push(append(&"a".repeat(KEY_BYTES_MAX), "", "")),
        |batch, half| _ = batch.put(key("a"), vec![1; half]).put(key("b"), vec![1; half]),
    ];
    for make in refused {
        let mut batch = Batch::new();
        make(&mut batch, half);
        let outcome = store.commit(batch).await;
        assert!(matches!(outcome, Err(CommitError::Store(StoreError::Unfit(_)))), "{outcome:?}");
    }
    assert!(snapshot(&*store).await.page(everything(), 10).await.expect("scans").is_empty());
}

pub(super) async fn checks_of_unfit_keys_are_refused(store: Arc<dyn Store>) {
    for key in [Vec::new(), vec![b'a'; KEY_BYTES_MAX + 1]] {
        let counter = Check::CounterAtMost { key: key.clone(), index: 0, adding: 0, max: 0 };
        for check in [Check::At(key.clone(), Revision(1)), Check::Absent(key.clone()), Check::Present(key), counter] {
            let outcome = store.commit(Batch { checks: vec![check], ..Batch::new() }).await;
            let Err(CommitError::Store(StoreError::Unfit(why))) = outcome else { panic!("{outcome:?}") };
            assert!(why.contains("1 to 2600"), "{why}");
        }
    }
    let longest = Check::Absent(vec![b'a'; KEY_BYTES_MAX]);
    store.commit(Batch { checks: vec![longest], ..Batch::new() }).await.expect("a key may be so long");
    assert_eq!(snapshot(&*store).await.revision(), Revision(1));
}

pub(super) async fn an_empty_batch_commits(store: Arc<dyn Store>) {
    let first = put(&*store, "a", "1").await;
    assert!(store.commit(Batch::new()).await.expect("commits") > first);
}
