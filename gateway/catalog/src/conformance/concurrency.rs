use super::{everything, key, read, snapshot};
use crate::{Batch, Check, CommitError, Entry, ReadExt, Scan, Store, Write};
use cofre_runtime::spawn;
use std::future::Future;
use std::sync::Arc;

const TASKS: usize = 16;
const ROUNDS: usize = 25;

/// Runs a task for each number and gives what they came to.
async fn together<F, T>(run: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..TASKS).map(|number| spawn(run(number))).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("the task ends"));
    }
    outcomes
}

fn number(value: &[u8]) -> i64 {
    i64::from_le_bytes(value.try_into().expect("the value is a number"))
}

/// Reads a number and writes the next, again whenever another task came between.
async fn increment(store: &dyn Store, name: &str) {
    loop {
        let entry = read(store, name).await;
        let mut batch = Batch::new();
        batch.unchanged(key(name), entry.as_ref().map(|entry| entry.revision));
        let next = entry.map_or(0, |entry| number(&entry.value)) + 1;
        batch.put(key(name), next.to_le_bytes().to_vec());
        match store.commit(batch).await {
            Ok(_) => return,
            Err(CommitError::Failed(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub(super) async fn no_update_is_lost(store: Arc<dyn Store>) {
    together(|task| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..ROUNDS {
                increment(&*store, "shared").await;
                increment(&*store, &format!("own {task}")).await;
                let mut batch = Batch::new();
                batch.add(key("sum"), vec![1, 2]);
                store.commit(batch).await.expect("commits");
            }
        }
    })
    .await;
    let total = i64::try_from(TASKS * ROUNDS).expect("it is small");
    assert_eq!(number(&read(&*store, "shared").await.expect("it was put").value), total);
    let sum = read(&*store, "sum").await.expect("it was put").value;
    assert_eq!((number(&sum[..8]), number(&sum[8..])), (total, 2 * total));
}

pub(super) async fn one_of_many_creators_wins(store: Arc<dyn Store>) {
    for round in 0..ROUNDS {
        let name = format!("made {round}");
        let won = together(|task| {
            let (store, name) = (Arc::clone(&store), name.clone());
            async move {
                let mut batch = Batch::new();
                batch.unchanged(key(&name), None).put(key(&name), key(&task.to_string()));
                store.commit(batch).await.is_ok()
            }
        })
        .await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = won.iter().position(|won| *won).expect("one won").to_string();
        assert_eq!(read(&*store, &name).await.expect("it was put").value, key(&winner));
    }
}

pub(super) async fn readers_never_see_half_a_batch(store: Arc<dyn Store>) {
    read_while_batches_are_written(store, |store| async move {
        let view = snapshot(&*store).await;
        let page = view.page(everything(), 10).await.expect("scans");
        assert!(page.iter().all(|(_, entry)| entry.revision <= view.revision()));
        page.into_iter().map(|(_, entry)| entry).collect()
    })
    .await;
}

pub(super) async fn readers_of_the_store_never_see_half_a_batch(store: Arc<dyn Store>) {
    read_while_batches_are_written(Arc::clone(&store), |store| async move {
        let page = store.page(everything(), 10).await.expect("scans");
        page.into_iter().map(|(_, entry)| entry).collect()
    })
    .await;
    read_while_batches_are_written(store, |store| async move {
        let found = store.get_many(["a", "k", "z"].map(key).to_vec()).await.expect("reads");
        found.into_iter().flatten().collect()
    })
    .await;
}

/// Half of the tasks write three keys at once, the others look: they find none or three that are alike.
async fn read_while_batches_are_written<F>(
    store: Arc<dyn Store>,
    look: impl Fn(Arc<dyn Store>) -> F + Copy + Send + Sync + 'static,
) where
    F: Future<Output = Vec<Entry>> + Send + 'static,
{
    together(|task| {
        let store = Arc::clone(&store);
        async move {
            for round in 0..ROUNDS {
                if task % 2 == 0 {
                    let value = key(&format!("{task} {round}"));
                    let mut batch = Batch::new();
                    for name in ["a", "k", "z"] {
                        batch.put(key(name), value.clone());
                    }
                    store.commit(batch).await.expect("commits");
                } else {
                    let entries = look(Arc::clone(&store)).await;
                    assert!(entries.is_empty() || entries.len() == 3, "{entries:?}");
                    assert!(entries.windows(2).all(|pair| pair[0] == pair[1]), "{entries:?}");
                }
            }
        }
    })
    .await;
}

pub(super) async fn a_quota_is_never_passed(store: Arc<dyn Store>) {
    let max = 100;
    let taken = together(|task| {
        let store = Arc::clone(&store);
        async move {
            let mut taken = 0;
            for round in 0..ROUNDS {
                let mut batch = Batch::new();
                batch.checks.push(Check::CounterAtMost { key: key("used"), index: 0, adding: 3, max });
                batch.add(key("used"), vec![3]).put(key(&format!("o {task} {round}")), Vec::new());
                taken += usize::from(store.commit(batch).await.is_ok());
            }
            taken
        }
    })
    .await;
    assert_eq!(taken.iter().sum::<usize>(), 33);
    assert_eq!(number(&read(&*store, "used").await.expect("it was put").value), 99);
    assert_eq!(snapshot(&*store).await.page(Scan::prefix(b"o "), 1000).await.expect("scans").len(), 33);
}

pub(super) async fn appends_of_many_tasks_are_all_there(store: Arc<dyn Store>) {
    let mut revisions = together(|task| {
        let store = Arc::clone(&store);
        async move {
            let mut revisions = Vec::new();
            for _ in 0..ROUNDS {
                let value = key(&task.to_string());
                let write = Write::Append { prefix: key("log"), suffix: vec![0], value };
                revisions.push(store.commit(Batch { writes: vec![write], ..Batch::new() }).await.expect("commits"));
            }
            assert!(revisions.is_sorted());
            revisions
        }
    })
    .await
    .concat();
    revisions.sort();
    let page = snapshot(&*store).await.page(Scan::prefix(b"log"), usize::MAX).await.expect("scans");
    let found: Vec<_> = page.iter().map(|(_, entry)| entry.revision).collect();
    assert_eq!(found, revisions);
}
