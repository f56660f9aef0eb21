//! What is a policy and what is not.

use cofre_iam::{MalformedPolicy, POLICY_BYTES_MAX, Policy, PolicyKind};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(document: &Value) -> Result<Policy, MalformedPolicy> {
    Policy::parse(&document.to_string(), PolicyKind::Bucket("bucket"))
}

fn good() -> Value {
    json!({"Version": "2012-10-17", "Id": "id", "Statement": [{
        "Sid": "one", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*", "Condition": {"StringEquals": {"aws:Referer": "x"}}}]})
}

/// The good policy with members of its statement replaced, or removed where null.
fn with(members: Value) -> Value {
    let mut document = good();
    let statement = document["Statement"][0].as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            statement.remove(name);
        } else {
            statement.insert(name.clone(), value.clone());
        }
    }
    document
}

#[test]
fn errors_name_the_element() {
    parse(&good()).unwrap();
    let cases = [
        (json!("text"), "Policy"),
        (json!({"Statement": []}), "Statement"),
        (json!({"Version": "2012-10-17"}), "Statement"),
        (json!({"Version": "2020-01-01", "Statement": good()["Statement"]}), "Version"),
        (json!({"Version": 1, "Statement": good()["Statement"]}), "Version"),
        (json!({"Id": 1, "Statement": good()["Statement"]}), "Id"),
        (json!({"Statements": good()["Statement"]}), "Policy"),
        (json!({"Statement": ["text"]}), "Statement[0]"),
        (json!({"Statement": [good()["Statement"][0], good()["Statement"][0]]}), "Statement[1].Sid"),
        (with(json!({"Effect": "allow"})), "Statement[0].Effect"),
        (with(json!({"Effect": null})), "Statement[0].Effect"),
        (with(json!({"Extra": "x"})), "Statement[0]"),
        (with(json!({"Principal": null})), "Statement[0].Principal"),
        (with(json!({"Principal": {}})), "Statement[0].Principal"),
        (with(json!({"Principal": "ann"})), "Statement[0].Principal"),
        (with(json!({"Principal": {"AWS": []}})), "Statement[0].Principal"),
        (with(json!({"Principal": {"AWS": "ann"}})), "Statement[0].Principal"),
        (with(json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}})), "Statement[0].Principal"),
        (with(json!({"Principal": {"CanonicalUser": "ann"}})), "Statement[0].Principal"),
        (with(json!({"Principal": {"Group": "x"}})), "Statement[0].Principal"),
        (with(json!({"NotPrincipal": "*"})), "Statement[0].Principal"),
        (with(json!({"Principal": null, "NotPrincipal": "*"})), "Statement[0].NotPrincipal"),
        (with(json!({"Action": null})), "Statement[0].Action"),
        (with(json!({"Action": []})), "Statement[0].Action"),
        (with(json!({"Action": "GetObject"})), "Statement[0].Action"),
        (with(json!({"Action": "ec2:*"})), "Statement[0].Action"),
        (with(json!({"Action": ["s3:GetObject", 1]})), "Statement[0].Action"),
        (with(json!({"NotAction": "s3:GetObject"})), "Statement[0].Action"),
        (with(json!({"Resource": null})), "Statement[0].Resource"),
        (with(json!({"Resource": "arn:aws:s3:::other/*"})), "Statement[0].Resource"),
        (with(json!({"Resource": "bucket/*"})), "Statement[0].Resource"),
        (with(json!({"Resource": "arn:aws:s3:::bucket/${aws:username"})), "Statement[0].Resource"),
        (with(json!({"Resource": "arn:aws:s3:::bucket/${username}"})), "Statement[0].Resource"),
        (with(json!({"Condition": "x"})), "Statement[0].Condition"),
        (with(json!({"Condition": {"StringSame": {"aws:a": "x"}}})), "Statement[0].Condition.StringSame"),
        (with(json!({"Condition": {"stringequals": {"aws:a": "x"}}})), "Statement[0].Condition.stringequals"),
        (with(json!({"Condition": {"ForNoValue:Bool": {"aws:a": "true"}}})), "Statement[0].Condition.ForNoValue:Bool"),
        (with(json!({"Condition": {"NullIfExists": {"aws:a": "true"}}})), "Statement[0].Condition.NullIfExists"),
        (with(json!({"Condition": {"StringEquals": {}}})), "Statement[0].Condition.StringEquals"),
        (with(json!({"Condition": {"StringEquals": {"prefix": "x"}}})), "Statement[0].Condition.StringEquals"),
        (with(json!({"Condition": {"StringEquals": {"aws:a": {"x": 1}}}})), "Statement[0].Condition.StringEquals"),
        (with(json!({"Condition": {"NumericEquals": {"aws:a": "ten"}}})), "Statement[0].Condition.NumericEquals"),
        (with(json!({"Condition": {"NumericEquals": {"aws:a": "inf"}}})), "Statement[0].Condition.NumericEquals"),
        (with(json!({"Condition": {"DateEquals": {"aws:a": "2024-13-01"}}})), "Statement[0].Condition.DateEquals"),
        (with(json!({"Condition": {"Bool": {"aws:a": "yes"}}})), "Statement[0].Condition.Bool"),
        (with(json!({"Condition": {"BinaryEquals": {"aws:a": "?"}}})), "Statement[0].Condition.BinaryEquals"),
        (with(json!({"Condition": {"IpAddress": {"aws:a": "10.0.0.0/33"}}})), "Statement[0].Condition.IpAddress"),
        (with(json!({"Condition": {"IpAddress": {"aws:a": "10.0.0"}}})), "Statement[0].Condition.IpAddress"),
    ];
    for (document, element) in cases {
        let error = parse(&document).expect_err(&document.to_string());
        assert_eq!(error.element, element, "{document}: {error}");
        assert!(error.to_string().starts_with(element) && !error.reason.is_empty());
    }
}

