//! Why a question is decided as it is.

use crate::decisions::{anyone, bob, policy};
use crate::evaluate::{ANN, BOB, account};
use crate::policy::arn;
use cofre_iam::{
    Action, BucketAccess, Caller, Decision, Details, Explanation, Origin, Question, Resource, Rule, evaluate, explain,
};
use cofre_types::{BucketName, ObjectKey, Timestamp};
use serde_json::{Value, json};

fn why(access: &BucketAccess, caller: &Caller, action: Action) -> Explanation {
    let (bucket, key) = (BucketName::parse("bucket").unwrap(), ObjectKey::parse("k").unwrap());
    let resource = match action.is_of_object() {
        true => Resource::Object { bucket: &bucket, access, key: &key, object: None },
        false => Resource::Bucket { bucket: &bucket, access },
    };
    let question = Question { caller, action, resource, details: Details::default(), now: Timestamp::from_secs(1) };
    let explained = explain(&question);
    assert_eq!(explained.decision, evaluate(&question), "{explained:?}");
    assert!(!explained.rule.to_string().is_empty());
    explained
}

fn with(statements: Value) -> BucketAccess {
    BucketAccess { policy: policy(statements), ..BucketAccess::private(ANN) }
}

fn from(ip: &str) -> Caller {
    Caller { origin: Origin { ip: Some(ip.parse().unwrap()), secure: true, tls: None }, ..bob() }
}

#[test]
fn a_denial_names_its_statement_and_what_its_conditions_saw() {
    let access = with(json!([
        {"Sid": "others", "Effect": "Allow", "Principal": {"AWS": arn(BOB)}, "Action": "s3:ListBucket",
         "Resource": "arn:aws:s3:::bucket"},
        {"Sid": "readers", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::bucket/*"},
        {"Sid": "office", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*",
         "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Null": {"aws:Referer": "true"}}},
    ]));
    let denied = why(&access, &from("203.0.113.7"), Action::GetObject);
    assert_eq!((denied.decision, denied.rule), (Decision::Deny, Rule::PolicyDenies { statement: Some(2) }));
    assert_eq!(denied.resource, "arn:aws:s3:::bucket/k");
    let places: Vec<_> = denied.statements.iter().map(|statement| (statement.index, statement.applies)).collect();
    assert_eq!(places, [(1, true), (2, true)], "statements about other actions leave no trace");
    let office = &denied.statements[1];
    assert_eq!((office.id.as_deref(), office.denies), (Some("office"), true));
    let address = &office.conditions[0];
    assert_eq!((address.operator.as_str(), address.key.as_str()), ("NotIpAddress", "aws:sourceip"));
    assert_eq!((address.saw.clone(), address.holds), (Some(vec!["203.0.113.7".to_owned()]), true));
    assert_eq!((office.conditions[1].saw.clone(), office.conditions[1].holds), (None, true));

    let inside = why(&access, &from("192.0.2.9"), Action::GetObject);
    assert_eq!((inside.decision, inside.rule), (Decision::Allow, Rule::PolicyAllows { statement: Some(1) }));
    assert!(!inside.statements[1].applies && !inside.statements[1].conditions[0].holds);
}

#[test]
fn what_nothing_allows_shows_the_statements_that_nearly_did() {
    let access = with(json!([
        {"Effect": "Allow", "Principal": {"AWS": arn(ANN)}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/open/*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*",
         "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ]));
    let refused = why(&access, &anyone(), Action::GetObject);
    assert_eq!((refused.decision, refused.rule), (Decision::Default, Rule::Nothing));
    let near: Vec<_> = refused.statements.iter().map(|s| (s.principal, s.resource, s.applies)).collect();
    assert_eq!(near, [(false, true, false), (true, false, false), (true, true, false)]);
    let condition = &refused.statements[2].conditions[0];
    assert_eq!((condition.saw.clone(), condition.holds), (Some(vec!["false".to_owned()]), false));
}

#[test]
fn every_rule_that_decides_is_told() {
    let open = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]});
    let (private, open) = (BucketAccess::private(ANN), with(open));
    assert_eq!(why(&private, &account(ANN, false), Action::PutObject).rule, Rule::BucketOwner);
    assert_eq!(why(&private, &account(BOB, true), Action::PutObject).rule, Rule::Root);
    assert_eq!(why(&private, &bob(), Action::PutObject).rule, Rule::Nothing);
    assert_eq!(why(&open, &bob(), Action::GetBucketPolicy).rule, Rule::OwnerOnly);
    assert_eq!(why(&open, &anyone(), Action::PutBucketCors).rule, Rule::NeedsCredentials);
    let mut shut = open;
    shut.block.restrict_buckets = true;
    assert_eq!(why(&shut, &bob(), Action::GetObject).rule, Rule::PublicAccessBlock);
}

#[test]
fn a_trace_is_bounded() {
    let statement = |i: usize| {
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*",
            "Condition": {"StringEquals": {format!("aws:k{i}"): "x"}}})
    };
    let access = with((0..120).map(statement).collect());
    let explained = why(&access, &bob(), Action::GetObject);
    assert_eq!(explained.statements.len(), 64);
}

#[test]
fn a_trace_is_bounded_in_bytes_and_keeps_what_decided() {
    let pad = "x".repeat(50);
    let many: Value =
        (0..40).map(|i| (format!("aws:k{i}-{pad}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let statement = |i: usize, action: &str| {
        json!({"Sid": format!("s{i}"), "Effect": "Deny", "Principal": "*", "Action": action,
            "Resource": "arn:aws:s3:::bucket/*", "Condition": {"StringEquals": many.clone()}})
    };
    let mut statements: Vec<Value> = (0..6).map(|i| statement(i, "s3:*")).collect();
    statements.push(json!({"Sid": "decides", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*"}));
    let explained = why(&with(statements.into()), &bob(), Action::GetObject);
    assert_eq!(explained.rule, Rule::PolicyDenies { statement: Some(6) });
    assert!(explained.statements.len() < 7, "{}", explained.statements.len());
    let last = explained.statements.last().unwrap();
    assert_eq!((last.id.as_deref(), last.applies), (Some("decides"), true));
}

#[test]
fn another_accounts_policy_is_named_and_not_told() {
    let access = with(json!([{"Sid": "office", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]));
    let explained = why(&access, &bob(), Action::GetObject);
    assert_eq!((explained.owner, explained.statements.len()), (Some(ANN), 1));
    assert_eq!(explained.clone().told_to(ANN), explained);
    // The policy of an encryption key is the operators'.
    let rule = Rule::KeyPolicyDenies { statement: Some(3) };
    let of_key = Explanation { owner: None, rule, ..explained.clone() }.told_to(ANN);
    assert_eq!((of_key.rule, of_key.statements.len()), (Rule::KeyPolicyDenies { statement: None }, 0));
    let told = explained.told_to(BOB);
    assert_eq!((told.rule, told.statements.len()), (Rule::OfAnother, 0));
}
