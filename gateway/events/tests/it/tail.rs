use crate::{Bench, event};
use cofre_catalog::{Embedded, EmbeddedOptions};
use cofre_events::{Cursor, Event, EventsError, Order, Retention, Tailed};
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// Far longer than anything here takes: a test that reaches it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

async fn next(tail: &mut (impl Stream<Item = Result<Tailed, EventsError>> + Unpin)) -> Tailed {
    tokio::time::timeout(PATIENCE, tail.next()).await.expect("the tail gives an item").unwrap().unwrap()
}

async fn next_event(tail: &mut (impl Stream<Item = Result<Tailed, EventsError>> + Unpin)) -> Event {
    match next(tail).await {
        Tailed::Event(event) => event,
        Tailed::Gap { until } => panic!("a gap until {until}"),
    }
}

#[tokio::test]
async fn a_tail_gives_what_is_there_and_then_what_comes() {
    let bench = Bench::new();
    bench.record("bucket.created", "before").await;
    let mut tail = pin!(bench.log.tail(Cursor::START, ""));
    assert_eq!(next_event(&mut tail).await.record.subject, "before");
    let (event, ()) = tokio::join!(next_event(&mut tail), bench.record("bucket.created", "after"));
    assert_eq!(event.record.subject, "after");
}

#[tokio::test]
async fn a_tail_from_the_end_hears_only_of_what_is_to_come() {
    let bench = Bench::new();
    bench.record("bucket.created", "before").await;
    let mut tail = pin!(bench.log.tail(bench.log.end().await.unwrap(), "shard."));
    bench.record("bucket.created", "other").await;
    bench.record("shard.added", "after").await;
    assert_eq!(next_event(&mut tail).await.record.subject, "after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_is_dropped_and_resumed_misses_nothing_of_concurrent_writers() {
    resumed_tail_misses_nothing(Bench::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_over_the_embedded_engine() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path(), EmbeddedOptions::default(), Clock::system()).await.unwrap();
    resumed_tail_misses_nothing(Bench::over(Arc::new(store))).await;
}

async fn resumed_tail_misses_nothing(bench: Bench) {
    const WRITERS: usize = 4;
    const EVENTS_EACH: usize = 250;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = bench.log.clone();
            cofre_runtime::spawn(async move {
                for number in 0..EVENTS_EACH {
                    log.record(&event("bucket.created", format!("{writer}/{number}"))).await.unwrap();
                    if number % 16 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let (mut after, mut seen) = (Cursor::START, Vec::new());
    while seen.len() < WRITERS * EVENTS_EACH {
        // A client that drops its stream every 37 events.
        let mut tail = pin!(bench.log.tail(after, ""));
        for _ in 0..37.min(WRITERS * EVENTS_EACH - seen.len()) {
            let event = next_event(&mut tail).await;
            assert!(event.cursor > after, "in order, none twice");
            after = event.cursor;
            seen.push(event.record.subject);
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for writer in 0..WRITERS {
        let of_writer: Vec<_> = seen.iter().filter(|s| s.starts_with(&format!("{writer}/"))).cloned().collect();
        let expected: Vec<_> = (0..EVENTS_EACH).map(|number| format!("{writer}/{number}")).collect();
        assert_eq!(of_writer, expected);
    }
}

#[tokio::test]
async fn a_tail_tells_of_a_gap_once_and_goes_on_behind_it() {
    let bench = Bench::new();
    for subject in 0..5 {
        bench.record("bucket.created", subject).await;
    }
    let first = bench.page(None, Order::OldestFirst, 1, "").await.next.unwrap();
    let keep_two = Retention { of_accounts_max: 2, others_max: 2, age_max: Duration::MAX };
    bench.log.trim(keep_two, Timestamp::from_secs(1_000)).await.unwrap();
    let mut tail = pin!(bench.log.tail(first, ""));
    let Tailed::Gap { until } = next(&mut tail).await else { panic!("no gap was told") };
    let kept = next_event(&mut tail).await;
    assert_eq!((kept.record.subject.as_str(), kept.cursor), ("3", until));
    assert_eq!(next_event(&mut tail).await.record.subject, "4");
    bench.record("bucket.created", 5).await;
    assert_eq!(next_event(&mut tail).await.record.subject, "5");
}
