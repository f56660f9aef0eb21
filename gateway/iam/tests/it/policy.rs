//! Policies against requests: AWS's documented examples ("Bucket policy examples", "Policy evaluation
//! logic", "IAM policy elements: Variables and tags") and the corners between them.

use cofre_iam::{Action, Asked, ConditionKey, Context, Policy, PolicyKind, Requester, Verdict, account_number};
use cofre_types::AccountId;
use serde_json::{Value, json};
use std::borrow::Cow;

pub const ANN: AccountId = AccountId::from_bytes([1; 32]);
pub const BOB: AccountId = AccountId::from_bytes([2; 32]);

/// Keys and their values.
pub struct Keys(pub Vec<(&'static str, Vec<String>)>);

impl Keys {
    pub fn of(keys: &[(&'static str, &str)]) -> Self {
        Self(keys.iter().map(|(key, value)| (*key, vec![(*value).to_owned()])).collect())
    }
}

impl Context for Keys {
    fn values(&self, key: &ConditionKey) -> Option<Vec<Cow<'_, str>>> {
        let found = self.0.iter().find(|(own, _)| ConditionKey::parse(own).as_ref() == Some(key));
        found.map(|(_, values)| values.iter().map(|value| Cow::Borrowed(value.as_str())).collect())
    }
}

/// The policy of the bucket `bucket` with these statements.
pub fn policy(statements: Value) -> Policy {
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Policy::parse(&document, PolicyKind::Bucket("bucket")).unwrap_or_else(|error| panic!("{document}: {error}"))
}

pub fn arn(account: AccountId) -> String {
    format!("arn:aws:iam::{}:root", account_number(account))
}

pub fn asks(policy: &Policy, who: Option<AccountId>, action: Action, resource: &str, keys: &Keys) -> Verdict {
    let arn = who.map(arn).unwrap_or_default();
    let requester = who.map_or(Requester::Anonymous, |account| Requester::Identity { account, arn: &arn });
    let resource = format!("arn:aws:s3:::{resource}");
    policy.verdict(Asked { requester, action, resource: &resource, context: keys })
}

fn says(statements: Value, who: Option<AccountId>, action: Action, resource: &str) -> Verdict {
    asks(&policy(statements), who, action, resource, &Keys::of(&[]))
}

/// A statement about everything in the bucket.
fn all(effect: &str, principal: Value) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": "s3:*",
           "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]})
}

#[test]
fn a_denial_wins_whatever_the_order() {
    let (allow, deny) = (all("Allow", json!("*")), all("Deny", json!("*")));
    for statements in [json!([allow, deny]), json!([deny, allow])] {
        assert_eq!(says(statements, Some(ANN), Action::GetObject, "bucket/k"), Verdict::Deny);
    }
    assert_eq!(says(json!(allow), Some(ANN), Action::GetObject, "bucket/k"), Verdict::Allow);
    assert_eq!(says(json!(allow), Some(ANN), Action::GetObject, "other/k"), Verdict::Silent);
}

#[test]
fn principals_are_accounts_by_number_id_or_arn_or_everyone() {
    let number = account_number(ANN);
    let of_ann = [
        json!({"AWS": number}),
        json!({"AWS": arn(ANN)}),
        json!({"AWS": [ANN.to_string()]}),
        json!({"AWS": format!("arn:aws:iam::{ANN}:root")}),
        json!({"CanonicalUser": ANN.to_string()}),
        json!({"Service": "logging.s3.amazonaws.com", "AWS": arn(ANN)}),
    ];
    for principal in of_ann {
        let verdict = |who| says(json!(all("Allow", principal.clone())), who, Action::GetObject, "bucket/k");
        assert_eq!(verdict(Some(ANN)), Verdict::Allow, "{principal}");
        assert_eq!(verdict(Some(BOB)), Verdict::Silent, "{principal}");
        assert_eq!(verdict(None), Verdict::Silent, "{principal}");
    }
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": [arn(BOB), "*"]})] {
        for who in [None, Some(ANN)] {
            let verdict = says(json!(all("Allow", principal.clone())), who, Action::GetObject, "bucket/k");
            assert_eq!(verdict, Verdict::Allow, "{principal}");
        }
    }
    for nobody in ["arn:aws:iam::999999999999:user/ann", "arn:aws:iam::s3tenant1:root"] {
        let verdict = says(json!(all("Allow", json!({"AWS": nobody}))), Some(ANN), Action::GetObject, "bucket/k");
        assert_eq!(verdict, Verdict::Silent, "{nobody}");
    }
}

#[test]
fn not_principal_denies_all_but_those_it_names() {
    let mut statement = all("Deny", json!(null));
    let members = statement.as_object_mut().unwrap();
    members.remove("Principal");
    members.insert("NotPrincipal".to_owned(), json!({"AWS": arn(ANN)}));
    for (who, verdict) in [(Some(ANN), Verdict::Silent), (Some(BOB), Verdict::Deny), (None, Verdict::Deny)] {
        assert_eq!(says(json!(statement), who, Action::GetObject, "bucket/k"), verdict);
    }
}

#[test]
fn actions_have_wildcards_and_no_case() {
    let cases = [
        (json!({"Action": "s3:GetObject"}), vec![(Action::GetObject, true), (Action::GetObjectVersion, false)]),
        (json!({"Action": "S3:getobject*"}), vec![(Action::GetObjectVersion, true), (Action::PutObject, false)]),
        (json!({"Action": ["s3:Put?bject", "s3:List*"]}), vec![(Action::PutObject, true), (Action::ListBucket, true)]),
        (json!({"Action": "*"}), vec![(Action::PutBucketPolicy, true)]),
        (json!({"Action": "s3:GetBucketCORS"}), vec![(Action::GetBucketCors, true)]),
        (json!({"NotAction": "s3:Delete*"}), vec![(Action::DeleteObject, false), (Action::GetObject, true)]),
        (json!({"Action": "s3:ReplicateObject"}), vec![(Action::PutObject, false)]),
    ];
    for (action, expected) in cases {
        let mut statement = json!({"Effect": "Allow", "Principal": "*",
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]});
        statement.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        for (asked, allowed) in expected {
            let verdict = says(json!([statement]), None, asked, "bucket/k");
            assert_eq!(verdict == Verdict::Allow, allowed, "{action} for {asked}");
        }
    }
}

