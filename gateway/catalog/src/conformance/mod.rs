//! What every engine of the catalog must do. Each engine's tests run it on stores of their own.
//!
//! A case takes an empty store and panics with what went wrong.

mod checks;
mod concurrency;
mod freshness;
mod handles;
mod reads;
mod scans;
mod tallies;
mod writes;

use crate::{Batch, CommitError, Entry, Failed, ReadExt, Revision, Scan, Snapshot, Store};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// One thing that an engine must do.
pub struct Case {
    /// What it is called in the output of tests.
    pub name: &'static str,
    run: fn(Arc<dyn Store>) -> Run,
}

type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Case {
    /// Holds an empty store against the case.
    ///
    /// # Panics
    /// If the store does not do what it must.
    pub async fn run(&self, store: Arc<dyn Store>) {
        (self.run)(store).await;
    }
}

macro_rules! cases {
    ($($module:ident::$name:ident,)*) => {
        &[$(Case { name: stringify!($name), run: |store| Box::pin($module::$name(store)) },)*]
    };
}

/// All cases.
pub const CASES: &[Case] = cases![
    reads::an_empty_store_has_nothing,
    reads::a_snapshot_sees_what_returned_before_it,
    reads::a_snapshot_does_not_move,
    reads::get_many_keeps_the_order_of_its_keys,
    reads::a_store_reads_what_is_now,
    reads::one_read_of_a_store_is_of_one_state,
    reads::a_key_longer_than_any_is_not_there,
    scans::keys_come_in_byte_order,
    scans::bounds_hold_in_both_directions,
    scans::a_prefix_of_0xff_has_no_end,
    scans::seek_skips_in_both_directions,
    scans::seek_never_goes_back,
    scans::seek_beyond_the_range_ends_it,
    scans::stop_stops,
    scans::a_page_ends_at_its_limit,
    scans::a_scan_shows_at_most_what_it_says,
    scans::a_scan_without_values_shows_the_same_keys,
    scans::a_count_ends_at_its_limit,
    scans::a_store_scans_what_is_now,
    scans::a_range_without_room_is_empty,
    scans::deleted_keys_are_not_visited,
    writes::later_writes_of_a_batch_win,
    writes::revisions_grow_and_mark_values,
    writes::deleting_nothing_is_fine,
    writes::counters_add_up,
    writes::counters_mix_with_puts_and_deletes,
    writes::appends_stand_in_commit_order,
    writes::odd_keys_and_values_survive,
    writes::unfit_keys_and_batches_are_refused,
    writes::checks_of_unfit_keys_are_refused,
    writes::an_empty_batch_commits,
    tallies::a_queue_is_counted_as_it_changes,
    tallies::what_stood_before_is_counted_first,
    tallies::commits_of_a_queue_that_meet_are_all_counted,
    checks::at_holds_until_the_key_is_written,
    checks::absent_holds_until_the_key_is_written,
    checks::none_with_prefix_sees_only_live_keys,
    checks::counter_at_most_bounds_a_sum,
    checks::the_first_failed_check_is_named_and_nothing_is_written,
    checks::checks_see_the_state_before_the_batch,
    concurrency::no_update_is_lost,
    concurrency::one_of_many_creators_wins,
    concurrency::readers_never_see_half_a_batch,
    concurrency::a_quota_is_never_passed,
    concurrency::appends_of_many_tasks_are_all_there,
    concurrency::readers_of_the_store_never_see_half_a_batch,
    freshness::a_commit_changes_what_it_touches,
    freshness::a_commit_that_failed_changes_nothing,
    freshness::keys_of_a_family_are_told_apart,
    freshness::it_has_changed_when_a_commit_returns,
    freshness::a_cache_that_is_fresh_has_every_commit_that_returned,
    freshness::a_waiter_is_told_of_a_change,
];

pub use handles::{HANDLE_CASES, HandleCase, Handles, NewsFault, run_all_handles};

/// Runs every case, each on a store of its own that `make` gives for the case's name.
///
/// # Panics
/// If a store does not do what it must; the case's name is printed before.
pub async fn run_all<F>(mut make: impl FnMut(&'static str) -> F)
where
    F: Future<Output = Arc<dyn Store>>,
{
    for case in CASES {
        println!("conformance: {}", case.name);
        case.run(make(case.name).await).await;
    }
}

fn key(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

async fn put(store: &dyn Store, name: &str, value: &str) -> Revision {
    let mut batch = Batch::new();
    batch.put(key(name), key(value));
    store.commit(batch).await.expect("a put without checks commits")
}

async fn delete(store: &dyn Store, name: &str) -> Revision {
    let mut batch = Batch::new();
    batch.delete(key(name));
    store.commit(batch).await.expect("a delete without checks commits")
}

async fn read(store: &dyn Store, name: &str) -> Option<Entry> {
    store.get(key(name)).await.expect("the store reads")
}

async fn snapshot(store: &dyn Store) -> Box<dyn Snapshot> {
    store.snapshot().await.expect("the store gives a snapshot")
}

/// All keys of a range, as text.
async fn names(store: &dyn Store, range: Scan) -> Vec<String> {
    let page = snapshot(store).await.page(range, usize::MAX).await.expect("the store scans");
    page.into_iter().map(|(key, _)| String::from_utf8_lossy(&key).into_owned()).collect()
}

fn everything() -> Scan {
    Scan::prefix(&[])
}

fn failed(outcome: Result<Revision, CommitError>) -> usize {
    match outcome {
        Err(CommitError::Failed(Failed(index))) => index,
        other => panic!("a check should have failed, but the commit came to {other:?}"),
    }
}
