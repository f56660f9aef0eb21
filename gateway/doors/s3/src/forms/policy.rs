//! The policy of a form: what its signer lets others upload, and until when (AWS, "POST Policy").

use super::fields::{Fields, is_ignored};
use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_types::Timestamp;
use s3s::{S3Error, S3Result, s3_error};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Fields that need no condition: those that sign, and the file. A checksum needs none either: it lets no
/// one upload more than without it.
const EXEMPT: [&str; 5] = ["awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"];

/// A policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PostPolicy {
    expires: Timestamp,
    conditions: Vec<Condition>,
}

/// A condition. Fields are named in lower case, without the dollar sign.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Equals { field: String, value: String },
    StartsWith { field: String, prefix: String },
    Length(RangeInclusive<u64>),
}

impl PostPolicy {
    /// Reads the field `policy`: base64 of JSON.
    pub(crate) fn parse(field: &str) -> S3Result<Self> {
        let document = BASE64_STANDARD.decode(field.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let document = document.ok_or_else(|| invalid("Invalid Base64"))?;
        let json: Value = serde_json::from_str(&plain_escapes(&document)).map_err(|_| invalid("Invalid JSON."))?;
        let Value::Object(members) = json else { return Err(invalid("Invalid JSON.")) };
        if let Some(unknown) = members.keys().find(|name| !matches!(name.as_str(), "expiration" | "conditions")) {
            return Err(invalid(&format!("Unexpected: '{}'", unknown.escape_debug())));
        }
        let expiration = members.get("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        let expires = expiration.as_str().and_then(moment);
        let expires = expires.ok_or_else(|| invalid(&format!("Invalid 'expiration' value: {expiration}")))?;
        let conditions = members.get("conditions").ok_or_else(|| invalid("Policy missing conditions."))?;
        let Value::Array(conditions) = conditions else { return Err(invalid("'conditions' must be a list.")) };
        let conditions = conditions.iter().map(Condition::parse).collect::<S3Result<_>>()?;
        Ok(Self { expires, conditions })
    }

    /// Holds a form for a bucket against the policy: all but the size of its file.
    pub(crate) fn check(&self, fields: &Fields, bucket: &str, now: Timestamp) -> S3Result<()> {
        if now >= self.expires {
            return Err(refused("Policy expired."));
        }
        if let Some(failed) = self.conditions.iter().find(|condition| !condition.holds(fields, bucket)) {
            return Err(refused(&format!("Policy Condition failed: {}", failed.text())));
        }
        let is_exempt = |name: &str| EXEMPT.contains(&name) || is_ignored(name) || name.starts_with("x-amz-checksum-");
        let names = fields.iter().map(|(name, _)| name).filter(|name| *name != "bucket").chain(["bucket"]);
        let extra: Vec<&str> = names.filter(|name| !is_exempt(name) && !self.names(name)).collect();
        if extra.is_empty() { Ok(()) } else { Err(refused(&format!("Extra input fields: {}", extra.join(", ")))) }
    }

    /// How many bytes the file may have; any number if the policy does not say.
    pub(crate) fn length(&self) -> RangeInclusive<u64> {
        self.conditions.iter().fold(0..=u64::MAX, |all, condition| match condition {
            Condition::Length(one) => *all.start().max(one.start())..=*all.end().min(one.end()),
            Condition::Equals { .. } | Condition::StartsWith { .. } => all,
        })
    }

    fn names(&self, wanted: &str) -> bool {
        self.conditions.iter().any(|condition| match condition {
            Condition::Equals { field, .. } | Condition::StartsWith { field, .. } => field == wanted,
            Condition::Length(_) => false,
        })
    }
}

impl Condition {
    fn parse(json: &Value) -> S3Result<Self> {
        match json {
            Value::Object(members) => Self::simple(members),
            Value::Array(members) => match members.as_slice() {
                [Value::String(operator), first, second] => Self::operation(operator, first, second),
                _ => Err(invalid(&format!("Invalid Condition: {json}"))),
            },
            _ => Err(invalid(&format!("Invalid Condition: {json}"))),
        }
    }

    /// `{"acl": "private"}`.
    fn simple(members: &Map<String, Value>) -> S3Result<Self> {
        let mut members = members.iter();
        match (members.next(), members.next()) {
            (Some((field, Value::String(value))), None) => {
                Ok(Self::Equals { field: field.to_ascii_lowercase(), value: value.clone() })
            }
            (Some(_), None) => Err(invalid("Invalid Simple-Condition: value must be a string.")),
            _ => Err(invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")),
        }
    }

    /// `["starts-with", "$key", "user/"]` or `["content-length-range", 1, 10]`.
    fn operation(operator: &str, first: &Value, second: &Value) -> S3Result<Self> {
        let operator = operator.to_ascii_lowercase();
        if operator == "content-length-range" {
            let (min, max) = bytes(first)
                .zip(bytes(second))
                .ok_or_else(|| invalid(&format!("Invalid Condition: content-length-range from {first} to {second}")))?;
            return Ok(Self::Length(min..=max));
        }
        let field = first.as_str().and_then(|field| field.strip_prefix('$'));
        let (Some(field), Some(value)) = (field, second.as_str()) else {
            return Err(invalid(&format!("Invalid Condition: [\"{}\", {first}, {second}]", operator.escape_debug())));
        };
        let (field, value) = (field.to_ascii_lowercase(), value.to_owned());
        match operator.as_str() {
            "eq" => Ok(Self::Equals { field, value }),
            "starts-with" => Ok(Self::StartsWith { field, prefix: value }),
            _ => Err(invalid(&format!("Invalid Condition: unknown operation '{}'.", operator.escape_debug()))),
        }
    }

    /// Whether the form meets it. A field that is not there begins with nothing, so it meets only the empty
    /// beginning, which lets any value through. The bucket is the one that the form is sent to, whatever a
    /// field says.
    fn holds(&self, fields: &Fields, bucket: &str) -> bool {
        let value = |field: &str| if field == "bucket" { Some(bucket) } else { fields.get(field) };
        match self {
            Self::Equals { field, value: wanted } => value(field) == Some(wanted),
            // A type may be a list: each of it has to.
            Self::StartsWith { field, prefix } if field == "content-type" => {
                let mut types = value(field).unwrap_or_default().split(',');
                types.all(|one| one.trim_start().starts_with(prefix))
            }
            Self::StartsWith { field, prefix } => value(field).unwrap_or_default().starts_with(prefix),
            Self::Length(_) => true,
        }
    }

    /// As AWS repeats it to the client.
    fn text(&self) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        match self {
            Self::Equals { field, value } => format!("[\"eq\", {}, {}]", quoted(&format!("${field}")), quoted(value)),
            Self::StartsWith { field, prefix } => {
                format!("[\"starts-with\", {}, {}]", quoted(&format!("${field}")), quoted(prefix))
            }
            Self::Length(range) => format!("[\"content-length-range\", {}, {}]", range.start(), range.end()),
        }
    }
}

/// Puts what JSON has where AWS has escapes of its own: `\$` and `\v` (AWS, "POST Policy", "Character
/// Escaping").
fn plain_escapes(document: &str) -> Cow<'_, str> {
    if !document.contains("\\$") && !document.contains("\\v") {
        return document.into();
    }
    let mut plain = String::with_capacity(document.len() + 16);
    let mut chars = document.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (c, false) => plain.push(c),
            (_, true) => match chars.next() {
                Some('$') => plain.push('$'),
                Some('v') => plain.push_str("\\u000b"),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
        }
    }
    plain.into()
}

