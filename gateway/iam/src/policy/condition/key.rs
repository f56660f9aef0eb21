use super::expected::Shape;
use crate::policy::arn;
use crate::policy::key_name;
use std::borrow::Cow;
use std::fmt;

/// The named key that a request asks for.
pub const NAMED_KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";

/// The name of something that a request brings, such as `aws:SourceIp` or
/// `s3:ExistingObjectTag/project`. Names count without their case; the part behind a slash is a tag's
/// key and counts with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConditionKey {
    name: String,
    part: Option<String>,
}

impl ConditionKey {
    /// Parses a name with its service before a colon; none if it has no such form.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, part) = match text.split_once('/') {
            Some((name, part)) => (name, Some(part.to_owned())),
            None => (text, None),
        };
        let (service, rest) = name.split_once(':')?;
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.');
        let named = !service.is_empty() && !rest.is_empty() && name.bytes().all(legal);
        (named && part.as_deref() != Some("")).then(|| Self { name: name.to_ascii_lowercase(), part })
    }

    /// A value that the key is held against. A named key counts whether it is given by name or by ARN, as in requests.
    pub(in crate::policy) fn canonical<'a>(&self, value: &'a str, shape: Shape) -> Cow<'a, str> {
        let names = matches!(shape, Shape::Text(_) | Shape::Like | Shape::Arn);
        if self.name == NAMED_KEY && names { arn::of_key(key_name(value)).into() } else { value.into() }
    }

    /// Whether two objects of one bucket can differ in it, asked for by one request.
    pub(in crate::policy) fn is_of_object(&self) -> bool {
        matches!(self.name.as_str(), "s3:existingobjecttag" | "s3:versionid")
    }

    /// Service and name in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands behind a slash.
    pub fn part(&self) -> Option<&str> {
        self.part.as_deref()
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.part.as_ref().map_or(Ok(()), |part| write!(f, "/{part}"))
    }
}
