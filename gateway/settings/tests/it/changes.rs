use crate::{Bench, patch};
use cofre_catalog::records::{EventRecord, Record};
use cofre_catalog::{ReadExt, Scan};
use cofre_settings::{DOCUMENT_BYTES_MAX, LogLevel, Settings, SettingsError};
use cofre_types::Scheme;
use proptest::prelude::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_patch_changes_what_it_names_and_is_in_force_at_once() {
    let bench = Bench::new().await;
    assert_eq!((*bench.settings.current()).clone(), Settings::default());
    let merge =
        json!({"rate_limits": {"requests_per_second_per_key": 50}, "log_level": "debug", "redundancy": "replicas:3"});
    let revised = bench.patch(merge).await.unwrap();
    assert_eq!(revised.revision, 1);
    let now = bench.settings.current();
    assert_eq!(now, revised.settings);
    assert_eq!(now.rate_limits.requests_per_second_per_key, 50);
    assert_eq!(now.log_level, Some(LogLevel::Debug));
    assert_eq!(now.redundancy, Some(Scheme::Replicas { count: 3 }));
    assert_eq!(now.timers, Settings::default().timers);
}

#[tokio::test]
async fn null_brings_a_default_back() {
    let bench = Bench::new().await;
    bench
        .patch(json!({"timers": {"garbage_grace_secs": 60, "job_busy_share": 0.5}, "log_level": "warn"}))
        .await
        .unwrap();
    bench.patch(json!({"timers": {"garbage_grace_secs": null}, "log_level": null})).await.unwrap();
    let now = bench.settings.current();
    assert_eq!((now.timers.garbage_grace_secs, now.timers.job_busy_share, now.log_level), (900, 0.5, None));
    bench.patch(json!({"timers": null})).await.unwrap();
    assert_eq!((*bench.settings.current()).clone(), Settings::default());
}

#[tokio::test]
async fn an_error_names_the_field() {
    let bench = Bench::new().await;
    for (merge, expected) in [
        (json!({"rate_limits": {"burst": 5}}), "rate_limits.burst"),
        (json!({"rate_limits": {"burst": -1}}), "rate_limits.burst"),
        (json!({"rate_limits": {"bursts": 5}}), "rate_limits.bursts"),
        (json!({"rate_limit": {}}), "rate_limit"),
        (json!({"log_level": "loud"}), "log_level"),
        (json!({"new_buckets": {"ownership": "enforced"}}), "new_buckets.ownership"),
        (json!({"new_buckets": {"public_access_block": "all"}}), "new_buckets.public_access_block"),
        (json!({"redundancy": "replicas:17"}), "redundancy"),
        (json!({"quotas": {"bucket_bytes_max": u64::MAX}}), "quotas.bucket_bytes_max"),
        (json!({"quotas": {"bucket_bytes_max": "1 TB"}}), "quotas.bucket_bytes_max"),
        (json!({"timers": {"garbage_grace_secs": 1}}), "timers.garbage_grace_secs"),
        (json!({"timers": {"orphan_grace_secs": 900}}), "timers.orphan_grace_secs"),
        (json!({"timers": {"job_busy_share": 0}}), "timers.job_busy_share"),
        (json!({"timers": []}), "timers"),
        (json!({"cors_default": {"allowed_origins": ["*", "app.example"]}}), "cors_default.allowed_origins[1]"),
        (json!({"cors_default": {"allowed_origins": ["https://a\r\nX: y"]}}), "cors_default.allowed_origins[0]"),
        (json!({"cors_default": {"allowed_origins": vec!["*"; 101]}}), "cors_default.allowed_origins"),
        (json!([]), ""),
        (json!({"log_level": "x".repeat(DOCUMENT_BYTES_MAX)}), ""),
    ] {
        match bench.patch(merge.clone()).await {
            Err(SettingsError::Invalid { path, .. }) => assert_eq!(path, expected),
            other => panic!("{merge}: {other:?}"),
        }
    }
    assert_eq!(bench.settings.revised().revision, 0);
}

#[tokio::test]
async fn a_patch_on_top_of_an_old_revision_is_refused() {
    let bench = Bench::new().await;
    bench.patch(json!({"log_level": "warn"})).await.unwrap();
    let late = bench.settings.patch(patch(0, json!({"log_level": "error"}))).await;
    assert!(matches!(late, Err(SettingsError::Conflict { current: 1 })));
    assert_eq!(bench.settings.current().log_level, Some(LogLevel::Warn));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_patches_at_once_none_is_lost() {
    const WRITERS: u32 = 8;
    let bench = Bench::new().await;
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let settings = bench.other().await;
        writers.push(cofre_runtime::spawn(async move {
            let mut expected = 0;
            // Each adds one to what it has read, and reads again when someone else was first.
            loop {
                let rate = settings.at(expected).await.unwrap().settings.rate_limits.requests_per_second_per_key;
                let merge = json!({"rate_limits": {"requests_per_second_per_key": rate + 1}});
                match settings.patch(patch(expected, merge)).await {
                    Ok(_) => return,
                    Err(SettingsError::Conflict { current }) => expected = current,
                    Err(error) => panic!("{error}"),
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let last = bench.other().await.revised();
    assert_eq!((last.revision, last.settings.rate_limits.requests_per_second_per_key), (WRITERS.into(), WRITERS));
}

#[tokio::test]
async fn each_revision_has_its_event_and_a_patch_that_changes_nothing_makes_none() {
    let bench = Bench::new().await;
    bench.patch(json!({"log_level": "warn"})).await.unwrap();
    assert_eq!(bench.patch(json!({"log_level": "warn"})).await.unwrap().revision, 1);
    bench.settings.rollback(0, 1, "token:bob", "").await.unwrap();
    let events = bench.store.page(Scan::prefix(b"E"), 10).await.unwrap();
    let events: Vec<_> = events.iter().map(|(_, entry)| EventRecord::decode(&entry.value).unwrap()).collect();
    let told: Vec<_> = events.iter().map(|e| (e.kind.as_str(), e.subject.as_str(), e.actor.as_str())).collect();
    assert_eq!(told, [("settings.changed", "1", "token:ann"), ("settings.rolled_back", "2", "token:bob")]);
    assert_eq!(events[0].details, [("log_level".to_owned(), "null -> \"warn\"".to_owned())]);
}

#[tokio::test]
async fn author_and_note_are_bounded() {
    let bench = Bench::new().await;
    for (author, note, expected) in
        [("", "", "author"), (&*"a".repeat(257), "", "author"), ("a", &*"n".repeat(1_025), "note")]
    {
        let mut patch = patch(0, json!({"log_level": "warn"}));
        (patch.author, patch.note) = (author.to_owned(), note.to_owned());
        match bench.settings.patch(patch).await {
            Err(SettingsError::Invalid { path, .. }) => assert_eq!(path, expected),
            other => panic!("{other:?}"),
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}|replicas:[0-9]{1,3}|info".prop_map(Value::from),
    ];
    let name = "rate_limits|burst|timers|garbage_grace_secs|quotas|bucket_bytes_max|redundancy|log_level|[a-z]{1,4}";
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_patch_is_refused_or_makes_valid_settings_that_read_back(merge in any_json()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new().await;
            match bench.patch(merge).await {
                Ok(revised) => {
                    revised.settings.validate().unwrap();
                    assert_eq!(bench.other().await.revised(), revised);
                }
                Err(error) => assert!(matches!(error, SettingsError::Invalid { .. }), "{error}"),
            }
        });
    }
}