#[test]
fn resources_have_wildcards_that_reach_past_slashes() {
    let cases = [
        (json!({"Resource": "arn:aws:s3:::bucket/*"}), "bucket/a/b", true),
        (json!({"Resource": "arn:aws:s3:::bucket/*"}), "bucket", false),
        (json!({"Resource": "arn:aws:s3:::bucket*"}), "bucket", true),
        (json!({"Resource": "arn:aws:s3:::bucket/taxes/20??/*.pdf"}), "bucket/taxes/2024/q1/a.pdf", true),
        (json!({"Resource": "arn:aws:s3:::bucket/taxes/20??/*.pdf"}), "bucket/taxes/204/a.pdf", false),
        (json!({"Resource": "arn:aws:s3:::*/home"}), "bucket/home", true),
        (json!({"Resource": "arn:aws:s3:::bucket/é?"}), "bucket/éñ", true),
        (json!({"Resource": "arn:aws:s3:::bucket/K"}), "bucket/k", false),
        (json!({"NotResource": "arn:aws:s3:::bucket/secret/*"}), "bucket/secret/a", false),
        (json!({"NotResource": "arn:aws:s3:::bucket/secret/*"}), "bucket/open/a", true),
    ];
    for (resource, asked, allowed) in cases {
        let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*"});
        statement.as_object_mut().unwrap().extend(resource.as_object().unwrap().clone());
        let verdict = says(json!([statement]), None, Action::GetObject, asked);
        assert_eq!(verdict == Verdict::Allow, allowed, "{resource} of {asked}");
    }
}