#[test]
fn what_is_written_twice_is_refused() {
    let twice = good().to_string().replace("\"Effect\":\"Allow\"", "\"Effect\":\"Deny\",\"Effect\":\"Allow\"");
    let error = Policy::parse(&twice, PolicyKind::Bucket("bucket")).unwrap_err();
    assert!(error.reason.contains("Effect"), "{error}");
}

#[test]
fn size_and_depth_are_bounded() {
    let key = "k".repeat(POLICY_BYTES_MAX);
    let error = parse(&with(json!({"Sid": key}))).unwrap_err();
    assert_eq!((error.element.as_str(), error.reason.contains("20 KB")), ("Policy", true));
    let deep = "[".repeat(POLICY_BYTES_MAX);
    assert_eq!(Policy::parse(&deep, PolicyKind::Identity).unwrap_err().element, "Policy");
}

#[test]
fn a_policy_of_an_identity_has_no_principal() {
    let parse = |document: Value| Policy::parse(&document.to_string(), PolicyKind::Identity);
    assert_eq!(parse(good()).unwrap_err().element, "Statement[0].Principal");
    parse(with(json!({"Principal": null, "Action": ["ec2:RunInstances", "s3:*"], "Resource": "*"}))).unwrap();
}

#[test]
fn resources_must_be_able_to_be_in_the_bucket() {
    for resource in ["arn:aws:s3:::*", "arn:aws:s3:::b*t/x", "arn:aws:s3:::bucket", "arn:aws:s3:::${aws:name}/x"] {
        parse(&with(json!({"Resource": resource, "Action": "s3:*"})))
            .unwrap_or_else(|error| panic!("{resource}: {error}"));
    }
}

#[test]
fn an_empty_id_is_none() {
    let statement = |id: &str| with(json!({"Sid": id}))["Statement"][0].clone();
    let of = |ids: [&str; 2]| parse(&json!({"Version": "2012-10-17", "Statement": ids.map(statement)}));
    of(["", ""]).unwrap();
    of(["", "one"]).unwrap();
    let error = of(["one", "one"]).unwrap_err();
    assert_eq!(error.reason, "Statement IDs (SID) in a single policy must be unique");
}

