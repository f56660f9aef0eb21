use cofre_iam::{
    AccountIdentity, Action, BucketAccess, Caller, Details, LOG_DELIVERY, OperatorAct, Origin, Policy, PolicyKind,
    Principal, Question, RequestId, Resource, evaluate, evaluate_operator,
};
use cofre_runtime::Random;
use cofre_types::{AccountId, BucketName, ObjectKey, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

pub const ANN: AccountId = AccountId::from_bytes([1; 32]);
pub const BOB: AccountId = AccountId::from_bytes([2; 32]);

pub fn caller(principal: Principal) -> Caller {
    Caller::new(principal, Origin::default(), RequestId::new(&Random::seeded(1)))
}

pub fn account(id: AccountId, root: bool) -> Caller {
    let (name, email) = ("x".to_owned(), String::new());
    let identity = AccountIdentity { id, name, email, root, buckets_max: None, access_key: None };
    caller(Principal::Account(Arc::new(identity)))
}

pub fn may(caller: &Caller, action: Action, resource: Resource<'_>) -> bool {
    evaluate(&Question { caller, action, resource, details: Details::default(), now: Timestamp(0) }).is_allowed()
}

#[test]
fn without_any_grant_the_rules_hold_for_every_action_and_resource() {
    let bucket = BucketName::parse("photos").unwrap();
    let key = ObjectKey::parse("a/b").unwrap();
    let access = BucketAccess::private(ANN);
    let of_ann = [
        Resource::Bucket { bucket: &bucket, access: &access },
        Resource::Object { bucket: &bucket, access: &access, key: &key, object: None },
    ];
    let shared = [Resource::Service, Resource::NewBucket { bucket: &bucket }];
    for action in Action::ALL.iter().copied() {
        for resource in of_ann {
            assert!(may(&account(ANN, false), action, resource), "{action} by the owner");
            assert!(!may(&account(BOB, false), action, resource), "{action} by another");
        }
        for resource in of_ann.into_iter().chain(shared) {
            assert!(may(&account(BOB, true), action, resource), "{action} by root");
            let internal = Caller::internal("scrub", &Random::seeded(1));
            assert!(may(&internal, action, resource), "{action} by a job");
            assert!(!may(&caller(Principal::Anonymous), action, resource), "{action} by anyone");
        }
        let ann = account(ANN, false);
        assert_eq!(may(&ann, action, shared[0]), action == Action::ListAllMyBuckets);
        assert_eq!(may(&ann, action, shared[1]), action == Action::CreateBucket);
    }
}

#[test]
fn every_action_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(names.len(), Action::ALL.len());
    for action in Action::ALL {
        assert!(action.as_str().starts_with(if action.is_of_key() { "kms:" } else { "s3:" }), "{action}");
    }
    assert_eq!(Action::GetBucketCors.as_str(), "s3:GetBucketCORS");
}

#[test]
fn a_request_id_is_sixteen_upper_case_digits() {
    let random = Random::system();
    for _ in 0..100 {
        let id = RequestId::new(&random).to_string();
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)), "{id}");
    }
}

#[test]
fn what_is_for_operators_is_for_cofre_itself_and_the_unlimited_root_account() {
    let internal = Caller::internal("admin", &Random::seeded(1));
    let root = account(BOB, true);
    let everything = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let everything = Policy::parse(everything, PolicyKind::Identity).unwrap();
    let limited = Caller { limits: vec![Arc::new(everything)], ..root.clone() };
    for act in OperatorAct::ALL.iter().copied() {
        assert!(evaluate_operator(&internal, act).is_allowed(), "{act} by Cofre itself");
        assert!(evaluate_operator(&root, act).is_allowed(), "{act} by root");
        for refused in [account(ANN, false), limited.clone(), caller(Principal::Anonymous), caller(LOG_DELIVERY)] {
            assert!(!evaluate_operator(&refused, act).is_allowed(), "{act} by {}", refused.principal);
        }
        let named = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"s3:{act}","Resource":"*"}}}}"#);
        assert!(Policy::parse(&named, PolicyKind::Identity).is_err(), "no policy names {act}");
    }
}

#[test]
fn events_name_the_operator_on_whose_behalf_cofre_asks() {
    let internal = Caller::internal("admin", &Random::seeded(1));
    assert_eq!(internal.actor(), "internal:admin");
    assert_eq!(internal.on_behalf_of("token:ops").actor(), "token:ops");
    assert_eq!(account(ANN, false).on_behalf_of("token:ops").actor(), "account:x", "nobody else speaks for another");
}
