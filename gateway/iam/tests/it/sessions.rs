use crate::{Bench, contains};
use cofre_iam::{
    GivenKey, IamError, IssuedKey, IssuedSession, NewKey, NewSession, SESSIONS_PER_ACCOUNT_MAX, Secret, SessionLength,
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn new<'a>(key: &'a IssuedKey, secret: &'a Secret, length: SessionLength) -> NewSession<'a> {
    let address = Some("192.0.2.1".parse().unwrap());
    NewSession { key: key.id.as_str(), secret, length, address, agent: "Fire\u{7}fox" }
}

async fn begin(bench: &Bench, key: &IssuedKey, length: SessionLength) -> IssuedSession {
    bench.iam.sign_in(new(key, &key.secret, length)).await.unwrap().unwrap()
}

async fn is_good(bench: &Bench, session: &IssuedSession) -> bool {
    bench.iam.verify_session(session.text.expose()).await.unwrap().is_some()
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_key_and_is_kept_without_its_secret() {
    let bench = Bench::new();
    let alice = bench.account("alice").await;
    let begun = begin(&bench, &alice.key, SessionLength::Day).await;
    for _ in 0..2 {
        let found = bench.iam.verify_session(begun.text.expose()).await.unwrap().unwrap();
        assert_eq!(found.credential.principal.account_id(), Some(alice.account.id));
        assert_eq!(found.session, begun.signed_in.session);
        assert_eq!((found.session.address.as_str(), found.session.agent.as_str()), ("192.0.2.1", "Firefox"));
    }
    let secret = begun.text.expose().split_once('_').unwrap().1;
    for (key, value) in bench.dump().await {
        assert!(!contains(&key, secret) && !contains(&value, secret));
        assert!(!contains(&value, alice.key.secret.expose()));
    }
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_look_alike() {
    let bench = Bench::new();
    let (alice, bob) = (bench.account("alice").await.key, bench.account("bob").await.key);
    let nothing = Secret::new(String::new());
    for (key, secret) in
        [("COFREUNKNOWN", &alice.secret), (alice.id.as_str(), &bob.secret), (alice.id.as_str(), &nothing)]
    {
        let new = NewSession { key, ..new(&alice, secret, SessionLength::Day) };
        assert!(bench.iam.sign_in(new).await.unwrap().is_none(), "{key}");
    }
    let one = begin(&bench, &alice, SessionLength::Day).await.text;
    let two = begin(&bench, &bob, SessionLength::Day).await.text;
    let (one, two) = (one.expose(), two.expose());
    let crossed = format!("{}_{}", one.split_once('_').unwrap().0, two.split_once('_').unwrap().1);
    for wrong in [crossed.as_str(), &one[..one.len() - 1], "", "_", "a_b"] {
        assert!(bench.iam.verify_session(wrong).await.unwrap().is_none(), "{wrong}");
    }
}

#[tokio::test]
async fn a_session_ends_unused_and_used() {
    let bench = Bench::new();
    let key = bench.account("alice").await.key;
    let unused = begin(&bench, &key, SessionLength::Day).await;
    let used = begin(&bench, &key, SessionLength::Day).await;
    let kept = begin(&bench, &key, SessionLength::Month).await;
    for _ in 0..11 {
        bench.clock.advance(HOUR);
        assert!(is_good(&bench, &used).await);
    }
    bench.clock.advance(HOUR);
    assert!(!is_good(&bench, &unused).await, "12 hours without a use");
    for _ in 12..23 {
        assert!(is_good(&bench, &used).await);
        bench.clock.advance(HOUR);
    }
    bench.clock.advance(HOUR);
    assert!(!is_good(&bench, &used).await, "24 hours in all");
    for _ in 0..28 {
        assert!(is_good(&bench, &kept).await);
        bench.clock.advance(24 * HOUR);
    }
    assert!(is_good(&bench, &kept).await);
    bench.clock.advance(24 * HOUR);
    assert!(!is_good(&bench, &kept).await, "30 days in all");
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let bench = Bench::new();
    let account = bench.account("alice").await.account.id;
    let secret = |text: &str| GivenKey::parse("IMPORTED", text).unwrap();
    let imported = |text: &'static str| NewKey { given: Some(secret(text)), ..NewKey::default() };
    let key = bench.iam.create_key(account, imported("a-secret-of-its-own"), "test").await.unwrap();
    let session = begin(&bench, &key, SessionLength::Day).await;
    bench.iam.set_key_disabled(&key.id, true, "test").await.unwrap();
    assert!(!is_good(&bench, &session).await);
    bench.iam.set_key_disabled(&key.id, false, "test").await.unwrap();
    assert!(is_good(&bench, &session).await);
    bench.iam.delete_key(&key.id, "test").await.unwrap();
    assert!(!is_good(&bench, &session).await);
    bench.iam.create_key(account, imported("another-secret-of-its-own"), "test").await.unwrap();
    assert!(!is_good(&bench, &session).await, "another key of the same id");
}

#[tokio::test]
async fn sessions_are_listed_ended_and_bounded() {
    let bench = Bench::new();
    let (alice, bob) = (bench.account("alice").await, bench.account("bob").await);
    let first = begin(&bench, &alice.key, SessionLength::Day).await;
    let id = &first.signed_in.session.id;
    let of_another = bench.iam.end_session(bob.account.id, id, "test").await;
    assert!(matches!(of_another, Err(IamError::NotFound { .. })), "{of_another:?}");
    assert!(is_good(&bench, &first).await);
    bench.iam.end_session(alice.account.id, id, "test").await.unwrap();
    assert!(!is_good(&bench, &first).await);

    let mut begun = Vec::new();
    for _ in 0..SESSIONS_PER_ACCOUNT_MAX + 3 {
        bench.clock.advance(Duration::from_secs(1));
        begun.push(begin(&bench, &alice.key, SessionLength::Day).await);
    }
    let listed = bench.iam.list_sessions(alice.account.id).await.unwrap();
    assert_eq!(listed.len(), SESSIONS_PER_ACCOUNT_MAX);
    assert_eq!(listed[0], begun.last().unwrap().signed_in.session);
    assert!(!is_good(&bench, &begun[2]).await && is_good(&bench, &begun[3]).await);
    assert!(bench.iam.list_sessions(bob.account.id).await.unwrap().is_empty());

    bench.iam.delete_account(alice.account.id, "test").await.unwrap();
    assert!(!is_good(&bench, begun.last().unwrap()).await);
    let families = bench.dump().await.into_iter().map(|(key, _)| key[0]);
    assert_eq!(families.filter(|family| b"Ww".contains(family)).count(), 0);
}
