use cofre_iam::{AccountIdentity, Action, Caller, Origin, Principal, RequestId, Resource, evaluate};
use cofre_runtime::Random;
use cofre_types::{AccountId, BucketName, ObjectKey};
use std::collections::BTreeSet;
use std::sync::Arc;

const ANN: AccountId = AccountId::from_bytes([1; 32]);
const BOB: AccountId = AccountId::from_bytes([2; 32]);

fn caller(principal: Principal) -> Caller {
    let request_id = RequestId::new(&Random::seeded(1));
    Caller { principal, origin: Origin::default(), deadline: None, request_id }
}

fn account(id: AccountId, root: bool) -> Caller {
    let (name, email) = ("x".to_owned(), String::new());
    let identity = AccountIdentity { id, name, email, root, buckets_max: None, access_key: None };
    caller(Principal::Account(Arc::new(identity)))
}

#[test]
fn the_rules_hold_for_every_action_and_resource() {
    let bucket = BucketName::parse("photos").unwrap();
    let key = ObjectKey::parse("a/b").unwrap();
    let of_ann =
        [Resource::Bucket { bucket: &bucket, owner: ANN }, Resource::Object { bucket: &bucket, owner: ANN, key: &key }];
    let shared = [Resource::Service, Resource::NewBucket { bucket: &bucket }];
    for action in Action::ALL.iter().copied() {
        for resource in of_ann {
            assert!(evaluate(&account(ANN, false), action, resource).is_allowed(), "{action} by the owner");
            assert!(!evaluate(&account(BOB, false), action, resource).is_allowed(), "{action} by another");
        }
        for resource in of_ann.into_iter().chain(shared) {
            assert!(evaluate(&account(BOB, true), action, resource).is_allowed(), "{action} by root");
            let internal = Caller::internal("scrub", &Random::seeded(1));
            assert!(evaluate(&internal, action, resource).is_allowed(), "{action} by a job");
            assert!(!evaluate(&caller(Principal::Anonymous), action, resource).is_allowed(), "{action} by anyone");
        }
        let ann = account(ANN, false);
        assert_eq!(evaluate(&ann, action, shared[0]).is_allowed(), action == Action::ListAllMyBuckets);
        assert_eq!(evaluate(&ann, action, shared[1]).is_allowed(), action == Action::CreateBucket);
    }
}

#[test]
fn every_action_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(names.len(), Action::ALL.len());
    assert!(names.iter().all(|name| name.starts_with("s3:")));
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
