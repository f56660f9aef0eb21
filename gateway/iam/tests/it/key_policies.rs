//! Who may use a named key, and what bucket tags say to conditions.

use crate::decisions::{Ask, anyone, bob, policy};
use crate::evaluate::{ANN, BOB, account};
use crate::policy::arn;
use cofre_iam::{
    Action, BucketAccess, Caller, Decision, Details, KeyAccess, LOG_DELIVERY, Policy, PolicyKind, Question, Resource,
    account_number, evaluate, key_name,
};
use cofre_types::{BucketName, ObjectKey, Tags, TagsLimit, Timestamp};
use serde_json::{Value, json};

const OF_KEYS: [Action; 5] =
    [Action::Decrypt, Action::Encrypt, Action::GenerateDataKey, Action::ReEncryptFrom, Action::ReEncryptTo];

fn parse(statement: &Value) -> Result<Policy, cofre_iam::MalformedPolicy> {
    let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    Policy::parse(&document, PolicyKind::Key("orders"))
}

fn access(statement: Value) -> KeyAccess {
    KeyAccess { policy: Some(parse(&statement).unwrap()), ..KeyAccess::default() }
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": arn(BOB)}, "Action": action, "Resource": "*"})
}

fn ask(access: &KeyAccess, caller: &Caller, action: Action) -> Decision {
    let (bucket, key) = (BucketName::parse("bucket").unwrap(), ObjectKey::parse("a/b").unwrap());
    let resource = Resource::Key { name: "orders", access, region: "eu-west-1", bucket: &bucket, key: Some(&key) };
    let now = Timestamp::from_secs(1_000_000);
    evaluate(&Question { caller, action, resource, details: Details::default(), now })
}

#[test]
fn a_key_is_for_everyone_until_it_has_a_policy_and_then_for_whom_that_names() {
    let open = KeyAccess::default();
    let granted = access(allow("kms:*"));
    let denied = access(json!([
        {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": arn(BOB)}, "Action": "kms:*", "Resource": "*"},
    ]));
    for action in OF_KEYS {
        for caller in [account(ANN, false), bob(), anyone()] {
            assert_eq!(ask(&open, &caller, action), Decision::Allow, "{action}");
        }
        assert_eq!(ask(&granted, &bob(), action), Decision::Allow, "{action}");
        for caller in [account(ANN, false), anyone(), crate::evaluate::caller(LOG_DELIVERY)] {
            assert_eq!(ask(&granted, &caller, action), Decision::Default, "{action}");
        }
        assert_eq!(ask(&denied, &bob(), action), Decision::Deny, "{action}");
        assert_eq!(ask(&denied, &anyone(), action), Decision::Allow, "{action}");
        assert_eq!(ask(&denied, &account(BOB, true), action), Decision::Allow, "{action} by root");
    }
    let some = access(allow("kms:GenerateDataKey*"));
    for action in OF_KEYS {
        let wanted = if action == Action::GenerateDataKey { Decision::Allow } else { Decision::Default };
        assert_eq!(ask(&some, &bob(), action), wanted, "{action}");
    }
}

#[test]
fn conditions_see_what_a_key_is_used_for() {
    let number = account_number(BOB);
    for (key, value, other) in [
        ("kms:CallerAccount", number.as_str(), "111122223333"),
        ("kms:ViaService", "s3.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com"),
        ("kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::bucket/*", "arn:aws:s3:::other/*"),
        ("aws:PrincipalAccount", number.as_str(), "111122223333"),
    ] {
        for (value, wanted) in [(value, Decision::Allow), (other, Decision::Default)] {
            let mut statement = allow("kms:Decrypt");
            statement["Condition"] = json!({"StringLike": {key: value}});
            assert_eq!(ask(&access(statement), &bob(), Action::Decrypt), wanted, "{key} {value}");
        }
    }
}

#[test]
fn the_policy_of_a_key_names_keys_and_their_actions() {
    for resource in [
        "*",
        "arn:aws:kms:us-east-1:111122223333:key/orders",
        "arn:aws:kms:::key/*",
        "arn:aws-cn:kms:*:*:key/ord?rs",
        "arn:minio:kms:::orders",
        "orders",
    ] {
        let mut statement = allow("kms:Decrypt");
        statement["Resource"] = json!(resource);
        assert_eq!(ask(&access(statement), &bob(), Action::Decrypt), Decision::Allow, "{resource}");
    }
    let with = |name: &str, value: Value| {
        let mut statement = allow("kms:Decrypt");
        statement[name] = value;
        parse(&statement).map(drop).map_err(|error| error.element)
    };
    assert_eq!(with("Action", json!(["kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt"])), Ok(()));
    for (name, value) in [
        ("Resource", json!("arn:aws:kms:::key/other")),
        ("Resource", json!("arn:aws:s3:::bucket/*")),
        ("Resource", json!("other")),
        ("Action", json!("s3:GetObject")),
        ("Action", json!("kms:Nothing")),
        ("Principal", json!("ann")),
    ] {
        assert_eq!(with(name, value.clone()), Err(format!("Statement[0].{name}")), "{value}");
    }
    let mut nobody = allow("kms:Decrypt");
    nobody.as_object_mut().unwrap().remove("Principal");
    assert_eq!(parse(&nobody).unwrap_err().element, "Statement[0].Principal");
    // A bucket's policy is not about keys.
    let of_bucket = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt",
        "Resource": "arn:aws:s3:::bucket/*"}});
    let refused = Policy::parse(&of_bucket.to_string(), PolicyKind::Bucket("bucket")).unwrap_err();
    assert_eq!(refused.element, "Statement[0].Action");
}

