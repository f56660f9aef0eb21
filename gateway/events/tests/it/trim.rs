use crate::{Bench, event, subjects};
use cofre_catalog::records::EventRecord;
use cofre_catalog::{Batch, keys};
use cofre_events::{Cursor, EventsError, Order, PageRequest, Retention};
use cofre_types::Timestamp;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn keep(events_max: u64) -> Retention {
    Retention { of_accounts_max: events_max, others_max: events_max, age_max: Duration::MAX }
}

#[tokio::test]
async fn the_oldest_go_first_and_only_beyond_the_bound() {
    let bench = Bench::new();
    for subject in 0..5 {
        bench.record("bucket.created", subject).await;
    }
    assert_eq!(bench.log.trim(keep(5), NOW).await.unwrap().events, 0);
    let trimmed = bench.log.trim(keep(3), NOW).await.unwrap();
    assert_eq!((trimmed.events, trimmed.more), (2, false));
    assert_eq!(subjects(&bench.page(None, Order::OldestFirst, 10, "").await), ["2", "3", "4"]);
}

#[tokio::test]
async fn what_accounts_do_pushes_no_other_event_out() {
    let bench = Bench::new();
    let noise = |subject| EventRecord { actor: "account:mallory".to_owned(), ..event("bucket.configured", subject) };
    bench.record("key.created", "first").await;
    for round in 0..15 {
        let events: Vec<_> = (0..250).map(|i| noise(round * 250 + i)).collect();
        bench.commit(&events).await;
        bench.record("settings.changed", round).await;
    }
    bench.record("access_log.lines_dropped", "b").await;
    let retention = Retention { of_accounts_max: 3, ..keep(10) };
    let mut trimmed = 0;
    loop {
        let step = bench.log.trim(retention, NOW).await.unwrap();
        trimmed += step.events;
        if !step.more {
            break;
        }
    }
    assert_eq!(trimmed, (15 * 250 + 1 - 3) + (16 - 10));
    let page = bench.page(None, Order::OldestFirst, 100, "").await;
    let kept = ["5", "6", "7", "8", "9", "10", "11", "12", "13", "3748", "3749", "14", "b"];
    assert_eq!(subjects(&page), kept);
    assert!(page.gap);
    // The mark does not go back when an older event of the other kind goes.
    let last = page.events.last().unwrap().cursor;
    bench.log.trim(Retention { of_accounts_max: 0, ..keep(10) }, NOW).await.unwrap();
    bench.log.trim(Retention { of_accounts_max: 0, ..keep(5) }, NOW).await.unwrap();
    assert!(!bench.page(Some(last), Order::OldestFirst, 100, "").await.gap);
    assert!(bench.page(Some(page.events[10].cursor), Order::OldestFirst, 100, "").await.gap);
}

#[tokio::test]
async fn events_go_when_they_are_too_old() {
    let bench = Bench::new();
    for secs in [100, 200, 900] {
        let mut event = event("bucket.created", secs);
        event.at = Timestamp::from_secs(secs);
        bench.log.record(&event).await.unwrap();
    }
    let retention = Retention { age_max: Duration::from_secs(800), ..keep(100) };
    assert_eq!(bench.log.trim(retention, NOW).await.unwrap().events, 1);
    assert_eq!(subjects(&bench.page(None, Order::OldestFirst, 10, "").await), ["200", "900"]);
}

#[tokio::test]
async fn a_cursor_before_what_is_kept_is_told_of_the_gap_and_one_at_it_is_not() {
    let bench = Bench::new();
    for subject in 0..5 {
        bench.record("bucket.created", subject).await;
    }
    let all = bench.page(None, Order::OldestFirst, 10, "").await;
    bench.log.trim(keep(2), NOW).await.unwrap();
    let (first, last_trimmed) = (all.events[0].cursor, all.events[2].cursor);
    for (after, gap) in [(Some(first), true), (Some(Cursor::START), true), (Some(last_trimmed), false)] {
        let page = bench.page(after, Order::OldestFirst, 10, "").await;
        assert_eq!((page.gap, subjects(&page)), (gap, vec!["3".to_owned(), "4".to_owned()]));
    }
    let backward = bench.page(None, Order::NewestFirst, 10, "").await;
    assert_eq!((backward.gap, subjects(&backward)), (true, vec!["4".to_owned(), "3".to_owned()]));
    assert!(!bench.page(None, Order::NewestFirst, 1, "").await.gap, "the cut is not reached yet");
}

#[tokio::test]
async fn a_gap_with_nothing_behind_it_is_told_once() {
    let bench = Bench::new();
    bench.record("bucket.created", 0).await;
    bench.log.trim(keep(0), NOW).await.unwrap();
    let page = bench.page(Some(Cursor::START), Order::OldestFirst, 10, "").await;
    assert!(page.gap && page.events.is_empty());
    assert!(!bench.page(page.next, Order::OldestFirst, 10, "").await.gap);
}

#[tokio::test]
async fn one_call_is_bounded_and_says_that_there_is_more() {
    let bench = Bench::new();
    for _ in 0..50 {
        let events: Vec<_> = (0..250).map(|subject| event("bucket.created", subject)).collect();
        bench.commit(&events).await;
    }
    let first = bench.log.trim(keep(10), NOW).await.unwrap();
    assert_eq!((first.events, first.more), (10_000, true));
    let second = bench.log.trim(keep(10), NOW).await.unwrap();
    assert_eq!((second.events, second.more), (2_490, false));
    assert_eq!(bench.page(None, Order::OldestFirst, 100, "").await.events.len(), 10);
}

#[tokio::test]
async fn the_mark_stands_as_version_revision_and_index() {
    let bench = Bench::new();
    bench.commit(&[event("bucket.created", 0), event("bucket.created", 1)]).await;
    bench.log.trim(keep(0), NOW).await.unwrap();
    let mark = bench.store.get_many(vec![keys::job("events-trim")]).await.unwrap().pop().flatten().unwrap();
    assert_eq!(mark.value, [1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
}

#[tokio::test]
async fn a_mark_of_a_later_format_is_not_guessed_at() {
    let bench = Bench::new();
    let mut batch = Batch::new();
    batch.put(keys::job("events-trim"), vec![2, 0]);
    bench.store.commit(batch).await.unwrap();
    assert!(matches!(bench.log.page(PageRequest::default()).await, Err(EventsError::Damaged(_))));
}
