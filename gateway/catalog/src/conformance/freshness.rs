use super::{failed, key, put, read};
use crate::{Batch, Slot, Store, Write};
use cofre_runtime::spawn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const TASKS: usize = 8;
const ROUNDS: usize = 25;

pub(super) async fn a_commit_changes_what_it_touches(store: Arc<dyn Store>) {
    let names = ["a1", "b1", "c1", "d"].map(key);
    let appended = |revision: u64| [&b"d"[..], &revision.to_be_bytes()].concat();
    let slots = || names[..3].iter().map(|name| Slot::of_key(name)).chain([Slot::of_key(&appended(1))]);
    let families = || names.iter().map(|name| Slot::of_family(name[0]));
    let before: Vec<_> = slots().chain(families()).map(|slot| store.freshness(slot)).collect();
    let other = store.freshness(Slot::of_family(b'e'));
    let mut batch = Batch::new();
    batch.put(key("a1"), key("1")).delete(key("b1")).add(key("c1"), vec![1]);
    batch.writes.push(Write::Append { prefix: key("d"), suffix: Vec::new(), value: key("1") });
    let revision = store.commit(batch).await.expect("commits");
    assert_eq!(revision.0, 1);
    for (slot, before) in slots().chain(families()).zip(before) {
        let after = store.freshness(slot);
        assert!(after.is_some() && after != before, "{slot:?}");
        assert_eq!(store.freshness(slot), after, "it stands still while nothing is committed");
    }
    assert_eq!(store.freshness(Slot::of_family(b'e')), other);
}

pub(super) async fn a_commit_that_failed_changes_nothing(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    let slots = || [Slot::of_key(b"n"), Slot::of_family(b'n')].map(|slot| store.freshness(slot));
    let before = slots();
    let mut batch = Batch::new();
    batch.unchanged(key("a"), None).put(key("n"), key("1"));
    assert_eq!(failed(store.commit(batch).await), 0);
    assert_eq!(slots(), before);
}

pub(super) async fn keys_of_a_family_are_told_apart(store: Arc<dyn Store>) {
    let slots: Vec<_> = (0..100).map(|number| Slot::of_key(format!("a{number}").as_bytes())).collect();
    let before: Vec<_> = slots.iter().map(|slot| store.freshness(*slot)).collect();
    put(&*store, "a0", "1").await;
    let changed = slots.iter().zip(before).filter(|(slot, before)| store.freshness(**slot) != *before).count();
    assert!((1..20).contains(&changed), "{changed} of 100 changed");
}

pub(super) async fn it_has_changed_when_a_commit_returns(store: Arc<dyn Store>) {
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = Arc::clone(&store);
            spawn(async move {
                let name = format!("a {task}");
                for round in 0..ROUNDS {
                    let slots = || [Slot::of_key(name.as_bytes()), Slot::of_family(b'a')].map(|s| store.freshness(s));
                    let before = slots();
                    put(&*store, &name, &round.to_string()).await;
                    let after = slots();
                    assert!(before[0] != after[0] && before[1] != after[1]);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
}

pub(super) async fn a_cache_that_is_fresh_has_every_commit_that_returned(store: Arc<dyn Store>) {
    let slot = Slot::of_key(b"a");
    let returned = Arc::new(AtomicUsize::new(0));
    let caches: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, returned) = (Arc::clone(&store), Arc::clone(&returned));
            spawn(async move {
                let (mut fresh, mut cached) = (None, 0);
                while cached < ROUNDS {
                    let least = returned.load(Ordering::SeqCst);
                    let now = store.freshness(slot);
                    if now.is_none() || now != fresh {
                        cached = read(&*store, "a").await.map_or(0, |entry| entry.value.len());
                        fresh = now;
                    }
                    assert!(cached >= least, "{cached} is called fresh after {least} was committed");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for round in 1..=ROUNDS {
        put(&*store, "a", &"x".repeat(round)).await;
        returned.store(round, Ordering::SeqCst);
    }
    for cache in caches {
        cache.await.expect("it saw nothing strange");
    }
}

pub(super) async fn a_waiter_is_told_of_a_change(store: Arc<dyn Store>) {
    for slot in [Slot::of_family(b'a'), Slot::of_key(b"a")] {
        let seen = store.freshness(slot);
        let waiting = spawn({
            let store = Arc::clone(&store);
            async move { store.wait_changed(slot, seen).await }
        });
        put(&*store, "b", "1").await;
        put(&*store, "a", "1").await;
        let told = waiting.await.expect("the task ends");
        assert!(told.is_some() && told != seen);
        assert_eq!(store.wait_changed(slot, seen).await, store.freshness(slot), "one that comes late does not wait");
        assert_eq!(store.wait_changed(slot, None).await, store.freshness(slot), "nor one that has seen nothing");
    }
}
