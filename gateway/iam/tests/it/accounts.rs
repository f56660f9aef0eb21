use crate::{Bench, iam, names, new_account};
use cofre_catalog::{Batch, keys};
use cofre_iam::{GivenKey, IamError, NewAccount, NewKey};
use cofre_runtime::spawn;
use cofre_types::{AccountId, BucketName};

#[tokio::test]
async fn an_account_is_found_by_id_name_and_address_in_any_case() {
    let bench = Bench::new();
    let made = bench.account("Ann").await.account;
    assert_eq!(bench.iam.account(made.id).await.unwrap(), made);
    assert_eq!(bench.iam.account_by_name("ANN").await.unwrap(), made);
    assert_eq!(bench.iam.account_by_email("ann@EXAMPLE.com").await.unwrap(), made);
    assert!(matches!(bench.iam.account_by_name("bob").await, Err(IamError::NotFound { what: "account" })));
}

#[tokio::test]
async fn names_addresses_and_key_ids_are_unique() {
    let bench = Bench::new();
    let key = GivenKey::parse("AKIAEXAMPLE", "a-secret-from-elsewhere").unwrap();
    let first = NewAccount { key: Some(key.clone()), ..new_account("ann") };
    bench.iam.create_account(first, "test").await.unwrap();
    for (new, expected) in [
        (NewAccount { name: "ANN".to_owned(), ..NewAccount::default() }, "account name"),
        (NewAccount { email: "Ann@example.com".to_owned(), ..new_account("bob") }, "e-mail address"),
        (NewAccount { key: Some(key), ..new_account("bob") }, "access key id"),
    ] {
        match bench.iam.create_account(new, "test").await {
            Err(IamError::Taken { what }) => assert_eq!(what, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    assert!(bench.iam.account_by_name("bob").await.is_err(), "nothing of a refused account stays");
    bench.iam.create_account(NewAccount { name: "no mail".to_owned(), ..NewAccount::default() }, "t").await.unwrap();
    bench.iam.create_account(NewAccount { name: "none too".to_owned(), ..NewAccount::default() }, "t").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_at_once_gets_a_name() {
    let bench = Bench::new();
    let tries: Vec<_> = (0..16)
        .map(|number| {
            let iam = iam(&bench.store, &bench.clock, 7);
            let new = NewAccount { email: format!("{number}@example.com"), ..new_account("ann") };
            spawn(async move { iam.create_account(new, "test").await })
        })
        .collect();
    let mut made = 0;
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, IamError::Taken { what: "account name" }), "{error}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(bench.iam.list_accounts(None, 100).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn accounts_are_listed_by_name_in_pages() {
    let bench = Bench::new();
    for name in ["dora", "Bob", "ann", "Cyd", "eve"] {
        bench.account(name).await;
    }
    let first = bench.iam.list_accounts(None, 2).await.unwrap();
    assert_eq!(names(&first.items), ["ann", "Bob"]);
    let second = bench.iam.list_accounts(first.next.as_deref(), 3).await.unwrap();
    assert_eq!(names(&second.items), ["Cyd", "dora", "eve"]);
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn names_and_addresses_are_checked() {
    let bench = Bench::new();
    for (name, email, field) in [
        ("", "", "name"),
        (" ann", "", "name"),
        ("a\nb", "", "name"),
        (&*"n".repeat(129), "", "name"),
        ("ann", "no address", "email"),
        ("ann", "@example.com", "email"),
        ("ann", &format!("{}@example.com", "a".repeat(250)), "email"),
    ] {
        let new = NewAccount { name: name.to_owned(), email: email.to_owned(), ..NewAccount::default() };
        match bench.iam.create_account(new, "test").await {
            Err(IamError::Invalid(invalid)) => assert_eq!(invalid.field, field),
            other => panic!("{name:?} {email:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_account_that_owns_a_bucket_is_not_deleted() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let owned = keys::owned_bucket(ann.account.id, &BucketName::parse("photos").unwrap());
    let mut batch = Batch::new();
    batch.put(owned.clone(), Vec::new());
    bench.store.commit(batch).await.unwrap();
    assert!(matches!(bench.iam.delete_account(ann.account.id, "test").await, Err(IamError::Refused { .. })));
    assert!(bench.iam.key(&ann.key.id).await.is_ok(), "its keys stay too");

    let mut batch = Batch::new();
    batch.delete(owned);
    bench.store.commit(batch).await.unwrap();
    bench.iam.delete_account(ann.account.id, "test").await.unwrap();
    assert!(matches!(bench.iam.account(ann.account.id).await, Err(IamError::NotFound { .. })));
    assert!(matches!(bench.iam.key(&ann.key.id).await, Err(IamError::NotFound { .. })));
    bench.account("ann").await;
}

#[tokio::test]
async fn deleting_an_account_leaves_nothing_but_events() {
    let bench = Bench::new();
    let ann = bench.account("ann").await.account.id;
    for _ in 0..3 {
        bench.iam.create_key(ann, NewKey::default(), "test").await.unwrap();
    }
    bench.iam.delete_account(ann, "test").await.unwrap();
    let left: Vec<_> = bench.dump().await.into_iter().filter(|(key, _)| key[0] != b'E').collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_outlives_an_account_that_is_deleted_while_keys_are_made() {
    for _ in 0..20 {
        let bench = Bench::new();
        let ann = bench.account("ann").await.account.id;
        let maker = bench.iam.clone();
        let making = spawn(async move { while maker.create_key(ann, NewKey::default(), "test").await.is_ok() {} });
        // The maker may win every round; the account is deleted in the end.
        while bench.iam.delete_account(ann, "test").await.is_err() {}
        making.await.unwrap();
        assert!(bench.dump().await.iter().all(|(key, _)| key[0] == b'E'));
    }
}

#[tokio::test]
async fn an_unknown_account_is_not_found() {
    let bench = Bench::new();
    let nobody = AccountId::from_bytes([1; 32]);
    assert!(matches!(bench.iam.delete_account(nobody, "t").await, Err(IamError::NotFound { .. })));
    assert!(matches!(bench.iam.set_account_disabled(nobody, true, "t").await, Err(IamError::NotFound { .. })));
    assert!(matches!(bench.iam.list_keys(nobody, None, 10).await, Err(IamError::NotFound { .. })));
}

#[tokio::test]
async fn each_change_has_its_event_and_no_change_has_none() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    bench.iam.set_account_disabled(ann.account.id, true, "test").await.unwrap();
    bench.iam.set_account_disabled(ann.account.id, true, "test").await.unwrap();
    bench.iam.set_account_disabled(ann.account.id, false, "test").await.unwrap();
    bench.iam.delete_account(ann.account.id, "test").await.unwrap();
    let kinds: Vec<_> = bench.events().await.into_iter().map(|(kind, _)| kind).collect();
    let expected = [
        "account.created",
        "key.created",
        "account.disabled",
        "account.enabled",
        "account.keys_deleted",
        "account.deleted",
    ];
    assert_eq!(kinds, expected);
}
