use crate::{Bench, contains, iam};
use cofre_iam::{IamError, IssuedToken, NewToken, Scope};
use cofre_types::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

async fn token(bench: &Bench, scope: Scope, expires: Option<Timestamp>) -> IssuedToken {
    let new = NewToken { scope, expires, note: "ci".to_owned() };
    bench.iam.create_token(new, "test").await.unwrap()
}

#[tokio::test]
async fn a_token_is_known_by_its_text_alone() {
    let bench = Bench::new();
    let issued = token(&bench, Scope::Operate, None).await;
    for _ in 0..2 {
        let known = bench.iam.verify_token(issued.text.expose()).await.unwrap().unwrap();
        assert_eq!(*known, issued.token);
        assert_eq!(known.scope, Scope::Operate);
    }
}

#[tokio::test]
async fn a_wrong_secret_or_id_is_refused_before_and_after_the_right_one() {
    let bench = Bench::new();
    let (one, two) = (token(&bench, Scope::Read, None).await, token(&bench, Scope::Admin, None).await);
    let right = one.text.expose();
    let mut other_end = right.to_owned();
    other_end.replace_range(right.len() - 1.., if right.ends_with('a') { "b" } else { "a" });
    let other_id = right.replacen(&one.token.id, &two.token.id, 1);
    for _ in 0..2 {
        for wrong in [other_end.as_str(), &other_id, &right[..right.len() - 1], &format!("{right}a"), "", "cofre__"] {
            assert!(bench.iam.verify_token(wrong).await.unwrap().is_none(), "{wrong}");
        }
        assert!(bench.iam.verify_token(right).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_token_ends_by_expiry_and_by_revocation_in_another_process() {
    let bench = Bench::new();
    let expires = Timestamp(bench.clock.clock().now_nanos()).after(Duration::from_secs(60));
    let (short, long) = (token(&bench, Scope::Read, Some(expires)).await, token(&bench, Scope::Read, None).await);
    assert!(bench.iam.verify_token(short.text.expose()).await.unwrap().is_some());
    assert!(bench.iam.verify_token(long.text.expose()).await.unwrap().is_some());
    bench.clock.advance(Duration::from_secs(60));
    assert!(bench.iam.verify_token(short.text.expose()).await.unwrap().is_none());
    iam(&bench.store, &bench.clock, 7).revoke_token(&long.token.id, false, "test").await.unwrap();
    assert!(bench.iam.verify_token(long.text.expose()).await.unwrap().is_none());
    let again = bench.iam.revoke_token(&long.token.id, false, "test").await;
    assert!(matches!(again, Err(IamError::NotFound { what: "admin token" })));
}

#[tokio::test]
async fn tokens_are_listed_in_pages_and_nowhere_is_a_secret() {
    let bench = Bench::new();
    let mut issued = Vec::new();
    for _ in 0..3 {
        issued.push(token(&bench, Scope::Read, None).await);
    }
    let first = bench.iam.list_tokens(None, 2).await.unwrap();
    let second = bench.iam.list_tokens(first.next.as_deref(), 2).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (2, 1, None));
    for one in &issued {
        let secret = one.text.expose().rsplit_once('_').unwrap().1;
        assert!(!format!("{one:?}").contains(secret));
        assert!(bench.dump().await.iter().all(|(_, value)| !contains(value, secret)));
    }
    let kinds: Vec<_> = bench.events().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["token.created"; 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_other_text_is_a_token(text in "\\PC{0,80}|cofre_[a-z0-9]{12}_[A-Za-z0-9]{43}|cofre_[a-z0-9_]{0,14}_[A-Za-z0-9_é]{0,45}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            token(&bench, Scope::Admin, None).await;
            assert!(bench.iam.verify_token(&text).await.unwrap().is_none());
        });
    }
}

#[tokio::test]
async fn the_last_admin_token_stays_unless_forced() {
    let bench = Bench::new();
    let soon = Timestamp(bench.clock.clock().now_nanos()).after(Duration::from_secs(60));
    let (first, short) = (token(&bench, Scope::Admin, None).await, token(&bench, Scope::Admin, Some(soon)).await);
    token(&bench, Scope::Operate, None).await;
    let revoke = async |issued: &IssuedToken, forced| bench.iam.revoke_token(&issued.token.id, forced, "test").await;
    bench.clock.advance(Duration::from_secs(60));
    // One that has expired is none, and neither is one of a lower scope.
    assert!(matches!(revoke(&first, false).await, Err(IamError::Refused { .. })));
    revoke(&short, false).await.unwrap();
    let second = token(&bench, Scope::Admin, None).await;
    revoke(&first, false).await.unwrap();
    assert!(matches!(revoke(&second, false).await, Err(IamError::Refused { .. })));
    assert!(bench.iam.verify_token(second.text.expose()).await.unwrap().is_some());
    revoke(&second, true).await.unwrap();
    assert!(bench.iam.verify_token(second.text.expose()).await.unwrap().is_none());
}
