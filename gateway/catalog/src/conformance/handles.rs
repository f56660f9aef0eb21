//! What two handles of one store must do, as two processes have them.

use super::{Run, everything, failed, key, put, read, snapshot};
use crate::{Batch, Check, Freshness, ReadExt, Revision, Scan, Slot, Store, Write};
use async_trait::async_trait;
use cofre_runtime::spawn;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: usize = 25;

/// Two handles of one store.
#[derive(Clone)]
pub struct Handles {
    /// One of them.
    pub first: Arc<dyn Store>,
    /// The other, whose news can be cut.
    pub second: Arc<dyn Store>,
    /// What cuts it.
    pub news: Arc<dyn NewsFault>,
}

/// Stands between a handle and what it hears of others' commits.
#[async_trait]
pub trait NewsFault: Send + Sync {
    /// From now on the handle hears of nothing.
    async fn cut(&self);

    /// Lets time pass for the handle.
    async fn pass(&self, time: Duration);

    /// The handle hears again of what happens from now on.
    async fn mend(&self);
}

/// One thing that two handles must do.
pub struct HandleCase {
    /// What it is called in the output of tests.
    pub name: &'static str,
    run: fn(Handles) -> Run,
}

impl HandleCase {
    /// Checks two handles of an empty store.
    ///
    /// # Panics
    /// If they do not do what they must.
    pub async fn run(&self, handles: Handles) {
        (self.run)(handles).await;
    }
}

macro_rules! cases {
    ($($name:ident,)*) => {
        &[$(HandleCase { name: stringify!($name), run: |handles| Box::pin($name(handles)) },)*]
    };
}

/// All cases of two handles.
pub const HANDLE_CASES: &[HandleCase] = cases![
    a_commit_is_seen_through_the_other,
    checks_see_the_commits_of_the_other,
    one_of_two_creators_wins,
    appends_of_both_stand_in_one_order,
    counters_of_both_add_up_to_their_bound,
    a_snapshot_does_not_move_for_the_other,
    a_commit_changes_what_the_other_calls_fresh,
    a_waiter_is_told_of_the_commits_of_the_other,
    a_lost_stream_lets_nothing_be_fresh_for_long,
    what_happened_unheard_is_not_fresh_afterwards,
    its_own_commits_change_what_is_fresh_without_a_stream,
    a_waiter_without_a_stream_looks_for_himself,
];