/// A moment in UTC: `2013-08-01T12:00:00.000Z`.
fn moment(text: &str) -> Option<Timestamp> {
    if !text.ends_with('Z') || text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos()).ok().map(Timestamp)
}

/// A number of bytes; some signers write it as a text.
fn bytes(json: &Value) -> Option<u64> {
    let text = json.as_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    json.as_u64().or_else(|| text?.parse().ok())
}

fn invalid(why: &str) -> S3Error {
    s3_error!(InvalidPolicyDocument, "Invalid Policy: {why}")
}

fn refused(why: &str) -> S3Error {
    s3_error!(AccessDenied, "Invalid according to Policy: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn parse(document: &str) -> Result<PostPolicy, String> {
        let told = |error: S3Error| {
            assert_eq!(error.code().as_str(), "InvalidPolicyDocument");
            error.message().unwrap_or_default().to_owned()
        };
        PostPolicy::parse(&BASE64_STANDARD.encode(document)).map_err(told)
    }

    fn policy(conditions: &str) -> PostPolicy {
        parse(&format!(r#"{{"expiration": "2033-01-01T00:00:00Z", "conditions": [{conditions}]}}"#)).unwrap()
    }

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.push(name, (*value).to_owned()).unwrap();
        }
        fields
    }

    fn check(conditions: &str, pairs: &[(&str, &str)]) -> Result<(), String> {
        let conditions = format!(r#"{{"bucket": "b"}}, ["starts-with", "$key", ""]{conditions}"#);
        let all: Vec<_> = [("key", "k")].into_iter().chain(pairs.iter().copied()).collect();
        policy(&conditions).check(&fields(&all), "b", NOW).map_err(|error| {
            assert_eq!(error.code().as_str(), "AccessDenied");
            error.message().unwrap_or_default().to_owned()
        })
    }

    #[test]
    fn a_document_is_read_in_both_forms() {
        let read = policy(r#"{"AcL": "private"}, ["EQ", "$Key", "a"], ["Starts-With", "$x-amz-meta-A", "\\$\$\v"]"#);
        let equals = |field: &str, value: &str| Condition::Equals { field: field.to_owned(), value: value.to_owned() };
        let starts = Condition::StartsWith { field: "x-amz-meta-a".to_owned(), prefix: "\\$$\u{b}".to_owned() };
        assert_eq!(read.conditions, [equals("acl", "private"), equals("key", "a"), starts]);
        let ranges = policy(r#"["content-length-range", 1, 10], ["content-length-range", "2", "20"]"#);
        assert_eq!(ranges.length(), 2..=10);
        assert_eq!(policy("").length(), 0..=u64::MAX);
    }

    #[test]
    fn a_document_that_is_none_is_refused() {
        let dated =
            |conditions: &str| format!(r#"{{"expiration": "2033-01-01T00:00:00Z", "conditions": {conditions}}}"#);
        for (document, told) in [
            ("".to_owned(), "Invalid JSON."),
            ("[]".to_owned(), "Invalid JSON."),
            (r#"{"conditions": []}"#.to_owned(), "Policy missing expiration."),
            (r#"{"expiration": "2033-01-01T00:00:00Z"}"#.to_owned(), "Policy missing conditions."),
            (r#"{"EXPIRATION": "2033-01-01T00:00:00Z", "conditions": []}"#.to_owned(), "Unexpected: 'EXPIRATION'"),
            (r#"{"expiration": "2033-01-01 00:00:00Z", "conditions": []}"#.to_owned(), "Invalid 'expiration' value"),
            (r#"{"expiration": "2033-01-01T00:00:00+02:00", "conditions": []}"#.to_owned(), "Invalid 'expiration'"),
            (r#"{"expiration": 5, "conditions": []}"#.to_owned(), "Invalid 'expiration' value: 5"),
            (dated("{}"), "'conditions' must be a list."),
            (dated("[{}]"), "Invalid Simple-Condition"),
            (dated(r#"[{"a": "b", "c": "d"}]"#), "Invalid Simple-Condition"),
            (dated(r#"[{"a": 1}]"#), "Invalid Simple-Condition"),
            (dated(r#"["a"]"#), "Invalid Condition"),
            (dated(r#"[["eq", "key", "a"]]"#), "Invalid Condition"),
            (dated(r#"[["ends-with", "$key", "a"]]"#), "Invalid Condition"),
            (dated(r#"[["content-length-range", 0]]"#), "Invalid Condition"),
            (dated(r#"[["content-length-range", -1, 0]]"#), "Invalid Condition"),
            (dated(r#"[["content-length-range", 0.5, 1]]"#), "Invalid Condition"),
        ] {
            let refused = parse(&document).unwrap_err();
            assert!(refused.starts_with(&format!("Invalid Policy: {told}")), "{document}: {refused}");
        }
        assert!(PostPolicy::parse("no base64").is_err());
    }

    #[test]
    fn every_field_needs_a_condition_that_holds() {
        let failed = |text: &str| Err(format!("Invalid according to Policy: Policy Condition failed: {text}"));
        let extra = |names: &str| Err(format!("Invalid according to Policy: Extra input fields: {names}"));
        let exempt = [
            ("AWSAccessKeyId", "a"),
            ("signature", "s"),
            ("policy", "p"),
            ("x-amz-signature", "s"),
            ("x-ignore-submit", "go"),
            ("x-amz-checksum-sha256", "c"),
        ];
        assert_eq!(check("", &exempt), Ok(()));
        assert_eq!(check("", &[("ACL", "private"), ("tagging", "t")]), extra("acl, tagging"));
        assert_eq!(check(r#", {"acl": "private"}"#, &[("ACL", "private")]), Ok(()));
        assert_eq!(check(r#", {"acl": "private"}"#, &[("acl", "Private")]), failed(r#"["eq", "$acl", "private"]"#));
        assert_eq!(check(r#", ["starts-with", "$name", ""]"#, &[]), Ok(()));
        assert_eq!(check(r#", ["starts-with", "$name", "n"]"#, &[]), failed(r#"["starts-with", "$name", "n"]"#));
        assert_eq!(check(r#", {"name": ""}"#, &[]), failed(r#"["eq", "$name", ""]"#));
        assert_eq!(check(r#", ["eq", "$key", "k"], ["eq", "$key", "j"]"#, &[]), failed(r#"["eq", "$key", "j"]"#));
        let images = r#", ["starts-with", "$Content-Type", "image/"]"#;
        assert_eq!(check(images, &[("content-type", "image/png, image/gif")]), Ok(()));
        let told = failed(r#"["starts-with", "$content-type", "image/"]"#);
        assert_eq!(check(images, &[("content-type", "image/png,text/html")]), told);
    }

    #[test]
    fn the_bucket_is_the_one_that_is_posted_to() {
        let of = |conditions: &str, pairs: &[(&str, &str)]| {
            policy(conditions).check(&fields(pairs), "b", NOW).map_err(|error| error.message().map(str::to_owned))
        };
        let extra = Err(Some("Invalid according to Policy: Extra input fields: bucket".to_owned()));
        assert_eq!(of("", &[]), extra);
        assert_eq!(of(r#"{"bucket": "b"}"#, &[("bucket", "another")]), Ok(()));
        assert!(of(r#"{"bucket": "another"}"#, &[("bucket", "another")]).is_err());
    }

    #[test]
    fn a_policy_ends() {
        let policy = policy(r#"{"bucket": "b"}"#);
        let end = moment("2033-01-01T00:00:00.000Z").unwrap();
        assert!(policy.check(&fields(&[]), "b", Timestamp(end.0 - 1)).is_ok());
        let refused = policy.check(&fields(&[]), "b", end).unwrap_err();
        assert_eq!(refused.message(), Some("Invalid according to Policy: Policy expired."));
    }
}
