use crate::{Bench, patch};
use cofre_catalog::records::{Record, SettingsRecord};
use cofre_catalog::{Batch, Memory, Store, keys};
use cofre_runtime::{ManualClock, Shutdown, spawn};
use cofre_settings::{DynamicSettings, LogLevel, Revised, SettingsError};
use cofre_types::{Scheme, Timestamp};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Far longer than anything here takes: a test that reaches it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

async fn hears(watch: &mut watch::Receiver<Revised>, revision: u64) -> Revised {
    let heard = tokio::time::timeout(PATIENCE, watch.wait_for(|revised| revised.revision >= revision)).await;
    heard.expect("the change is heard").unwrap().clone()
}

#[tokio::test]
async fn a_change_by_another_process_is_followed_and_announced() {
    let bench = Bench::new().await;
    let (follower, shutdown) = (bench.other().await, Shutdown::default());
    let mut watch = follower.subscribe();
    let following = spawn({
        let (follower, shutdown) = (follower.clone(), shutdown.clone());
        async move { follower.follow(shutdown).await }
    });
    for (revision, level) in [(1, "warn"), (2, "debug")] {
        bench.settings.patch(patch(revision - 1, json!({"log_level": level}))).await.unwrap();
        let heard = hears(&mut watch, revision).await;
        assert_eq!(follower.current(), heard.settings);
    }
    assert_eq!(follower.current().log_level, Some(LogLevel::Debug));
    shutdown.begin();
    tokio::time::timeout(PATIENCE, following).await.expect("following ends").unwrap();
}

#[tokio::test]
async fn a_change_is_followed_also_by_who_hears_nothing_of_it() {
    let (store, clock) = (Memory::new(), ManualClock::at(Timestamp::from_secs(1_000).0));
    let ours = DynamicSettings::open(Arc::new(store.clone()), clock.clock()).await.unwrap();
    let (twin, stream) = store.twin(clock.clock());
    let staleness_max = twin.staleness_max();
    let (follower, shutdown) =
        (DynamicSettings::open(Arc::new(twin), clock.clock()).await.unwrap(), Shutdown::default());
    let mut watch = follower.subscribe();
    let following = spawn({
        let (follower, shutdown) = (follower.clone(), shutdown.clone());
        async move { follower.follow(shutdown).await }
    });
    stream.cut();
    clock.advance(staleness_max);
    ours.patch(patch(0, json!({"log_level": "warn"}))).await.unwrap();
    hears(&mut watch, 1).await;
    stream.mend();
    ours.patch(patch(1, json!({"log_level": "debug"}))).await.unwrap();
    assert_eq!(hears(&mut watch, 2).await.settings.log_level, Some(LogLevel::Debug));
    shutdown.begin();
    tokio::time::timeout(PATIENCE, following).await.expect("following ends").unwrap();
}

#[tokio::test]
async fn a_change_of_ones_own_is_announced_without_following() {
    let bench = Bench::new().await;
    let mut watch = bench.settings.subscribe();
    bench.patch(json!({"log_level": "warn"})).await.unwrap();
    assert!(watch.has_changed().unwrap());
    assert_eq!(watch.borrow_and_update().settings, bench.settings.current());
    bench.patch(json!({"log_level": "warn"})).await.unwrap();
    assert!(!watch.has_changed().unwrap(), "nothing changed");
}

#[tokio::test]
async fn settings_survive_a_restart() {
    let bench = Bench::new().await;
    let revised = bench.patch(json!({"quotas": {"bucket_bytes_max": 1_000_000}})).await.unwrap();
    assert_eq!(bench.other().await.revised(), revised);
}

/// A revision as the first release wrote it. It must read for ever.
const GOLDEN: &str = r#"{"schema":1,"settings":{"rate_limits":{"requests_per_second_per_key":50,"burst":100},
"log_level":"warn","quotas":{"bucket_bytes_max":1000,"bucket_objects_max":null,"buckets_per_account_max":10},
"redundancy":"replicas:2","timers":{"garbage_grace_secs":60,"orphan_grace_secs":3600,"stale_upload_secs":7200,
"scrub_interval_secs":86400,"job_busy_share":0.5,"events_keep_secs":3600,"events_keep_max":1000},
"cors_default":{"allowed_origins":["https://app.example"],"max_age_secs":600}}}"#;

async fn store_document(bench: &Bench, document: &str) -> Result<DynamicSettings, SettingsError> {
    let (author, note) = ("ann".to_owned(), String::new());
    let record = SettingsRecord { document: document.to_owned(), author, at: Timestamp::from_secs(1), note };
    let mut batch = Batch::new();
    batch.put(keys::settings(1), record.encode());
    bench.store.commit(batch).await.unwrap();
    DynamicSettings::open(Arc::clone(&bench.store), bench.clock.clock()).await
}

#[tokio::test]
async fn a_document_of_schema_1_reads() {
    let opened = store_document(&Bench::new().await, GOLDEN).await.unwrap();
    let now = opened.current();
    assert_eq!((now.rate_limits.burst, now.log_level), (100, Some(LogLevel::Warn)));
    assert_eq!((now.quotas.bucket_bytes_max, now.quotas.buckets_per_account_max), (Some(1_000), 10));
    assert_eq!(now.redundancy, Some(Scheme::Replicas { count: 2 }));
    assert_eq!((now.timers.stale_upload_secs, now.timers.job_busy_share), (7_200, 0.5));
    assert_eq!(now.cors_default.allowed_origins, ["https://app.example"]);
}

#[tokio::test]
async fn a_document_of_a_later_schema_is_not_guessed_at() {
    let later = GOLDEN.replace(r#""schema":1"#, r#""schema":2"#);
    let error = store_document(&Bench::new().await, &later).await.unwrap_err();
    assert!(matches!(&error, SettingsError::Damaged(reason) if reason.contains("later cofre")), "{error}");
}
