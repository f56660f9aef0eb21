//! Condition operators, each with values that fit, that do not, and without the key (IAM User Guide,
//! "Condition operators" and "Creating a condition with multiple keys or values").

use crate::policy::{Keys, asks, policy};
use cofre_iam::{Action, Verdict};
use serde_json::{Value, json};

fn holds_with(condition: &Value, keys: &Keys) -> bool {
    let policy = policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": condition}));
    asks(&policy, None, Action::GetObject, "bucket/k", keys) == Verdict::Allow
}

fn holds(condition: &Value, value: Option<&str>) -> bool {
    let value: Vec<_> = value.map(|value| ("aws:key", value)).into_iter().collect();
    holds_with(condition, &Keys::of(&value))
}

/// An operator on `aws:key`, the policy's value, one that fits and one that does not.
const OPERATORS: &[(&str, &str, &str, &str)] = &[
    ("StringEquals", "Ann", "Ann", "ann"),
    ("StringEquals", "A*", "A*", "Ann"),
    ("StringEqualsIgnoreCase", "Änn", "äNN", "bob"),
    ("StringLike", "a?n*", "anna", "abc"),
    ("NumericEquals", "10", "10.0", "11"),
    ("NumericLessThan", "10", "9.5", "10"),
    ("NumericLessThanEquals", "10", "10", "10.5"),
    ("NumericGreaterThan", "-1", "0", "-1"),
    ("NumericGreaterThanEquals", "1e3", "1000", "999"),
    ("NumericEquals", "0", "0", "none"),
    ("DateEquals", "2024-02-29T12:00:00Z", "2024-02-29T13:00:00+01:00", "2024-02-29T12:00:01Z"),
    ("DateLessThan", "2024-03-01", "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"),
    ("DateLessThanEquals", "2024-03", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00.001Z"),
    ("DateGreaterThan", "2024-03-01T00:00Z", "2024-03-01T00:00:01Z", "2024-03-01T00:00:00Z"),
    ("DateGreaterThanEquals", "1709251200", "2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z"),
    ("DateLessThan", "2024", "2023-12-31T23:59:59Z", "yesterday"),
    ("Bool", "true", "True", "false"),
    ("Bool", "false", "false", "no"),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", "Qg=="),
    ("IpAddress", "203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
    ("IpAddress", "203.0.113.7", "203.0.113.7", "203.0.113.8"),
    ("IpAddress", "203.0.113.0/24", "::ffff:203.0.113.9", "::1"),
    ("IpAddress", "2001:db8:1234::/48", "2001:db8:1234:ffff::1", "2001:db8:1235::1"),
    ("IpAddress", "0.0.0.0/0", "8.8.8.8", "2001:db8::1"),
    (
        "ArnEquals",
        "arn:aws:sns:*:123:topic/*",
        "arn:aws:sns:us-east-1:123:topic/a/b",
        "arn:aws:sns:us:east:123:topic/a",
    ),
    ("ArnLike", "arn:aws:s3:::bucket*", "arn:aws:s3:::bucket-a", "arn:aws:s3:us::bucket-a"),
    ("ArnLike", "arn:aws:iam::1?3:*", "arn:aws:iam::123:user:x", "arn:aws:iam::1:3:user"),
];

#[test]
fn each_operator_compares_as_documented() {
    for (operator, own, fits, other) in OPERATORS {
        let condition = json!({*operator: {"aws:key": own}});
        assert!(holds(&condition, Some(fits)), "{operator} {own} {fits}");
        assert!(!holds(&condition, Some(other)), "{operator} {own} {other}");
        assert!(!holds(&condition, None), "{operator} without the key");
        let if_exists = json!({format!("{operator}IfExists"): {"aws:key": own}});
        assert!(holds(&if_exists, Some(fits)) && !holds(&if_exists, Some(other)), "{operator}IfExists");
        assert!(holds(&if_exists, None), "{operator}IfExists without the key");
    }
}

#[test]
fn a_negated_operator_is_the_other_answer_and_holds_without_the_key() {
    let negated = [
        ("StringEquals", "StringNotEquals"),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        ("StringLike", "StringNotLike"),
        ("NumericEquals", "NumericNotEquals"),
        ("DateEquals", "DateNotEquals"),
        ("IpAddress", "NotIpAddress"),
        ("ArnEquals", "ArnNotEquals"),
        ("ArnLike", "ArnNotLike"),
    ];
    for (operator, not) in negated {
        for (_, own, fits, other) in OPERATORS.iter().filter(|(name, ..)| *name == operator) {
            let condition = json!({not: {"aws:key": own}});
            assert!(!holds(&condition, Some(fits)), "{not} {own} {fits}");
            assert!(holds(&condition, Some(other)), "{not} {own} {other}");
            assert!(holds(&condition, None), "{not} without the key");
        }
    }
}

#[test]
fn values_are_alternatives_and_keys_and_operators_are_not() {
    let either = json!({"StringEquals": {"aws:key": ["a", "b"]}});
    assert!(holds(&either, Some("b")) && !holds(&either, Some("c")));
    let neither = json!({"StringNotEquals": {"aws:key": ["a", "b"]}});
    assert!(!holds(&neither, Some("b")) && holds(&neither, Some("c")));
    let both = json!({"StringEquals": {"aws:key": "a", "aws:other": "b"}, "Bool": {"aws:flag": true}});
    let keys = [("aws:key", "a"), ("aws:other", "b"), ("aws:flag", "true")];
    assert!(holds_with(&both, &Keys::of(&keys)));
    for left_out in 0..3 {
        let fewer: Vec<_> = keys.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, key)| *key).collect();
        assert!(!holds_with(&both, &Keys::of(&fewer)), "without {}", keys[left_out].0);
    }
    assert!(!holds(&json!({"StringEquals": {"aws:key": []}}), Some("")), "no value fits none");
}