/// AWS's words for what cannot be meant. Documents that were set before they were said are still read.
#[test]
fn what_cannot_be_meant_is_refused_in_awss_words() {
    const UNFIT: &str = "Action does not apply to any resource(s) in statement";
    let (bucket, objects) = (json!("arn:aws:s3:::bucket"), json!("arn:aws:s3:::bucket/*"));
    for (action, resource, reason) in [
        (json!("s3:GetObjects"), &objects, "Policy has invalid action"),
        (json!("s3:Frobnicate*"), &objects, "Policy has invalid action"),
        (json!(["s3:GetObject", "s3:Nothing"]), &objects, "Policy has invalid action"),
        (json!("s3:"), &objects, "Policy has invalid action"),
        (json!("s3:ListBucket"), &objects, UNFIT),
        (json!(["s3:GetObject", "s3:ListBucket"]), &objects, UNFIT),
        (json!("s3:GetObject*"), &bucket, UNFIT),
        (json!("s3:ListAllMyBuckets"), &json!(["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]), UNFIT),
        (json!("s3:CreateJob"), &objects, UNFIT),
        (json!("s3:GetObject"), &json!("*"), "Policy has invalid resource"),
        (json!("s3:GetObject"), &json!("arn:aws:s3:::other/*"), "Policy has invalid resource"),
    ] {
        let document = with(json!({"Action": action, "Resource": resource}));
        let error = parse(&document).expect_err(&document.to_string());
        assert_eq!(error.reason, reason, "{document}");
        let stored = Policy::stored(&document.to_string(), PolicyKind::Bucket("bucket"));
        assert_eq!(stored.is_ok(), !resource.to_string().contains("other"), "{document}: {stored:?}");
    }
    for (action, resource) in [
        (json!("s3:*"), &objects),
        (json!("*"), &bucket),
        (json!("s3:Get*"), &objects),
        (json!("s3:ListBucket"), &json!("arn:aws:s3:::bucket*")),
        (json!(["s3:GetObject", "s3:ListBucket"]), &json!(["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"])),
        (json!(["s3:ReplicateObject", "s3:ObjectOwnerOverrideToBucketOwner"]), &objects),
    ] {
        let document = with(json!({"Action": action, "Resource": resource}));
        parse(&document).unwrap_or_else(|error| panic!("{document}: {error}"));
    }
    parse(&with(json!({"Resource": null, "NotResource": "arn:aws:s3:::bucket/a", "Action": "s3:ListBucket"}))).unwrap();
    parse(&with(json!({"Action": null, "NotAction": "s3:ListBucket"}))).unwrap();
}

#[test]
fn values_of_a_new_policy_are_bounded() {
    let (fits, long) = ("k".repeat(2048), "k".repeat(2049));
    let of = |text: &str| with(json!({"Condition": {"StringLike": {"aws:Referer": [text]}}}));
    parse(&of(&fits)).unwrap();
    assert_eq!(parse(&of(&long)).unwrap_err().element, "Statement[0].Condition.StringLike");
    let resource = with(json!({"Resource": format!("arn:aws:s3:::bucket/{long}")}));
    assert_eq!(parse(&resource).unwrap_err().element, "Statement[0].Resource");
    for document in [of(&long), resource] {
        Policy::stored(&document.to_string(), PolicyKind::Bucket("bucket")).unwrap();
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = Policy::parse(&text, PolicyKind::Bucket("bucket"));
    }

    #[test]
    fn no_value_makes_it_panic(text in ".{0,40}") {
        for name in ["Principal", "Action", "Resource", "Sid", "Effect"] {
            let _ = parse(&with(json!({name: text})));
        }
        for operator in ["StringLike", "NumericEquals", "DateLessThan", "IpAddress", "ArnLike", "BinaryEquals"] {
            let _ = parse(&with(json!({"Condition": {operator: {"aws:a": text}}})));
            let _ = parse(&with(json!({"Condition": {operator: {text.clone(): "a"}}})));
        }
    }
}