#[test]
fn a_wildcard_is_held_against_long_texts_in_time() {
    let pattern = format!("arn:aws:s3:::bucket/{}b", "*a".repeat(500));
    let policy = policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": pattern}));
    let verdict = asks(&policy, None, Action::GetObject, &format!("bucket/{}", "a".repeat(1000)), &Keys::of(&[]));
    assert_eq!(verdict, Verdict::Silent);
}

#[test]
fn a_variable_is_its_value_and_nothing_more() {
    let home = policy(json!([
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::bucket/home/${aws:username}/*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket",
         "Condition": {"StringLike": {"s3:prefix": "home/${aws:username}/*"}}},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
         "Resource": "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'none'}/${*}${?}${$}"},
    ]));
    let get = |name: &str, key| asks(&home, None, Action::GetObject, key, &Keys::of(&[("aws:username", name)]));
    assert_eq!(get("ann", "bucket/home/ann/a"), Verdict::Allow);
    assert_eq!(get("ann", "bucket/home/bob/a"), Verdict::Silent);
    assert_eq!(get("*", "bucket/home/bob/a"), Verdict::Silent, "a value's wildcard is a letter");
    assert_eq!(get("*", "bucket/home/*/a"), Verdict::Allow);
    let none = Keys::of(&[]);
    assert_eq!(asks(&home, None, Action::GetObject, "bucket/home//a", &none), Verdict::Silent);
    assert_eq!(asks(&home, None, Action::GetObject, "bucket/home/${aws:username}/a", &none), Verdict::Silent);

    let list = |name, prefix| {
        let keys = Keys::of(&[("aws:username", name), ("s3:prefix", prefix)]);
        asks(&home, None, Action::ListBucket, "bucket", &keys)
    };
    assert_eq!(list("ann", "home/ann/x"), Verdict::Allow);
    assert_eq!(list("?nn", "home/ann/x"), Verdict::Silent);
    let unnamed = Keys::of(&[("s3:prefix", "home/ann/x")]);
    assert_eq!(asks(&home, None, Action::ListBucket, "bucket", &unnamed), Verdict::Silent);

    let put = |key, keys: &Keys| asks(&home, None, Action::PutObject, key, keys);
    assert_eq!(put("bucket/none/*?$", &none), Verdict::Allow, "the default stands in");
    assert_eq!(put("bucket/red/*?$", &Keys::of(&[("aws:PrincipalTag/team", "red")])), Verdict::Allow);
    assert_eq!(put("bucket/none/abc", &none), Verdict::Silent);
}

#[test]
fn the_first_version_of_the_language_has_no_variables() {
    let document = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/${aws:username}"}});
    let policy = Policy::parse(&document.to_string(), PolicyKind::Bucket("bucket")).unwrap();
    let keys = Keys::of(&[("aws:username", "ann")]);
    assert_eq!(asks(&policy, None, Action::GetObject, "bucket/ann", &keys), Verdict::Silent);
    assert_eq!(asks(&policy, None, Action::GetObject, "bucket/${aws:username}", &keys), Verdict::Allow);
}

#[test]
fn the_closed_policy_denies_everything() {
    for action in Action::ALL.iter().copied() {
        for who in [None, Some(ANN)] {
            let verdict = asks(&Policy::closed(), who, action, "bucket/k", &Keys::of(&[]));
            assert_eq!(verdict, Verdict::Deny, "{action}");
        }
    }
}

/// AWS, "Bucket policy examples": each with a request that it lets through and one that it does not.
#[test]
fn the_documented_examples_hold() {
    let account = |id| json!({"AWS": arn(id)});
    let objects = "arn:aws:s3:::bucket/*";
    let by_folder = json!([{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": objects, "Condition": {"StringEquals": {"s3:ExistingObjectTag/environment": "production"}}}]);
    let full_control = json!([{"Effect": "Allow", "Principal": account(BOB), "Action": "s3:PutObject",
        "Resource": objects, "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}]);
    let tls = json!([all("Allow", json!("*")), {"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", objects], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]);
    let addresses = json!([all("Allow", json!("*")), {"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": objects, "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]);
    let referer = json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects,
        "Condition": {"StringLike": {"aws:Referer": ["http://www.example.com/*", "http://example.com/*"]}}}]);
    let folder = json!([{"Effect": "Allow", "Principal": account(BOB), "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::bucket", "Condition": {"StringEquals": {"s3:prefix": ["", "home/"],
        "s3:delimiter": ["/"]}}}]);
    let keys_max = json!([all("Allow", json!("*")), {"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::bucket", "Condition": {"NumericGreaterThan": {"s3:max-keys": "10"}}}]);
    let encrypted = json!([all("Allow", json!("*")), {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": objects, "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}]);
    let signature = json!([all("Allow", json!("*")), {"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": objects, "Condition": {"NumericGreaterThan": {"s3:signatureAge": 600000}}}]);
    let tags = json!([{"Effect": "Allow", "Principal": account(BOB), "Action": "s3:PutObjectTagging",
        "Resource": objects, "Condition": {"ForAllValues:StringLike": {"s3:RequestObjectTagKeys": ["Owner", "Date"]}}}]);
    let (get, put, list) = (Action::GetObject, Action::PutObject, Action::ListBucket);
    type Case<'a> = (&'a Value, Action, &'a str, &'a [(&'static str, &'a str)], bool);
    let cases: &[Case<'_>] = &[
        (&by_folder, get, "bucket/k", &[("s3:ExistingObjectTag/environment", "production")], true),
        (&by_folder, get, "bucket/k", &[("s3:ExistingObjectTag/environment", "test")], false),
        (&by_folder, get, "bucket/k", &[("s3:ExistingObjectTag/Environment", "production")], false),
        (&by_folder, get, "bucket/k", &[], false),
        (&full_control, put, "bucket/k", &[("s3:x-amz-acl", "bucket-owner-full-control")], true),
        (&full_control, put, "bucket/k", &[("s3:x-amz-acl", "private")], false),
        (&full_control, put, "bucket/k", &[], false),
        (&tls, get, "bucket/k", &[("aws:SecureTransport", "true")], true),
        (&tls, get, "bucket/k", &[("aws:SecureTransport", "false")], false),
        (&addresses, get, "bucket/k", &[("aws:SourceIp", "192.0.2.7")], true),
        (&addresses, get, "bucket/k", &[("aws:SourceIp", "203.0.113.7")], false),
        (&referer, get, "bucket/k", &[("aws:Referer", "http://www.example.com/page")], true),
        (&referer, get, "bucket/k", &[("aws:Referer", "http://www.example.org/page")], false),
        (&referer, get, "bucket/k", &[], false),
        (&folder, list, "bucket", &[("s3:prefix", "home/"), ("s3:delimiter", "/")], true),
        (&folder, list, "bucket", &[("s3:prefix", "home/ann/"), ("s3:delimiter", "/")], false),
        (&folder, list, "bucket", &[("s3:prefix", "home/")], false),
        (&keys_max, list, "bucket", &[("s3:max-keys", "10")], true),
        (&keys_max, list, "bucket", &[("s3:max-keys", "11")], false),
        (&encrypted, put, "bucket/k", &[("s3:x-amz-server-side-encryption", "AES256")], true),
        (&encrypted, put, "bucket/k", &[], false),
        (&signature, get, "bucket/k", &[("s3:signatureAge", "599999")], true),
        (&signature, get, "bucket/k", &[("s3:signatureAge", "600001")], false),
        (&tags, Action::PutObjectTagging, "bucket/k", &[("s3:RequestObjectTagKeys", "Owner")], true),
        (&tags, Action::PutObjectTagging, "bucket/k", &[("s3:RequestObjectTagKeys", "Secret")], false),
    ];
    for (statements, action, resource, keys, allowed) in cases {
        let verdict = asks(&policy((*statements).clone()), Some(BOB), *action, resource, &Keys::of(keys));
        assert_eq!(verdict == Verdict::Allow, *allowed, "{statements} with {keys:?}");
    }
}
