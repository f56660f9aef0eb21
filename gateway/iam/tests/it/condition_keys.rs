//! What the condition keys of policies say of a request.

use crate::decisions::{Ask, Thing, anyone, bob, policy, thing};
use crate::evaluate::{ANN, BOB};
use crate::policy::arn;
use cofre_catalog::records::{LockMode, Retention};
use cofre_iam::{Action, AskedLock, BucketAccess, Caller, Details, Origin, RequestFacts, Signature, Tls};
use cofre_types::{AccountId, BucketName, ObjectKey, Tags, TagsLimit, Timestamp, VersionId};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A request over a door.
#[derive(Debug)]
struct Request {
    headers: Vec<(&'static str, &'static str)>,
    parameters: Vec<(&'static str, &'static str)>,
}

impl RequestFacts for Request {
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| Cow::Borrowed(*value))
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| Cow::Borrowed(*value))
    }

    fn signature(&self, _now: Timestamp) -> Option<Signature> {
        let age = Some(Duration::from_secs(5));
        Some(Signature { auth_type: "REST-QUERY-STRING", version: "AWS4-HMAC-SHA256", age })
    }
}

/// Every key that a request has, with its value; and with nothing set, that the key is absent.
#[test]
fn condition_keys_say_what_the_request_brings() {
    let request = Request {
        headers: vec![
            ("user-agent", "aws-cli/2"),
            ("referer", "http://example.com/"),
            ("x-amz-acl", "public-read"),
            ("x-amz-grant-read", "id=1"),
            ("x-amz-metadata-directive", "COPY"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "key"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("if-match", "\"e\""),
            ("if-none-match", "*"),
        ],
        parameters: vec![("prefix", "home/"), ("delimiter", "/"), ("max-keys", "10")],
    };
    let tags = Tags::new(vec![("a".to_owned(), "1".to_owned())], TagsLimit::Object).unwrap();
    let object = Thing { tags: tags.clone(), ..thing(ANN) };
    let tls = Some(Tls { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256" });
    let origin = Origin { ip: Some("203.0.113.7".parse().unwrap()), secure: true, tls };
    let source = (BucketName::parse("bucket").unwrap(), ObjectKey::parse("a b").unwrap());
    let until = Timestamp::from_secs(1_000_000 + 3 * 86_400);
    let retention = Retention { mode: LockMode::Governance, until };
    let full = Caller { origin, facts: Some(Arc::new(request)), ..bob() };
    let details = Details {
        version: Some(VersionId::Null),
        request_tags: Some(&tags),
        creates: Some(true),
        copy_source: Some((&source.0, &source.1)),
        lock: Some(AskedLock { retention: Some(retention), legal_hold: Some(true) }),
        ..Details::default()
    };
    let bob_arn = arn(BOB);
    let number = |account: AccountId| cofre_iam::account_number(account);
    let (bob_number, ann_number) = (number(BOB), number(ANN));
    // Key, value, and whether it is there for everyone, as are those of the caller and the clock.
    let keys: &[(&str, &str, bool)] = &[
        ("aws:CurrentTime", "1970-01-12T13:46:40Z", true),
        ("aws:EpochTime", "1000000", true),
        ("aws:SourceIp", "203.0.113.7", false),
        ("aws:SecureTransport", "true", true),
        ("aws:UserAgent", "aws-cli/2", false),
        ("aws:Referer", "http://example.com/", false),
        ("aws:PrincipalType", "Account", true),
        ("aws:PrincipalAccount", &bob_number, false),
        ("aws:PrincipalArn", &bob_arn, false),
        ("aws:userid", &bob_number, false),
        ("aws:ResourceAccount", &ann_number, true),
        ("s3:ResourceAccount", &ann_number, true),
        ("aws:PrincipalIsAWSService", "false", true),
        ("s3:TlsVersion", "1.3", false),
        ("s3:authType", "REST-QUERY-STRING", false),
        ("s3:signatureversion", "AWS4-HMAC-SHA256", false),
        ("s3:signatureAge", "5000", false),
        ("s3:VersionId", "null", false),
        ("s3:ObjectCreationOperation", "true", false),
        ("s3:x-amz-acl", "public-read", false),
        ("s3:x-amz-grant-read", "id=1", false),
        ("s3:x-amz-copy-source", "bucket/a b", false),
        ("s3:x-amz-metadata-directive", "COPY", false),
        ("s3:x-amz-server-side-encryption", "aws:kms", false),
        ("s3:x-amz-server-side-encryption-aws-kms-key-id", "key", false),
        ("s3:x-amz-server-side-encryption-customer-algorithm", "AES256", false),
        ("s3:x-amz-storage-class", "STANDARD_IA", false),
        ("s3:object-lock-mode", "GOVERNANCE", false),
        ("s3:object-lock-legal-hold", "ON", false),
        ("s3:object-lock-retain-until-date", "1970-01-15T13:46:40Z", false),
        ("s3:object-lock-remaining-retention-days", "3", false),
        ("s3:if-match", "\"e\"", false),
        ("s3:if-none-match", "*", false),
        ("s3:ExistingObjectTag/a", "1", false),
        ("s3:RequestObjectTag/a", "1", false),
        ("s3:RequestObjectTagKeys", "a", false),
    ];
    let holds = |caller: &Caller, object: Option<&Thing>, details, action: Action, condition: Value| {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"], "Condition": condition});
        let access = BucketAccess { policy: policy(statement), ..BucketAccess::private(ANN) };
        Ask { access: &access, object, details }.of(caller, action).is_allowed()
    };
    for (key, value, always) in keys {
        let equal = json!({"StringEquals": {*key: value}});
        assert!(holds(&full, Some(&object), details, Action::PutObject, equal), "{key} is not {value}");
        let absent = json!({"Null": {*key: "true"}});
        let bare = holds(&anyone(), None, Details::default(), Action::PutObject, absent);
        assert_eq!(bare, !always, "{key} of a request without anything");
    }
    for (key, value) in [("s3:prefix", "home/"), ("s3:delimiter", "/"), ("s3:max-keys", "10")] {
        let equal = json!({"StringEquals": {key: value}});
        assert!(holds(&full, None, details, Action::ListBucket, equal.clone()), "{key}");
        assert!(!holds(&full, None, details, Action::GetObject, equal), "{key} is of listings");
    }
    for key in ["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:PrincipalOrgID", "aws:username", "s3:none"] {
        let absent = json!({"Null": {key: "true"}});
        assert!(holds(&full, Some(&object), details, Action::PutObject, absent), "{key} is nothing here");
    }
}

/// Bob, whose request has these headers.
pub(crate) fn with_headers(headers: Vec<(&'static str, &'static str)>) -> Caller {
    Caller { facts: Some(Arc::new(Request { headers, parameters: vec![] })), ..bob() }
}

/// What operations take for none is none to conditions.
#[test]
fn a_header_without_a_value_is_no_header() {
    let names = ["user-agent", "referer", "if-match", "if-none-match", "x-amz-acl", "x-amz-storage-class"];
    let headers = names.into_iter().zip(["", " ", "\t", "", "", "  "]).collect();
    let caller = with_headers(headers);
    for key in
        ["aws:UserAgent", "aws:Referer", "s3:if-match", "s3:if-none-match", "s3:x-amz-acl", "s3:x-amz-storage-class"]
    {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::bucket/*", "Condition": {"Null": {key: "false"}}});
        let access = BucketAccess { policy: policy(statement), ..BucketAccess::private(ANN) };
        let asked = Ask { access: &access, object: None, details: Details::default() };
        assert!(!asked.of(&caller, Action::PutObject).is_allowed(), "{key} is there");
    }
}