/// Runs every case, each on two handles of a store of its own that `make` gives for the case's name.
///
/// # Panics
/// If they do not do what they must; the case's name is printed before.
pub async fn run_all_handles<F>(mut make: impl FnMut(&'static str) -> F)
where
    F: Future<Output = Handles>,
{
    for case in HANDLE_CASES {
        println!("conformance of two handles: {}", case.name);
        case.run(make(case.name).await).await;
    }
}

async fn a_commit_is_seen_through_the_other(handles: Handles) {
    let Handles { first, second, .. } = handles;
    for round in 0..ROUNDS {
        let (writer, reader) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let revision = put(&**writer, "a", &round.to_string()).await;
        let entry = read(&**reader, "a").await.expect("it was put");
        assert_eq!((entry.revision, entry.value), (revision, key(&round.to_string())));
        let view = snapshot(&**reader).await;
        assert!(view.revision() >= revision);
        assert_eq!(view.get(key("a")).await.expect("reads").map(|entry| entry.revision), Some(revision));
        assert_eq!(reader.page(everything(), 10).await.expect("scans").len(), 1);
    }
}

async fn checks_see_the_commits_of_the_other(handles: Handles) {
    let Handles { first, second, .. } = handles;
    let revision = put(&*first, "a", "1").await;
    let check = |check| second.commit(Batch { checks: vec![check], ..Batch::new() });
    check(Check::At(key("a"), revision)).await.expect("it stands");
    assert_eq!(failed(check(Check::Absent(key("a"))).await), 0);
    assert_eq!(failed(check(Check::NoneWithPrefix(key("a"))).await), 0);
    // Between what the second read and its commit, the first changes it.
    let read = read(&*second, "a").await.expect("it was put");
    put(&*first, "a", "2").await;
    let mut batch = Batch::new();
    batch.unchanged(key("a"), Some(read.revision)).put(key("a"), key("3"));
    assert_eq!(failed(second.commit(batch).await), 0);
    assert_eq!(super::read(&*first, "a").await.expect("it was put").value, key("2"));
}

/// Runs a task through each handle and gives what they came to.
async fn together<F, T>(handles: &Handles, run: impl Fn(&'static str, Arc<dyn Store>) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let first = spawn(run("first", Arc::clone(&handles.first)));
    let second = spawn(run("second", Arc::clone(&handles.second)));
    vec![first.await.expect("the task ends"), second.await.expect("the task ends")]
}

async fn one_of_two_creators_wins(handles: Handles) {
    for round in 0..ROUNDS {
        let name = key(&format!("made {round}"));
        let won = together(&handles, |by, store| {
            let mut batch = Batch::new();
            batch.unchanged(name.clone(), None).put(name.clone(), key(by));
            async move { store.commit(batch).await.is_ok() }
        })
        .await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = if won[0] { "first" } else { "second" };
        assert_eq!(handles.first.get(name).await.expect("reads").expect("it was put").value, key(winner));
    }
}

async fn appends_of_both_stand_in_one_order(handles: Handles) {
    let mut revisions = together(&handles, |by, store| async move {
        let mut revisions = Vec::new();
        for _ in 0..ROUNDS {
            let write = Write::Append { prefix: key("log"), suffix: vec![0], value: key(by) };
            revisions.push(store.commit(Batch { writes: vec![write], ..Batch::new() }).await.expect("commits"));
        }
        assert!(revisions.is_sorted());
        revisions
    })
    .await
    .concat();
    revisions.sort();
    for store in [&handles.first, &handles.second] {
        let page = store.page(Scan::prefix(b"log"), usize::MAX).await.expect("scans");
        assert_eq!(page.iter().map(|(_, entry)| entry.revision).collect::<Vec<_>>(), revisions);
        let in_keys = |key: &[u8]| Revision(u64::from_be_bytes(key[3..11].try_into().expect("a revision")));
        assert_eq!(page.iter().map(|(key, _)| in_keys(key)).collect::<Vec<_>>(), revisions);
    }
}

async fn counters_of_both_add_up_to_their_bound(handles: Handles) {
    let taken = together(&handles, |_, store| async move {
        let mut taken = 0;
        for _ in 0..ROUNDS {
            let mut batch = Batch::new();
            batch.checks.push(Check::CounterAtMost { key: key("used"), index: 0, adding: 3, max: 100 });
            batch.add(key("used"), vec![3]);
            taken += i64::from(store.commit(batch).await.is_ok());
        }
        taken
    })
    .await;
    assert_eq!(taken.iter().sum::<i64>(), 33);
    for store in [&handles.first, &handles.second] {
        assert_eq!(read(&**store, "used").await.expect("it was put").value, 99_i64.to_le_bytes());
    }
}

async fn a_snapshot_does_not_move_for_the_other(handles: Handles) {
    let Handles { first, second, .. } = handles;
    put(&*first, "a", "1").await;
    let held = snapshot(&*second).await;
    put(&*first, "a", "2").await;
    put(&*first, "b", "1").await;
    let page = held.page(everything(), 10).await.expect("scans");
    assert_eq!(page.into_iter().map(|(_, entry)| entry.value).collect::<Vec<_>>(), [key("1")]);
}

/// The slots of a key that the cases watch.
fn fresh(store: &dyn Store, name: &str) -> [Option<Freshness>; 2] {
    [Slot::of_key(name.as_bytes()), Slot::of_family(name.as_bytes()[0])].map(|slot| store.freshness(slot))
}

/// Whether nothing that was fresh still is.
fn none_is(before: [Option<Freshness>; 2], now: [Option<Freshness>; 2]) -> bool {
    before.iter().zip(now).all(|(before, now)| now.is_none() || now != *before)
}

async fn a_commit_changes_what_the_other_calls_fresh(handles: Handles) {
    let Handles { first, second, news } = handles;
    for (writer, reader) in [(&first, &second), (&second, &first)] {
        let before = fresh(&**reader, "a");
        assert!(before.iter().all(Option::is_some));
        put(&**writer, "a", "1").await;
        if none_is(before, fresh(&**reader, "a")) {
            continue;
        }
        news.pass(reader.staleness_max()).await;
        assert!(none_is(before, fresh(&**reader, "a")));
    }
}

async fn a_waiter_is_told_of_the_commits_of_the_other(handles: Handles) {
    let Handles { first, second, .. } = handles;
    for (writer, reader) in [(&first, &second), (&second, &first)] {
        let slot = Slot::of_family(b'a');
        let seen = reader.freshness(slot);
        let waiting = spawn({
            let reader = Arc::clone(reader);
            async move { reader.wait_changed(slot, seen).await }
        });
        put(&**writer, "a", "1").await;
        assert_ne!(waiting.await.expect("the task ends"), seen);
    }
}

async fn a_lost_stream_lets_nothing_be_fresh_for_long(handles: Handles) {
    let Handles { first, second, news } = handles;
    put(&*first, "a", "1").await;
    let before = fresh(&*second, "a");
    news.cut().await;
    put(&*first, "a", "2").await;
    news.pass(second.staleness_max()).await;
    assert!(none_is(before, fresh(&*second, "a")), "a cache goes on with what it had");
    // Nor anything else, since nobody knows what happened.
    assert_eq!(fresh(&*second, "z"), [None, None]);
    assert_eq!(read(&*second, "a").await.expect("it was put").value, key("2"), "reads go on");
}

async fn what_happened_unheard_is_not_fresh_afterwards(handles: Handles) {
    let Handles { first, second, news } = handles;
    for lost_for_long in [false, true] {
        let before = fresh(&*second, "a");
        news.cut().await;
        put(&*first, "a", "1").await;
        if lost_for_long {
            news.pass(second.staleness_max()).await;
        }
        news.mend().await;
        let after = fresh(&*second, "a");
        assert!(none_is(before, after) && after.iter().all(Option::is_some));
        put(&*first, "a", "2").await;
        news.pass(second.staleness_max()).await;
        assert!(none_is(after, fresh(&*second, "a")), "it hears again");
    }
}

async fn its_own_commits_change_what_is_fresh_without_a_stream(handles: Handles) {
    let Handles { second, news, .. } = handles;
    let before = fresh(&*second, "a");
    news.cut().await;
    put(&*second, "a", "1").await;
    assert!(none_is(before, fresh(&*second, "a")));
}

async fn a_waiter_without_a_stream_looks_for_himself(handles: Handles) {
    let Handles { second, news, .. } = handles;
    let slot = Slot::of_family(b'a');
    let seen = second.freshness(slot);
    let waiting = spawn({
        let second = Arc::clone(&second);
        async move { second.wait_changed(slot, seen).await }
    });
    news.cut().await;
    news.pass(second.staleness_max()).await;
    assert_eq!(waiting.await.expect("the task ends"), None);
    news.mend().await;
    assert!(second.wait_changed(slot, seen).await.is_some());
}
