use super::{delete, everything, key, put, read, snapshot};
use crate::{Batch, KEY_BYTES_MAX, ReadExt, Revision, Store};
use std::sync::Arc;

pub(super) async fn an_empty_store_has_nothing(store: Arc<dyn Store>) {
    let view = snapshot(&*store).await;
    assert_eq!(view.revision(), Revision(0));
    assert_eq!(view.get(key("a")).await.expect("reads"), None);
    assert!(view.page(everything(), 10).await.expect("scans").is_empty());
    assert!(view.get_many(Vec::new()).await.expect("reads").is_empty());
}

pub(super) async fn a_snapshot_sees_what_returned_before_it(store: Arc<dyn Store>) {
    for round in 0..50 {
        let value = format!("value {round}");
        let revision = put(&*store, "a", &value).await;
        let view = snapshot(&*store).await;
        assert!(view.revision() >= revision, "a snapshot is no older than a commit that returned");
        let entry = view.get(key("a")).await.expect("reads").expect("the key was put");
        assert_eq!((entry.revision, entry.value), (revision, key(&value)));
    }
}

pub(super) async fn a_snapshot_does_not_move(store: Arc<dyn Store>) {
    put(&*store, "changed", "old").await;
    put(&*store, "removed", "old").await;
    let before = snapshot(&*store).await;
    let seen = before.page(everything(), 10).await.expect("scans");
    put(&*store, "changed", "new").await;
    put(&*store, "made", "new").await;
    delete(&*store, "removed").await;
    let between = snapshot(&*store).await;
    for round in 0..20 {
        put(&*store, "changed", &format!("newer {round}")).await;
        delete(&*store, "made").await;
    }
    assert_eq!(before.page(everything(), 10).await.expect("scans"), seen);
    assert_eq!(before.get(key("made")).await.expect("reads"), None);
    assert_eq!(before.get(key("changed")).await.expect("reads").expect("it is there").value, key("old"));
    let made = between.get(key("made")).await.expect("reads");
    assert_eq!(made.expect("it was there between").value, key("new"));
    assert_eq!(between.get(key("removed")).await.expect("reads"), None);
    drop(before);
    drop(between);
    assert_eq!(read(&*store, "made").await, None);
}

pub(super) async fn get_many_keeps_the_order_of_its_keys(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    put(&*store, "c", "3").await;
    let keys = vec![key("c"), key("b"), key("a"), key("c")];
    let entries = store.get_many(keys).await.expect("reads");
    let values: Vec<_> = entries.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
    assert_eq!(values, [Some(key("3")), None, Some(key("1")), Some(key("3"))]);
}

pub(super) async fn a_store_reads_what_is_now(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    let _held = snapshot(&*store).await;
    put(&*store, "a", "2").await;
    assert_eq!(read(&*store, "a").await.expect("it was put").value, key("2"));
    delete(&*store, "a").await;
    assert_eq!(read(&*store, "a").await, None);
}

pub(super) async fn a_key_longer_than_any_is_not_there(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    for bytes in [KEY_BYTES_MAX + 1, 65_535, 65_536, 70_000, 1 << 20] {
        let long = vec![b'a'; bytes];
        assert_eq!(store.get_many(vec![long.clone()]).await.expect("reads"), [None], "{bytes}");
        assert_eq!(snapshot(&*store).await.get(long).await.expect("reads"), None, "{bytes}");
    }
}

pub(super) async fn one_read_of_a_store_is_of_one_state(store: Arc<dyn Store>) {
    let keys = vec![key("a"), key("b"), key("c")];
    for round in 0..20 {
        let mut batch = Batch::new();
        for key in &keys {
            batch.put(key.clone(), round.to_string().into_bytes());
        }
        let revision = store.commit(batch).await.expect("commits");
        let entries = store.get_many(keys.clone()).await.expect("reads");
        assert!(entries.iter().flatten().all(|entry| entry.revision == revision), "{entries:?}");
        assert_eq!(store.page(everything(), 10).await.expect("scans").len(), 3);
    }
    assert!(store.get_many(Vec::new()).await.expect("reads").is_empty());
}