#[test]
fn null_asks_whether_a_key_is_there() {
    let absent = json!({"Null": {"aws:key": "true"}});
    assert!(holds(&absent, None) && !holds(&absent, Some("")));
    let present = json!({"Null": {"aws:key": false}});
    assert!(!holds(&present, None) && holds(&present, Some("")));
    assert!(!holds_with(&present, &Keys(vec![("aws:key", vec![])])), "no values are none");
}

#[test]
fn keys_have_no_case() {
    assert!(holds(&json!({"StringEquals": {"AWS:Key": "a"}}), Some("a")));
}

#[test]
fn set_operators_look_at_every_value() {
    let with = |condition: &Value, values: &[&str]| {
        holds_with(condition, &Keys(vec![("aws:key", values.iter().map(|value| (*value).to_owned()).collect())]))
    };
    let all = json!({"ForAllValues:StringEquals": {"aws:key": ["a", "b"]}});
    let any = json!({"ForAnyValue:StringEquals": {"aws:key": ["a", "b"]}});
    let all_not = json!({"ForAllValues:StringNotEquals": {"aws:key": ["a", "b"]}});
    let any_not = json!({"ForAnyValue:StringNotEquals": {"aws:key": ["a", "b"]}});
    let plain_not = json!({"StringNotEquals": {"aws:key": ["a", "b"]}});
    for (values, expected) in [
        (&["a"][..], [true, true, false, false, false]),
        (&["a", "b"], [true, true, false, false, false]),
        (&["a", "c"], [false, true, false, true, false]),
        (&["c", "d"], [false, false, true, true, true]),
        (&[], [true, false, true, false, true]),
    ] {
        let conditions = [&all, &any, &all_not, &any_not, &plain_not];
        assert_eq!(conditions.map(|condition| with(condition, values)), expected, "{values:?}");
    }
    assert!(holds(&all, None), "ForAllValues holds without the key");
    assert!(!holds(&any, None) && !holds(&any_not, None));
    assert!(holds(&json!({"ForAnyValue:StringEqualsIfExists": {"aws:key": "a"}}), None));
}

#[test]
fn a_variable_in_a_condition_is_literal_and_missing_fits_nothing() {
    let like = json!({"StringLike": {"aws:key": "${aws:name}*"}});
    let keys = |name: &'static str, key: &'static str| Keys::of(&[("aws:name", name), ("aws:key", key)]);
    assert!(holds_with(&like, &keys("ann", "anna")));
    assert!(!holds_with(&like, &keys("*", "anna")));
    assert!(!holds(&like, Some("${aws:name}")));
    let not = json!({"StringNotEquals": {"aws:key": "${aws:name}"}});
    assert!(holds(&not, Some("anything")), "what fits nothing is unequal to everything");
    let several = Keys(vec![("aws:name", vec!["a".to_owned(), "b".to_owned()]), ("aws:key", vec!["a".to_owned()])]);
    assert!(!holds_with(&json!({"StringEquals": {"aws:key": "${aws:name}"}}), &several), "several values are none");
}
