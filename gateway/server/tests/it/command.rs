use crate::bed::{Bed, program, run, text};
use cofre_server::start;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_made_as_scripts_expect() {
    let bed = Bed::new().await;
    let made = bed.admin(&["account", "create", "ana", "--email", "ana@example.org"]).await;
    for field in ["id", "display_name", "email", "access_key_id", "secret_access_key"] {
        assert!(made[field].is_string(), "{field} is missing in {made}");
    }
    assert_eq!((made["id"].as_str().unwrap().len(), &made["display_name"]), (64, &"ana".into()));
    let table = text(&bed.cofre(&["admin", "account", "list"]).await.stdout);
    assert!(table.lines().any(|line| line.starts_with("ana ") && line.contains("enabled")), "{table}");
    assert_eq!(bed.admin(&["account", "disable", "ana"]).await["disabled"], true);
    assert_eq!(bed.admin(&["account", "enable", "ana"]).await["disabled"], false);
    let key = made["access_key_id"].as_str().unwrap();
    let rotated = bed.admin(&["key", "rotate", key]).await;
    assert_ne!(rotated["access_key_id"], made["access_key_id"]);
    bed.admin(&["account", "delete", "ana"]).await;
    assert_eq!(bed.admin(&["account", "list"]).await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_are_added_drained_and_removed() {
    let bed = Bed::new().await;
    let path = bed.folder.path().join("second").display().to_string();
    assert_eq!(bed.admin(&["shard", "add", &path, "--label", "rack=7"]).await["labels"]["rack"], "7");
    assert_eq!(bed.admin(&["shard", "probe", "2"]).await["ok"], true);
    assert_eq!(bed.admin(&["shard", "set", "2", "--weight", "50"]).await["weight_percent"], 50);
    let refused = bed.cofre(&["admin", "shard", "remove", "2"]).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("drain it first"));
    assert_eq!(bed.admin(&["shard", "drain", "2", "--wait"]).await["state"], "drained");
    bed.admin(&["shard", "remove", "2"]).await;
    assert_eq!(bed.admin(&["shard", "list"]).await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_tells_a_person_what_is_away_and_how_long_calls_take() {
    let bed = Bed::new().await;
    let told = text(&bed.cofre(&["admin", "health"]).await.stdout);
    let row = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row(&told, "on shards that are away").ends_with("nothing"), "{told}");
    let probe = text(&bed.cofre(&["admin", "shard", "probe", "1"]).await.stdout);
    let trip = row(&probe, "round trip");
    assert!(["µs", " ms", " s"].iter().any(|unit| trip.ends_with(unit)), "{probe}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_tells_scripts_by_the_exit_code_if_they_ask() {
    let bed = Bed::new().await;
    let code = async |arguments: &[&str]| bed.cofre(&[&["admin", "health"], arguments].concat()).await.status.code();
    assert_eq!(code(&["--check"]).await, Some(0));
    bed.admin(&["job", "pause", "scrub"]).await;
    assert_eq!((code(&["--check"]).await, code(&[]).await), (Some(2), Some(0)));
    bed.admin(&["shard", "set", "1", "--weight", "0"]).await;
    assert_eq!((code(&["--check"]).await, code(&[]).await), (Some(3), Some(0)));
    assert_eq!(code(&["--check", "--url", "http://127.0.0.1:1"]).await, Some(1));
    let help = text(&bed.cofre(&["admin", "health", "--help"]).await.stdout);
    assert!(help.contains("0 good, 1 health could not be asked, 2 degraded, 3 failing"), "{help}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_stays_until_it_is_changed_by_name() {
    let bed = Bed::new().await;
    bed.admin(&["account", "create", "ana", "--email", "ana@example.org"]).await;
    let quota = async |arguments: &[&str]| {
        let told = bed.admin(&[&["account", "quota", "ana"], arguments].concat()).await["quota"].clone();
        (told["bytes_max"].as_u64(), told["objects_max"].as_u64())
    };
    assert_eq!(quota(&["--bytes", "30MB", "--objects", "10"]).await, (Some(30_000_000), Some(10)));
    assert_eq!(quota(&[]).await, (Some(30_000_000), Some(10)), "it is only shown");
    assert_eq!(quota(&["--bytes", "2 GiB"]).await, (Some(2 << 30), Some(10)), "the other limit stays");
    assert_eq!(quota(&["--objects", "none"]).await, (Some(2 << 30), None));
    for bad in ["30XB", "1.5GiB", "-1", "99999999TiB", "MB"] {
        let refused = bed.cofre(&["admin", "account", "quota", "ana", &format!("--bytes={bad}")]).await;
        assert!(!refused.status.success() && text(&refused.stderr).contains("30MB"), "{}", text(&refused.stderr));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_events_are_shown_and_a_start_is_one() {
    let bed = Bed::new().await;
    for name in ["ana", "bob", "eve"] {
        bed.admin(&["account", "create", name, "--email", &format!("{name}@example.org")]).await;
    }
    let latest = bed.admin(&["events", "--kind", "account.", "--limit", "2"]).await;
    let subjects: Vec<_> = latest["items"].as_array().unwrap().iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(subjects.len(), 2, "{latest}");
    let shown = text(&bed.cofre(&["admin", "events", "--kind", "account.", "--limit", "2"]).await.stdout);
    let at = |name: &str| shown.find(name);
    assert!(at("ana").is_none() && at("bob").is_some() && at("bob") < at("eve"), "{shown}");
    let after = latest["next"].as_str().unwrap();
    assert_eq!(bed.admin(&["events", "--after", after]).await["items"], serde_json::json!([]));
    let started = bed.admin(&["events", "--kind", "server.started"]).await;
    assert_eq!(started["items"][0]["details"]["version"], env!("CARGO_PKG_VERSION"), "{started}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_settings_prints_what_changed() {
    let bed = Bed::new().await;
    let set = async |change: &str| text(&bed.cofre(&["admin", "settings", "set", change]).await.stdout);
    let told = set("log_level=debug").await;
    let rows: Vec<Vec<_>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["revision", "1"], "{told}");
    assert_eq!(rows[2..], [["log_level", "null", "\"debug\""]], "{told}");
    assert!(set("log_level=debug").await.contains("nothing changed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_set_by_field_and_rolled_back() {
    let bed = Bed::new().await;
    let set = bed.admin(&["settings", "set", "rate_limits.requests_per_second_per_key=5", "log_level=warn"]).await;
    assert_eq!((&set["revision"], &set["document"]["log_level"]), (&1.into(), &"warn".into()));
    let refused = bed.cofre(&["admin", "settings", "set", "rate_limits.burst=many"]).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("rate_limits.burst"));
    let back = bed.admin(&["settings", "rollback", "0"]).await;
    assert_eq!(back["document"]["rate_limits"]["requests_per_second_per_key"], 0);
    assert_eq!(bed.admin(&["settings", "history"]).await.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_restored_into_another_cofre() {
    let mut bed = Bed::new().await;
    bed.admin(&["account", "create", "ana", "--email", "ana@example.org"]).await;
    let backup = bed.folder.path().join("backup").display().to_string();
    let taken = bed.cofre(&["catalog", "backup", &backup]).await;
    assert!(taken.status.success(), "{}", text(&taken.stderr));
    let again = bed.cofre(&["catalog", "backup", &backup]).await;
    assert!(!again.status.success() && text(&again.stderr).contains("there already"), "{}", text(&again.stderr));
    bed.running.take().unwrap().drain().await.unwrap();

    let data = bed.folder.path().join("restored");
    let restored = run(program(&["catalog", "restore", &backup, "--data", &data.display().to_string()])).await;
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    for file in ["master.key", "encryption-keys", "admin-token"] {
        std::fs::copy(bed.folder.path().join("data").join(file), data.join(file)).unwrap();
    }
    let running = start(crate::bed::resolve(crate::bed::settings(&data)), None).await.unwrap();
    assert!(running.first.is_none(), "the root account came with the backup");
    let url = format!("http://{}", running.admin);
    let mut list = program(&["admin", "account", "list", "--url", &url]);
    list.env("COFRE_ADMIN_TOKEN_FILE", data.join("admin-token"));
    let listed = text(&run(list).await.stdout);
    assert!(listed.contains("ana@example.org"), "{listed}");
    running.drain().await.unwrap();
}

#[tokio::test]
async fn errors_say_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let ask = async |name: &str, value: &str| {
        let mut command = program(&["admin", "health"]);
        command.current_dir(folder.path()).env(name, value);
        let output = run(command).await;
        assert!(!output.status.success());
        text(&output.stderr)
    };
    let said = ask("COFRE_ADMIN_URL", "http://127.0.0.1:1").await;
    assert!(said.contains("no admin token") && said.contains("COFRE_ADMIN_TOKEN"), "{said}");
    std::fs::create_dir(folder.path().join("cofre-data")).unwrap();
    std::fs::write(folder.path().join("cofre-data/admin-token"), "cofre_a_b\n").unwrap();
    let said = ask("COFRE_ADMIN_URL", "http://127.0.0.1:1").await;
    assert!(said.contains("127.0.0.1:1") && said.contains("is cofre serve running"), "{said}");
    let said = ask("COFRE_ADMIN_URL", "ftp://x").await;
    assert!(said.contains("http://"), "{said}");
    let bed = Bed::new().await;
    let said = ask("COFRE_ADMIN_URL", &format!("http://{}", bed.running().admin)).await;
    assert!(said.contains("COFRE_ADMIN_TOKEN"), "{said}");
    let said = ask("COFRE_ADMIN_URL", &format!("http://{}", bed.running().s3)).await;
    assert!(said.contains("This is the S3 API") && said.contains("--admin-listen"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_take_sizes_in_words_and_show_one_field() {
    let bed = Bed::new().await;
    bed.admin(&["settings", "set", "quotas.bucket_bytes_max=10GiB", "writes.replicate_bytes_max=1MiB"]).await;
    let field = async |name: &str| text(&bed.cofre(&["admin", "settings", "get", name]).await.stdout);
    assert_eq!(field("quotas.bucket_bytes_max").await, format!("{}\n", 10_u64 << 30));
    assert_eq!(field("writes.replicate_bytes_max").await, format!("{}\n", 1 << 20));
    bed.admin(&["settings", "set", "redundancy=replicas:1"]).await;
    assert_eq!(field("redundancy").await, "replicas:1\n");
    assert_eq!(bed.admin(&["settings", "get", "timers"]).await["garbage_grace_secs"], 900);
    assert_eq!(
        bed.admin(&["settings", "get", "quotas.bucket_bytes_max", "--revision", "0"]).await,
        serde_json::Value::Null
    );
    let refused = bed.cofre(&["admin", "settings", "get", "timers.nothing"]).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("there is no setting timers.nothing"));
    let refused = bed.cofre(&["admin", "settings", "set", "quotas.bucket_objects_max=10GiB"]).await;
    assert!(
        !refused.status.success() && text(&refused.stderr).contains("quotas.bucket_objects_max"),
        "objects are no bytes"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_make_hand_over_and_remove_buckets_and_import_keys() {
    let bed = Bed::new().await;
    let secret = bed.folder.path().join("secret");
    std::fs::write(&secret, "aB3dE5gH7jK9mN1p\n").unwrap();
    let file = secret.display().to_string();
    let made = bed.admin(&["account", "create", "ana", "--access-key-id", "ANASKEY", "--secret-file", &file]).await;
    assert_eq!((&made["email"], &made["secret_access_key"]), (&"".into(), &"aB3dE5gH7jK9mN1p".into()));
    bed.admin(&["account", "create", "bea"]).await;
    let key = bed.admin(&["key", "create", "bea", "--access-key-id", "BEASKEY", "--secret-file", &file]).await;
    assert_eq!((&key["access_key_id"], &key["account_name"]), (&"BEASKEY".into(), &"bea".into()));
    std::fs::write(&secret, "minioadmin").unwrap();
    let refused =
        bed.cofre(&["admin", "key", "create", "bea", "--access-key-id", "OTHER", "--secret-file", &file]).await;
    assert!(
        !refused.status.success() && text(&refused.stderr).contains("everybody knows"),
        "{}",
        text(&refused.stderr)
    );

    assert_eq!(bed.admin(&["bucket", "create", "photos", "--owner", "ana"]).await["owner_name"], "ana");
    let quota = bed.admin(&["bucket", "quota", "photos", "--bytes", "1GiB", "--objects", "7"]).await;
    assert_eq!((&quota["quota"]["bytes_max"], &quota["quota"]["objects_max"]), (&(1 << 30).into(), &7.into()));
    assert_eq!(bed.admin(&["bucket", "hand-over", "photos", "--to", "bea"]).await["owner_name"], "bea");
    let table = text(&bed.cofre(&["admin", "bucket", "list"]).await.stdout);
    assert!(table.lines().any(|line| line.starts_with("photos ") && line.ends_with("bea")), "{table}");
    bed.admin(&["bucket", "delete", "photos"]).await;
    assert!(bed.admin(&["bucket", "list"]).await.as_array().unwrap().is_empty());
    let verified = text(&bed.cofre(&["admin", "verify"]).await.stdout);
    assert!(
        verified.contains("0 wrong") && verified.contains("looked at ") && verified.contains(" read 0 B"),
        "{verified}"
    );
}
