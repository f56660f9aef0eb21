use super::{delete, everything, failed, key, names, put, read};
use crate::{Batch, Check, CommitError, Revision, Store};
use std::sync::Arc;

async fn check(store: &dyn Store, check: Check) -> Result<Revision, CommitError> {
    store.commit(Batch { checks: vec![check], ..Batch::new() }).await
}

pub(super) async fn at_holds_until_the_key_is_written(store: Arc<dyn Store>) {
    let first = put(&*store, "a", "1").await;
    check(&*store, Check::At(key("a"), first)).await.expect("nothing wrote it since");
    put(&*store, "b", "1").await;
    check(&*store, Check::At(key("a"), first)).await.expect("another key was written");
    let second = put(&*store, "a", "1").await;
    assert_eq!(failed(check(&*store, Check::At(key("a"), first)).await), 0);
    delete(&*store, "a").await;
    assert_eq!(failed(check(&*store, Check::At(key("a"), second)).await), 0);
    put(&*store, "a", "1").await;
    assert_eq!(failed(check(&*store, Check::At(key("a"), second)).await), 0);
    assert_eq!(failed(check(&*store, Check::At(key("never"), Revision(0))).await), 0);
}

pub(super) async fn absent_holds_until_the_key_is_written(store: Arc<dyn Store>) {
    check(&*store, Check::Absent(key("a"))).await.expect("it was never put");
    assert_eq!(failed(check(&*store, Check::Present(key("a"))).await), 0);
    put(&*store, "a", "1").await;
    assert_eq!(failed(check(&*store, Check::Absent(key("a"))).await), 0);
    check(&*store, Check::Present(key("a"))).await.expect("it was put");
    delete(&*store, "a").await;
    check(&*store, Check::Absent(key("a"))).await.expect("it was deleted");
    assert_eq!(failed(check(&*store, Check::Present(key("a"))).await), 0);
}

pub(super) async fn none_with_prefix_sees_only_live_keys(store: Arc<dyn Store>) {
    let none = |prefix: &[u8]| Check::NoneWithPrefix(prefix.to_vec());
    check(&*store, none(b"a/")).await.expect("nothing is there");
    put(&*store, "a", "1").await;
    put(&*store, "a.", "1").await;
    put(&*store, "a0", "1").await;
    check(&*store, none(b"a/")).await.expect("the neighbours have another prefix");
    for name in ["a/", "a/1", "a/2", "a/3"] {
        put(&*store, name, "1").await;
        assert_eq!(failed(check(&*store, none(b"a/")).await), 0, "{name}");
    }
    for name in ["a/", "a/1", "a/3"] {
        delete(&*store, name).await;
    }
    assert_eq!(failed(check(&*store, none(b"a/")).await), 0);
    assert_eq!(failed(check(&*store, none(b"")).await), 0);
    delete(&*store, "a/2").await;
    check(&*store, none(b"a/")).await.expect("all were deleted");
    let mut batch = Batch::new();
    batch.put(vec![0xff, 0xff, 1], Vec::new());
    store.commit(batch).await.expect("commits");
    assert_eq!(failed(check(&*store, none(&[0xff, 0xff])).await), 0);
}

pub(super) async fn counter_at_most_bounds_a_sum(store: Arc<dyn Store>) {
    let at_most = |index, adding, max| Check::CounterAtMost { key: key("n"), index, adding, max };
    check(&*store, at_most(3, 5, 5)).await.expect("a missing row counts as zeroes");
    assert_eq!(failed(check(&*store, at_most(3, 6, 5)).await), 0);
    let mut batch = Batch::new();
    batch.add(key("n"), vec![10, 20]);
    store.commit(batch).await.expect("commits");
    check(&*store, at_most(0, 5, 15)).await.expect("10 and 5 are 15");
    assert_eq!(failed(check(&*store, at_most(0, 6, 15)).await), 0);
    check(&*store, at_most(1, -5, 15)).await.expect("20 less 5 is 15");
    check(&*store, at_most(2, 0, 0)).await.expect("a missing counter is zero");
    assert_eq!(failed(check(&*store, at_most(0, i64::MAX, i64::MAX - 1)).await), 0);
}

pub(super) async fn the_first_failed_check_is_named_and_nothing_is_written(store: Arc<dyn Store>) {
    let revision = put(&*store, "a", "1").await;
    let mut batch = Batch::new();
    batch.unchanged(key("a"), Some(revision)).unchanged(key("b"), None);
    batch.unchanged(key("a"), None).unchanged(key("b"), Some(revision));
    batch.put(key("new"), key("1")).delete(key("a")).add(key("n"), vec![1]);
    assert_eq!(failed(store.commit(batch).await), 2);
    assert_eq!(names(&*store, everything()).await, ["a"]);
}

pub(super) async fn checks_see_the_state_before_the_batch(store: Arc<dyn Store>) {
    let revision = put(&*store, "a", "1").await;
    let mut batch = Batch::new();
    batch.put(key("b"), key("1")).delete(key("a"));
    batch.unchanged(key("b"), None).unchanged(key("a"), Some(revision));
    batch.checks.push(Check::NoneWithPrefix(key("b")));
    store.commit(batch).await.expect("all held before the batch");
    assert_eq!(read(&*store, "a").await, None);
}
