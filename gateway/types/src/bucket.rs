use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;

/// Identity of a bucket for as long as it lives. A bucket made again under the same name has another
/// one, so nothing that belonged to the first can appear in the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BucketId(pub u64);

/// Name of a general purpose bucket (AWS, "General purpose bucket naming rules").
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);

impl BucketName {
    /// Parses a name of 3 to 63 lower-case letters, digits, dots and hyphens.
    ///
    /// # Errors
    /// `bucket`, with the rule that the name breaks.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let invalid = |reason| Err(Invalid::new("bucket", reason));
        if !(3..=63).contains(&name.len()) {
            return invalid("a bucket name has 3 to 63 characters");
        }
        let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !name.bytes().all(|b| edge(b) || b == b'.' || b == b'-') {
            return invalid("a bucket name has lower-case letters, digits, dots and hyphens");
        }
        let bytes = name.as_bytes();
        if !edge(bytes[0]) || !edge(bytes[bytes.len() - 1]) {
            return invalid("a bucket name begins and ends with a letter or a digit");
        }
        if name.contains("..") || name.contains(".-") || name.contains("-.") {
            return invalid("a dot in a bucket name stands between letters or digits");
        }
        if name.parse::<Ipv4Addr>().is_ok() {
            return invalid("a bucket name is not an IP address");
        }
        if name.starts_with("xn--") || name.starts_with("sthree-") || name.starts_with("amzn-s3-demo-") {
            return invalid("this prefix is reserved");
        }
        if ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|s| name.ends_with(s)) {
            return invalid("this suffix is reserved");
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BucketName {
    type Error = Invalid;
    fn try_from(name: String) -> Result<Self, Invalid> {
        Self::parse(&name)
    }
}

impl From<BucketName> for String {
    fn from(name: BucketName) -> Self {
        name.0
    }
}
