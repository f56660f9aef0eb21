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
    assert!(table.lines().any(|line| line.starts_with("ana ") && line.contains("active")), "{table}");
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
    assert!(said.contains("admin listener"), "{said}");
}
