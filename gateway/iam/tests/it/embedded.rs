use crate::Bench;
use cofre_catalog::{Embedded, EmbeddedOptions};
use cofre_iam::{Bootstrap, Lookup};
use cofre_runtime::Clock;
use std::path::Path;
use std::sync::Arc;

async fn open(path: &Path) -> Arc<Embedded> {
    Arc::new(Embedded::open(path, EmbeddedOptions::default(), Clock::system()).await.unwrap())
}

#[tokio::test]
async fn identities_and_what_was_switched_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let bench = Bench::over(store.clone());
    let Bootstrap::First(start) = bench.iam.bootstrap(None).await.unwrap() else { panic!("there is a root already") };
    start.commit().await.unwrap();
    let ann = bench.account("ann").await;
    bench.iam.set_key_disabled(&ann.key.id, true, "test").await.unwrap();
    drop(bench);
    store.close().await.unwrap();
    drop(store);

    let bench = Bench::over(open(directory.path()).await);
    assert!(matches!(bench.iam.bootstrap(None).await.unwrap(), Bootstrap::Done));
    match bench.iam.lookup(&start.root_key().id).await.unwrap() {
        Lookup::Active(credential) => assert_eq!(credential.secret.expose(), start.root_key().secret.expose()),
        other => panic!("{other:?}"),
    }
    assert!(bench.iam.verify_token(start.admin_token().text.expose()).await.unwrap().is_some());
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
    assert_eq!(bench.iam.account_by_name("ann").await.unwrap(), ann.account);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_follows_each_switch_of_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::over(open(directory.path()).await);
    let ann = bench.account("ann").await;
    for round in 0..50 {
        let disabled = round % 2 == 0;
        bench.iam.set_key_disabled(&ann.key.id, disabled, "test").await.unwrap();
        let found = bench.iam.lookup(&ann.key.id).await.unwrap();
        assert_eq!(matches!(found, Lookup::Disabled), disabled, "round {round}");
    }
}
