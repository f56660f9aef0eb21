use crate::bed::{Bed, program, resolve, run, settings, text};
use cofre_server::start;
use cofre_settings::BootArgs;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_makes_secrets_and_the_second_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = start(resolve(settings(&data)), None).await.unwrap();
    let made = first.first.clone().expect("secrets were made");
    for file in [&made.credentials, &made.admin_token, &data.join("master.key")] {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let credentials = fs::read_to_string(&made.credentials).unwrap();
    assert!(credentials.starts_with("[default]\n") && credentials.contains(&made.access_key_id), "{credentials}");
    first.drain().await.unwrap();

    let before = fs::read_to_string(&made.admin_token).unwrap();
    let second = start(resolve(settings(&data)), None).await.unwrap();
    assert!(second.first.is_none());
    assert_eq!(fs::read_to_string(&made.admin_token).unwrap(), before);
    second.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_data_is_told_so() {
    let bed = Bed::new().await;
    let data = bed.folder.path().join("data");
    let second = start(resolve(settings(&data)), None).await.err().expect("it is refused").to_string();
    assert!(second.contains("in use") && second.contains("--data"), "{second}");
    // The first goes on; a disk that is nearly full by other hands is not its fault.
    assert_ne!(bed.admin(&["health"]).await["status"], "failing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken_is_named_and_makes_no_secrets() {
    let bed = Bed::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut args = settings(folder.path());
    args.listen = Some(bed.running().s3);
    let refused = start(resolve(args), None).await.err().expect("it is refused").to_string();
    assert!(refused.starts_with("listen: "), "{refused}");
    assert!(!folder.path().join("credentials").exists());
}

#[tokio::test]
async fn bad_flags_name_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    for (arguments, field) in [
        (["--redundancy", "replicas:17"], "redundancy"),
        (["--redundancy", "replicas:2"], "redundancy: replicas:2 wants 2 failure domains"),
        (["--shard", ""], "--shard"),
        (["--tls-key", "/nowhere"], "tls_cert"),
        (["--config", "/nowhere"], "config"),
        (["--region", "No Region"], "region"),
        (["--idle-timeout-secs", "0"], "idle_timeout_secs"),
    ] {
        let fixed = ["serve", "--data", &data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        let output = run(program(&[&fixed[..], &arguments].concat())).await;
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(field), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_that_are_named_are_registered_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut args = settings(&data);
    args.shards = vec![folder.path().join("one"), folder.path().join("two")];
    args.redundancy = Some("replicas:2".parse().unwrap());
    for _ in 0..2 {
        let running = start(resolve(args.clone()), None).await.unwrap();
        running.drain().await.unwrap();
    }
    let bed = Bed::with(|ours, _| *ours = args).await;
    let token = data.join("admin-token").display().to_string();
    let output = bed.cofre(&["admin", "--token-file", &token, "shard", "list"]).await;
    let listed = text(&output.stdout);
    // A line of headers and two of shards.
    assert_eq!(listed.lines().count(), 3, "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_of_another_cofre_is_refused() {
    let other = Bed::with(|args, folder| args.shards = vec![folder.join("theirs")]).await;
    let theirs = other.folder.path().join("theirs");
    let folder = tempfile::tempdir().unwrap();
    let mut args = settings(folder.path());
    args.shards = vec![theirs];
    let refused = start(resolve(args), None).await.err().expect("it is refused").to_string();
    assert!(refused.starts_with("shards: ") && refused.contains("another Cofre"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encryption_keys_that_are_lost_or_old_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (file, copy) = (data.join("encryption-keys"), folder.path().join("copy"));
    let serves = async |accept: bool| {
        let args = BootArgs { accept_lost_encryption_keys: Some(accept), ..settings(&data) };
        start(resolve(args), None).await.unwrap().drain().await.unwrap();
    };
    let run = async |arguments: &[&str]| run(program(&[arguments, &["--data", data.to_str().unwrap()]].concat())).await;
    let refuses = async || {
        let output = run(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]).await;
        assert!(!output.status.success());
        text(&output.stderr)
    };
    serves(false).await;
    fs::rename(&file, &copy).unwrap();
    let refused = refuses().await;
    for told in ["encryption_keys_file", file.to_str().unwrap(), "is gone", "restore", "--accept-lost-encryption-keys"]
    {
        assert!(refused.contains(told), "{told}: {refused}");
    }
    assert!(!run(&["encryption-keys", "list"]).await.status.success());
    assert!(!file.exists(), "nothing is made in its place");

    // One that is made anew is not the one that was lost.
    assert!(run(&["encryption-keys", "create", "mine"]).await.status.success());
    let refused = refuses().await;
    assert!(refused.contains("lacks version 1 of the key \"cofre-default\""), "{refused}");
    fs::copy(&copy, &file).unwrap();
    serves(false).await;

    // Nor is a copy from before a rotation.
    assert!(run(&["encryption-keys", "rotate", "cofre-default"]).await.status.success());
    serves(false).await;
    fs::copy(&copy, &file).unwrap();
    let refused = refuses().await;
    assert!(refused.contains("lacks version 2 of the key \"cofre-default\""), "{refused}");

    fs::remove_file(&file).unwrap();
    serves(true).await;
    // What is accepted is known from then on.
    serves(false).await;
}