#[test]
fn a_stored_policy_that_does_not_parse_lets_nobody_in() {
    let access = KeyAccess::of("orders", "nonsense");
    for caller in [account(ANN, false), bob(), anyone()] {
        assert_eq!(ask(&access, &caller, Action::Decrypt), Decision::Deny);
    }
}

#[test]
fn a_key_is_named_by_its_name_or_an_arn() {
    for (given, name) in [
        ("orders", "orders"),
        ("arn:aws:kms:us-east-1:111122223333:key/orders", "orders"),
        ("arn:aws:kms:::key/team/orders:1", "team/orders:1"),
        ("arn:minio:kms:::orders", "orders"),
        ("arn:aws:kms:us-east-1:111122223333:alias/orders", "arn:aws:kms:us-east-1:111122223333:alias/orders"),
        ("arn:aws:kms:::key/", "arn:aws:kms:::key/"),
        ("arn:aws:s3:::key/orders", "arn:aws:s3:::key/orders"),
    ] {
        assert_eq!(key_name(given), name, "{given}");
    }
}

/// A key counts the same to conditions whether request or policy give it by name or by ARN.
#[test]
fn conditions_know_a_key_by_name_and_by_arn() {
    let holds = |operator: &str, value: &str, given: &'static str| {
        let condition = json!({operator: {"s3:x-amz-server-side-encryption-aws-kms-key-id": value}});
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::bucket/*", "Condition": condition});
        let access = BucketAccess { policy: policy(statement), ..BucketAccess::private(ANN) };
        let headers = vec![("x-amz-server-side-encryption-aws-kms-key-id", given)];
        let caller = crate::condition_keys::with_headers(headers);
        Ask { access: &access, object: None, details: Details::default() }.of(&caller, Action::PutObject).is_allowed()
    };
    let arn = "arn:aws:kms:us-east-1:111122223333:key/orders";
    for (value, given) in [("orders", "orders"), ("orders", arn), (arn, "orders"), (arn, arn)] {
        for operator in ["StringEquals", "StringLike", "ArnEquals", "ArnLike"] {
            assert!(holds(operator, value, given), "{operator} {value} {given}");
        }
        assert!(!holds("StringNotEquals", value, given), "{value} {given}");
        assert!(!holds("StringEquals", value, "arn:aws:kms:::key/other"), "{value}");
    }
    assert!(holds("StringLike", "ord*", arn) && !holds("StringLike", "*other", arn));
}

#[test]
fn bucket_tags_count_where_the_bucket_says_so() {
    let tags = Tags::new(vec![("team".to_owned(), "red".to_owned())], TagsLimit::Bucket).unwrap();
    for key in ["aws:ResourceTag/team", "s3:BucketTag/team", "AWS:resourcetag/team"] {
        for (kept, value, wanted) in
            [(Some(tags.clone()), "red", true), (Some(tags.clone()), "blue", false), (None, "red", false)]
        {
            let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
                "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
                "Condition": {"StringEquals": {key: value}}});
            let access = BucketAccess { policy: policy(statement), tags: kept, ..BucketAccess::private(ANN) };
            let asked = Ask { access: &access, object: None, details: Details::default() };
            for action in [Action::GetObject, Action::ListBucket] {
                assert_eq!(asked.of(&bob(), action).is_allowed(), wanted, "{key} {value} {action}");
            }
        }
    }
    let wanted = Tags::new(vec![("team".to_owned(), "blue".to_owned())], TagsLimit::Bucket).unwrap();
    let tag_keys = ["team".to_owned()];
    for (condition, allowed) in [
        (json!({"StringEquals": {"aws:RequestTag/team": "blue"}}), true),
        (json!({"StringEquals": {"aws:RequestTag/team": "red"}}), false),
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}), true),
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["cost"]}}), false),
    ] {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:TagResource",
            "Resource": "arn:aws:s3:::bucket", "Condition": condition});
        let access = BucketAccess { policy: policy(statement), ..BucketAccess::private(ANN) };
        let details = Details { bucket_tags: Some(&wanted), tag_keys: Some(&tag_keys), ..Details::default() };
        let asked = Ask { access: &access, object: None, details };
        assert_eq!(asked.of(&bob(), Action::TagResource).is_allowed(), allowed, "{condition}");
    }
}
