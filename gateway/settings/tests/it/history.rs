use crate::Bench;
use cofre_catalog::{ReadExt, Scan};
use cofre_settings::{Change, HISTORY_REVISIONS_MAX, LogLevel, SettingsError};
use cofre_types::Timestamp;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_history_tells_who_when_and_why_newest_first() {
    let bench = Bench::new().await;
    for rate in 1..=5 {
        bench.patch(json!({"rate_limits": {"requests_per_second_per_key": rate}})).await.unwrap();
        bench.clock.advance(Duration::from_secs(1));
    }
    let first = bench.settings.history(None, 2).await.unwrap();
    let second = bench.settings.history(first.next, 10).await.unwrap();
    let revisions: Vec<_> = first.revisions.iter().chain(&second.revisions).map(|info| info.revision).collect();
    assert_eq!((revisions, second.next), (vec![5, 4, 3, 2, 1], None));
    let newest = &first.revisions[0];
    assert_eq!((newest.author.as_str(), newest.note.as_str()), ("token:ann", "a test"));
    assert_eq!(newest.at, Timestamp::from_secs(1_004));
}

#[tokio::test]
async fn a_difference_names_each_field_with_both_values() {
    let bench = Bench::new().await;
    bench.patch(json!({"log_level": "warn", "timers": {"garbage_grace_secs": 60}})).await.unwrap();
    bench.patch(json!({"log_level": null, "cors_default": {"allowed_origins": ["*"]}})).await.unwrap();
    let change = |path: &str, from, to| Change { path: path.to_owned(), from, to };
    assert_eq!(
        bench.settings.diff(0, 2).await.unwrap(),
        [
            change("cors_default.allowed_origins", json!([]), json!(["*"])),
            change("timers.garbage_grace_secs", json!(900), json!(60)),
        ]
    );
    assert_eq!(bench.settings.diff(2, 2).await.unwrap(), []);
    assert!(matches!(bench.settings.diff(0, 3).await, Err(SettingsError::NotFound(3))));
}

#[tokio::test]
async fn a_rollback_is_a_new_revision_with_the_old_document() {
    let bench = Bench::new().await;
    bench.patch(json!({"log_level": "warn"})).await.unwrap();
    bench.patch(json!({"log_level": "trace"})).await.unwrap();
    let back = bench.settings.rollback(1, 2, "token:ann", "too loud").await.unwrap();
    assert_eq!((back.revision, back.settings.log_level), (3, Some(LogLevel::Warn)));
    assert_eq!(bench.settings.current(), back.settings);
    assert_eq!(bench.settings.history(None, 1).await.unwrap().revisions[0].note, "too loud");
    let late = bench.settings.rollback(0, 2, "token:ann", "").await;
    assert!(matches!(late, Err(SettingsError::Conflict { current: 3 })));
    let unknown = bench.settings.rollback(9, 3, "token:ann", "").await;
    assert!(matches!(unknown, Err(SettingsError::NotFound(9))));
}

#[tokio::test]
async fn the_history_is_bounded() {
    let bench = Bench::new().await;
    for rate in 1..=HISTORY_REVISIONS_MAX + 3 {
        bench.patch(json!({"rate_limits": {"requests_per_second_per_key": rate}})).await.unwrap();
    }
    let kept = bench.store.page(Scan::prefix(b"D"), 10_000).await.unwrap();
    assert_eq!(kept.len() as u64, HISTORY_REVISIONS_MAX);
    assert!(matches!(bench.settings.at(3).await, Err(SettingsError::NotFound(3))));
    assert_eq!(bench.settings.at(4).await.unwrap().revision, 4);
    assert_eq!(bench.other().await.revised().revision, HISTORY_REVISIONS_MAX + 3);
}
