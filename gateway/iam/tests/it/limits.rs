//! Policies that narrow what a caller may do.

use crate::decisions::{ask, bob, thing};
use crate::evaluate::{ANN, account};
use cofre_iam::{Action, BucketAccess, Caller, Decision, Policy, PolicyKind};
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn limits_only_narrow() {
    let limit = |statement: Value| {
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        Arc::new(Policy::parse(&document, PolicyKind::Identity).unwrap())
    };
    let read = limit(json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::bucket/*"}));
    let all = limit(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let none = limit(json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    let access = BucketAccess::private(ANN);
    let object = thing(ANN);
    for root in [false, true] {
        let with = |limits: &[&Arc<Policy>]| Caller {
            limits: limits.iter().map(|limit| Arc::clone(limit)).collect(),
            ..account(ANN, root)
        };
        let may = |limits: &[&Arc<Policy>], action| ask(&access, Some(&object)).of(&with(limits), action);
        assert_eq!(may(&[&read], Action::GetObject), Decision::Allow);
        assert_eq!(may(&[&read], Action::PutObject), Decision::Default);
        assert_eq!(may(&[&read], Action::GetBucketAcl), Decision::Default);
        assert_eq!(may(&[&read, &all], Action::GetObject), Decision::Allow, "each of them allows it");
        assert_eq!(may(&[&all, &read], Action::PutObject), Decision::Default, "both must allow it");
        assert_eq!(may(&[&all, &none], Action::GetObject), Decision::Deny);
    }
    let bob = Caller { limits: vec![all], ..bob() };
    assert_eq!(ask(&access, Some(&object)).of(&bob, Action::GetObject), Decision::Default, "they give nothing");
}
