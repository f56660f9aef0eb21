use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest object key, in bytes of UTF-8 (AWS, "Naming Amazon S3 objects").
pub const KEY_BYTES_MAX: usize = 1024;

/// Object key: 1 to [`KEY_BYTES_MAX`] bytes of UTF-8. Never a path: `..`, `//` and control
/// characters are plain bytes of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Parses a key.
    ///
    /// # Errors
    /// `key` if the text is empty or longer than [`KEY_BYTES_MAX`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::try_from(text.to_owned())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::new("key", "an object key is not empty"));
        }
        if text.len() > KEY_BYTES_MAX {
            return Err(Invalid::new("key", "an object key has at most 1,024 bytes"));
        }
        Ok(Self(text))
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}
