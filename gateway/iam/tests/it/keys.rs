use crate::{Bench, contains};
use cofre_iam::{GivenKey, IamError, Lookup, NewKey, OVERLAP_MAX};
use cofre_types::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

#[tokio::test]
async fn a_new_key_has_the_shape_of_an_aws_key() {
    let key = Bench::new().account("ann").await.key;
    assert_eq!(key.id.as_str().len(), 20);
    assert!(key.id.as_str().starts_with("COFRE"));
    assert!(key.id.as_str().bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    assert_eq!(key.secret.expose().len(), 40);
    assert!(key.secret.expose().bytes().all(|b| b.is_ascii_alphanumeric()));
}

#[tokio::test]
async fn keys_are_listed_in_pages_without_their_secrets() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    bench.account("bob").await;
    for id in ["KEY1", "KEY2"] {
        let given = Some(GivenKey::parse(id, "a-secret-from-elsewhere").unwrap());
        bench.iam.create_key(ann.account.id, NewKey { given, ..NewKey::default() }, "test").await.unwrap();
    }
    let first = bench.iam.list_keys(ann.account.id, None, 2).await.unwrap();
    let after = first.next.clone().unwrap().try_into().unwrap();
    let second = bench.iam.list_keys(ann.account.id, Some(&after), 2).await.unwrap();
    let ids: Vec<_> = first.items.iter().chain(&second.items).map(|key| key.id.as_str()).collect();
    assert_eq!(ids, [ann.key.id.as_str(), "KEY1", "KEY2"]);
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn a_given_id_is_taken_once() {
    let bench = Bench::new();
    let ann = bench.account("ann").await.account.id;
    let given = Some(GivenKey::parse("KEY1", "a-secret-from-elsewhere").unwrap());
    let new = NewKey { given, ..NewKey::default() };
    bench.iam.create_key(ann, new.clone(), "test").await.unwrap();
    let second = bench.iam.create_key(ann, new, "test").await;
    assert!(matches!(second, Err(IamError::Taken { what: "access key id" })));
}

#[tokio::test]
async fn a_rotated_key_lives_for_its_overlap_beside_its_successor() {
    let bench = Bench::new();
    let old = bench.account("ann").await.key.id;
    let new = bench.iam.rotate_key(&old, Duration::from_secs(60), "test").await.unwrap();
    assert!(matches!(bench.iam.lookup(&old).await.unwrap(), Lookup::Active(_)));
    bench.clock.advance(Duration::from_secs(60));
    assert!(matches!(bench.iam.lookup(&old).await.unwrap(), Lookup::Expired));
    match bench.iam.lookup(&new.id).await.unwrap() {
        Lookup::Active(credential) => assert_eq!(credential.secret.expose(), new.secret.expose()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn rotation_extends_no_expiry_and_revives_no_key() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let expires = Some(Timestamp(bench.clock.clock().now_nanos()).after(Duration::from_secs(10)));
    let new = NewKey { expires, ..NewKey::default() };
    let short = bench.iam.create_key(ann.account.id, new, "test").await.unwrap();
    let successor = bench.iam.rotate_key(&short.id, Duration::from_secs(60), "test").await.unwrap();
    assert_eq!(successor.expires, expires);
    assert_eq!(bench.iam.key(&short.id).await.unwrap().expires, expires);

    bench.iam.set_key_disabled(&ann.key.id, true, "test").await.unwrap();
    bench.clock.advance(Duration::from_secs(10));
    for dead in [&ann.key.id, &short.id] {
        let rotated = bench.iam.rotate_key(dead, Duration::ZERO, "test").await;
        assert!(matches!(rotated, Err(IamError::Refused { .. })), "{dead}");
    }
    let too_long = bench.iam.rotate_key(&successor.id, OVERLAP_MAX + Duration::from_secs(1), "test").await;
    assert!(matches!(too_long, Err(IamError::Invalid(_))));
}

#[tokio::test]
async fn an_expiry_in_the_past_is_refused() {
    let bench = Bench::new();
    let ann = bench.account("ann").await.account.id;
    let new = NewKey { expires: Some(Timestamp::from_secs(1)), ..NewKey::default() };
    match bench.iam.create_key(ann, new, "test").await {
        Err(IamError::Invalid(invalid)) => assert_eq!(invalid.field, "expires"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_secret_stands_in_the_catalog_or_in_debug() {
    let bench = Bench::new();
    let ann = bench.account("ann").await;
    let rotated = bench.iam.rotate_key(&ann.key.id, Duration::from_secs(60), "test").await.unwrap();
    let secrets = [ann.key.secret.expose(), rotated.secret.expose()];
    for (key, value) in bench.dump().await {
        assert!(secrets.iter().all(|secret| !contains(&value, secret)), "in the value of {key:?}");
    }
    let credential = bench.iam.lookup(&rotated.id).await.unwrap();
    let shown = format!("{ann:?} {rotated:?} {credential:?} {:?}", bench.iam);
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

proptest! {
    #[test]
    fn a_given_key_is_taken_as_it_is_or_refused(id in "\\PC*|[A-Za-z0-9_-]{1,140}", secret in "\\PC*|[!-~]{1,140}") {
        let legal_id = (3..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let legal_secret = (8..=128).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic());
        match GivenKey::parse(&id, &secret) {
            Ok(key) => {
                prop_assert!(legal_id && legal_secret);
                prop_assert_eq!((key.id.as_str(), key.secret.expose()), (id.as_str(), secret.as_str()));
            }
            Err(_) => prop_assert!(!legal_id || !legal_secret),
        }
    }
}
