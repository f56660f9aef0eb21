//! What a first start refuses, and what it tells.

use crate::bed::{program, resolve, run, served, settings, text};
use cofre_server::start;
use std::fs;
use std::path::Path;

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut args = settings(&data);
    args.redundancy = Some("ec:4+2".parse().unwrap());
    let refused = start(resolve(args.clone()), None).await.err().expect("it is refused").to_string();
    assert!(refused.contains("ec:4+2 wants 6 failure domains, and there are 1"), "{refused}");
    assert!(!data.exists());

    // One directory of six cannot be a shard.
    args.shards = (1..=6).map(|number| folder.path().join(format!("disk-{number}"))).collect();
    fs::create_dir(&args.shards[5]).unwrap();
    fs::write(args.shards[5].join("photo.jpg"), "mine").unwrap();
    let refused = start(resolve(args.clone()), None).await.err().expect("it is refused").to_string();
    assert!(refused.contains("disk-6: the directory is not empty"), "{refused}");
    assert!(!data.exists() && !args.shards[0].exists());

    fs::remove_file(args.shards[5].join("photo.jpg")).unwrap();
    let running = start(resolve(args), None).await.unwrap();
    assert!(running.first.is_some());
    let mut list = program(&["admin", "shard", "list", "--json", "--url", &format!("http://{}", running.admin)]);
    list.env("COFRE_ADMIN_TOKEN_FILE", data.join("admin-token"));
    let shards: serde_json::Value = serde_json::from_slice(&run(list).await.stdout).unwrap();
    assert_eq!(shards.as_array().unwrap().len(), 6);
    running.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_start_that_fails_registers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    start(resolve(settings(&data)), None).await.unwrap().drain().await.unwrap();
    let mut args = settings(&data);
    args.shards = vec![folder.path().join("two"), folder.path().join("three")];
    args.redundancy = Some("replicas:4".parse().unwrap());
    let refused = start(resolve(args.clone()), None).await.err().expect("it is refused").to_string();
    assert!(refused.contains("replicas:4 wants 4 failure domains, and there are 3"), "{refused}");
    assert!(args.shards.iter().all(|path| !path.exists()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_with_something_else_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("minio");
    fs::create_dir_all(data.join(".minio.sys")).unwrap();
    let output =
        run(program(&["serve", "--data", shown(&data), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]))
            .await;
    let said = text(&output.stderr);
    assert!(!output.status.success());
    for told in ["data: ", shown(&data), "is not empty", ".minio.sys", "--data"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);

    // What the settings name may be in it.
    let data = folder.path().join("ours");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("cofre.toml"), "region = \"eu-west-1\"").unwrap();
    let (banner, _) = served(&["--data", shown(&data), "--config", shown(&data.join("cofre.toml"))]).await;
    assert!(banner.contains("region eu-west-1"), "{banner}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_banner_names_what_to_keep_and_who_can_listen() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (banner, _) = served(&["--data", shown(&data)]).await;
    for file in ["credentials", "admin-token", "master.key", "encryption-keys"] {
        assert!(banner.contains(shown(&data.join(file))), "{file}: {banner}");
        assert!(data.join(file).exists(), "{file}");
    }
    assert!(banner.contains("Keep copies of these apart from the data"), "{banner}");
    assert!(!banner.contains("Warning"), "{banner}");

    let (banner, _) = served(&["--data", shown(&data), "--admin-listen", "0.0.0.0:0"]).await;
    let warned: Vec<_> = banner.lines().filter(|line| line.contains("Warning")).collect();
    let [warned] = warned.as_slice() else { panic!("{banner}") };
    assert!(warned.contains("the admin API listens on 0.0.0.0:") && warned.contains("in the clear"), "{warned}");
    assert!(!banner.contains("Keep copies"), "it is no first start: {banner}");
}
