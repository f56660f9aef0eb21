use crate::{Bench, event, subjects};
use cofre_events::{EVENT_BYTES_MAX, EventsError, Order};

#[tokio::test]
async fn pages_go_both_ways_and_meet_every_event_once() {
    let bench = Bench::new();
    for subject in 0..7 {
        bench.record("bucket.created", subject).await;
    }
    for (order, expected) in [
        (Order::OldestFirst, ["0", "1", "2", "3", "4", "5", "6"]),
        (Order::NewestFirst, ["6", "5", "4", "3", "2", "1", "0"]),
    ] {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = bench.page(after, order, 3, "").await;
            assert!(page.events.len() <= 3 && !page.gap);
            seen.extend(subjects(&page));
            after = page.next;
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, expected, "{order:?}");
    }
}

#[tokio::test]
async fn events_of_one_commit_keep_their_order() {
    let bench = Bench::new();
    bench.commit(&[event("key.deleted", 0), event("account.deleted", 1)]).await;
    bench.commit(&[event("account.created", 2)]).await;
    assert_eq!(subjects(&bench.page(None, Order::OldestFirst, 10, "").await), ["0", "1", "2"]);
}

#[tokio::test]
async fn a_prefix_of_the_kind_filters() {
    let bench = Bench::new();
    bench.record("bucket.created", 0).await;
    bench.record("shard.added", 1).await;
    bench.record("bucket.deleted", 2).await;
    assert_eq!(subjects(&bench.page(None, Order::OldestFirst, 10, "bucket.").await), ["0", "2"]);
    let none = bench.page(None, Order::OldestFirst, 10, "account.").await;
    assert!(none.events.is_empty() && !none.more);
    bench.record("account.created", 3).await;
    assert_eq!(subjects(&bench.page(none.next, Order::OldestFirst, 10, "account.").await), ["3"]);
}

#[tokio::test]
async fn an_empty_log_gives_an_empty_page() {
    let page = Bench::new().page(None, Order::OldestFirst, 10, "").await;
    assert!(page.events.is_empty() && page.next.is_none() && !page.more && !page.gap);
}

#[tokio::test]
async fn an_event_has_a_kind_and_a_bounded_size() {
    let bench = Bench::new();
    let mut large = event("bucket.created", "");
    large.details = vec![("body".to_owned(), "x".repeat(EVENT_BYTES_MAX))];
    assert!(matches!(bench.log.record(&large).await, Err(EventsError::Invalid { field: "event", .. })));
    assert!(matches!(bench.log.record(&event("", 0)).await, Err(EventsError::Invalid { field: "kind", .. })));
    assert!(bench.page(None, Order::OldestFirst, 10, "").await.events.is_empty());
}
