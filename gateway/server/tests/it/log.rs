//! What a log that is read line by line tells.

use crate::bed::{logged, served};
use serde_json::{Value, json};
use std::path::Path;

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn find<'a>(log: &'a [Value], message: &str) -> &'a Value {
    log.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{message} is missing in {log:#?}"))
}

/// Sends a request without credentials, and reads its answer to the end.
fn ask(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: s3.example\r\nuser-agent: a-test/1\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_is_told_in_lines_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = logged(&["--data", shown(&data)], &[], |line| {
        if line["message"] != "listening" {
            return line["target"] == "cofre::access";
        }
        let address = |name: &str| line[name].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        // Probes are no lines; the request is one.
        assert!(ask(&address("admin"), "/health/ready").contains("200 OK"));
        assert!(ask(&address("s3"), "/no-bucket/key").contains("404 Not Found"));
        false
    })
    .await;
    let started = find(&log, "started");
    assert_eq!((&log[0], &started["version"]), (started, &json!(env!("CARGO_PKG_VERSION"))));
    let listening = find(&log, "listening");
    assert_eq!(listening["version"], started["version"]);
    let first = log.iter().find(|line| line["credentials"].is_string()).expect("the first start is told");
    assert_eq!(first["credentials"], shown(&data.join("credentials")));
    assert_eq!(first["admin_token"], shown(&data.join("admin-token")));
    assert!(log.iter().any(|line| line["path"] == shown(&data.join("master.key"))));
    assert!(log.iter().all(|line| line["target"] != "cofre::admin"), "{log:#?}");

    let access = log.iter().find(|line| line["target"] == "cofre::access").expect("the request is told");
    for (field, expected) in [
        ("code", json!("NoSuchBucket")),
        ("status", json!(404)),
        ("user_agent", json!("a-test/1")),
        ("host", json!("s3.example")),
        ("path", json!("/no-bucket/key")),
    ] {
        assert_eq!(access[field], expected, "{field}: {access}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_fails_is_told_in_a_line_of_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("photo.jpg"), "mine").unwrap();
    for (arguments, told) in [
        (vec!["--data", shown(&data)], "photo.jpg"),
        (vec!["--data", shown(&data), "--region", "No Region"], "region: "),
    ] {
        let log = logged(&arguments, &[], |_| false).await;
        let last = log.last().unwrap();
        assert_eq!((&last["level"], &last["message"]), (&json!("ERROR"), &json!("cofre does not serve")));
        assert!(last["error"].as_str().unwrap().contains(told), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slips_in_the_environment_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let slips = [("COFRE_SHARD", "/mnt/disk1"), ("COFRE_DATA", shown(&data)), ("COFRE_PORT", "tcp://10.0.0.1:9000")];
    let log = logged(&[], &slips, |line| line["message"] == "listening").await;
    let told: Vec<_> = log.iter().filter(|line| line["level"] == "WARN").collect();
    let [told] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((&told["name"], &told["nearest"]), (&json!("COFRE_SHARD"), &json!("COFRE_SHARDS")));
    // For people it is the same.
    let (_, log) = served(&["--data", shown(&data)]).await;
    assert!(log.contains("started") && log.contains("listening") && !log.contains("WARN"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_credentials_that_everybody_knows_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root =
        |secret: &'static str| [("COFRE_ROOT_ACCESS_KEY_ID", "minioadmin"), ("COFRE_ROOT_SECRET_ACCESS_KEY", secret)];
    let log = logged(&["--data", shown(&data)], &root("minioadmin"), |_| false).await;
    let error = log.last().unwrap()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("COFRE_ROOT_SECRET_ACCESS_KEY") && error.contains("everybody knows"), "{error}");
    let log =
        logged(&["--data", shown(&data)], &root("a-secret-of-my-own"), |line| line["message"] == "listening").await;
    assert!(log.iter().any(|line| line["access_key_id"] == "minioadmin"), "{log:#?}");
}
