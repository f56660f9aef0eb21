//! Which policies are public (AWS, "The meaning of public").

use crate::policy::{ANN, arn, policy};
use serde_json::{Value, json};

fn public(principal: Value, condition: Value) -> bool {
    policy(json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": condition}))
    .is_public()
}

#[test]
fn everyone_without_a_fixed_condition_is_public() {
    assert!(public(json!("*"), json!({})));
    assert!(public(json!({"AWS": "*"}), json!({})));
    assert!(public(json!({"AWS": [arn(ANN), "*"]}), json!({})));
    assert!(!public(json!({"AWS": arn(ANN)}), json!({})));
    assert!(!public(json!({"Service": "cloudtrail.amazonaws.com"}), json!({})));
    let denied = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*"});
    assert!(!policy(json!([denied])).is_public());
}

#[test]
fn only_fixed_values_of_keys_that_name_requesters_make_it_private() {
    let cases = [
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/32"}}), false),
        (json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}), false),
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}), true),
        (json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}}), true),
        (json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), true),
        (json!({"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}), false),
        (json!({"StringLike": {"aws:SourceVpc": "vpc-*"}}), true),
        (json!({"StringLike": {"aws:SourceVpc": "vpc-91237329"}}), false),
        (json!({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-91237329"}}), true),
        (json!({"ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-91237329"}}), true),
        (json!({"StringNotEquals": {"aws:SourceVpc": "vpc-91237329"}}), true),
        (json!({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}), true),
        (json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:topic"}}), false),
        (json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:topic"}}), true),
        (json!({"StringEquals": {"aws:Referer": "http://example.com/"}}), true),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
    ];
    for (condition, expected) in cases {
        assert_eq!(public(json!("*"), condition.clone()), expected, "{condition}");
    }
}
