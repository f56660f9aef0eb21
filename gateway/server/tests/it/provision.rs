//! Files that say what there should be: by `cofre admin apply`, and at a start.

use crate::bed::{Bed, logged, program, resolve, run, settings, text};
use cofre_server::start;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

const SECRET: &str = "kQ7zYw31pLm9XcVbn2";

const FILE: &str = r#"
[settings.quotas]
grace_multiple = 5

[[accounts]]
name = "ana"
quota = { bytes_max = "1GiB" }

[[accounts.keys]]
access_key_id = "ana-app"
secret_access_key_file = "ana.secret"

[[accounts.keys]]
access_key_id = "ana-made"

[[buckets]]
name = "photos"
owner = "ana"
versioning = "enabled"
policy_file = "photos.json"

[[buckets.lifecycle]]
id = "old"
noncurrent_version_expiration = { noncurrent_days = 30 }
"#;

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
  "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::photos"}]}"#;

/// Writes a file for its user alone.
fn write(path: &Path, content: &str) -> PathBuf {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

/// The file of this test and what it includes.
fn file(folder: &Path) -> PathBuf {
    write(&folder.join("ana.secret"), &format!("{SECRET}\n"));
    write(&folder.join("photos.json"), POLICY);
    write(&folder.join("provision.toml"), FILE)
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_shows_the_difference_and_changes_nothing_twice() {
    let bed = Bed::new().await;
    let path = file(bed.folder.path());
    let apply = async |more: &[&str]| bed.cofre(&[&["admin", "apply", "-f", shown(&path)], more].concat()).await;

    let looked = apply(&["--dry-run"]).await;
    let plan = said(&looked);
    assert!(looked.status.success(), "{plan}");
    for line in [
        "~ settings: quotas.grace_multiple  3 -> 5",
        "+ account ana",
        "~ account ana: quota  none -> bytes_max=1.0 GiB",
        "+ key ana-app",
        "+ bucket photos  owner=\"ana\"",
        "~ bucket photos: versioning  none -> \"enabled\"",
    ] {
        assert!(plan.lines().any(|said| said.starts_with(line)), "{line}: {plan}");
    }
    assert!(!plan.contains(SECRET), "{plan}");
    assert_eq!(apply(&["--check"]).await.status.code(), Some(2));
    let unasked = apply(&[]).await;
    assert!(!unasked.status.success() && said(&unasked).contains("--yes"), "{}", said(&unasked));
    assert!(bed.admin(&["bucket", "list"]).await.as_array().unwrap().is_empty());

    let json = apply(&["--yes", "--json"]).await;
    assert!(!json.status.success() && said(&json).contains("--secrets"), "{}", said(&json));
    assert!(bed.admin(&["bucket", "list"]).await.as_array().unwrap().is_empty());

    let secrets = bed.folder.path().join("made");
    let done = apply(&["--yes", "--secrets", shown(&secrets)]).await;
    assert!(done.status.success(), "{}", said(&done));
    let made = fs::read_to_string(&secrets).unwrap();
    assert!(made.starts_with("[ana-made]\n") && !made.contains("ana-app"), "{made}");
    assert_eq!(secrets.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secret = made.lines().last().unwrap().rsplit(" = ").next().unwrap();
    assert!(secret.len() == 40 && !said(&done).contains(secret), "{}", said(&done));

    for more in [["--check"], ["--yes"]] {
        let again = apply(&more).await;
        assert!(again.status.success() && said(&again).contains("all is as the file says"), "{}", said(&again));
    }
    bed.admin(&["bucket", "quota", "photos", "--bytes", "5GiB"]).await;
    let kept = apply(&["--check"]).await;
    assert!(
        kept.status.success() && said(&kept).contains("bucket photos: quota is not in the file"),
        "{}",
        said(&kept)
    );
    bed.admin(&["account", "list"]).await;
    let drift = ["admin", "settings", "set", "quotas.grace_multiple=9"];
    assert!(bed.cofre(&drift).await.status.success());
    let drifted = apply(&["--check"]).await;
    assert_eq!(drifted.status.code(), Some(2), "{}", said(&drifted));
    assert!(said(&drifted).contains("quotas.grace_multiple  9 -> 5"), "{}", said(&drifted));

    // What is exported asks for nothing, and comes back.
    let exported = bed.cofre(&["admin", "export"]).await;
    assert!(exported.status.success(), "{}", said(&exported));
    assert!(!text(&exported.stdout).contains(SECRET));
    let export = write(&bed.folder.path().join("export.toml"), &text(&exported.stdout));
    let same = bed.cofre(&["admin", "apply", "-f", shown(&export), "--check", "--prune"]).await;
    assert!(same.status.success(), "{}\n{}", text(&exported.stdout), said(&same));
    let other = Bed::new().await;
    let made = other.cofre(&["admin", "apply", "-f", shown(&export), "--yes"]).await;
    assert!(made.status.success() && said(&made).contains("ana-app  "), "{}", said(&made));
    let exported_again = other.cofre(&["admin", "export"]).await;
    assert_eq!(text(&exported_again.stdout), text(&exported.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_apply_name_file_line_and_field() {
    let bed = Bed::new().await;
    let folder = bed.folder.path();
    let path = folder.join("wrong.toml");
    let refused = async |content: &str, mode: u32| {
        write(&path, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let output = bed.cofre(&["admin", "apply", "-f", shown(&path), "--yes"]).await;
        assert!(!output.status.success(), "{content}");
        said(&output).replace(shown(folder), "")
    };
    for (content, error) in [
        ("[[buckets]]\nname = \"Photos\"\n", "/wrong.toml:2: buckets[0].name: a bucket name has lower-case letters"),
        (
            "[[buckets]]\nname = \"photos\"\nowner = \"nobody\"\n",
            "/wrong.toml:3: buckets[0].owner: there is no account nobody",
        ),
        ("\n[[buckets]]\nname = \"photos\"\ncolor = 1\n", "/wrong.toml:4: buckets[0].color: unknown field `color`"),
        ("[settings]\nlog_level = \"loud\"\n", "/wrong.toml:2: settings.log_level: "),
        (
            "[[accounts]]\nname = \"ana\"\n[[accounts.keys]]\naccess_key_id = \"ana\"\nsecret_access_key = \"minioadmin\"\n",
            "/wrong.toml:5: accounts[0].keys[0].secret_access_key: ",
        ),
        (
            "[[accounts]]\nname = \"ana\"\n[[accounts.keys]]\naccess_key_id = \"ana\"\nsecret_access_key_file = \"absent\"\n",
            "/wrong.toml:5: accounts[0].keys[0].secret_access_key_file: cannot read /absent: No such file",
        ),
    ] {
        let said = refused(content, 0o600).await;
        assert!(said.contains(error), "{said:?} is not {error:?}");
    }
    let secret = format!(
        "[[accounts]]\nname = \"ana\"\n[[accounts.keys]]\naccess_key_id = \"ana\"\nsecret_access_key = \"{SECRET}\"\n"
    );
    let open = refused(&secret, 0o644).await;
    assert!(open.contains("others may read it") && open.contains("chmod 600"), "{open}");
    let absent = bed.cofre(&["admin", "apply", "-f", "absent.toml"]).await;
    assert!(said(&absent).contains("absent.toml: No such file"), "{}", said(&absent));
    assert!(bed.admin(&["bucket", "list"]).await.as_array().unwrap().is_empty());
    assert_eq!(bed.admin(&["account", "list"]).await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_makes_what_the_file_says_and_tells_what_was_changed_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (file(folder.path()), folder.path().join("data"));
    let began = async |change: &dyn Fn(&mut cofre_settings::BootArgs)| {
        let mut args = settings(&data);
        args.provision = Some(path.clone());
        change(&mut args);
        start(resolve(args), None).await.unwrap()
    };
    let admin = async |running: &cofre_server::Running, arguments: &[&str]| {
        let url = format!("http://{}", running.admin);
        let mut command = program(&[&["admin"], arguments, &["--json", "--url", &url]].concat());
        command.env("COFRE_ADMIN_TOKEN_FILE", data.join("admin-token"));
        let output = run(command).await;
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default()
    };
    let running = began(&|_| {}).await;
    let made = fs::read_to_string(data.join("provisioned-credentials")).unwrap();
    assert!(made.starts_with("[ana-made]\n"), "{made}");
    assert_eq!(admin(&running, &["bucket", "list"]).await[0]["owner_name"], "ana");
    let last = fs::read_to_string(data.join("provisioned.json")).unwrap();
    assert!(last.contains("\"version\": 1") && !last.contains(SECRET) && !last.contains("secret"), "{last}");
    admin(&running, &["settings", "set", "quotas.grace_multiple=9"]).await;
    let id = admin(&running, &["account", "list"]).await[0]["id"].as_str().unwrap().to_owned();
    admin(&running, &["account", "quota", &id, "--bytes", "5"]).await;
    running.drain().await.unwrap();

    // The file changes one thing, and somebody changed two others by hand.
    write(&path, &FILE.replace("noncurrent_days = 30", "noncurrent_days = 40"));
    let log = logged(&["--data", shown(&data), "--provision", shown(&path)], &[], |entry| {
        entry["fields"]["message"] == "listening" || entry["message"] == "listening"
    })
    .await;
    let field = |entry: &Value, name: &str| {
        entry.get(name).or_else(|| entry["fields"].get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let warned: Vec<_> =
        log.iter().filter(|entry| entry["level"] == "WARN").map(|entry| field(entry, "what")).collect();
    assert_eq!(warned, ["settings: quotas.grace_multiple", "account ana: quota"], "{log:#?}");
    let told: Vec<_> = log.iter().filter(|entry| field(entry, "message").starts_with("made as the file")).collect();
    assert_eq!(told.len(), 1, "{log:#?}");
    assert_eq!(field(told[0], "what"), "bucket photos: lifecycle");

    let running = began(&|_| {}).await;
    assert_eq!(admin(&running, &["settings", "get", "quotas.grace_multiple"]).await, 5);
    let events = admin(&running, &["events", "--kind", "provision."]).await;
    let kinds: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let count = |kind: &str| kinds.iter().filter(|found| **found == kind).count();
    assert_eq!((count("provision.applied"), count("provision.drifted")), (2, 1), "{kinds:?}");
    running.drain().await.unwrap();

    // A start that ended in the middle, and lost its note of the last: nothing is taken for drift.
    fs::remove_file(data.join("provisioned.json")).unwrap();
    began(&|_| {}).await.drain().await.unwrap();
    assert!(data.join("provisioned.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_file_stops_the_start_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = folder.path().join("provision.toml");
    let refused = async |content: &str| {
        write(&path, content);
        let mut args = settings(&data);
        args.provision = Some(path.clone());
        let error = start(resolve(args), None).await.err().expect("it is refused");
        format!("{error:#}").replace(shown(folder.path()), "")
    };
    for (content, error) in [
        ("[[buckets]\n", "provision: /provision.toml:1: "),
        ("[[buckets]]\nname = \"UP\"\n", "provision: /provision.toml:2: buckets[0].name: "),
        ("[settings]\ncolour = 1\n", "provision: /provision.toml:2: settings.colour: "),
    ] {
        let said = refused(content).await;
        assert!(said.starts_with(error), "{said:?} is not {error:?}");
        assert!(!data.exists(), "{error}");
    }
    // What only the catalog can tell stops it before the first step.
    let said = refused("[[buckets]]\nname = \"fine\"\n[[buckets]]\nname = \"photos\"\nowner = \"nobody\"\n").await;
    assert!(said.starts_with("provision: /provision.toml:5: buckets[1].owner: there is no account nobody"), "{said}");
    let mut args = settings(&data);
    args.buckets = vec!["late".to_owned()];
    let running = start(resolve(args), None).await.unwrap();
    let list = async |running: &cofre_server::Running| {
        let url = format!("http://{}", running.admin);
        let mut command = program(&["admin", "bucket", "list", "--json", "--url", &url]);
        command.env("COFRE_ADMIN_TOKEN_FILE", data.join("admin-token"));
        serde_json::from_slice::<Value>(&run(command).await.stdout).unwrap()
    };
    assert_eq!(list(&running).await, serde_json::json!([]), "and buckets are of the first start alone");
    running.drain().await.unwrap();

    // No bucket is taken from its owner while nobody looks.
    write(&path, "[[accounts]]\nname = \"ana\"\n[[buckets]]\nname = \"photos\"\n");
    let mut args = settings(&data);
    args.provision = Some(path.clone());
    start(resolve(args.clone()), None).await.unwrap().drain().await.unwrap();
    let said = refused("[[accounts]]\nname = \"ana\"\n[[buckets]]\nname = \"photos\"\nowner = \"ana\"\n").await;
    assert!(said.contains("provision.toml:5: buckets[0].owner: bucket photos is there and belongs to root"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_makes_the_buckets_of_the_environment() {
    let bed = Bed::with(|args, _| args.buckets = vec!["one".to_owned(), " two".to_owned(), String::new()]).await;
    let list = bed.admin(&["bucket", "list"]).await;
    let names: Vec<_> =
        list.as_array().unwrap().iter().map(|bucket| (&bucket["name"], &bucket["owner_name"])).collect();
    assert_eq!(names, [(&Value::from("one"), &Value::from("root")), (&Value::from("two"), &Value::from("root"))]);

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (names, told) in [
        ("ok-1,Not_ok", "buckets: \"Not_ok\": a bucket name has lower-case letters, digits, dots and hyphens"),
        ("twice,twice", "buckets: twice stands there twice"),
    ] {
        let mut command = program(&["serve", "--data", shown(&data)]);
        command.env("COFRE_BUCKETS", names);
        let output = run(command).await;
        assert!(!output.status.success() && said(&output).contains(told), "{}", said(&output));
        assert!(!data.exists());
    }
}
