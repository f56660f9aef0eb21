use crate::reads::Reads;
use crate::{Bench, iam};
use cofre_catalog::{Memory, Store};
use cofre_iam::{IamError, Lookup};
use cofre_runtime::spawn;
use cofre_types::AccessKeyId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test]
async fn a_lookup_gives_secret_and_account() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    for _ in 0..2 {
        let Lookup::Active(credential) = bench.iam.lookup(&ann.key.id).await.unwrap() else { panic!("not active") };
        assert_eq!(credential.secret.expose(), ann.key.secret.expose());
        let account = credential.principal.account().unwrap();
        assert_eq!((account.id, account.name.as_str(), account.root), (ann.account.id, "ann", false));
        assert_eq!(account.access_key.as_ref(), Some(&ann.key.id));
    }
}

#[tokio::test]
async fn unknown_and_disabled_are_told_apart() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let unknown = AccessKeyId::parse("COFREUNKNOWN").unwrap();
    assert!(matches!(bench.iam.lookup(&unknown).await.unwrap(), Lookup::Unknown));
    bench.iam.set_key_disabled(&ann.key.id, true, "test").await.unwrap();
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
}

#[tokio::test]
async fn a_change_by_another_process_is_seen_by_the_next_lookup() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let other = iam(&bench.store, &bench.clock, 7);
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Active(_)));
    other.set_account_disabled(ann.account.id, true, "test").await.unwrap();
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
    other.set_account_disabled(ann.account.id, false, "test").await.unwrap();
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Active(_)));
    other.set_key_disabled(&ann.key.id, true, "test").await.unwrap();
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
    other.delete_key(&ann.key.id, "test").await.unwrap();
    assert!(matches!(bench.iam.lookup(&ann.key.id).await.unwrap(), Lookup::Unknown));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lookup_that_begins_after_a_disable_returned_finds_the_key_active() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let stop = Arc::new(AtomicBool::new(false));
    // Lookups that keep filling the cache while the key is switched.
    let (iam, id, stopped) = (bench.iam.clone(), ann.key.id.clone(), Arc::clone(&stop));
    let filling = spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            iam.lookup(&id).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    for round in 0..500 {
        let disabled = round % 2 == 0;
        bench.iam.set_key_disabled(&ann.key.id, disabled, "test").await.unwrap();
        let found = bench.iam.lookup(&ann.key.id).await.unwrap();
        assert_eq!(matches!(found, Lookup::Disabled), disabled, "round {round}");
    }
    stop.store(true, Ordering::Relaxed);
    filling.await.unwrap();
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let wrong = iam(&bench.store, &bench.clock, 8);
    assert!(matches!(wrong.lookup(&ann.key.id).await, Err(IamError::WrongMasterKey(id)) if id == ann.key.id.as_str()));
}

#[tokio::test]
async fn a_sealed_secret_that_is_moved_to_another_key_does_not_open() {
    use cofre_catalog::records::{AccessKeyRecord, Record};
    use cofre_catalog::{Batch, keys};
    let bench = Bench::new();
    let (ann, bob) = (bench.account("ann").await, bench.account("bob").await);
    let mut entries = bench
        .store
        .get_many(vec![keys::access_key(&ann.key.id), keys::access_key(&bob.key.id)])
        .await
        .unwrap()
        .into_iter()
        .map(|entry| AccessKeyRecord::decode(&entry.unwrap().value).unwrap());
    let (of_ann, mut of_bob) = (entries.next().unwrap(), entries.next().unwrap());
    of_bob.sealed_secret = of_ann.sealed_secret;
    let mut batch = Batch::new();
    batch.put(keys::access_key(&bob.key.id), of_bob.encode());
    bench.store.commit(batch).await.unwrap();
    assert!(matches!(bench.iam.lookup(&bob.key.id).await, Err(IamError::WrongMasterKey(_))));
}

#[tokio::test]
async fn a_key_that_another_process_revokes_is_refused_also_while_nothing_is_heard_of_it() {
    let store = Memory::new();
    let bench = Bench::over(Arc::new(store.clone()));
    let ann = bench.account("ann").await;
    let (twin, stream) = store.twin(bench.clock.clock());
    let staleness_max = twin.staleness_max();
    let twin: Arc<dyn Store> = Arc::new(twin);
    let other = iam(&twin, &bench.clock, 7);
    assert!(matches!(other.lookup(&ann.key.id).await.unwrap(), Lookup::Active(_)));
    stream.cut();
    bench.iam.set_key_disabled(&ann.key.id, true, "test").await.unwrap();
    bench.clock.advance(staleness_max);
    assert!(matches!(other.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
    // Nor is what it reads meanwhile kept.
    bench.iam.set_key_disabled(&ann.key.id, false, "test").await.unwrap();
    assert!(matches!(other.lookup(&ann.key.id).await.unwrap(), Lookup::Active(_)));
    bench.iam.set_account_disabled(ann.account.id, true, "test").await.unwrap();
    assert!(matches!(other.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
    stream.mend();
    assert!(matches!(other.lookup(&ann.key.id).await.unwrap(), Lookup::Disabled));
    bench.iam.set_account_disabled(ann.account.id, false, "test").await.unwrap();
    assert!(matches!(other.lookup(&ann.key.id).await.unwrap(), Lookup::Active(_)));
}

#[tokio::test]
async fn a_change_of_one_key_leaves_the_others_at_hand() {
    let store = Arc::new(Reads::new());
    let bench = Bench::over(Arc::clone(&store) as Arc<dyn Store>);
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(bench.account(&format!("account-{number}")).await.key.id);
    }
    for id in &ids {
        bench.iam.lookup(id).await.unwrap();
    }
    bench.iam.set_key_disabled(&ids[0], true, "test").await.unwrap();
    let before = store.count();
    for id in &ids {
        bench.iam.lookup(id).await.unwrap();
    }
    let read = store.count() - before;
    assert!((2..10).contains(&read), "{read} reads for 20 keys");
}
