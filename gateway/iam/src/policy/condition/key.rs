/// The name of something that a request brings, such as `aws:SourceIp` or
/// `s3:ExistingObjectTag/project`. Names count without their case; the part behind a slash is a tag's
/// key and counts with it.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Service and name in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands behind a slash.
    pub fn part(&self) -> Option<&str> {
        self.part.as_deref()
    }
}
