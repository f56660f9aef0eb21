use crate::{Bench, iam};
use cofre_iam::{Bootstrap, FirstStart, GivenKey, IamError, Lookup, Scope};
use std::os::unix::fs::PermissionsExt;

async fn first(bench: &Bench, preset: Option<GivenKey>) -> Box<FirstStart> {
    match bench.iam.bootstrap(preset).await.unwrap() {
        Bootstrap::First(first) => first,
        Bootstrap::Done => panic!("there is a root already"),
    }
}

#[tokio::test]
async fn the_first_start_makes_root_and_token_and_the_second_nothing() {
    let bench = Bench::new();
    let start = first(&bench, None).await;
    start.commit().await.unwrap();
    let Lookup::Active(credential) = bench.iam.lookup(&start.root_key().id).await.unwrap() else {
        panic!("not active")
    };
    assert!(credential.principal.account().unwrap().root);
    let token = bench.iam.verify_token(start.admin_token().text.expose()).await.unwrap().unwrap();
    assert_eq!(token.scope, Scope::Admin);
    let before = bench.dump().await;
    assert!(matches!(bench.iam.bootstrap(None).await.unwrap(), Bootstrap::Done));
    assert_eq!(bench.dump().await, before);
    let kinds: Vec<_> = bench.events().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["account.created", "key.created", "token.created"]);
}

#[tokio::test]
async fn files_are_private_and_hold_what_the_commit_makes_true() {
    let bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let start = first(&bench, None).await;
    start.write_files(directory.path(), "us-east-1").unwrap();
    start.commit().await.unwrap();
    let read = |name: &str| {
        let path = directory.path().join(name);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::read_to_string(path).unwrap()
    };
    let key = start.root_key();
    let expected = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\n",
        key.id,
        key.secret.expose()
    );
    assert_eq!(read("credentials"), expected);
    assert!(bench.iam.verify_token(read("admin-token").trim()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_crash_between_files_and_commit_is_mended_by_the_next_start() {
    let bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let lost = first(&bench, None).await;
    lost.write_files(directory.path(), "us-east-1").unwrap();
    // The process ends here.
    assert!(bench.dump().await.is_empty());
    let start = first(&bench, None).await;
    start.write_files(directory.path(), "us-east-1").unwrap();
    start.commit().await.unwrap();
    let token = std::fs::read_to_string(directory.path().join("admin-token")).unwrap();
    assert!(bench.iam.verify_token(token.trim()).await.unwrap().is_some());
    assert!(bench.iam.verify_token(lost.admin_token().text.expose()).await.unwrap().is_none());
    assert!(matches!(bench.iam.lookup(&lost.root_key().id).await.unwrap(), Lookup::Unknown));
}

#[tokio::test]
async fn of_two_first_starts_at_once_one_counts() {
    let bench = Bench::new();
    let (one, two) = (first(&bench, None).await, first(&bench, None).await);
    one.commit().await.unwrap();
    assert!(matches!(two.commit().await, Err(IamError::Conflict)));
}

#[tokio::test]
async fn preset_credentials_are_the_root_key() {
    let bench = Bench::new();
    for (id, known) in [
        ("minioadmin", "minioadmin"),
        ("AKIAPRESET", "MinioAdmin"),
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AKIAPRESET", "changeme"),
        ("some-own-name", "some-own-name"),
    ] {
        let refused = GivenKey::parse(id, known).unwrap_err();
        assert!(refused.field == "secret access key" && refused.reason.contains("everybody knows"), "{refused:?}");
    }
    let preset = GivenKey::parse("AKIAPRESET", "a-secret-from-the-environment").unwrap();
    let start = first(&bench, Some(preset)).await;
    start.commit().await.unwrap();
    assert_eq!(start.root_key().id.as_str(), "AKIAPRESET");
    assert_eq!(start.root_key().secret.expose(), "a-secret-from-the-environment");
    assert!(!format!("{start:?}").contains("a-secret-from-the-environment"));

    let other = GivenKey::parse("AKIAPRESET", "another-secret-at-the-second-start").unwrap();
    assert!(matches!(bench.iam.bootstrap(Some(other)).await.unwrap(), Bootstrap::Done));
    let Lookup::Active(kept) = bench.iam.lookup(&start.root_key().id).await.unwrap() else { panic!("not active") };
    assert_eq!(kept.secret.expose(), "a-secret-from-the-environment", "the first start counts");
}

#[tokio::test]
async fn a_start_with_another_master_key_is_refused() {
    let bench = Bench::new();
    first(&bench, None).await.commit().await.unwrap();
    let wrong = iam(&bench.store, &bench.clock, 8);
    assert!(matches!(wrong.bootstrap(None).await, Err(IamError::WrongMasterKey(_))));
}

#[tokio::test]
async fn root_cannot_be_disabled_or_deleted() {
    let bench = Bench::new();
    first(&bench, None).await.commit().await.unwrap();
    let root = bench.iam.account_by_name("root").await.unwrap().id;
    assert!(matches!(bench.iam.set_account_disabled(root, true, "t").await, Err(IamError::Refused { .. })));
    assert!(matches!(bench.iam.delete_account(root, "t").await, Err(IamError::Refused { .. })));
}
