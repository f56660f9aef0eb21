use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Canonical user id of an account: 64 lower-case hexadecimal digits, as AWS prints them in `Owner`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountId([u8; 32]);

impl AccountId {
    /// Wraps 32 bytes, which are random for an account that is made here.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes behind the digits.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Parses 64 hexadecimal digits.
    ///
    /// # Errors
    /// `account id` if the text has another length or another character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Invalid::new("account id", "must be 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Access key id: 16 to 128 letters and digits, as IAM's `AccessKey` type bounds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// Parses an access key id. Three characters suffice, so that keys brought from another store fit.
    ///
    /// # Errors
    /// `access key id` if the length is not 3 to 128 or a character is not a letter, digit, `_` or `-`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if !(3..=128).contains(&text.len()) {
            return Err(Invalid::new("access key id", "must have 3 to 128 characters"));
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if !text.bytes().all(legal) {
            return Err(Invalid::new("access key id", "may have letters, digits, '_' and '-'"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AccessKeyId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<AccessKeyId> for String {
    fn from(id: AccessKeyId) -> Self {
        id.0
    }
}
