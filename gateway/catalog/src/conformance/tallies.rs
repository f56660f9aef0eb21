//! Queues that the catalog counts by itself.

use crate::keys::{self, family};
use crate::records::{DoomedRecord, HealRecord, QueueTally, Record};
use crate::{Batch, ReadExt, Store, begin_tally, compare_tally};
use cofre_runtime::{Random, spawn};
use cofre_types::{BlobId, ShardId, Timestamp};
use std::sync::Arc;

const SHARD: ShardId = ShardId(1);

fn blob(number: u64) -> BlobId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    BlobId::from_bytes(id)
}

fn heal() -> Vec<u8> {
    HealRecord { since: Timestamp(1), suspects: Vec::new() }.encode()
}

fn doomed(size: u64) -> Vec<u8> {
    DoomedRecord { locator: vec![1], size }.encode()
}

async fn tally(store: &dyn Store, of: u8) -> Option<(i64, i64)> {
    let row = store.get(keys::waiting(of)).await.expect("reads")?;
    let QueueTally { records, weight } = QueueTally::from_value(&row.value);
    Some((records, weight))
}

async fn commit(store: &dyn Store, change: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::new();
    change(&mut batch);
    store.commit(batch).await.expect("commits");
}

pub(super) async fn a_queue_is_counted_as_it_changes(store: Arc<dyn Store>) {
    for of in [family::HEAL, family::DOOMED] {
        begin_tally(&*store, of).await.expect("begins");
        begin_tally(&*store, of).await.expect("a second time changes nothing");
        assert_eq!(tally(&*store, of).await, Some((0, 0)));
    }
    commit(&*store, |batch| {
        batch.put(keys::heal(0, blob(1)), heal()).put(keys::heal(2, blob(2)), heal());
        batch.put(keys::doomed(SHARD, blob(1)), doomed(10)).put(keys::doomed(SHARD, blob(2)), doomed(5));
    })
    .await;
    assert_eq!(tally(&*store, family::HEAL).await, Some((2, 1)));
    assert_eq!(tally(&*store, family::DOOMED).await, Some((2, 15)));
    // A record that moves in its queue, one that is put again, one that comes and goes in a batch, one that is not there.
    commit(&*store, |batch| {
        batch.delete(keys::heal(2, blob(2))).put(keys::heal(0, blob(2)), heal());
        batch.put(keys::doomed(SHARD, blob(1)), doomed(7));
        batch.put(keys::doomed(SHARD, blob(3)), doomed(1)).delete(keys::doomed(SHARD, blob(3)));
        batch.delete(keys::doomed(SHARD, blob(4)));
    })
    .await;
    assert_eq!(tally(&*store, family::HEAL).await, Some((2, 2)));
    assert_eq!(tally(&*store, family::DOOMED).await, Some((2, 12)));
    commit(&*store, |batch| {
        (1..=2)
            .for_each(|number| _ = batch.delete(keys::heal(0, blob(number))).delete(keys::doomed(SHARD, blob(number))));
    })
    .await;
    assert_eq!(tally(&*store, family::HEAL).await, Some((0, 0)));
    assert_eq!(tally(&*store, family::DOOMED).await, Some((0, 0)));
    let mut refused = Batch::new();
    refused.unchanged(b"never".to_vec(), Some(crate::Revision(1))).put(keys::heal(0, blob(1)), heal());
    store.commit(refused).await.expect_err("a check does not hold");
    assert_eq!(tally(&*store, family::HEAL).await, Some((0, 0)));
}

pub(super) async fn what_stood_before_is_counted_first(store: Arc<dyn Store>) {
    commit(&*store, |batch| (0..5).for_each(|number| _ = batch.put(keys::heal(number % 2, blob(7)), heal()))).await;
    commit(&*store, |batch| (0..5).for_each(|number| _ = batch.put(keys::doomed(SHARD, blob(number)), doomed(3))))
        .await;
    assert_eq!(tally(&*store, family::HEAL).await, None, "a queue that is not counted has no row");
    begin_tally(&*store, family::HEAL).await.expect("begins");
    begin_tally(&*store, family::DOOMED).await.expect("begins");
    assert_eq!(tally(&*store, family::HEAL).await, Some((2, 1)));
    assert_eq!(tally(&*store, family::DOOMED).await, Some((5, 15)));
}

pub(super) async fn commits_of_a_queue_that_meet_are_all_counted(store: Arc<dyn Store>) {
    const BLOBS: u64 = 10;
    begin_tally(&*store, family::HEAL).await.expect("begins");
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let store = Arc::clone(&store);
            spawn(async move {
                let random = Random::seeded(task);
                for _ in 0..40 {
                    let (spares, id) = (usize::try_from(random.below(2)).expect("small"), blob(random.below(BLOBS)));
                    commit(&*store, |batch| match random.below(2) {
                        0 => _ = batch.put(keys::heal(spares, id), heal()),
                        _ => _ = batch.delete(keys::heal(spares, id)),
                    })
                    .await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
    let waiting = store.keys(crate::Scan::prefix(&[family::HEAL]), 100).await.expect("scans");
    let urgent = waiting.iter().filter(|key| keys::heal_spares(key) == Some(0)).count();
    let expected = [waiting.len(), urgent].map(|count| i64::try_from(count).expect("it is small"));
    assert_eq!(tally(&*store, family::HEAL).await, Some((expected[0], expected[1])));
    let view = store.snapshot().await.expect("a snapshot");
    assert_eq!(compare_tally(view.as_ref(), family::HEAL).await.expect("reads"), None);
    assert_eq!(compare_tally(view.as_ref(), family::DOOMED).await.expect("reads"), None, "it is not counted");
    commit(&*store, |batch| _ = batch.add(keys::waiting(family::HEAL), vec![1])).await;
    let view = store.snapshot().await.expect("a snapshot");
    let [says, counted] = compare_tally(view.as_ref(), family::HEAL).await.expect("reads").expect("they differ");
    assert_eq!((says.records, counted.records), (expected[0] + 1, expected[0]));
}
