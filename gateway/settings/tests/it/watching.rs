use crate::{Bench, patch};
use cofre_runtime::{Shutdown, spawn};
use cofre_settings::{LogLevel, Revised};
use serde_json::json;
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
