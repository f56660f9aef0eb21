//! What a start takes over from those before it.

use crate::bed::{Bed, program, run, served, text};
use std::fs;
use std::path::Path;

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `--shard` for each of these directories.
fn shards(paths: &[std::path::PathBuf]) -> Vec<&str> {
    paths.iter().flat_map(|path| ["--shard", shown(path)]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_names_no_redundancy_keeps_the_one_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let disks = ["one", "two"].map(|name| folder.path().join(name));
    let flags = [&["--data", shown(&data)][..], &shards(&disks)].concat();
    let with = |more: &[&'static str]| [&flags[..], more].concat();

    served(&with(&["--redundancy", "replicas:2"])).await;
    // Neither what is forgotten nor what stays the same changes anything.
    for more in [&[][..], &["--redundancy", "replicas:2"]] {
        let (_, log) = served(&with(more)).await;
        assert!(!log.contains("default redundancy"), "{log}");
    }
    let in_force = async |redundancy: Option<&str>| {
        let mut bed = Bed::with(|args, _| {
            args.data = Some(data.clone());
            args.redundancy = redundancy.map(|text| text.parse().unwrap());
        })
        .await;
        let token = data.join("admin-token");
        let events = bed.admin(&["--token-file", shown(&token), "events", "--kind", "redundancy."]).await;
        let scheme = bed.admin(&["--token-file", shown(&token), "health"]).await["redundancy"]["in_force"].clone();
        bed.running.take().unwrap().drain().await.unwrap();
        (scheme, events["items"].clone())
    };
    let (scheme, events) = in_force(None).await;
    assert_eq!((scheme, events.as_array().unwrap().len()), ("replicas:2".into(), 0));

    let (_, log) = served(&with(&["--redundancy", "replicas:1"])).await;
    let line = log.lines().find(|line| line.contains("default redundancy")).expect("it is said");
    for told in ["INFO", "from=replicas:2", "to=replicas:1", "what stands is converted in the background"] {
        assert!(line.contains(told), "{told}: {line}");
    }
    let (scheme, events) = in_force(None).await;
    assert_eq!(scheme, "replicas:1");
    assert_eq!(events[0]["kind"], "redundancy.default_changed");
    assert_eq!(
        (&events[0]["details"]["from"], &events[0]["details"]["to"]),
        (&"replicas:2".into(), &"replicas:1".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_that_is_gone_is_asked_for_and_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (key, copy) = (data.join("master.key"), folder.path().join("copy"));
    let flags = ["--data", shown(&data)];
    // In processes of their own: one that is refused lets go of the catalog with its end.
    let refused = async || {
        let mut command = program(&[&["serve"], &flags[..]].concat());
        command.envs([("COFRE_LISTEN", "127.0.0.1:0"), ("COFRE_ADMIN_LISTEN", "127.0.0.1:0")]);
        let output = run(command).await;
        assert!(!output.status.success());
        text(&output.stderr)
    };
    served(&flags).await;
    fs::rename(&key, &copy).unwrap();
    let said = refused().await;
    for told in [shown(&key), "is missing", "put it back", "--master-key-file"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!key.exists(), "nothing is made in its place");

    // Nor does another one do.
    let other = Bed::new().await;
    fs::copy(other.folder.path().join("data/master.key"), &key).unwrap();
    let said = refused().await;
    assert!(said.contains("does not open with this master key"), "{said}");

    fs::copy(&copy, &key).unwrap();
    served(&flags).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_was_removed_stays_out_until_it_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let disks = ["one", "two", "three"].map(|name| folder.path().join(name));
    let flags = [&["--data", shown(&data)][..], &shards(&disks)].concat();
    let token = data.join("admin-token");
    // Without --shard, which nothing here asks for.
    let steered = async |arguments: &[&str]| {
        let bed = Bed::with(|args, _| args.data = Some(data.clone())).await;
        let answer = bed.admin(&[&["--token-file", shown(&token), "shard"], arguments].concat()).await;
        bed.running.unwrap().drain().await.unwrap();
        answer
    };
    served(&flags).await;
    steered(&["drain", "3", "--wait"]).await;
    steered(&["remove", "3"]).await;

    let (_, log) = served(&flags).await;
    let path = shown(&disks[2]);
    let line = log.lines().find(|line| line.contains("was removed")).expect("it is said");
    for told in ["WARN", &format!("shard 3 at {path}"), "--shard", &format!("cofre admin shard add {path}")] {
        assert!(line.contains(told), "{told}: {line}");
    }
    assert_eq!(steered(&["list"]).await.as_array().unwrap().len(), 2);

    assert_eq!(steered(&["add", path]).await["id"], 4);
    let (_, log) = served(&flags).await;
    assert!(!log.contains("was removed"), "{log}");
    assert_eq!(steered(&["list"]).await.as_array().unwrap().len(), 3);
}
