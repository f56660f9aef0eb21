use crate::Bench;
use cofre_events::{Cursor, EventsError, Order};
use proptest::prelude::*;

#[tokio::test]
async fn a_cursor_survives_its_text() {
    let bench = Bench::new();
    bench.record("bucket.created", "a").await;
    let cursor = bench.page(None, Order::OldestFirst, 1, "").await.next.unwrap();
    assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    assert!(Cursor::START < cursor);
}

#[test]
fn other_text_is_refused() {
    for text in ["", "0", "00000000000000010", "0000000000000001000", "000000000000000+00", "00000000000000010G"] {
        assert!(matches!(text.parse::<Cursor>(), Err(EventsError::Invalid { field: "cursor", .. })), "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_parses_prints_the_same(text in "[0-9a-f]{18}|[0-9a-fA-F+ -]{16,20}|\\PC*") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string(), text);
        }
    }
}
